output "name" {
  description = "The name of the deployment, which is the name of the function."
  value       = var.name
}

output "account" {
  description = "The account everything is in."
  value       = local.account
}

output "region" {
  description = "The Region everything is in."
  value       = local.region
}

output "source" {
  description = "Where files are uploaded to, as an s3:// URI."
  value       = local.source_uri
}

output "destination" {
  description = "Where files are moved to, as an s3:// URI."
  value       = local.destination_uri
}

output "route" {
  description = "Source and destination as the dimension of frogmove's metrics names them."
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
  description = "The queue of uploads; add it to the notifications of an adopted source bucket whose notification is not managed here."
  value       = aws_sqs_queue.uploads.arn
}

output "queue_url" {
  description = "The queue of uploads."
  value       = aws_sqs_queue.uploads.id
}

output "dead_letter_url" {
  description = "The queue of uploads that could not be moved."
  value       = aws_sqs_queue.dead_letters.id
}

output "dead_letter_arn" {
  description = "The queue of uploads that could not be moved."
  value       = aws_sqs_queue.dead_letters.arn
}

output "sweep_dead_letter_url" {
  description = "The queue of sweeps that could not be started or failed."
  value       = aws_sqs_queue.sweep_dead_letters.id
}

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.move.function_name
}

output "function_arn" {
  description = "What to invoke: the alias live of the function."
  value       = aws_lambda_alias.live.arn
}

output "function_alias" {
  description = "The alias that everything calls the function by."
  value       = aws_lambda_alias.live.name
}

output "function_version" {
  description = "The published version that the alias stands for."
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

output "source_bucket_policy" {
  description = "What a source bucket of another account has to allow, for whoever sets its policy."
  value       = data.aws_iam_policy_document.access["source"].json
}

output "destination_bucket_policy" {
  description = "What a destination bucket of another account has to allow, for whoever sets its policy."
  value       = data.aws_iam_policy_document.access["destination"].json
}

output "scan_plan_arn" {
  description = "The protection plan whose results the function obeys, or null."
  value       = local.guardduty ? local.scan_plan : null
}

output "scan_bucket_policy" {
  description = "What the policy of an adopted source bucket has to hold, so that nobody but the scanner sets its tag; null without a scan."
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
  description = "The role to give to S3 Batch Operations, or null."
  value       = one(aws_iam_role.batch[*].arn)
}

output "batch_location" {
  description = "Where manifests and reports of S3 Batch Operations are, as an s3:// URI."
  value       = "s3://${var.destination_bucket}/${var.batch_prefix}"
}

output "uploaders_policy_arn" {
  description = "The policy for whoever uploads."
  value       = aws_iam_policy.uploaders.arn
}

output "readers_policy_arn" {
  description = "The policy for whoever reads what has arrived."
  value       = aws_iam_policy.readers.arn
}

output "operators_policy_arn" {
  description = "The policy for whoever runs the frogmove command line."
  value       = aws_iam_policy.operators.arn
}

output "groups" {
  description = "The groups that create_groups has created, by the names of their policies."
  value       = { for kind, group in aws_iam_group.people : kind => group.name }
}

output "deployer_policy" {
  description = "What whoever applies this deployment needs, as JSON; `terraform plan` shows it before anything is there."
  value       = data.aws_iam_policy_document.deployer.json
}

output "kms_key_arn" {
  description = "The key that encrypts, or null."
  value       = local.key_arn
}

output "alarm_topic_arn" {
  description = "The topic of the alarms, or null without alarm_emails."
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
  description = "The operators' configuration file, for whoever has none."
  value       = "route = \"${var.name}\"\n\n${local.config_route}"
}

output "config_route" {
  description = "The route's lines alone, to be added to a configuration file."
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
    local.encrypted ? ["kms_key_id = \"${local.key_arn}\""] : [],
    local.scans ? ["require_tag = \"${local.required_tag.key}=${local.required_tag.value}\""] : [],
    [""],
  ))
}
