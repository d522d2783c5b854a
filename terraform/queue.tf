# The source bucket reports uploads to a queue. After max_receive_count failed deliveries a message
# goes to the dead-letter queue.

locals {
  # The value that AWS recommends; the function shortens it for failed messages.
  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  least_visibility   = 6 * var.timeout_seconds + var.batch_window_seconds
  visibility_timeout = coalesce(var.visibility_timeout_seconds, local.least_visibility)
  # Longer than that of the queue: SQS counts the age of a message from its first arrival.
  dead_letter_retention = 1209600
}

resource "aws_sqs_queue" "uploads" {
  name                       = local.queue_name
  visibility_timeout_seconds = local.visibility_timeout
  message_retention_seconds  = var.queue_retention_seconds
  receive_wait_time_seconds  = 20
  # S3 cannot send to a queue encrypted with alias/aws/sqs:
  # https://repost.aws/knowledge-center/sns-topic-sqs-kms-encrypted
  sqs_managed_sse_enabled = local.encrypted ? null : true
  kms_master_key_id       = local.key_arn
  tags                    = local.tags

  lifecycle {
    precondition {
      condition     = local.visibility_timeout >= local.least_visibility && local.visibility_timeout <= 43200
      error_message = "visibility_timeout_seconds must be at least six times timeout_seconds plus batch_window_seconds (or a message could be delivered again while it is processed), and at most 43200."
    }

    precondition {
      condition     = var.queue_retention_seconds > var.max_receive_count * local.visibility_timeout
      error_message = "queue_retention_seconds must be more than max_receive_count times the visibility timeout, or messages expire before they reach the dead-letter queue."
    }
  }
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.dead_letter_name
  message_retention_seconds = local.dead_letter_retention
  sqs_managed_sse_enabled   = local.encrypted ? null : true
  kms_master_key_id         = local.key_arn
  tags                      = local.tags
}

resource "aws_sqs_queue_redrive_policy" "uploads" {
  queue_url = aws_sqs_queue.uploads.id
  redrive_policy = jsonencode({
    deadLetterTargetArn = local.dead_letter_arn
    maxReceiveCount     = var.max_receive_count
  })

  depends_on = [aws_sqs_queue.dead_letters]
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })
}

# What the sender of uploads may do with the queue and its key. Both conditions are needed for S3: a
# bucket of the same name in another account must not be able to send.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
data "aws_iam_policy_document" "sender" {
  for_each = {
    queue = { actions = ["sqs:SendMessage"], resource = local.queue_arn }
    key   = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resource = "*" }
  }

  statement {
    sid       = "AllowUploadEvents"
    actions   = each.value.actions
    resources = [each.value.resource]

    principals {
      type        = "Service"
      identifiers = [local.sender]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.sender_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.source_account]
    }
  }
}

data "aws_iam_policy_document" "queue" {
  source_policy_documents = [data.aws_iam_policy_document.sender["queue"].json, data.aws_iam_policy_document.tls["uploads"].json]
}

resource "aws_sqs_queue_policy" "uploads" {
  queue_url = aws_sqs_queue.uploads.id
  policy    = data.aws_iam_policy_document.queue.json
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = data.aws_iam_policy_document.tls["dead letters"].json
}

# A bucket has only one notification configuration: a second one of these resources, here or
# elsewhere, would overwrite it at every apply.
resource "aws_s3_bucket_notification" "uploads" {
  count  = coalesce(var.manage_source_notification, true) ? 1 : 0
  bucket = var.source_bucket

  # In addition, for all rules of the bucket.
  eventbridge = !local.notified

  dynamic "queue" {
    for_each = local.notified ? local.announced : []

    content {
      id            = queue.key == 0 ? "${var.name}-uploads" : "${var.name}-uploads-${queue.key}"
      queue_arn     = aws_sqs_queue.uploads.arn
      events        = concat(["s3:ObjectCreated:*"], local.scans ? ["s3:ObjectTagging:Put"] : [])
      filter_prefix = queue.value.prefix == "" ? null : queue.value.prefix
      filter_suffix = queue.value.suffix == "" ? null : queue.value.suffix
    }
  }

  # S3 sends a test message immediately, and refuses a queue to which it cannot send. The function,
  # and the versioning of the destination, must exist before the first upload is reported.
  depends_on = [
    aws_s3_bucket.source,
    aws_sqs_queue_policy.uploads,
    aws_sqs_queue_redrive_policy.uploads,
    aws_lambda_event_source_mapping.uploads,
    aws_s3_bucket_ownership_controls.this,
    aws_cloudwatch_event_target.uploads,
  ]
}

# The rule of the trigger eventbridge or, with GuardDuty, of its results. Rules of other routes, and
# other rules, receive the same events.
resource "aws_cloudwatch_event_rule" "uploads" {
  count       = local.notified ? 0 : 1
  name        = local.rule_name
  description = local.guardduty ? "Scan results of GuardDuty for the source of frogmove" : "Uploads to the source of frogmove"
  tags        = local.tags

  # The function uses only the results of its own plan. It gets those of all files of the source,
  # because threats are quarantined or reported whether or not the function is set to move them.
  # https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
  event_pattern = local.guardduty ? jsonencode({
    source      = ["aws.guardduty"]
    detail-type = ["GuardDuty Malware Protection Object Scan Result"]
    detail = { s3ObjectDetails = merge(
      { bucketName = [var.source_bucket] },
      var.source_prefix == "" ? {} : { objectKey = [{ prefix = var.source_prefix }] },
    ) }
    }) : jsonencode({
    source      = ["aws.s3"]
    detail-type = concat(["Object Created"], local.scans ? ["Object Tags Added"] : [])
    detail = merge(
      { bucket = { name = [var.source_bucket] } },
      local.key_patterns == null ? {} : { object = { key = local.key_patterns } },
    )
  })

  lifecycle {
    precondition {
      condition     = local.guardduty || length(jsonencode(local.announced)) <= 4000
      error_message = "source_prefix, upload_prefixes and upload_suffixes exceed the size limit of an EventBridge rule: use fewer or shorter ones."
    }
  }
}

# EventBridge retries for a day; the sweep moves the objects of dropped events.
resource "aws_cloudwatch_event_target" "uploads" {
  count     = local.notified ? 0 : 1
  rule      = aws_cloudwatch_event_rule.uploads[0].name
  target_id = "queue"
  arn       = aws_sqs_queue.uploads.arn

  depends_on = [
    aws_sqs_queue_policy.uploads,
    aws_sqs_queue_redrive_policy.uploads,
    aws_lambda_event_source_mapping.uploads,
  ]
}

moved {
  from = aws_cloudwatch_event_rule.scans
  to   = aws_cloudwatch_event_rule.uploads
}

moved {
  from = aws_cloudwatch_event_target.scans
  to   = aws_cloudwatch_event_target.uploads
}
