# The buckets, created or adopted.

variable "create_source_bucket" {
  description = "Whether the source bucket is created. False adopts an existing one, which is not changed, except by manage_source_notification and manage_source_policy."
  type        = bool
  default     = true
  nullable    = false
}

variable "create_destination_bucket" {
  description = "Whether the destination bucket is created. False adopts an existing one, which is not changed, except by manage_destination_policy."
  type        = bool
  default     = true
  nullable    = false
}

variable "source_account" {
  description = "The account that owns an adopted source bucket; null for this one. Its owner must add source_bucket_policy (output) to its policy, queue_arn to its notification, and the function's role to the policy of its KMS key."
  type        = string
  default     = null

  validation {
    condition     = var.source_account == null ? true : can(regex("^[0-9]{12}$", var.source_account))
    error_message = "An account id has 12 digits."
  }

  validation {
    condition     = var.source_account == null || (!var.create_source_bucket && var.manage_source_notification == false && var.manage_source_policy != true && var.trigger == "s3")
    error_message = "A bucket of another account must be adopted (create_source_bucket = false), its owner sets notification and policy (manage_source_notification = false), and it sends directly to the queue (trigger = s3)."
  }
}

variable "destination_account" {
  description = "The account that owns an adopted destination bucket; null for this one. Its owner must add destination_bucket_policy (output) to its policy, disable ACLs (BucketOwnerEnforced), so that it owns the copies, and add the function's role to the policy of its KMS key."
  type        = string
  default     = null

  validation {
    condition     = var.destination_account == null ? true : can(regex("^[0-9]{12}$", var.destination_account))
    error_message = "An account id has 12 digits."
  }

  validation {
    condition     = var.destination_account == null || (!var.create_destination_bucket && var.manage_destination_policy != true && !var.batch_operations)
    error_message = "A bucket of another account must be adopted (create_destination_bucket = false), its owner sets its policy, and it cannot hold manifests of S3 Batch Operations (batch_operations = false)."
  }
}

variable "destination_region" {
  description = "The Region of the destination bucket, created or adopted; null for this one. The source is always in this Region. A key for it must be in its Region: destination_kms_key_arn."
  type        = string
  default     = null

  validation {
    condition     = var.destination_region == null ? true : can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]+$", var.destination_region))
    error_message = "A Region is such as eu-west-1."
  }

  validation {
    condition     = var.destination_region == null || !var.batch_operations
    error_message = "S3 Batch Operations runs in the source's Region, and its manifests and reports would be in another: set batch_operations = false."
  }
}

variable "trigger" {
  description = "How uploads are reported to the queue: s3, by the bucket's notification, or eventbridge, by a rule of this route. With eventbridge several routes can use one source bucket, and its notifications can be managed elsewhere, with eventbridge = true."
  type        = string
  default     = "s3"
  nullable    = false

  validation {
    condition     = contains(["s3", "eventbridge"], var.trigger)
    error_message = "The trigger is s3 or eventbridge."
  }
}

variable "manage_source_notification" {
  description = "Whether the source bucket's notification is set here. A bucket has one notification configuration, and setting it replaces the existing one, so it must be decided for an adopted bucket. With false, add the queue (output queue_arn) to the configuration yourself, or eventbridge = true if that is the trigger; the sweep moves objects without a notification."
  type        = bool
  default     = null

  validation {
    condition     = var.create_source_bucket || var.manage_source_notification != null
    error_message = "Set this for the adopted source bucket: true replaces all its notifications; with false they are kept, and you must add the queue, or eventbridge = true, yourself."
  }
}

variable "manage_source_policy" {
  description = "Whether the source bucket's policy (TLS only) is set here. A bucket has one policy, and setting it replaces the existing one. By default only for a created bucket."
  type        = bool
  default     = null
}

variable "manage_destination_policy" {
  description = "Whether the destination bucket's policy (TLS only) is set here. A bucket has one policy, and setting it replaces the existing one. By default only for a created bucket."
  type        = bool
  default     = null
}

variable "adopted_destination_is_versioned" {
  description = "Confirms that an adopted destination keeps versions. Required for on_conflict = overwrite, because overwritten objects could not be restored otherwise."
  type        = bool
  default     = false
  nullable    = false
}

variable "source_versioning" {
  description = "Whether a created source bucket keeps versions: moved or deleted objects can then be restored for noncurrent_version_days, and are billed until then."
  type        = bool
  default     = false
  nullable    = false
}

variable "noncurrent_version_days" {
  description = "Days after which overwritten and deleted versions expire in created buckets; null keeps them forever."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_version_days == null ? true : var.noncurrent_version_days >= 1 && floor(var.noncurrent_version_days) == var.noncurrent_version_days
    error_message = "Days are a whole number, at least 1, or null."
  }
}

variable "abort_multipart_days" {
  description = "Days after which incomplete multipart uploads are aborted in created buckets. Copies of large objects continue over several deliveries, so this must be longer than the longest of them."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.abort_multipart_days >= 2 && floor(var.abort_multipart_days) == var.abort_multipart_days
    error_message = "Days are a whole number, at least 2: an incomplete copy must be kept for all its deliveries."
  }
}

variable "force_destroy" {
  description = "Whether destroy may delete created buckets that are not empty. With true, all their objects are lost."
  type        = bool
  default     = false
  nullable    = false
}

variable "bucket_policy_documents" {
  description = "Additional statements for the buckets' policies, as { source = [...], destination = [...] } of policies in JSON, such as data.aws_iam_policy_document.….json."
  type        = map(list(string))
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.bucket_policy_documents), ["source", "destination"])) == 0 && alltrue([for document in flatten(values(var.bucket_policy_documents)) : can(jsondecode(document).Statement)])
    error_message = "The keys are source and destination, and each document is a policy in JSON with a Statement."
  }

  validation {
    condition = alltrue([
      length(lookup(var.bucket_policy_documents, "source", [])) == 0 || coalesce(var.manage_source_policy, var.create_source_bucket),
      length(lookup(var.bucket_policy_documents, "destination", [])) == 0 || coalesce(var.manage_destination_policy, var.create_destination_bucket),
    ])
    error_message = "An adopted bucket's policy is not set here, unless manage_source_policy or manage_destination_policy is true: add the statements where it is managed."
  }
}

variable "lifecycle_rules" {
  description = "Additional lifecycle rules of created buckets, as { source = [...], destination = [...] }: each has an id, and may have a prefix, expiration_days and transitions = [{ days, storage_class }]. Rules for incomplete uploads and old versions exist already."
  type = map(list(object({
    id              = string
    prefix          = optional(string, "")
    expiration_days = optional(number)
    transitions     = optional(list(object({ days = number, storage_class = string })), [])
  })))
  default  = {}
  nullable = false

  validation {
    condition     = length(setsubtract(keys(var.lifecycle_rules), ["source", "destination"])) == 0 && alltrue([for rule in flatten(values(var.lifecycle_rules)) : rule.id != "clean-up" && can(regex("^.{1,255}$", rule.id)) && (rule.expiration_days != null || length(rule.transitions) > 0)])
    error_message = "The keys are source and destination. A rule needs an id of 1 to 255 characters other than clean-up, and an expiration or a transition."
  }

  validation {
    condition     = alltrue([for rule in lookup(var.lifecycle_rules, "source", []) : alltrue([for transition in rule.transitions : !contains(["GLACIER", "DEEP_ARCHIVE"], transition.storage_class)])])
    error_message = "Archived objects cannot be moved before they are restored."
  }

  validation {
    condition     = (length(lookup(var.lifecycle_rules, "source", [])) == 0 || var.create_source_bucket) && (length(lookup(var.lifecycle_rules, "destination", [])) == 0 || var.create_destination_bucket)
    error_message = "The rules of an adopted bucket are not set here."
  }
}

variable "cors_rules" {
  description = "CORS rules of created buckets, for uploads and downloads by browsers, as { source = [...], destination = [...] }: each has allowed_origins and allowed_methods, and may have allowed_headers, expose_headers and max_age_seconds. null if they are not set here, for example by aws_s3_bucket_cors_configuration."
  type = map(list(object({
    allowed_origins = list(string)
    allowed_methods = list(string)
    allowed_headers = optional(list(string), [])
    expose_headers  = optional(list(string), [])
    max_age_seconds = optional(number)
  })))
  default = null

  validation {
    condition     = var.cors_rules == null ? true : length(setsubtract(keys(var.cors_rules), ["source", "destination"])) == 0 && alltrue([for rule in flatten(values(var.cors_rules)) : length(rule.allowed_origins) > 0 && length(rule.allowed_methods) > 0 && length(setsubtract(rule.allowed_methods, ["DELETE", "GET", "HEAD", "POST", "PUT"])) == 0])
    error_message = "The keys are source and destination. A rule needs allowed_origins, and allowed_methods of DELETE, GET, HEAD, POST and PUT."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
    condition     = var.cors_rules == null ? true : alltrue([for rule in flatten(values(var.cors_rules)) : alltrue([for origin in rule.allowed_origins : can(regex("^(\\*|https?://[^/*]*\\*?[^/*]*)$", origin))])])
    error_message = "An origin is https://host, https://host:port or *, with at most one * and without a path."
  }

  validation {
    condition     = var.cors_rules == null ? true : (length(lookup(var.cors_rules, "source", [])) == 0 || var.create_source_bucket) && (length(lookup(var.cors_rules, "destination", [])) == 0 || var.create_destination_bucket)
    error_message = "The rules of an adopted bucket are not set here."
  }
}
