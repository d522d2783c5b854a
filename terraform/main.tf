# Names and ARNs that the other files share. ARNs are built from names, so that a plan shows every
# policy completely before anything is created.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account             = data.aws_caller_identity.current.account_id
  source_account      = coalesce(var.source_account, local.account)
  destination_account = coalesce(var.destination_account, local.account)
  # The account that must own both buckets.
  owner     = local.source_account == local.destination_account ? local.source_account : null
  partition = data.aws_partition.current.partition
  # Another one in China.
  dns_suffix         = data.aws_partition.current.dns_suffix
  region             = data.aws_region.current.region
  destination_region = coalesce(var.destination_region, local.region)
  here               = "${local.region}:${local.account}"

  source_uri      = "s3://${var.source_bucket}/${var.source_prefix}"
  destination_uri = "s3://${var.destination_bucket}/${var.destination_prefix}"
  # The dimension of frogmove's metrics, with CloudWatch's maximum length.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
  route = substr("${local.source_uri} -> ${local.destination_uri}", 0, 1024)

  source_arn          = "arn:${local.partition}:s3:::${var.source_bucket}"
  destination_arn     = "arn:${local.partition}:s3:::${var.destination_bucket}"
  source_objects      = "${local.source_arn}/${var.source_prefix}*"
  destination_objects = "${local.destination_arn}/${var.destination_prefix}*"
  batch_objects       = "${local.destination_arn}/${var.batch_prefix}*"

  queue_name       = "${var.name}-uploads"
  dead_letter_name = "${var.name}-uploads-dead"
  sweep_dead_name  = "${var.name}-sweeps-dead"
  queue_arn        = "arn:${local.partition}:sqs:${local.here}:${local.queue_name}"
  dead_letter_arn  = "arn:${local.partition}:sqs:${local.here}:${local.dead_letter_name}"
  sweep_dead_arn   = "arn:${local.partition}:sqs:${local.here}:${local.sweep_dead_name}"
  function_arn     = "arn:${local.partition}:lambda:${local.here}:function:${var.name}"
  alias            = "live"
  alias_arn        = "${local.function_arn}:${local.alias}"
  log_group_name   = "/aws/lambda/${var.name}"
  log_group_arn    = "arn:${local.partition}:logs:${local.here}:log-group:${local.log_group_name}"
  topic_arn        = "arn:${local.partition}:sns:${local.here}:${var.name}-alarms"
  # For names that are global for all Regions of the account, in IAM and CloudWatch.
  global_name         = "${var.name}-${local.region}"
  batch_role_name     = "${local.global_name}-batch"
  batch_role_arn      = "arn:${local.partition}:iam::${local.account}:role${var.iam_path}${local.batch_role_name}"
  scheduler_role_name = "${local.global_name}-sweep"
  scheduler_role_arn  = "arn:${local.partition}:iam::${local.account}:role${var.iam_path}${local.scheduler_role_name}"
  function_role_arn   = "arn:${local.partition}:iam::${local.account}:role${var.iam_path}${local.global_name}-function"
  batch_jobs_arn      = "arn:${local.partition}:s3:${local.here}:job/*"
  schedule_group      = "default"
  schedule_arn        = "arn:${local.partition}:scheduler:${local.here}:schedule/${local.schedule_group}/${var.name}-sweep"
  schedule_group_arn  = "arn:${local.partition}:scheduler:${local.here}:schedule-group/${local.schedule_group}"

  # All pairs of a prefix and a suffix whose uploads are reported.
  announced = [for pair in setproduct(
    [for prefix in coalescelist(var.upload_prefixes, [""]) : "${var.source_prefix}${prefix}"],
    coalescelist(var.upload_suffixes, [""]),
  ) : { prefix = pair[0], suffix = pair[1] }]

  # The same for a rule of EventBridge; null for every key.
  key_patterns = local.announced == [{ prefix = "", suffix = "" }] ? null : [for keys in local.announced :
    { for name, value in {
      prefix   = keys.suffix == "" ? keys.prefix : ""
      suffix   = keys.prefix == "" ? keys.suffix : ""
      wildcard = keys.prefix != "" && keys.suffix != "" ? "${keys.prefix}*${keys.suffix}" : ""
    } : name => value if value != "" }
  ]

  # With GuardDuty only scan results are reported, because uploads cannot be moved before their scan.
  notified = var.trigger == "s3" && !local.guardduty
  # Without it a rule of EventBridge sends to the queue.
  rule_name = local.guardduty ? "${var.name}-scans" : "${var.name}-uploads"
  # The services that send to the queue, with their source ARNs.
  sender     = local.notified ? "s3.amazonaws.com" : "events.amazonaws.com"
  sender_arn = local.notified ? local.source_arn : "arn:${local.partition}:events:${local.here}:rule/${local.rule_name}"

  sweeps = var.sweep_schedule != null
  tags   = merge({ project = "frogmove" }, var.tags)
}
