# Operators run the command line in both directions (undo), manage the queues' messages, call the
# function, and start S3 Batch Operations. They cannot change the settings of resources.

locals {
  # By the service that assumes the role.
  passed_roles = merge(
    local.sweeps ? { "scheduler.amazonaws.com" = local.scheduler_role_arn } : {},
    var.batch_operations ? { "batchoperations.s3.amazonaws.com" = local.batch_role_arn } : {},
  )
}

data "aws_iam_policy_document" "operators" {
  source_policy_documents = [data.aws_iam_policy_document.use_keys["all"].json]

  statement {
    sid = "ReadBuckets"
    actions = [
      "s3:GetBucketLocation",
      "s3:GetBucketNotification",
      "s3:GetBucketObjectLockConfiguration",
      "s3:GetBucketOwnershipControls",
      "s3:GetBucketPolicy",
      "s3:GetBucketPublicAccessBlock",
      "s3:GetBucketVersioning",
      "s3:GetBucketWebsite",
      "s3:GetEncryptionConfiguration",
      "s3:GetLifecycleConfiguration",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:ListBucketVersions",
    ]
    resources = [local.source_arn, local.destination_arn]
  }

  statement {
    sid = "MoveAndUndo"
    # In both directions; an undo also deletes the versions that it brought back.
    actions = distinct(concat(local.source_actions, local.destination_actions, ["s3:DeleteObjectVersion"]))
    resources = concat(
      [local.source_objects, local.destination_objects],
      # Manifests are written there and reports read.
      var.batch_operations && var.destination_prefix != "" ? [local.batch_objects] : [],
    )
  }

  statement {
    sid = "ReadQueues"
    actions = [
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ListMessageMoveTasks",
      "sqs:ReceiveMessage",
      # Messages that were looked at become visible again at once.
      "sqs:ChangeMessageVisibility",
    ]
    resources = [local.queue_arn, local.dead_letter_arn, local.sweep_dead_arn]
  }

  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
  statement {
    sid = "RedriveDeadLetters"
    actions = [
      "sqs:CancelMessageMoveTask",
      "sqs:DeleteMessage",
      "sqs:StartMessageMoveTask",
    ]
    resources = [local.dead_letter_arn, local.sweep_dead_arn]
  }

  statement {
    sid       = "SendUploads"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn]
  }

  statement {
    sid = "CallTheFunction"
    actions = [
      "lambda:GetAlias",
      "lambda:GetFunctionConcurrency",
      "lambda:GetFunctionConfiguration",
      "lambda:InvokeFunction",
      "lambda:ListAliases",
      "lambda:ListVersionsByFunction",
      # To roll back: it only selects a published version. AWS checks the ARN of the function, not
      # that of the alias.
      # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
      "lambda:UpdateAlias",
    ]
    resources = [local.function_arn, "${local.function_arn}:*"]
  }

  statement {
    sid = "ReadTheLog"
    actions = [
      "logs:DescribeLogStreams",
      "logs:FilterLogEvents",
      "logs:GetLogEvents",
      "logs:GetQueryResults",
      "logs:StartLiveTail",
      "logs:StartQuery",
    ]
    resources = [local.log_group_arn, "${local.log_group_arn}:*"]
  }

  # These actions do not support resource-level permissions, or need them for all alarms. A job can
  # do only what its role may do, and only that one role may be passed. DescribeKey shows no secret,
  # and with the keys' ARNs again the policy would be too long.
  statement {
    sid = "ActionsWithoutResources"
    actions = concat(
      [
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "lambda:ListEventSourceMappings",
        "logs:StopQuery",
      ],
      var.batch_operations ? ["s3:CreateJob", "s3:ListJobs"] : [],
      length(local.object_key_arns) > 0 ? ["kms:DescribeKey"] : [],
      local.guardduty ? ["guardduty:GetMalwareProtectionPlan", "guardduty:SendObjectMalwareScan"] : [],
    )
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = local.sweeps ? [local.schedule_arn] : []

    content {
      sid       = "PauseAndResumeSweeps"
      actions   = ["scheduler:GetSchedule", "scheduler:UpdateSchedule"]
      resources = [statement.value]
    }
  }

  # The id of the mapping is not known before it is created.
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
  statement {
    sid       = "PauseAndResumeUploads"
    actions   = ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"]
    resources = ["arn:${local.partition}:lambda:${local.here}:event-source-mapping:*"]

    condition {
      test     = "ArnLike"
      variable = "lambda:FunctionArn"
      # AWS does not document whether it is that of the function or of the alias.
      values = [local.function_arn, local.alias_arn]
    }
  }

  dynamic "statement" {
    for_each = local.notified ? [] : [local.sender_arn]

    content {
      sid       = "LookAtTheRule"
      actions   = ["events:DescribeRule"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.quarantine == null ? [] : [local.quarantine_arn]

    content {
      sid       = "ListQuarantine"
      actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
      resources = [statement.value]
    }
  }

  # Updating a schedule passes its role again, and a job needs the role of S3 Batch Operations.
  dynamic "statement" {
    for_each = length(local.passed_roles) > 0 ? [local.passed_roles] : []

    content {
      sid       = "PassRoles"
      actions   = ["iam:PassRole"]
      resources = values(statement.value)

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = keys(statement.value)
      }
    }
  }

  dynamic "statement" {
    for_each = var.batch_operations ? [local.batch_jobs_arn] : []

    content {
      sid       = "ManageBatchJobs"
      actions   = ["s3:DescribeJob", "s3:UpdateJobPriority", "s3:UpdateJobStatus"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_policy" "operators" {
  name        = "${local.global_name}-operators"
  path        = var.iam_path
  description = "Run the frogmove command line between source and destination"
  policy      = data.aws_iam_policy_document.operators.json
  tags        = local.tags

  lifecycle {
    precondition {
      # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
      condition     = length(data.aws_iam_policy_document.operators.minified_json) <= 6144
      error_message = "The operators' policy exceeds the 6,144 characters of IAM: use a shorter source_prefix, destination_prefix or batch_prefix."
    }
  }
}
