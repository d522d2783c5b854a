# The log group, the alarms and their topic, the dashboard.

resource "aws_cloudwatch_log_group" "function" {
  # checkov:skip=CKV_AWS_158:a customer KMS key is optional, see create_kms_key
  # checkov:skip=CKV_AWS_338:the retention is a variable
  name              = local.log_group_name
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
  tags              = local.tags
}

locals {
  own_metrics  = { service = "frogmove", route = local.route }
  function_dim = { FunctionName = var.name }

  # The alarms; RUNBOOK.md says what to do for each.
  alarms = merge(local.sweep_alarms, local.scan_alarms, {
    dead-letters = {
      description = "Uploads failed ${var.max_receive_count} times and are in the dead-letter queue. They are still at the source."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      statistic   = "Maximum"
      dimensions  = { QueueName = local.dead_letter_name }
      threshold   = 0
      periods     = 1
    }
    oldest-message = {
      description = "An upload has waited longer than ${var.alarm_age_seconds} seconds to be moved."
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      statistic   = "Maximum"
      dimensions  = { QueueName = local.queue_name }
      threshold   = var.alarm_age_seconds
      periods     = 1
    }
    errors = {
      description = "The function failed; see the log."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      statistic   = "Sum"
      dimensions  = local.function_dim
      threshold   = 0
      periods     = 1
    }
    throttles = {
      description = "Lambda throttled the function: the account's or the reserved concurrency is used up."
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      statistic   = "Sum"
      dimensions  = local.function_dim
      threshold   = 0
      # Occasional throttles are normal while it scales.
      periods = 3
    }
    sweep-dead-letters = {
      description = "A sweep could not be started or failed twice."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      statistic   = "Maximum"
      dimensions  = { QueueName = local.sweep_dead_name }
      threshold   = 0
      periods     = 1
    }
    failed = {
      description = "Objects could not be moved; the log names each, where its bytes are, and whether a retry may succeed."
      namespace   = "frogmove"
      metric      = "failed"
      statistic   = "Sum"
      dimensions  = local.own_metrics
      threshold   = 0
      periods     = 1
    }
    conflict = {
      description = "The destination holds something else under the same key, or was changed at the same time. The function changed neither side."
      namespace   = "frogmove"
      metric      = "conflict"
      statistic   = "Sum"
      dimensions  = local.own_metrics
      threshold   = 0
      periods     = 1
    }
  })

  sweep_alarms = local.sweeps ? {
    oldest-object = {
      description = "A sweep could not move an object that has been at the source for longer than ${var.alarm_age_seconds} seconds."
      namespace   = "frogmove"
      metric      = "oldest"
      statistic   = "Maximum"
      dimensions  = local.own_metrics
      threshold   = var.alarm_age_seconds
      periods     = 1
    }
  } : {}

  scan_alarms = merge(
    local.scans ? {
      unscanned = {
        description = "Objects stay at the source because no scan found them clean: the scan had another result, or there was none before a sweep."
        namespace   = "frogmove"
        metric      = "unscanned"
        statistic   = "Sum"
        dimensions  = local.own_metrics
        threshold   = 0
        periods     = 1
      }
    } : {},
    local.guardduty ? {
      threats = {
        description = "GuardDuty found threats in an upload. It was not moved to the destination."
        namespace   = "frogmove"
        metric      = "threats"
        statistic   = "Sum"
        dimensions  = local.own_metrics
        threshold   = 0
        periods     = 1
      }
    } : {},
  )

  alarm_topics = concat(
    length(var.alarm_emails) > 0 ? [local.topic_arn] : [],
    var.alarm_topic_arns,
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = var.alarms ? local.alarms : {}
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = each.value.periods
  # No data means that nothing happened.
  treat_missing_data = "notBreaching"
  alarm_actions      = local.alarm_topics
  ok_actions         = local.alarm_topics
  tags               = local.tags

  depends_on = [aws_sns_topic_policy.alarms]
}

# A missing metric shows that something has not happened.

resource "aws_cloudwatch_metric_alarm" "no_sweep" {
  count               = var.alarms && local.sweeps && var.alarm_sweep_hours != null ? 1 : 0
  alarm_name          = "${var.name}-no-sweep"
  alarm_description   = "No sweep has finished for ${coalesce(var.alarm_sweep_hours, 0)} hours."
  namespace           = "frogmove"
  metric_name         = "sweeps"
  dimensions          = local.own_metrics
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = var.alarm_sweep_hours
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_topics
  ok_actions          = local.alarm_topics
  tags                = local.tags

  depends_on = [aws_sns_topic_policy.alarms]
}

# An enabled event source mapping polls the queue all the time, even if it is empty.
resource "aws_cloudwatch_metric_alarm" "not_polled" {
  count               = var.alarms ? 1 : 0
  alarm_name          = "${var.name}-not-polled"
  alarm_description   = "The queue has not been polled for 15 minutes: the event source mapping is disabled or has no permission."
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_topics
  ok_actions          = local.alarm_topics
  tags                = local.tags

  metric_query {
    id          = "asked"
    expression  = "FILL(empty, 0) + FILL(received, 0)"
    label       = "requests of the mapping"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { empty = "NumberOfEmptyReceives", received = "NumberOfMessagesReceived" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = local.queue_name }
        stat        = "Sum"
        period      = 300
      }
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

resource "aws_sns_topic" "alarms" {
  # checkov:skip=CKV_AWS_26:it carries the names of alarms alone, and CloudWatch cannot send to a topic under alias/aws/sns; a customer KMS key is optional, see create_kms_key
  count             = length(var.alarm_emails) > 0 ? 1 : 0
  name              = "${var.name}-alarms"
  kms_master_key_id = local.key_arn
  tags              = local.tags
}

data "aws_iam_policy_document" "topic" {
  source_policy_documents = [data.aws_iam_policy_document.tls["topic"].json]

  statement {
    sid       = "AllowAlarms"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:cloudwatch:${local.here}:alarm:${var.name}-*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  count  = length(var.alarm_emails) > 0 ? 1 : 0
  arn    = aws_sns_topic.alarms[0].arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each  = toset(var.alarm_emails)
  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_dashboard" "this" {
  count          = var.dashboard ? 1 : 0
  dashboard_name = local.global_name

  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : merge(widget, {
      x = index % 2 * 12, y = floor(index / 2) * 6, width = 12, height = 6
    })]
  })
}

locals {
  own = ["service", "frogmove", "route", local.route]

  widgets = [
    {
      type = "metric"
      properties = {
        title = "Objects, by what became of them", region = local.region, stat = "Sum", period = 300, stacked = true
        metrics = [for outcome in ["moved", "copied", "skipped", "waiting", "quarantined", "gone", "superseded", "conflict", "failed"] :
        concat(["frogmove", outcome], local.own)]
      }
    },
    {
      type = "metric"
      properties = {
        title = "Waiting uploads, and dead letters", region = local.region, stat = "Maximum", period = 300
        metrics = [
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.queue_name, { label = "waiting" }],
          ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", local.queue_name, { label = "at work" }],
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.dead_letter_name, { label = "dead letters" }],
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.sweep_dead_name, { label = "failed sweeps" }],
        ]
      }
    },
    {
      type = "metric"
      properties = {
        title = "Seconds from upload to move", region = local.region, period = 300
        metrics = [
          concat(["frogmove", "age"], local.own, [{ stat = "p50", label = "half of them" }]),
          concat(["frogmove", "age"], local.own, [{ stat = "p99", label = "99 of 100" }]),
          ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", local.queue_name, { stat = "Maximum", label = "oldest waiting" }],
        ]
      }
    },
    {
      type = "metric"
      properties = {
        title   = "Messages that come back, by why", region = local.region, stat = "Sum", period = 300, stacked = true
        metrics = [for cause in ["unfinished", "retried", "rejected"] : concat(["frogmove", cause], local.own)]
      }
    },
    {
      type = "metric"
      properties = {
        title   = "Bytes moved", region = local.region, stat = "Sum", period = 300
        metrics = [concat(["frogmove", "bytes"], local.own)]
      }
    },
    {
      type = "metric"
      properties = {
        title = "Function", region = local.region, stat = "Sum", period = 300
        metrics = [
          ["AWS/Lambda", "Invocations", "FunctionName", var.name],
          ["AWS/Lambda", "Errors", "FunctionName", var.name],
          ["AWS/Lambda", "Throttles", "FunctionName", var.name],
          ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", var.name, { stat = "Maximum" }],
          ["AWS/Lambda", "Duration", "FunctionName", var.name, { stat = "p99", label = "milliseconds, 99 of 100", yAxis = "right" }],
        ]
      }
    },
    {
      type = "log"
      properties = {
        title = "What needs attention", region = local.region, view = "table"
        query = "SOURCE '${local.log_group_name}' | filter level in ['ERROR', 'WARNING', 'CRITICAL'] or outcome in ['failed', 'conflict'] | fields @timestamp, level, message, key, outcome, reason | sort @timestamp desc | limit 50"
      }
    },
  ]
}
