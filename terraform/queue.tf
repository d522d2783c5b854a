# An upload is announced by the source bucket to a queue, which keeps it until it is moved. What
# cannot be moved after max_receive_count tries waits in the dead-letter queue.

locals {
  # What AWS advises; the function has failed messages come back sooner.
  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  least_visibility   = 6 * var.timeout_seconds + var.batch_window_seconds
  visibility_timeout = coalesce(var.visibility_timeout_seconds, local.least_visibility)
  # Longer than the queue's own: SQS counts the age of a dead letter from its first arrival.
  dead_letter_retention = 1209600
}

resource "aws_sqs_queue" "uploads" {
  name                       = local.queue_name
  visibility_timeout_seconds = local.visibility_timeout
  message_retention_seconds  = var.queue_retention_seconds
  receive_wait_time_seconds  = 20
  # With alias/aws/sqs, S3 could not send: https://repost.aws/knowledge-center/sns-topic-sqs-kms-encrypted
  sqs_managed_sse_enabled = local.encrypted ? null : true
  kms_master_key_id       = local.key_arn
  tags                    = local.tags

  lifecycle {
    precondition {
      condition     = local.visibility_timeout >= local.least_visibility && local.visibility_timeout <= 43200
      error_message = "visibility_timeout_seconds has to be six times timeout_seconds plus batch_window_seconds at least (or a message would be delivered again while it is worked on), and 43200 at most."
    }

    precondition {
      condition     = var.queue_retention_seconds > var.max_receive_count * local.visibility_timeout
      error_message = "queue_retention_seconds has to be more than max_receive_count times the visibility timeout, or messages are dropped before they reach the dead-letter queue."
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

# For S3 both conditions are needed: whoever takes over the bucket's name in another account must not send.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
data "aws_iam_policy_document" "queue" {
  statement {
    sid       = "TakeUploadsFromTheSourceBucket"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn]

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

  statement {
    sid       = "RefuseWithoutTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [local.queue_arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "uploads" {
  queue_url = aws_sqs_queue.uploads.id
  policy    = data.aws_iam_policy_document.queue.json
}

# A bucket has one configuration of notifications: a second of these, here or elsewhere, would
# fight with this one for ever.
resource "aws_s3_bucket_notification" "uploads" {
  count  = coalesce(var.manage_source_notification, true) ? 1 : 0
  bucket = var.source_bucket

  # Besides, and for every rule there is.
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

  # S3 sends a test message at once, and refuses a queue that does not take it. What is announced
  # must find somebody to move it, and a destination that keeps versions.
  depends_on = [
    aws_s3_bucket.source,
    aws_sqs_queue_policy.uploads,
    aws_sqs_queue_redrive_policy.uploads,
    aws_lambda_event_source_mapping.uploads,
    aws_s3_bucket_ownership_controls.this,
    aws_cloudwatch_event_target.scans,
    aws_cloudwatch_event_target.uploads,
  ]
}

# Rules of other routes, and of others, look at the same events.
resource "aws_cloudwatch_event_rule" "uploads" {
  count       = local.bridged ? 1 : 0
  name        = "${var.name}-uploads"
  description = "Uploads to the source of frogmove"
  tags        = local.tags

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = concat(["Object Created"], local.scans ? ["Object Tags Added"] : [])
    detail = merge(
      { bucket = { name = [var.source_bucket] } },
      local.key_patterns == null ? {} : { object = { key = local.key_patterns } },
    )
  })

  lifecycle {
    precondition {
      condition     = length(jsonencode(local.announced)) <= 4000
      error_message = "source_prefix, upload_prefixes and upload_suffixes make more than an EventBridge rule can hold: give fewer or shorter ones."
    }
  }
}

# EventBridge tries for a day; the sweep moves what it has given up.
resource "aws_cloudwatch_event_target" "uploads" {
  count     = local.bridged ? 1 : 0
  rule      = aws_cloudwatch_event_rule.uploads[0].name
  target_id = "queue"
  arn       = aws_sqs_queue.uploads.arn

  depends_on = [
    aws_sqs_queue_policy.uploads,
    aws_sqs_queue_redrive_policy.uploads,
    aws_lambda_event_source_mapping.uploads,
  ]
}
