# What is created by default.
# These are plans: no request is sent to AWS. The other variables are in terraform.tfvars.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "nobody"
  secret_key                  = "nothing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

run "what_is_created" {
  command = plan

  override_resource {
    target          = aws_lambda_alias.live
    override_during = plan
    values          = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:frogmove:live" }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.uploads.function_name == "arn:aws:lambda:eu-central-1:123456789012:function:frogmove:live"
    error_message = "The queue invokes the alias, so that a rollback changes only the alias."
  }

  assert {
    condition     = aws_scheduler_schedule.sweep[0].target[0].arn == "arn:aws:lambda:eu-central-1:123456789012:function:frogmove:live"
    error_message = "The schedule calls the alias."
  }

  assert {
    condition     = output.function_arn == "arn:aws:lambda:eu-central-1:123456789012:function:frogmove:live"
    error_message = "The output for operators is the alias."
  }

  assert {
    condition     = strcontains(aws_iam_policy.operators.policy, "arn:aws:lambda:eu-central-1:123456789012:function:frogmove:*") && jsondecode(aws_iam_role_policy.scheduler[0].policy).Statement[0].Resource == output.function_arn && jsondecode(aws_iam_role_policy.batch[0].policy).Statement[0].Resource == output.function_arn
    error_message = "Policies contain the ARN of the alias."
  }

  assert {
    condition     = aws_s3_bucket.source[0].bucket == "frogtech-sharara-external" && aws_s3_bucket.destination[0].bucket == "frogtech-sharara-internal"
    error_message = "Both buckets are created, under their names."
  }

  assert {
    condition     = !aws_s3_bucket.source[0].force_destroy && !aws_s3_bucket.destination[0].force_destroy
    error_message = "Destroy must not delete objects."
  }

  assert {
    condition     = keys(terraform_data.kept) == ["destination bucket", "source bucket"]
    error_message = "A plan that would destroy a bucket's settings is refused."
  }

  assert {
    condition = length(aws_s3_bucket_public_access_block.this) == 2 && alltrue([for block in aws_s3_bucket_public_access_block.this :
    block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "All four blocks of public access on both buckets."
  }

  assert {
    condition     = [for controls in aws_s3_bucket_ownership_controls.this : controls.rule[0].object_ownership] == ["BucketOwnerEnforced", "BucketOwnerEnforced"]
    error_message = "ACLs are off on both buckets."
  }

  assert {
    condition     = keys(aws_s3_bucket_versioning.this) == ["destination"] && aws_s3_bucket_versioning.this["destination"].versioning_configuration[0].status == "Enabled"
    error_message = "The destination keeps versions."
  }

  assert {
    condition = alltrue([for encryption in aws_s3_bucket_server_side_encryption_configuration.this :
    [for rule in encryption.rule : [for sse in rule.apply_server_side_encryption_by_default : sse.sse_algorithm]] == [["AES256"]]])
    error_message = "Both buckets are encrypted."
  }

  assert {
    condition = alltrue([for rules in aws_s3_bucket_lifecycle_configuration.this :
    rules.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 7])
    error_message = "Incomplete multipart uploads are aborted after a week."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this["destination"].rule[0].noncurrent_version_expiration[0].noncurrent_days == 90
    error_message = "Old versions expire."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this["source"].rule[0].noncurrent_version_expiration[0].noncurrent_days == 90 && !contains(keys(aws_s3_bucket_versioning.this), "source")
    error_message = "A source that keeps no versions must still expire those from before."
  }

  assert {
    condition = alltrue([for policy in aws_s3_bucket_policy.this : anytrue([for statement in jsondecode(policy.policy).Statement :
      statement.Effect == "Deny" && statement.Action == "s3:*" && statement.Principal == "*" &&
    statement.Condition == { Bool = { "aws:SecureTransport" = "false" } } && length(statement.Resource) == 2])])
    error_message = "Both buckets refuse requests without TLS."
  }

  assert {
    condition     = aws_sqs_queue.uploads.visibility_timeout_seconds == 6 * aws_lambda_function.move.timeout && strcontains(aws_iam_role_policy.function.policy, "sqs:ChangeMessageVisibility")
    error_message = "A message stays hidden six times as long as an invocation may take."
  }

  assert {
    condition     = aws_sqs_queue.uploads.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled && aws_sqs_queue.sweep_dead_letters.sqs_managed_sse_enabled
    error_message = "Queues are encrypted by SQS."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds > aws_sqs_queue.uploads.message_retention_seconds
    error_message = "The dead-letter queue keeps messages longer than the queue."
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.uploads) + length(aws_cloudwatch_event_target.uploads) == 0 && !aws_s3_bucket_notification.uploads[0].eventbridge && aws_s3_bucket_notification.uploads[0].queue[0].events == toset(["s3:ObjectCreated:*"]) && aws_s3_bucket_notification.uploads[0].queue[0].filter_prefix == null
    error_message = "Every upload to the bucket is reported."
  }

  assert {
    condition     = aws_lambda_function.move.architectures == tolist(["arm64"]) && aws_lambda_function.move.runtime == "python3.13" && aws_lambda_function.move.handler == "frogmove.lambda_handler.handler"
    error_message = "arm64, python3.13 and frogmove's handler."
  }

  assert {
    condition     = aws_lambda_function.move.publish && aws_lambda_alias.live.name == "live"
    error_message = "Versions are published and called by an alias."
  }

  assert {
    condition = aws_lambda_function.move.environment[0].variables == tomap({
      FROGMOVE_SOURCE                = "s3://frogtech-sharara-external/"
      FROGMOVE_DESTINATION           = "s3://frogtech-sharara-internal/"
      FROGMOVE_ON_CONFLICT           = "overwrite"
      FROGMOVE_EXPECTED_BUCKET_OWNER = "123456789012"
      FROGMOVE_SWEEP_AGE             = "15m"
      FROGMOVE_EXCLUDE               = "frogmove-batch/**"
      POWERTOOLS_LOG_LEVEL           = "INFO"
    })
    error_message = "The function gets the handler's environment variables."
  }

  assert {
    condition     = aws_lambda_function.move.logging_config[0].log_format == "JSON" && aws_lambda_function.move.logging_config[0].log_group == "/aws/lambda/frogmove"
    error_message = "The function writes JSON to its own log group."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.retention_in_days == 90
    error_message = "Logs expire."
  }

  assert {
    condition     = aws_lambda_function.move.tracing_config[0].mode == "PassThrough"
    error_message = "Tracing is off."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.uploads.function_response_types == toset(["ReportBatchItemFailures"]) && aws_lambda_event_source_mapping.uploads.scaling_config[0].maximum_concurrency == 10 && aws_lambda_event_source_mapping.uploads.enabled
    error_message = "Messages fail separately, and concurrency is limited."
  }

  assert {
    condition     = aws_scheduler_schedule.sweep[0].schedule_expression == "rate(1 hour)" && jsondecode(aws_scheduler_schedule.sweep[0].target[0].input) == { action = "sweep" } && aws_scheduler_schedule.sweep[0].state == "ENABLED"
    error_message = "A sweep runs every hour, with the handler's event."
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.live.qualifier == "live" && aws_lambda_function_event_invoke_config.live.maximum_retry_attempts == 1
    error_message = "A failed sweep is retried once."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["dead-letters", "oldest-message", "errors", "throttles", "sweep-dead-letters", "failed", "conflict", "oldest-object"])
    error_message = "Every alarm of README.md."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["failed"].dimensions == tomap({ service = "frogmove", route = "s3://frogtech-sharara-external/ -> s3://frogtech-sharara-internal/" })
    error_message = "frogmove's own metrics, for this route."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.treat_missing_data == "notBreaching"])
    error_message = "Missing data raises no alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.no_sweep[0].evaluation_periods == 2 && aws_cloudwatch_metric_alarm.no_sweep[0].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.not_polled[0].treat_missing_data == "breaching" && length(output.alarm_names) == 10
    error_message = "A missing sweep and a queue that is not polled raise alarms."
  }

  assert {
    condition     = contains(one([for statement in jsondecode(aws_iam_policy.operators.policy).Statement : statement.Resource if contains(flatten([statement.Action]), "lambda:UpdateAlias")]), "arn:aws:lambda:eu-central-1:123456789012:function:frogmove") && !strcontains(aws_iam_policy.operators.policy, "lambda:UpdateFunction")
    error_message = "Operators may roll back with the alias, and not change the function."
  }

  assert {
    condition     = length(aws_sns_topic.alarms) == 0 && length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets) == 7
    error_message = "There is a dashboard, and no recipient of alarms by default."
  }

  assert {
    condition     = strcontains(output.config_toml, "[routes.frogmove]\nsource = \"s3://frogtech-sharara-external/\"\ndestination = \"s3://frogtech-sharara-internal/\"\nregion = \"eu-central-1\"\nfunction = \"frogmove:live\"\nexpected_bucket_owner = \"123456789012\"\n")
    error_message = "The configuration file is complete."
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && output.kms_key_arn == null
    error_message = "No KMS key is created by default."
  }
}
