# A sweep moves files without a notification: it was lost, or the upload was before the notification
# was configured.

resource "aws_scheduler_schedule" "sweep" {
  # checkov:skip=CKV_AWS_297:its input is {"action":"sweep"}, which is no secret
  count               = local.sweeps ? 1 : 0
  name                = "${var.name}-sweep"
  description         = "Lets frogmove move files that no notification has moved"
  group_name          = local.schedule_group
  schedule_expression = var.sweep_schedule
  state               = var.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 5
  }

  target {
    arn      = aws_lambda_alias.live.arn
    role_arn = aws_iam_role.scheduler[0].arn
    input    = jsonencode({ action = "sweep" })

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = aws_sqs_queue.sweep_dead_letters.arn
    }
  }

  depends_on = [aws_iam_role_policy.scheduler, aws_lambda_event_source_mapping.uploads]
}

# Sweeps that could not be started or failed.
resource "aws_sqs_queue" "sweep_dead_letters" {
  name                      = local.sweep_dead_name
  message_retention_seconds = local.dead_letter_retention
  sqs_managed_sse_enabled   = local.encrypted ? null : true
  kms_master_key_id         = local.key_arn
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "sweep_dead_letters" {
  queue_url = aws_sqs_queue.sweep_dead_letters.id
  policy    = data.aws_iam_policy_document.tls["sweep dead letters"].json
}

resource "aws_iam_role" "scheduler" {
  count                = local.sweeps ? 1 : 0
  name                 = local.scheduler_role_name
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary
  description          = "Lets EventBridge Scheduler start the sweep of ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust["scheduler"].json
  tags                 = local.tags
}

data "aws_iam_policy_document" "scheduler" {
  source_policy_documents = [data.aws_iam_policy_document.use_keys["queues"].json]

  statement {
    sid       = "StartSweeps"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.alias_arn]
  }

  statement {
    sid       = "SendFailedSweeps"
    actions   = ["sqs:SendMessage"]
    resources = [local.sweep_dead_arn]
  }
}

resource "aws_iam_role_policy" "scheduler" {
  count  = local.sweeps ? 1 : 0
  name   = "sweep"
  role   = aws_iam_role.scheduler[0].id
  policy = data.aws_iam_policy_document.scheduler.json
}
