# Each option of the route, on and off: buckets, triggers and filters.
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
      FROGMOVE_EXCLUDE       = "**/*.tmp,frogmove-batch/**"
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
    condition     = [for each in jsondecode(aws_s3_bucket_policy.this["source"].policy).Statement : each.Sid] == ["RefuseWithoutTls", "Ours"] && [for each in jsondecode(aws_s3_bucket_policy.this["destination"].policy).Statement : each.Sid] == ["RefuseWithoutTls", "Theirs"]
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
