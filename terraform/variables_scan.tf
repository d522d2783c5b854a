# The scan gate: nothing reaches the destination that no scan has found clean.

variable "scan" {
  description = "What has to find files clean before they are moved: none; guardduty, a plan of GuardDuty's Malware Protection for S3, which is created; or tag, any scanner that sets require_tag on what it found clean. The source then keeps versions, as exactly the version that was scanned is moved."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "guardduty", "tag"], var.scan)
    error_message = "scan is none, guardduty or tag."
  }

  validation {
    condition     = var.scan != "guardduty" || var.source_account == null
    error_message = "GuardDuty protects buckets of its own account: with source_account, have its owner scan there, and say scan = tag."
  }
}

variable "require_tag" {
  description = "With scan = tag: the tag that the scanner sets on what it found clean, as { key = \"...\", value = \"...\" }."
  type        = object({ key = string, value = string })
  default     = null

  validation {
    condition     = (var.scan == "tag") == (var.require_tag != null)
    error_message = "scan = tag needs require_tag, and nothing else does: GuardDuty has a tag of its own."
  }

  validation {
    # Without = in the key, where the function would part the two.
    condition     = var.require_tag == null ? true : can(regex("^[\\p{L}\\p{N}_.:/+@-]{1,128}$", var.require_tag.key)) && can(regex("^[\\p{L}\\p{N}_.:/=+@-]{1,256}$", var.require_tag.value))
    error_message = "A key is 1 to 128 and a value 1 to 256 letters, digits and _.:/+-@."
  }
}

variable "quarantine" {
  description = "With scan = guardduty: where files with threats are moved to, as s3://bucket/folder/ in a third bucket of this account that exists; null leaves them at the source. Its KMS key goes into bucket_kms_key_arns."
  type        = string
  default     = null

  validation {
    condition     = var.quarantine == null || var.scan == "guardduty"
    error_message = "Only GuardDuty (scan = guardduty) says which files hold threats."
  }

  validation {
    condition     = var.quarantine == null ? true : can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([A-Za-z0-9!_.()-]+/)*$", var.quarantine))
    error_message = "A place is s3://bucket/ or s3://bucket/folder/, with a slash at the end."
  }

  validation {
    condition     = var.quarantine == null ? true : !contains([var.source_bucket, var.destination_bucket], try(split("/", var.quarantine)[2], ""))
    error_message = "The quarantine is in a third bucket: readers see the destination, and what is in the source is moved."
  }
}

variable "scan_plan_arn" {
  description = "With scan = guardduty: a protection plan of the source bucket that exists, with tagging on; null creates one. GuardDuty takes one plan a bucket, so that further routes from it name the first one's (output scan_plan_arn)."
  type        = string
  default     = null

  validation {
    condition     = var.scan_plan_arn == null ? true : can(regex("^arn:[a-z-]+:guardduty:[a-z0-9-]+:[0-9]{12}:malware-protection-plan/.+$", var.scan_plan_arn)) && var.scan == "guardduty"
    error_message = "It is the ARN of a protection plan, for scan = guardduty."
  }
}

variable "scan_tagger_arns" {
  description = "IAM roles and users who may set the tag, by their ARNs, * and ? allowed: the scanner with scan = tag, the role of the plan of scan_plan_arn, and operators who undo, as what they bring back has the tag. Everybody else is refused by the source bucket's policy."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.scan_tagger_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "Each is the ARN of an IAM role or user."
  }

  validation {
    condition     = length(var.scan_tagger_arns) > 0 || (var.scan != "tag" && var.scan_plan_arn == null)
    error_message = "Name the role or user that the scanner sets the tag as, or the source bucket's policy would refuse it."
  }
}

variable "adopted_source_guards_tag" {
  description = "Say that the policy of an adopted source bucket holds scan_bucket_policy (output). Required for a scan where that policy is not set here: else uploaders could set the tag themselves."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.scan == "none" || coalesce(var.manage_source_policy, var.create_source_bucket) || var.adopted_source_guards_tag
    error_message = "Uploaders must not be able to set the tag: set the adopted source bucket's policy here (manage_source_policy = true), or say adopted_source_guards_tag = true, plan, and add what the output scan_bucket_policy shows to that policy before you apply."
  }
}
