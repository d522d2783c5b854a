# Encryption.

variable "create_kms_key" {
  description = "Whether a KMS key is created for created buckets, queues, topic and logs, instead of the services' own encryption."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "An existing KMS key for the same. Its key policy must allow what kms.tf allows."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "The ARN of a key is arn:aws:kms:REGION:ACCOUNT:key/ID; an alias is not possible."
  }

  validation {
    condition     = var.kms_key_arn == null || !var.create_kms_key
    error_message = "Use either create_kms_key or kms_key_arn."
  }
}

variable "bucket_kms_key_arns" {
  description = "Additional KMS keys of adopted buckets, which the function and people may use."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.bucket_kms_key_arns : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "The ARN of a key is arn:aws:kms:REGION:ACCOUNT:key/ID; an alias is not possible."
  }
}
