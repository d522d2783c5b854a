# Monitoring.

variable "log_retention_days" {
  description = "Days that the function's logs are kept: a value of CloudWatch Logs, 0 for forever."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps logs 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days, or 0 for forever."
  }
}

variable "alarms" {
  description = "Whether alarms are created."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_emails" {
  description = "Addresses that alarms are sent to, through a new topic. Each must confirm a message from AWS."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Each must be an e-mail address."
  }
}

variable "alarm_topic_arns" {
  description = "Existing SNS topics that alarms are also sent to."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "Each must be the ARN of a standard SNS topic."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    condition     = length(distinct(var.alarm_topic_arns)) + min(length(var.alarm_emails), 1) <= 5
    error_message = "An alarm can notify at most five topics, including that of alarm_emails."
  }
}

variable "alarm_age_seconds" {
  description = "An upload that waits longer than this raises an alarm."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.alarm_age_seconds >= 60 && floor(var.alarm_age_seconds) == var.alarm_age_seconds
    error_message = "A whole number of seconds, at least 60."
  }
}

variable "alarm_sweep_hours" {
  description = "Hours without a sweep that raise an alarm; null for none. Must be longer than the interval of sweep_schedule."
  type        = number
  default     = 2

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    condition     = var.alarm_sweep_hours == null ? true : var.alarm_sweep_hours >= 2 && var.alarm_sweep_hours <= 168 && floor(var.alarm_sweep_hours) == var.alarm_sweep_hours
    error_message = "A whole number of hours, 2 to 168, or null."
  }

  validation {
    condition     = var.alarm_sweep_hours == null || var.sweep_schedule == null ? true : try(tonumber(regex("^rate\\(([0-9]+) hour", var.sweep_schedule)[0]), try(24 * tonumber(regex("^rate\\(([0-9]+) day", var.sweep_schedule)[0]), 0)) < var.alarm_sweep_hours
    error_message = "It must be longer than the interval of sweep_schedule, or the alarm would always ring."
  }
}

variable "dashboard" {
  description = "Whether a CloudWatch dashboard is created."
  type        = bool
  default     = true
  nullable    = false
}

variable "access_log_bucket" {
  description = "An existing bucket for the access logs of created buckets; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.access_log_bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket)) && !contains([var.source_bucket, var.destination_bucket], var.access_log_bucket)
    error_message = "It must be a third bucket: logs in the source would be moved, and logs in a logged bucket cause more logs."
  }
}
