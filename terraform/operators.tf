# Operators run the command line in both directions (undo), manage the queues' messages, call the
# function, and start S3 Batch Operations. They cannot change the settings of resources.

data "aws_iam_policy_document" "operators" {
  statement {
    sid = "LookAtTheBuckets"
    actions = [
      "s3:GetBucketLocation",
      "s3:GetBucketNotification",
      "s3:GetBucketObjectLockConfiguration",
      "s3:GetBucketOwnershipControls",
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
    actions = distinct(concat(
      [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:GetObject*",
        "s3:ListMultipartUploadParts",
        "s3:ListObject*",
        "s3:PutObject",
        "s3:PutObjectAnnotation",
        "s3:PutObjectTagging",
      ],
      [for action in concat(local.carried_at_the_source, local.carried_to_the_destination) : action if !startswith(action, "s3:GetObject")],
    ))
    resources = concat(
      [local.source_objects, local.destination_objects],
      # Manifests are written there and reports read.
      var.batch_operations && var.destination_prefix != "" ? [local.batch_objects] : [],
    )
  }

  statement {
    sid = "LookIntoTheQueues"
    actions = [
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ListMessageMoveTasks",
      "sqs:ReceiveMessage",
    ]
    resources = [local.queue_arn, local.dead_letter_arn, local.sweep_dead_arn]
  }

  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
  statement {
    sid = "SendDeadLettersBack"
    actions = [
      "sqs:CancelMessageMoveTask",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:StartMessageMoveTask",
    ]
    resources = [local.dead_letter_arn, local.sweep_dead_arn]
  }

  statement {
    sid       = "AnnounceAgain"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn]
  }

  statement {
    sid = "CallTheFunction"
    actions = [
      "lambda:GetAlias",
      "lambda:GetFunctionConfiguration",
      "lambda:InvokeFunction",
      "lambda:ListAliases",
      "lambda:ListVersionsByFunction",
    ]
    resources = [local.function_arn, "${local.function_arn}:*"]
  }

  # It only selects a published version.
  statement {
    sid       = "GoBackByTheAlias"
    actions   = ["lambda:UpdateAlias"]
    resources = [local.alias_arn]
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

  # These actions do not support resource-level permissions.
  statement {
    sid = "WatchAndFindTheMapping"
    actions = [
      "cloudwatch:GetMetricData",
      "lambda:ListEventSourceMappings",
      "logs:StopQuery",
    ]
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

  # Updating a schedule passes its role again.
  dynamic "statement" {
    for_each = local.sweeps ? [local.scheduler_role_arn] : []

    content {
      sid       = "LeaveTheScheduleItsRole"
      actions   = ["iam:PassRole"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["scheduler.amazonaws.com"]
      }
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
      values   = [local.function_arn, "${local.function_arn}:*"]
    }
  }

  dynamic "statement" {
    for_each = var.quarantine == null ? [] : [local.quarantine_arn]

    content {
      sid       = "SeeTheQuarantine"
      actions   = ["s3:ListBucket"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.guardduty ? ["*"] : []

    content {
      sid       = "ScanAgain"
      actions   = ["guardduty:GetMalwareProtectionPlan", "guardduty:SendObjectMalwareScan"]
      resources = [statement.value]
    }
  }

  # Listing alarms by name prefix needs permission for all alarms.
  statement {
    sid       = "SeeAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["arn:${local.partition}:cloudwatch:${local.here}:alarm:*"]
  }

  dynamic "statement" {
    for_each = var.batch_operations ? [local.batch_role_arn] : []

    content {
      sid       = "GiveBatchOperationsItsRoleAlone"
      actions   = ["iam:PassRole"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["batchoperations.s3.amazonaws.com"]
      }
    }
  }

  # Neither supports resource-level permissions. A job can do only what its role may do, and only
  # this one role may be passed.
  dynamic "statement" {
    for_each = var.batch_operations ? ["*"] : []

    content {
      sid       = "StartBatchOperations"
      actions   = ["s3:CreateJob", "s3:ListJobs"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.batch_operations ? [local.batch_jobs_arn] : []

    content {
      sid       = "SteerBatchOperations"
      actions   = ["s3:DescribeJob", "s3:UpdateJobPriority", "s3:UpdateJobStatus"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = length(local.object_key_arns) > 0 ? [local.object_key_arns] : []

    content {
      sid       = "UseTheKeysThroughS3AndSqs"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = statement.value

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${local.region}.amazonaws.com", "sqs.${local.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_policy" "operators" {
  name        = "${local.global_name}-operators"
  path        = var.iam_path
  description = "Run the frogmove command line between source and destination"
  policy      = data.aws_iam_policy_document.operators.json
  tags        = local.tags
}
