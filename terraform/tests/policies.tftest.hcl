# Policies and their conditions. tests/terraform/test_permissions.py tests them on an emulator.
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

run "policies" {
  command = plan

  variables {
    alarm_emails = ["operators@frogtech.example"]
  }

  assert {
    condition = jsondecode(aws_sqs_queue_policy.uploads.policy).Statement[0] == {
      Sid       = "AllowUploadEvents"
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:eu-central-1:123456789012:frogmove-uploads"
      Principal = { Service = "s3.amazonaws.com" }
      Condition = {
        ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::frogtech-sharara-external" }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }
    error_message = "S3 may send only for this bucket of this account."
  }

  assert {
    condition = alltrue([for policy in concat(
      [aws_sqs_queue_policy.uploads.policy, aws_sqs_queue_policy.dead_letters.policy, aws_sqs_queue_policy.sweep_dead_letters.policy, aws_sns_topic_policy.alarms[0].policy],
      [for bucket in aws_s3_bucket_policy.this : bucket.policy],
    ) : one([for each in jsondecode(policy).Statement : [each.Effect, each.Principal, each.Condition] if each.Sid == "RefuseWithoutTls"]) == ["Deny", "*", { Bool = { "aws:SecureTransport" = "false" } }]])
    error_message = "Queues, topic and buckets refuse requests without TLS."
  }

  assert {
    condition = jsondecode(aws_iam_role.scheduler[0].assume_role_policy).Statement[0].Condition == {
      ArnEquals    = { "aws:SourceArn" = "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/default" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    } && aws_scheduler_schedule.sweep[0].group_name == "default"
    error_message = "Scheduler assumes its role for the schedule's group."
  }

  assert {
    condition = jsondecode(aws_iam_role.batch[0].assume_role_policy).Statement[0].Condition == {
      ArnLikeIfExists      = { "aws:SourceArn" = "arn:aws:s3:eu-central-1:123456789012:job/*" }
      StringEqualsIfExists = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "Batch Operations assumes its role for this account's jobs."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.batch[0].policy).Statement : statement.Resource if contains(flatten([statement.Action]), "s3:PutInventoryConfiguration")] == ["arn:aws:s3:::frogtech-sharara-external"]
    error_message = "Batch Operations may list the source for a manifest that it generates."
  }

  assert {
    condition     = jsondecode(aws_iam_role.function.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Lambda assumes the function's role."
  }

  assert {
    condition = alltrue(flatten([for policy in [
      aws_iam_role_policy.function.policy, aws_iam_role_policy.scheduler[0].policy, aws_iam_role_policy.batch[0].policy,
      aws_iam_policy.operators.policy, aws_iam_policy.readers.policy, aws_iam_policy.uploaders.policy,
      ] : [for statement in jsondecode(policy).Statement : [for action in flatten([statement.Action]) :
    statement.Effect == "Allow" && !strcontains(action, "*")]]]))
    error_message = "No action has a wildcard."
  }

  assert {
    condition = alltrue(flatten([for policy in [
      aws_iam_role_policy.function.policy, aws_iam_role_policy.scheduler[0].policy, aws_iam_role_policy.batch[0].policy,
      aws_iam_policy.readers.policy, aws_iam_policy.uploaders.policy,
    ] : [for statement in jsondecode(policy).Statement : !contains(flatten([statement.Resource]), "*")]]))
    error_message = "No statement applies to all resources."
  }

  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_policy.operators.policy).Statement : statement.Action if contains(flatten([statement.Resource]), "*")])) == toset(["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "lambda:ListEventSourceMappings", "logs:StopQuery", "s3:CreateJob", "s3:ListJobs"])
    error_message = "Operators have permissions on all resources only for actions without resource-level permissions."
  }

  assert {
    condition     = toset([for action in flatten([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Action]) : action if strcontains(action, "Delete")]) == toset(["s3:DeleteObject", "sqs:DeleteMessage"])
    error_message = "The function deletes objects and messages, and no version permanently."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Resource if contains(flatten([statement.Action]), "s3:DeleteObject")]) == "arn:aws:s3:::frogtech-sharara-external/*"
    error_message = "The function deletes only at the source."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Resource if contains(flatten([statement.Action]), "s3:PutObject")]) == "arn:aws:s3:::frogtech-sharara-internal/*"
    error_message = "The function writes only at the destination."
  }

  assert {
    condition = alltrue([for policy in [aws_iam_role_policy.function.policy, aws_iam_policy.operators.policy] : length(setsubtract(
      ["s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation", "s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations", "s3:PutObjectAnnotation"],
      flatten([for statement in jsondecode(policy).Statement : statement.Action])
    )) == 0])
    error_message = "The function and operators may copy annotations."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.function.policy, "s3:PutObjectRetention") && !strcontains(aws_iam_role_policy.function.policy, "ObjectAcl")
    error_message = "No permissions for locks and ACLs that are not carried."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.function.policy, "kms:") && !strcontains(aws_iam_role_policy.function.policy, "xray:")
    error_message = "No permissions for services that are not used."
  }

  assert {
    condition = jsondecode(aws_iam_policy.uploaders.policy).Statement == [{
      Sid      = "Upload"
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
      Resource = "arn:aws:s3:::frogtech-sharara-external/$${aws:username}/*"
      Condition = {
        Null = {
          "s3:x-amz-server-side-encryption-aws-kms-key-id"     = "true"
          "s3:x-amz-server-side-encryption-customer-algorithm" = "true"
        }
        StringEqualsIfExists = { "s3:x-amz-storage-class" = ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"] }
      }
    }]
    error_message = "Uploaders write only below their user name."
  }

  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_policy.readers.policy).Statement : statement.Action])) == toset(["s3:GetObject", "s3:GetObjectTagging", "s3:ListBucket"]) && !strcontains(aws_iam_policy.readers.policy, "external")
    error_message = "Readers read only the destination."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.operators.policy).Statement : [toset(statement.Resource), toset(statement.Condition.StringEquals["iam:PassedToService"])] if contains(flatten([statement.Action]), "iam:PassRole")] == [[toset(["arn:aws:iam::123456789012:role/frogmove-eu-central-1-sweep", "arn:aws:iam::123456789012:role/frogmove-eu-central-1-batch"]), toset(["scheduler.amazonaws.com", "batchoperations.s3.amazonaws.com"])]]
    error_message = "Operators may pass each role only to its service."
  }
}
