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

run "adopt_both_buckets" {
  command = plan

  variables {
    create_source_bucket             = false
    create_destination_bucket        = false
    manage_source_notification       = true
    adopted_destination_is_versioned = true
  }

  assert {
    condition     = length(aws_s3_bucket.source) + length(aws_s3_bucket.destination) + length(aws_s3_bucket_policy.this) + length(aws_s3_bucket_public_access_block.this) + length(aws_s3_bucket_ownership_controls.this) + length(aws_s3_bucket_versioning.this) + length(aws_s3_bucket_lifecycle_configuration.this) + length(aws_s3_bucket_server_side_encryption_configuration.this) == 0
    error_message = "Nothing about an adopted bucket is changed."
  }

  assert {
    condition     = aws_s3_bucket_notification.uploads[0].bucket == "frogtech-sharara-external" && output.destination_bucket == "frogtech-sharara-internal"
    error_message = "Adopted buckets are used by their names."
  }
}

run "adopt_the_source_and_leave_its_notifications_paused" {
  command = plan

  variables {
    create_source_bucket       = false
    manage_source_notification = false
    enabled                    = false
  }

  assert {
    condition     = length(aws_s3_bucket_notification.uploads) == 0 && keys(aws_s3_bucket_policy.this) == ["destination"]
    error_message = "Notifications and policy of an adopted bucket can be left alone."
  }

  assert {
    condition     = !aws_lambda_event_source_mapping.uploads.enabled && aws_scheduler_schedule.sweep[0].state == "DISABLED"
    error_message = "Nothing starts a move; uploads wait in the queue."
  }
}

run "adopt_and_take_over_the_policies" {
  command = plan

  variables {
    create_source_bucket       = false
    create_destination_bucket  = false
    manage_source_notification = true
    manage_source_policy       = true
    manage_destination_policy  = true
    on_conflict                = "fail"
  }

  assert {
    condition     = keys(aws_s3_bucket_policy.this) == ["destination", "source"]
    error_message = "Policies of adopted buckets are set on request."
  }
}

run "folders_and_versions" {
  command = plan

  variables {
    name                    = "frogmove-reports"
    source_prefix           = "reports/"
    destination_prefix      = "in/2026/"
    source_versioning       = true
    noncurrent_version_days = 3
    move_named_versions     = true
    carry                   = ["retention", "legal-hold", "acl"]
  }

  assert {
    condition     = aws_s3_bucket_notification.uploads[0].queue[0].filter_prefix == "reports/"
    error_message = "Only uploads to the folder are reported."
  }

  assert {
    condition     = output.route == "s3://frogtech-sharara-external/reports/ -> s3://frogtech-sharara-internal/in/2026/"
    error_message = "A route consists of two folders."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Resource if statement.Sid == "ReadAndDeleteAtTheSource"]) == "arn:aws:s3:::frogtech-sharara-external/reports/*"
    error_message = "The function may use only its folders."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_policy.readers.policy).Statement : statement.Condition if statement.Sid == "ListObjects"]) == { StringLike = { "s3:prefix" = "in/2026/*" } }
    error_message = "Readers may list only their folder."
  }

  assert {
    condition     = jsondecode(aws_iam_policy.uploaders.policy).Statement[0].Resource == "arn:aws:s3:::frogtech-sharara-external/reports/$${aws:username}/*"
    error_message = "An uploader's folder is inside the route's folder."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this["source"].versioning_configuration[0].status == "Enabled" && aws_s3_bucket_lifecycle_configuration.this["source"].rule[0].noncurrent_version_expiration[0].noncurrent_days == 3
    error_message = "The source keeps versions until they expire."
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.function.policy, "s3:DeleteObjectVersion")
    error_message = "Named versions may be moved on request."
  }

  assert {
    condition     = aws_lambda_function.move.environment[0].variables["FROGMOVE_CARRY"] == "retention,legal-hold,acl"
    error_message = "The function gets the attributes to carry."
  }

  assert {
    condition = alltrue([for policy in [aws_iam_role_policy.function.policy, aws_iam_policy.operators.policy] : length(setsubtract(
      ["s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:PutObjectAcl", "s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
      flatten([for statement in jsondecode(policy).Statement : statement.Action])
    )) == 0])
    error_message = "The function and operators have the permissions to carry them."
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
    condition     = length(aws_sns_topic_subscription.alarms) == 2 && jsondecode(aws_sns_topic_policy.alarms[0].policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
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

run "by_eventbridge_with_a_key" {
  command = plan

  variables {
    trigger        = "eventbridge"
    source_prefix  = "reports/"
    create_kms_key = true
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.uploads[0].event_pattern) == {
      source      = ["aws.s3"]
      detail-type = ["Object Created"]
      detail      = { bucket = { name = ["frogtech-sharara-external"] }, object = { key = [{ prefix = "reports/" }] } }
    }
    error_message = "The rule matches this route's uploads."
  }

  assert {
    condition     = aws_s3_bucket_notification.uploads[0].eventbridge && length(aws_s3_bucket_notification.uploads[0].queue) == 0 && aws_cloudwatch_event_target.uploads[0].rule == "frogmove-uploads"
    error_message = "The bucket reports to EventBridge, and only the rule to the queue."
  }

  assert {
    condition = alltrue([for statement in [
      one([for one in jsondecode(aws_sqs_queue_policy.uploads.policy).Statement : one if one.Effect == "Allow"]),
      one([for one in jsondecode(aws_kms_key.this[0].policy).Statement : one if one.Sid == "AllowUploadEvents"]),
      ] :
      statement.Principal == { Service = "events.amazonaws.com" } &&
    statement.Condition.ArnEquals == { "aws:SourceArn" = "arn:aws:events:eu-central-1:123456789012:rule/frogmove-uploads" }])
    error_message = "EventBridge sends for this rule alone."
  }
}

run "by_eventbridge_with_notifications_managed_elsewhere" {
  command = plan

  variables {
    trigger                    = "eventbridge"
    create_source_bucket       = false
    manage_source_notification = false
  }

  assert {
    condition     = length(aws_s3_bucket_notification.uploads) == 0 && !can(jsondecode(aws_cloudwatch_event_rule.uploads[0].event_pattern).detail.object)
    error_message = "The bucket is not changed, and the rule matches all its uploads."
  }
}

run "buckets_of_another_account_and_bounded_roles" {
  command = plan

  variables {
    create_source_bucket             = false
    create_destination_bucket        = false
    manage_source_notification       = false
    adopted_destination_is_versioned = true
    source_account                   = "210987654321"
    destination_account              = "210987654321"
    batch_operations                 = false
    permissions_boundary             = "arn:aws:iam::123456789012:policy/boundary"
    iam_path                         = "/frogs/"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_sqs_queue_policy.uploads.policy).Statement : statement.Condition.StringEquals if statement.Effect == "Allow"]) == { "aws:SourceAccount" = "210987654321" }
    error_message = "The other account's bucket may send."
  }

  assert {
    condition     = aws_lambda_function.move.environment[0].variables.FROGMOVE_EXPECTED_BUCKET_OWNER == "210987654321" && strcontains(output.config_toml, "expected_bucket_owner = \"210987654321\"")
    error_message = "The buckets are expected to be the other account's."
  }

  assert {
    condition = alltrue([for policy in [output.source_bucket_policy, output.destination_bucket_policy] : alltrue([for statement in jsondecode(policy).Statement :
    statement.Principal == { AWS = "arn:aws:iam::123456789012:role/frogs/frogmove-eu-central-1-function" }])])
    error_message = "The owner's policies allow the function's role."
  }

  assert {
    condition = alltrue([for side in ["source", "destination"] : length(setsubtract(
      [for action in flatten([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Action if alltrue([for arn in flatten([statement.Resource]) : startswith(arn, side == "source" ? "arn:aws:s3:::frogtech-sharara-external" : "arn:aws:s3:::frogtech-sharara-internal")])]) : action],
      flatten([for statement in jsondecode(side == "source" ? output.source_bucket_policy : output.destination_bucket_policy).Statement : statement.Action])
    )) == 0])
    error_message = "A bucket policy allows all that the role does there."
  }

  assert {
    condition     = alltrue([for role in concat([aws_iam_role.function], aws_iam_role.scheduler) : role.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && role.path == "/frogs/"]) && aws_iam_policy.readers.path == "/frogs/"
    error_message = "Roles have the permissions boundary."
  }
}

run "buckets_of_two_accounts" {
  command = plan

  variables {
    create_destination_bucket        = false
    adopted_destination_is_versioned = true
    destination_account              = "210987654321"
    batch_operations                 = false
  }

  assert {
    condition     = !contains(keys(aws_lambda_function.move.environment[0].variables), "FROGMOVE_EXPECTED_BUCKET_OWNER") && !strcontains(output.config_toml, "expected_bucket_owner")
    error_message = "The function checks no owner."
  }
}

run "some_keys" {
  command = plan

  variables {
    source_prefix   = "in/"
    upload_prefixes = ["a/", "b/"]
    upload_suffixes = [".csv"]
  }

  assert {
    condition     = toset([for queue in aws_s3_bucket_notification.uploads[0].queue : "${queue.id} ${queue.filter_prefix} ${queue.filter_suffix}"]) == toset(["frogmove-uploads in/a/ .csv", "frogmove-uploads-1 in/b/ .csv"])
    error_message = "Each pair is reported."
  }

  assert {
    condition     = aws_lambda_function.move.environment[0].variables.FROGMOVE_KEY_PREFIXES == "in/a/,in/b/" && aws_lambda_function.move.environment[0].variables.FROGMOVE_KEY_SUFFIXES == ".csv"
    error_message = "Sweeps do not move the others either."
  }
}

run "some_objects" {
  command = plan

  variables {
    selection = {
      include         = ["**/*.csv", "reports/**"]
      exclude         = ["**/*.tmp"]
      older_than      = "36h"
      max_size        = "10MiB"
      storage_classes = ["STANDARD", "STANDARD_IA"]
    }
  }

  assert {
    condition = { for name, value in aws_lambda_function.move.environment[0].variables : name => value if contains(["FROGMOVE_INCLUDE", "FROGMOVE_EXCLUDE", "FROGMOVE_NEWER_THAN", "FROGMOVE_OLDER_THAN", "FROGMOVE_MIN_SIZE", "FROGMOVE_MAX_SIZE", "FROGMOVE_STORAGE_CLASS"], name) } == {
      FROGMOVE_INCLUDE       = "**/*.csv,reports/**"
      FROGMOVE_EXCLUDE       = "**/*.tmp"
      FROGMOVE_OLDER_THAN    = "36h"
      FROGMOVE_MAX_SIZE      = "10MiB"
      FROGMOVE_STORAGE_CLASS = "STANDARD,STANDARD_IA"
    }
    error_message = "The function does not move the others."
  }
}

run "some_keys_by_eventbridge" {
  command = plan

  variables {
    trigger         = "eventbridge"
    upload_prefixes = ["a/"]
    upload_suffixes = [".csv", ".txt"]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.uploads[0].event_pattern).detail.object.key == [{ wildcard = "a/*.csv" }, { wildcard = "a/*.txt" }]
    error_message = "The rule matches each pair."
  }
}

run "some_suffixes_by_eventbridge" {
  command = plan

  variables {
    trigger         = "eventbridge"
    upload_suffixes = [".csv"]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.uploads[0].event_pattern).detail.object.key == [{ suffix = ".csv" }]
    error_message = "The rule matches the suffix."
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

run "additional_statements_and_rules" {
  command = plan

  variables {
    bucket_policy_documents = {
      source      = ["{\"Statement\":[{\"Sid\":\"Ours\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:PutObjectAcl\",\"Resource\":\"*\"}]}"]
      destination = ["{\"Statement\":[{\"Sid\":\"Theirs\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}"]
    }
    function_policy_documents = ["{\"Statement\":[{\"Sid\":\"Another\",\"Effect\":\"Allow\",\"Action\":\"kms:Decrypt\",\"Resource\":\"*\"}]}"]
    lifecycle_rules = {
      destination = [
        { id = "archive", prefix = "old/", transitions = [{ days = 30, storage_class = "GLACIER_IR" }] },
        { id = "forget", expiration_days = 400 },
      ]
    }
  }

  assert {
    condition     = [for each in jsondecode(aws_s3_bucket_policy.this["source"].policy).Statement : each.Sid] == ["Ours", "RefuseWithoutTls"] && [for each in jsondecode(aws_s3_bucket_policy.this["destination"].policy).Statement : each.Sid] == ["Theirs", "RefuseWithoutTls"]
    error_message = "Each bucket has its additional statements and the default ones."
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.function.policy, "Another") && strcontains(aws_iam_role_policy.function.policy, "ReadAndDeleteAtTheSource")
    error_message = "The function has additional permissions and the default ones."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this["destination"].rule : rule.id] == ["clean-up", "archive", "forget"] && length(aws_s3_bucket_lifecycle_configuration.this["source"].rule) == 1 && aws_s3_bucket_lifecycle_configuration.this["destination"].rule[1].filter[0].prefix == "old/"
    error_message = "Additional rules are added to clean-up."
  }

  assert {
    condition     = length(aws_lambda_function.move.vpc_config) == 0 && !strcontains(aws_iam_role_policy.function.policy, "ec2:")
    error_message = "Without a VPC there are no permissions for one."
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
