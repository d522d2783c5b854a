# Malware scans: only files that a scan found clean reach the destination.

variable "scan" {
  description = "Which scan files need before they are moved: none; guardduty, with a GuardDuty Malware Protection plan, which is created; or tag, with any scanner that sets require_tag on clean files. The source then keeps versions, because exactly the scanned version is moved."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "guardduty", "tag"], var.scan)
    error_message = "scan is none, guardduty or tag."
  }

  validation {
    condition     = var.scan != "guardduty" || var.source_account == null
    error_message = "GuardDuty protects only buckets of its own account: with source_account, let the owner scan there, and use scan = tag."
  }
}

variable "require_tag" {
  description = "With scan = tag: the tag that the scanner sets on clean files, as { key = \"...\", value = \"...\" }."
  type        = object({ key = string, value = string })
  default     = null

  validation {
    condition     = (var.scan == "tag") == (var.require_tag != null)
    error_message = "Only scan = tag needs require_tag: GuardDuty sets its own tag."
  }

  validation {
    # No = in the key, because the function splits the tag there.
    condition     = var.require_tag == null ? true : can(regex("^[\\p{L}\\p{N}_.:/+@-]{1,128}$", var.require_tag.key)) && can(regex("^[\\p{L}\\p{N}_.:/=+@-]{1,256}$", var.require_tag.value))
    error_message = "A key has 1 to 128, a value 1 to 256 letters, digits and _.:/+-@."
  }
}

variable "quarantine" {
  description = "With scan = guardduty: where files with threats are moved to, as s3://bucket/folder/ in an existing third bucket of this account; null leaves them at the source. Add its KMS key to bucket_kms_key_arns."
  type        = string
  default     = null

  validation {
    condition     = var.quarantine == null || var.scan == "guardduty"
    error_message = "A quarantine needs scan = guardduty, which reports files with threats."
  }

  validation {
    condition     = var.quarantine == null ? true : can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([A-Za-z0-9!_.()-]+/)*$", var.quarantine))
    error_message = "Use s3://bucket/ or s3://bucket/folder/, with a slash at the end."
  }

  validation {
    condition     = var.quarantine == null ? true : !contains([var.source_bucket, var.destination_bucket], try(split("/", var.quarantine)[2], ""))
    error_message = "The quarantine must be in a third bucket: readers can read the destination, and files in the source are moved."
  }
}

variable "scan_plan_arn" {
  description = "With scan = guardduty: an existing protection plan of the source bucket, with tagging enabled; null creates one. GuardDuty allows one plan per bucket, so further routes from it use the first one's (output scan_plan_arn)."
  type        = string
  default     = null

  validation {
    condition     = var.scan_plan_arn == null ? true : can(regex("^arn:[a-z-]+:guardduty:[a-z0-9-]+:[0-9]{12}:malware-protection-plan/.+$", var.scan_plan_arn)) && var.scan == "guardduty"
    error_message = "It must be the ARN of a protection plan, with scan = guardduty."
  }
}

variable "scan_prefixes" {
  description = "With a created plan: folders outside source_prefix that it also scans, each with a slash at the end, for further routes from this bucket; at most four."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.scan_prefixes) == 0 || (var.scan == "guardduty" && var.scan_plan_arn == null)
    error_message = "Only a plan that is created can scan further folders: scan = guardduty without scan_plan_arn."
  }

  validation {
    # With source_prefix GuardDuty's maximum of five.
    condition     = length(var.scan_prefixes) <= 4 && alltrue([for prefix in var.scan_prefixes : can(regex("^[^/*?].*/$", prefix))])
    error_message = "Use at most four folders, each with a slash at the end and none at the beginning: GuardDuty allows five prefixes."
  }
}

variable "scan_tagger_arns" {
  description = "IAM roles and users who may set the tag, by their ARNs, * and ? allowed: the scanner with scan = tag, the role of the plan of scan_plan_arn, and operators who use undo, because the objects that they move back have the tag. The source bucket's policy denies it, and copies and replication from buckets of this account, to everybody else."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.scan_tagger_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "Each must be the ARN of an IAM role or user."
  }

  validation {
    condition     = length(var.scan_tagger_arns) > 0 || (var.scan != "tag" && var.scan_plan_arn == null)
    error_message = "Add the role or user of the scanner, or the source bucket's policy denies it to set the tag."
  }
}

variable "adopted_source_is_versioned" {
  description = "Confirms that an adopted source bucket keeps versions. Required for a scan: a file could otherwise be replaced after its scan by another one with the same ETag."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.scan == "none" || var.create_source_bucket || var.adopted_source_is_versioned
    error_message = "With a scan, the adopted source bucket must keep versions, so that exactly the scanned version is moved: enable them, and set adopted_source_is_versioned = true."
  }
}

variable "adopted_source_guards_tag" {
  description = "Confirms that the policy of an adopted source bucket contains scan_bucket_policy (output). Required for a scan if that policy is not set here: otherwise uploaders could set the tag themselves."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.scan == "none" || coalesce(var.manage_source_policy, var.create_source_bucket) || var.adopted_source_guards_tag
    error_message = "Uploaders must not be able to set the tag: set the adopted source bucket's policy here (manage_source_policy = true), or set adopted_source_guards_tag = true, plan, and add the output scan_bucket_policy to that policy before you apply."
  }
}
