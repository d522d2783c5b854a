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

variable "destination_kms_key_arn" {
  description = "An existing KMS key for copies in the destination and, if it is created, for that bucket; null for the key of the other variables. It must be in the destination's Region, and its key policy must allow IAM policies of this account."
  type        = string
  default     = null

  validation {
    condition     = var.destination_kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.destination_kms_key_arn))
    error_message = "The ARN of a key is arn:aws:kms:REGION:ACCOUNT:key/ID; an alias is not possible."
  }

  validation {
    condition     = var.destination_region == null || var.destination_kms_key_arn != null || !var.create_kms_key && var.kms_key_arn == null
    error_message = "A key works only in its own Region: create_kms_key and kms_key_arn are of this Region, so set destination_kms_key_arn as well."
  }

  validation {
    condition     = var.destination_region == null || var.destination_kms_key_arn == null ? true : try(split(":", var.destination_kms_key_arn)[3], "") == var.destination_region
    error_message = "The key must be in destination_region."
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
