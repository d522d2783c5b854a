output "name" {
  description = "The name of the deployment and of the function."
  value       = var.name
}

output "account" {
  description = "The AWS account."
  value       = local.account
}

output "source_account" {
  description = "The account of the source bucket."
  value       = local.source_account
}

output "region" {
  description = "The AWS Region."
  value       = local.region
}

output "source" {
  description = "The source, as an s3:// URI."
  value       = local.source_uri
}

output "destination" {
  description = "The destination, as an s3:// URI."
  value       = local.destination_uri
}

output "route" {
  description = "Source and destination, as in the dimension of frogmove's metrics."
  value       = local.route
}

output "source_bucket" {
  description = "The source bucket's name."
  value       = var.create_source_bucket ? aws_s3_bucket.source[0].id : var.source_bucket
}

output "destination_bucket" {
  description = "The destination bucket's name."
  value       = var.create_destination_bucket ? aws_s3_bucket.destination[0].id : var.destination_bucket
}

output "queue_arn" {
  description = "The ARN of the queue of uploads; add it to the notifications of an adopted source bucket if they are managed elsewhere."
  value       = aws_sqs_queue.uploads.arn
}

output "queue_url" {
  description = "The URL of the queue of uploads."
  value       = aws_sqs_queue.uploads.id
}

output "dead_letter_url" {
  description = "The URL of the queue of uploads that could not be moved."
  value       = aws_sqs_queue.dead_letters.id
}

output "dead_letter_arn" {
  description = "The ARN of the queue of uploads that could not be moved."
  value       = aws_sqs_queue.dead_letters.arn
}

output "sweep_dead_letter_url" {
  description = "The URL of the queue of sweeps that could not be started or failed."
  value       = aws_sqs_queue.sweep_dead_letters.id
}

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.move.function_name
}

output "function_arn" {
  description = "The ARN of the function's alias live, to invoke."
  value       = aws_lambda_alias.live.arn
}

output "function_alias" {
  description = "The function's alias, which all callers use."
  value       = aws_lambda_alias.live.name
}

output "function_version" {
  description = "The published version of the alias."
  value       = aws_lambda_alias.live.function_version
}

output "newest_version" {
  description = "The newest published version."
  value       = aws_lambda_function.move.version
}

output "function_role_arn" {
  description = "The function's role, for the policy of a KMS key or of an adopted bucket."
  value       = aws_iam_role.function.arn
}

output "quarantine_role_arn" {
  description = "The role that moves threats to the quarantine, for the policies of its bucket and KMS key; null without a quarantine."
  value       = var.quarantine == null ? null : aws_iam_role.quarantine[0].arn
}

output "source_bucket_policy" {
  description = "The statements that the policy of another account's source bucket needs."
  value       = data.aws_iam_policy_document.access["source"].json
}

output "destination_bucket_policy" {
  description = "The statements that the policy of another account's destination bucket needs."
  value       = data.aws_iam_policy_document.access["destination"].json
}

output "scan_plan_arn" {
  description = "The protection plan whose results the function uses, or null."
  value       = local.guardduty ? local.scan_plan : null
}

output "scan_bucket_policy" {
  description = "The statements that the policy of an adopted source bucket needs, so that only the scanner sets the tag; null without a scan."
  value       = local.scans ? data.aws_iam_policy_document.tag.json : null
}

output "log_group" {
  description = "The function's log group."
  value       = aws_cloudwatch_log_group.function.name
}

output "schedule_name" {
  description = "The schedule of the sweep, or null."
  value       = one(aws_scheduler_schedule.sweep[*].name)
}

output "batch_role_arn" {
  description = "The role for S3 Batch Operations, or null."
  value       = one(aws_iam_role.batch[*].arn)
}

output "batch_location" {
  description = "The place for manifests and reports of S3 Batch Operations, as an s3:// URI."
  value       = "s3://${var.destination_bucket}/${var.batch_prefix}"
}

output "uploaders_policy_arn" {
  description = "The policy for uploaders."
  value       = aws_iam_policy.uploaders.arn
}

output "readers_policy_arn" {
  description = "The policy for readers."
  value       = aws_iam_policy.readers.arn
}

output "operators_policy_arn" {
  description = "The policy for operators."
  value       = aws_iam_policy.operators.arn
}

output "groups" {
  description = "The groups created by create_groups, by the names of their policies."
  value       = { for kind, group in aws_iam_group.people : kind => group.name }
}

output "deployer_policy" {
  description = "The policy for applying this deployment, as JSON; `terraform plan` shows it before the first apply."
  value       = data.aws_iam_policy_document.deployer.json
}

output "kms_key_arn" {
  description = "The KMS key, or null."
  value       = local.key_arn
}

output "alarm_topic_arn" {
  description = "The topic of the alarms; null without alarm_emails."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "alarm_names" {
  description = "The alarms."
  value = sort([for alarm in concat(
    values(aws_cloudwatch_metric_alarm.this),
    aws_cloudwatch_metric_alarm.no_sweep,
    aws_cloudwatch_metric_alarm.not_polled,
  ) : alarm.alarm_name])
}

output "dashboard_url" {
  description = "The dashboard, or null."
  value       = var.dashboard ? "https://${local.region}.console.aws.amazon.com/cloudwatch/home?region=${local.region}#dashboards/dashboard/${local.global_name}" : null
}

output "config_toml" {
  description = "A configuration file for the command line."
  value       = "route = \"${var.name}\"\n\n${local.config_route}"
}

output "config_route" {
  description = "Only the route, to append to a configuration file."
  value       = "\n${local.config_route}"
}

locals {
  config_route = join("\n", concat(
    [
      "[routes.${var.name}]",
      "source = \"${local.source_uri}\"",
      "destination = \"${local.destination_uri}\"",
      "region = \"${local.region}\"",
      "function = \"${var.name}:${local.alias}\"",
    ],
    local.owner == null ? [] : ["expected_bucket_owner = \"${local.owner}\""],
    local.destination_encrypted ? ["kms_key_id = \"${local.destination_key_arn}\""] : [],
    local.scans ? ["require_tag = \"${local.required_tag.key}=${local.required_tag.value}\""] : [],
    [""],
  ))
}
