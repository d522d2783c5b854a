# Each option, on and off.
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

run "a_key_that_an_adopted_bucket_needs" {
  command = plan

  variables {
    create_destination_bucket = false
    on_conflict               = "fail"
    create_kms_key            = true
    force_destroy             = true
  }

  assert {
    condition     = keys(terraform_data.kept) == ["key"] && strcontains(aws_kms_key.this[0].policy, "DenyDeletion")
    error_message = "force_destroy does not delete the key of an adopted bucket's objects."
  }
}

run "a_key_deleted_with_its_buckets" {
  command = plan

  variables {
    create_kms_key = true
    force_destroy  = true
  }

  assert {
    condition     = length(terraform_data.kept) == 0 && !strcontains(aws_kms_key.this[0].policy, "DenyDeletion")
    error_message = "force_destroy deletes created buckets with their objects and key."
  }
}

run "a_created_key" {
  command = plan

  variables {
    create_kms_key = true
    alarm_emails   = ["operators@frogtech.example"]
  }

  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation && aws_kms_key.this[0].deletion_window_in_days == 30 && aws_kms_alias.this[0].name == "alias/frogmove"
    error_message = "The key rotates, and is deleted only after a delay."
  }

  assert {
    condition = alltrue([for encryption in aws_s3_bucket_server_side_encryption_configuration.this :
    [for rule in encryption.rule : [for sse in rule.apply_server_side_encryption_by_default : sse.sse_algorithm if rule.bucket_key_enabled]] == [["aws:kms"]]])
    error_message = "Buckets use the key, through bucket keys."
  }

  assert {
    condition = toset([for statement in jsondecode(aws_kms_key.this[0].policy).Statement : values(statement.Principal)[0] if statement.Effect == "Allow"]) == toset([
    "arn:aws:iam::123456789012:root", "s3.amazonaws.com", "logs.eu-central-1.amazonaws.com", "cloudwatch.amazonaws.com"])
    error_message = "The key serves this account, its bucket, its logs and its alarms."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this[0].policy).Statement : can(statement.Condition) || contains(["AllowIamPolicies", "DenyDeletion"], statement.Sid)])
    error_message = "Every service uses the key under a condition."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_kms_key.this[0].policy).Statement : [statement.Effect, statement.Principal, toset(statement.Action)] if statement.Sid == "DenyDeletion"]) == ["Deny", "*", toset(["kms:DisableKey", "kms:ScheduleKeyDeletion"])]
    error_message = "The key can be deleted only after its policy is changed."
  }

  assert {
    condition     = toset(keys(terraform_data.kept)) == toset(["destination bucket", "key", "source bucket"])
    error_message = "No plan destroys the buckets or the key."
  }
}

run "existing_keys_and_large_numbers" {
  command = plan

  variables {
    kms_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    bucket_kms_key_arns     = ["arn:aws:kms:eu-central-1:123456789012:key/66666666-7777-8888-9999-000000000000"]
    alarm_emails            = ["operators@frogtech.example"]
    timeout_seconds         = 900
    max_receive_count       = 20
    batch_size              = 100
    batch_window_seconds    = 5
    maximum_concurrency     = 50
    reserved_concurrency    = 60
    memory_megabytes        = 2048
    multipart_threshold     = "1GiB"
    part_size               = "128MiB"
    max_compare_size        = "2GiB"
    object_concurrency      = 32
    log_level               = "DEBUG"
    tracing                 = true
    architecture            = "x86_64"
    queue_retention_seconds = 1209600
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && length([for queue in [aws_sqs_queue.uploads, aws_sqs_queue.dead_letters, aws_sqs_queue.sweep_dead_letters] : queue if queue.kms_master_key_id == var.kms_key_arn]) == 3
    error_message = "The queues use the key."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.kms_key_id == var.kms_key_arn && aws_sns_topic.alarms[0].kms_master_key_id == var.kms_key_arn && aws_lambda_function.move.environment[0].variables.FROGMOVE_KMS_KEY_ID == var.kms_key_arn
    error_message = "Logs, topic and copies use the key."
  }

  assert {
    condition = alltrue([for policy in [aws_iam_role_policy.function.policy, aws_iam_policy.operators.policy, aws_iam_policy.readers.policy, aws_iam_policy.uploaders.policy] :
      anytrue([for statement in jsondecode(policy).Statement : contains(flatten([statement.Action]), "kms:Decrypt") &&
    toset(flatten([statement.Resource])) == toset(concat([var.kms_key_arn], var.bucket_kms_key_arns)) && can(statement.Condition.StringEquals["kms:ViaService"])])])
    error_message = "All who need the keys may use them, only through the services."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_policy.operators.policy).Statement : statement.Sid if contains(flatten([statement.Action]), "kms:DescribeKey")]) == "ActionsWithoutResources"
    error_message = "Operators may look at the state of the keys."
  }

  assert {
    condition     = strcontains(output.config_toml, "kms_key_id = \"${var.kms_key_arn}\"")
    error_message = "The command line also encrypts its copies with the key."
  }

  assert {
    condition     = aws_sqs_queue.uploads.visibility_timeout_seconds == 5405
    error_message = "The visibility timeout follows the function's, and the batching window."
  }

  assert {
    condition     = aws_lambda_function.move.environment[0].variables.FROGMOVE_MULTIPART_THRESHOLD == "1GiB" && aws_lambda_function.move.environment[0].variables.FROGMOVE_PART_SIZE == "128MiB" && aws_lambda_function.move.environment[0].variables.FROGMOVE_MAX_COMPARE_SIZE == "2GiB" && aws_lambda_function.move.environment[0].variables.FROGMOVE_CONCURRENCY == "32" && aws_lambda_function.move.logging_config[0].application_log_level == "DEBUG"
    error_message = "The function gets these options."
  }

  assert {
    condition     = aws_lambda_function.move.tracing_config[0].mode == "Active" && strcontains(aws_iam_role_policy.function.policy, "xray:PutTraceSegments") && aws_lambda_function.move.architectures == tolist(["x86_64"])
    error_message = "Tracing is on, with its permissions."
  }
}

run "alarms_people_and_another_partition" {
  command = plan

  variables {
    alarm_emails      = ["operators@frogtech.example", "pond@frogtech.example"]
    alarm_topic_arns  = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
    uploader_groups   = ["partners", "guests"]
    reader_groups     = ["analysts"]
    operator_groups   = ["operators"]
    access_log_bucket = "frogtech-access-logs"
    tags              = { team = "sharara" }
    live_version      = "3"
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset(["arn:aws-cn:sns:eu-central-1:123456789012:frogmove-alarms", "arn:aws:sns:eu-central-1:123456789012:on-call"]) && alarm.ok_actions == alarm.alarm_actions])
    error_message = "Every alarm notifies both topics, also when it ends."
  }

  assert {
    condition     = length(aws_sns_topic_subscription.alarms) == 2 && jsondecode(aws_sns_topic_policy.alarms[0].policy).Statement[1].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "Both addresses are subscribed; only alarms of this account may publish."
  }

  assert {
    condition     = keys(aws_iam_group_policy_attachment.uploaders) == ["guests", "partners"] && keys(aws_iam_group_policy_attachment.readers) == ["analysts"] && keys(aws_iam_group_policy_attachment.operators) == ["operators"]
    error_message = "Each policy is attached to its groups."
  }

  assert {
    condition     = length(aws_s3_bucket_logging.this) == 2
    error_message = "Access logs of both buckets."
  }

  assert {
    condition     = aws_lambda_function.move.tags == tomap({ project = "frogmove", team = "sharara" })
    error_message = "All resources have the tags."
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn" }
  }

  assert {
    condition     = startswith(jsondecode(aws_sqs_queue_policy.uploads.policy).Statement[0].Condition.ArnEquals["aws:SourceArn"], "arn:aws-cn:s3:::")
    error_message = "ARNs are of the partition that is deployed to."
  }

  assert {
    condition     = aws_lambda_alias.live.function_version == "3" && output.function_version == "3"
    error_message = "The alias points to the given version."
  }
}

run "without_the_packages_and_with_rare_sweeps" {
  command = plan

  variables {
    function_zip      = "not/here.zip"
    layer_zip         = "not/here.zip"
    keep_package      = true
    sweep_schedule    = "rate(1 day)"
    alarm_sweep_hours = 25
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.no_sweep[0].evaluation_periods == 25
    error_message = "With daily sweeps, the alarm waits longer than a day."
  }
}

run "no_alarm_for_sweeps" {
  command = plan

  variables {
    alarm_sweep_hours = null
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.no_sweep) == 0
    error_message = "The alarm can be disabled."
  }
}

run "nothing_optional" {
  command = plan

  variables {
    alarms                    = false
    dashboard                 = false
    batch_operations          = false
    uploader_folders          = false
    force_destroy             = true
    sweep_schedule            = null
    noncurrent_version_days   = null
    abort_multipart_days      = 30
    manage_source_policy      = false
    manage_destination_policy = false
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) + length(aws_cloudwatch_metric_alarm.no_sweep) + length(aws_cloudwatch_metric_alarm.not_polled) + length(aws_cloudwatch_dashboard.this) + length(aws_iam_role.batch) == 0 && output.batch_role_arn == null && output.dashboard_url == null
    error_message = "No optional resource is created."
  }

  assert {
    condition     = !strcontains(aws_iam_policy.operators.policy, "iam:PassRole") && !strcontains(aws_iam_policy.operators.policy, "s3:CreateJob")
    error_message = "Without batch_operations operators may not create jobs."
  }

  assert {
    condition     = jsondecode(aws_iam_policy.uploaders.policy).Statement[0].Resource == "arn:aws:s3:::frogtech-sharara-external/*"
    error_message = "Uploaders share the source."
  }

  assert {
    condition     = aws_s3_bucket.destination[0].force_destroy && length(terraform_data.kept) == 0
    error_message = "Destroy deletes objects only with force_destroy."
  }

  assert {
    condition     = length(aws_scheduler_schedule.sweep) + length(aws_iam_role.scheduler) + length(aws_iam_role_policy.scheduler) == 0 && output.schedule_name == null
    error_message = "No schedule, and no role for it."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this["destination"].rule[0].noncurrent_version_expiration) == 0 && aws_s3_bucket_lifecycle_configuration.this["destination"].rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 30
    error_message = "Versions do not expire; incomplete uploads are aborted."
  }

  assert {
    condition     = length(aws_s3_bucket_policy.this) == 0
    error_message = "Policies of created buckets can be managed elsewhere."
  }
}

run "in_a_vpc" {
  command = plan

  variables {
    vpc = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition     = aws_lambda_function.move.vpc_config[0].subnet_ids == toset(["subnet-1", "subnet-2"]) && aws_lambda_function.move.vpc_config[0].security_group_ids == toset(["sg-1"]) && strcontains(aws_iam_role_policy.function.policy, "ec2:CreateNetworkInterface") && strcontains(output.deployer_policy, "ec2:DescribeSubnets")
    error_message = "The function is in the VPC, with the permissions for it."
  }
}
