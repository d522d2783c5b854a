# The function.

variable "architecture" {
  description = "The function's architecture, arm64 or x86_64; the layer must be built for it."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "runtime" {
  description = "The function's runtime. The packages contain bytecode for python3.13."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.1[1-9]$", var.runtime))
    error_message = "frogmove needs python3.11 or newer."
  }
}

variable "memory_megabytes" {
  description = "Memory of the function; its share of the CPU grows with it."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_megabytes >= 256 && var.memory_megabytes <= 10240 && floor(var.memory_megabytes) == var.memory_megabytes
    error_message = "Memory is a whole number of MB, 256 to 10240."
  }
}

variable "timeout_seconds" {
  description = "The function's timeout. Incomplete copies of large objects continue at the next delivery."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 30 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "A timeout is a whole number of seconds, 30 to 900."
  }
}

variable "maximum_concurrency" {
  description = "Maximum concurrent invocations by the queue."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000 && floor(var.maximum_concurrency) == var.maximum_concurrency
    error_message = "SQS allows a whole number, 2 to 1000."
  }
}

variable "batch_size" {
  description = "Maximum messages per invocation."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 1000 && floor(var.batch_size) == var.batch_size
    error_message = "A batch is a whole number of messages, 1 to 1000."
  }
}

variable "batch_window_seconds" {
  description = "How long to wait for a full batch. A longer window saves invocations and delays each move; batches of more than 10 need at least 1."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.batch_window_seconds >= 0 && var.batch_window_seconds <= 300 && floor(var.batch_window_seconds) == var.batch_window_seconds && (var.batch_size <= 10 || var.batch_window_seconds >= 1)
    error_message = "A window is a whole number of seconds, 0 to 300, and at least 1 for batches of more than 10."
  }
}

variable "reserved_concurrency" {
  description = "Concurrency of the account that is reserved for this function; null for none."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= var.maximum_concurrency && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "Use a whole number, not less than maximum_concurrency, or invocations by the queue are throttled."
  }
}

variable "live_version" {
  description = "The published version of the alias live, for a rollback; null for the newest."
  type        = string
  default     = null

  validation {
    condition     = var.live_version == null ? true : can(regex("^[0-9]+$", var.live_version))
    error_message = "A version is a number, as `aws lambda list-versions-by-function` shows it."
  }
}

variable "on_conflict" {
  description = "What to do if the destination holds something else under the same key: overwrite (versions keep the old object), fail, skip or keep-both."
  type        = string
  default     = "overwrite"
  nullable    = false

  validation {
    condition     = contains(["overwrite", "fail", "skip", "keep-both"], var.on_conflict)
    error_message = "on_conflict is overwrite, fail, skip or keep-both."
  }

  validation {
    condition     = var.on_conflict != "overwrite" || var.create_destination_bucket || var.adopted_destination_is_versioned
    error_message = "Overwriting in an adopted bucket is safe only if it keeps versions: check that and set adopted_destination_is_versioned = true, or choose another on_conflict."
  }
}

variable "object_concurrency" {
  description = "Maximum concurrent requests of one invocation; null for frogmove's defaults, which are higher for sweeps than for uploads."
  type        = number
  default     = null

  validation {
    condition     = var.object_concurrency == null ? true : var.object_concurrency >= 1 && var.object_concurrency <= 256 && floor(var.object_concurrency) == var.object_concurrency
    error_message = "Concurrency is a whole number, 1 to 256."
  }
}

variable "multipart_threshold" {
  description = "Objects above this size are copied in parts, such as 5GB or 512MiB; null for frogmove's default."
  type        = string
  default     = null

  validation {
    condition     = var.multipart_threshold == null ? true : can(regex("^[0-9]+([KMGT]i?B)?$", var.multipart_threshold))
    error_message = "A size is a number of bytes, or one with KB, MB, GB, TB, KiB, MiB, GiB or TiB."
  }
}

variable "part_size" {
  description = "Maximum size of those parts, such as 64MiB; null for frogmove's default."
  type        = string
  default     = null

  validation {
    condition     = var.part_size == null ? true : can(regex("^[0-9]+([KMGT]i?B)?$", var.part_size))
    error_message = "A size is a number of bytes, or one with KB, MB, GB, TB, KiB, MiB, GiB or TiB."
  }
}

variable "max_compare_size" {
  description = "If ETags and checksums are inconclusive, objects up to this size, such as 1GiB, are read and compared; larger ones are a conflict. null for frogmove's default."
  type        = string
  default     = null

  validation {
    condition     = var.max_compare_size == null ? true : can(regex("^[0-9]+([KMGT]i?B)?$", var.max_compare_size))
    error_message = "A size is a number of bytes, or one with KB, MB, GB, TB, KiB, MiB, GiB or TiB."
  }
}

variable "carry" {
  description = "Attributes to copy that S3 does not copy: redirect (website redirects), retention, legal-hold, acl. The function and the operators get the permissions for them. Without this, the result says what a copy lacks."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.carry, ["redirect", "retention", "legal-hold", "acl"])) == 0
    error_message = "carry is a list of redirect, retention, legal-hold and acl."
  }
}

variable "move_named_versions" {
  description = "Whether the function may permanently delete a version of a source object; only needed for S3 Batch Operations with version ids in the manifest. Without it, deletes in a versioned source leave a delete marker and can be undone."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_level" {
  description = "The function's log level: DEBUG, INFO, WARNING or ERROR. Each object is one line at INFO."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "A log level is DEBUG, INFO, WARNING or ERROR."
  }
}

variable "tracing" {
  description = "Whether invocations are traced with X-Ray."
  type        = bool
  default     = false
  nullable    = false
}

variable "function_policy_documents" {
  description = "Additional statements for the function's role, as policies in JSON, such as permission for another KMS key."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.function_policy_documents : can(jsondecode(document).Statement)])
    error_message = "Each must be a policy in JSON with a Statement."
  }
}

variable "vpc" {
  description = "The subnets and security groups of the function, as { subnet_ids = [...], security_group_ids = [...] }, if it must be in a VPC. The VPC then needs endpoints for S3 and SQS, for KMS with a key, and for STS with a quarantine. null for none, which is as safe: the function only calls AWS, with its role."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null

  validation {
    condition     = var.vpc == null ? true : length(var.vpc.subnet_ids) > 0 && length(var.vpc.security_group_ids) > 0 && alltrue([for id in var.vpc.subnet_ids : startswith(id, "subnet-")]) && alltrue([for id in var.vpc.security_group_ids : startswith(id, "sg-")])
    error_message = "Give at least one subnet (subnet-…) and one security group (sg-…)."
  }
}
