# The buckets: created, or adopted as they are.

variable "create_source_bucket" {
  description = "Whether the source bucket is created. False adopts one that exists; nothing about it is changed but what manage_source_notification and manage_source_policy say."
  type        = bool
  default     = true
  nullable    = false
}

variable "create_destination_bucket" {
  description = "Whether the destination bucket is created. False adopts one that exists; nothing about it is changed but what manage_destination_policy says."
  type        = bool
  default     = true
  nullable    = false
}

variable "source_account" {
  description = "The account that an adopted source bucket belongs to; null for this one. Its owner adds source_bucket_policy (output) to its policy, and queue_arn to its notification, and the function's role to the policy of its KMS key."
  type        = string
  default     = null

  validation {
    condition     = var.source_account == null ? true : can(regex("^[0-9]{12}$", var.source_account))
    error_message = "An account is 12 digits."
  }

  validation {
    condition     = var.source_account == null || (!var.create_source_bucket && var.manage_source_notification == false && var.manage_source_policy != true && var.trigger == "s3")
    error_message = "A bucket of another account is adopted (create_source_bucket = false), its owner sets notification and policy (manage_source_notification = false), and it sends to the queue itself (trigger = s3)."
  }
}

variable "destination_account" {
  description = "The account that an adopted destination bucket belongs to; null for this one. Its owner adds destination_bucket_policy (output) to its policy, has ACLs off (BucketOwnerEnforced), or copies would not be the owner's, and adds the function's role to the policy of its KMS key."
  type        = string
  default     = null

  validation {
    condition     = var.destination_account == null ? true : can(regex("^[0-9]{12}$", var.destination_account))
    error_message = "An account is 12 digits."
  }

  validation {
    condition     = var.destination_account == null || (!var.create_destination_bucket && var.manage_destination_policy != true && !var.batch_operations)
    error_message = "A bucket of another account is adopted (create_destination_bucket = false), its owner sets its policy, and manifests of S3 Batch Operations cannot be there (batch_operations = false)."
  }
}

variable "trigger" {
  description = "What announces uploads to the queue: s3, by the bucket's own notification, or eventbridge, by a rule of this route alone. By eventbridge several routes can take from one bucket, and its notifications can be somebody else's, as long as they say eventbridge = true."
  type        = string
  default     = "s3"
  nullable    = false

  validation {
    condition     = contains(["s3", "eventbridge"], var.trigger)
    error_message = "The trigger is s3 or eventbridge."
  }
}

variable "manage_source_notification" {
  description = "Whether the source bucket's notification is set here. A bucket has one configuration of notifications, and setting it replaces whatever is there; so it has to be decided when a bucket is adopted. Without it, add the queue (output queue_arn) to the configuration yourself, or eventbridge = true where that is the trigger; the sweep moves what is not announced."
  type        = bool
  default     = null

  validation {
    condition     = var.create_source_bucket || var.manage_source_notification != null
    error_message = "Decide for the adopted source bucket: true replaces all notifications it has; false leaves them, and you add the queue, or eventbridge = true, yourself."
  }
}

variable "manage_source_policy" {
  description = "Whether the source bucket's policy (TLS only) is set here. A bucket has one policy, and setting it replaces whatever is there. By default only for a bucket that is created."
  type        = bool
  default     = null
}

variable "manage_destination_policy" {
  description = "Whether the destination bucket's policy (TLS only) is set here. A bucket has one policy, and setting it replaces whatever is there. By default only for a bucket that is created."
  type        = bool
  default     = null
}

variable "adopted_destination_is_versioned" {
  description = "Say that an adopted destination keeps versions. Required for on_conflict = overwrite, since nothing else would bring back what is overwritten."
  type        = bool
  default     = false
  nullable    = false
}

variable "source_versioning" {
  description = "Whether a created source bucket keeps versions: what was moved or deleted can then be brought back there for noncurrent_version_days, and is paid for until then."
  type        = bool
  default     = false
  nullable    = false
}

variable "noncurrent_version_days" {
  description = "Days after which overwritten and deleted versions expire in created buckets; null keeps them for ever."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_version_days == null ? true : var.noncurrent_version_days >= 1 && floor(var.noncurrent_version_days) == var.noncurrent_version_days
    error_message = "Days are a whole number, 1 at least, or null."
  }
}

variable "abort_multipart_days" {
  description = "Days after which unfinished multipart uploads are dropped in created buckets. Copies of large objects go on from delivery to delivery, so this has to be longer than the longest of them."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.abort_multipart_days >= 2 && floor(var.abort_multipart_days) == var.abort_multipart_days
    error_message = "Days are a whole number, 2 at least: an unfinished copy must outlive its deliveries."
  }
}

variable "force_destroy" {
  description = "Whether destroying may delete created buckets that still hold objects. True loses those objects."
  type        = bool
  default     = false
  nullable    = false
}

variable "bucket_policy_documents" {
  description = "Further statements for the buckets' policies, as { source = [...], destination = [...] } of policies in JSON, such as data.aws_iam_policy_document.….json."
  type        = map(list(string))
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.bucket_policy_documents), ["source", "destination"])) == 0 && alltrue([for document in flatten(values(var.bucket_policy_documents)) : can(jsondecode(document).Statement)])
    error_message = "The buckets are source and destination, and each document is a policy in JSON, with a Statement."
  }

  validation {
    condition = alltrue([
      length(lookup(var.bucket_policy_documents, "source", [])) == 0 || coalesce(var.manage_source_policy, var.create_source_bucket),
      length(lookup(var.bucket_policy_documents, "destination", [])) == 0 || coalesce(var.manage_destination_policy, var.create_destination_bucket),
    ])
    error_message = "An adopted bucket's policy is not set here, unless manage_source_policy or manage_destination_policy says so: add the statements where it is."
  }
}

variable "lifecycle_rules" {
  description = "Further lifecycle rules of created buckets, as { source = [...], destination = [...] }: each has an id, and may have a prefix, expiration_days and transitions = [{ days, storage_class }]. What unfinished uploads and old versions need is there already."
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
    error_message = "The buckets are source and destination. A rule has an id of 1 to 255 characters other than clean-up, and expires or transitions something."
  }

  validation {
    condition     = alltrue([for rule in lookup(var.lifecycle_rules, "source", []) : alltrue([for transition in rule.transitions : !contains(["GLACIER", "DEEP_ARCHIVE"], transition.storage_class)])])
    error_message = "What is archived at the source cannot be moved before somebody restores it."
  }

  validation {
    condition     = (length(lookup(var.lifecycle_rules, "source", [])) == 0 || var.create_source_bucket) && (length(lookup(var.lifecycle_rules, "destination", [])) == 0 || var.create_destination_bucket)
    error_message = "An adopted bucket keeps its own rules."
  }
}
