# The queue.

variable "visibility_timeout_seconds" {
  description = "The queue's visibility timeout; null for six times timeout_seconds plus batch_window_seconds, the minimum that AWS recommends. The function shortens it for failed messages: see README.md."
  type        = number
  default     = null

  validation {
    condition     = var.visibility_timeout_seconds == null ? true : floor(var.visibility_timeout_seconds) == var.visibility_timeout_seconds
    error_message = "A timeout is a whole number of seconds."
  }
}

variable "max_receive_count" {
  description = "How often a message is delivered before it goes to the dead-letter queue."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_receive_count >= 5 && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "A whole number, 5 to 1000; throttled deliveries count as well."
  }
}

variable "queue_retention_seconds" {
  description = "How long the queue keeps a message."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = var.queue_retention_seconds >= 3600 && var.queue_retention_seconds <= 1209600 && floor(var.queue_retention_seconds) == var.queue_retention_seconds
    error_message = "A whole number of seconds, 3600 (1 hour) to 1209600 (14 days)."
  }
}

# The sweep.

variable "sweep_schedule" {
  description = "When sweeps run, which move files without a notification, as an EventBridge Scheduler expression (UTC); null for never."
  type        = string
  default     = "rate(1 hour)"

  validation {
    condition     = var.sweep_schedule == null ? true : can(regex("^(rate\\([1-9][0-9]* (minutes?|hours?|days?)\\)|cron\\(.+\\))$", var.sweep_schedule))
    error_message = "A schedule is rate(1 hour), rate(30 minutes) or cron(...)."
  }
}

variable "sweep_age" {
  description = "The minimum age of files that a sweep moves, so that their notifications come first: seconds, or 15m, 1h, 1d."
  type        = string
  default     = "15m"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+[smhd]?$", var.sweep_age))
    error_message = "An age is a number of seconds, or one with m, h or d."
  }
}
