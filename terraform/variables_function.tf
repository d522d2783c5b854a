# The function.

variable "architecture" {
  description = "The function's processor, arm64 or x86_64; the layer has to be built for it."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "runtime" {
  description = "The function's runtime. The packages hold byte code for python3.13."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.1[1-9]$", var.runtime))
    error_message = "frogmove needs python3.11 or newer."
  }
}

variable "memory_megabytes" {
  description = "Memory of the function; its share of a processor grows with it."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_megabytes >= 256 && var.memory_megabytes <= 10240 && floor(var.memory_megabytes) == var.memory_megabytes
    error_message = "Memory is a whole number of MB, 256 to 10240."
  }
}

variable "timeout_seconds" {
  description = "How long one invocation may take. Copies of large objects that are not done by then go on at the next delivery."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 30 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "A timeout is a whole number of seconds, 30 to 900."
  }
}

variable "maximum_concurrency" {
  description = "How many invocations the queue may cause at once."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000 && floor(var.maximum_concurrency) == var.maximum_concurrency
    error_message = "SQS allows a whole number, 2 to 1000."
  }
}

variable "batch_size" {
  description = "How many messages one invocation may get."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 1000 && floor(var.batch_size) == var.batch_size
    error_message = "A batch is a whole number of messages, 1 to 1000."
  }
}

variable "batch_window_seconds" {
  description = "How long to wait for a batch to fill. More saves invocations and delays each move; batches of more than 10 need 1 at least."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.batch_window_seconds >= 0 && var.batch_window_seconds <= 300 && floor(var.batch_window_seconds) == var.batch_window_seconds && (var.batch_size <= 10 || var.batch_window_seconds >= 1)
    error_message = "A window is a whole number of seconds, 0 to 300, and 1 at least for batches of more than 10."
  }
}

variable "reserved_concurrency" {
  description = "Invocations of the account's limit that are kept for this function alone; null keeps none."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= var.maximum_concurrency && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "Reserve a whole number, and no less than maximum_concurrency, or the queue's messages are throttled."
  }
}

variable "live_version" {
  description = "The published version that the alias live stands for, to roll back to; null for the newest."
  type        = string
  default     = null

  validation {
    condition     = var.live_version == null ? true : can(regex("^[0-9]+$", var.live_version))
    error_message = "A version is a number, as `aws lambda list-versions-by-function` shows it."
  }
}

variable "on_conflict" {
  description = "What the function does when the destination holds something else under the key: overwrite (versions keep what was there), fail, skip or keep-both."
  type        = string
  default     = "overwrite"
  nullable    = false

  validation {
    condition     = contains(["overwrite", "fail", "skip", "keep-both"], var.on_conflict)
    error_message = "on_conflict is overwrite, fail, skip or keep-both."
  }

  validation {
    condition     = var.on_conflict != "overwrite" || var.create_destination_bucket || var.adopted_destination_is_versioned
    error_message = "Overwriting in an adopted bucket is safe only if it keeps versions: check that it does and say adopted_destination_is_versioned = true, or choose another on_conflict."
  }
}

variable "object_concurrency" {
  description = "How many requests one invocation has in flight at once; null for frogmove's own numbers, which are higher for sweeps than for uploads."
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
  description = "Size of those parts, such as 64MiB; null for frogmove's default."
  type        = string
  default     = null

  validation {
    condition     = var.part_size == null ? true : can(regex("^[0-9]+([KMGT]i?B)?$", var.part_size))
    error_message = "A size is a number of bytes, or one with KB, MB, GB, TB, KiB, MiB, GiB or TiB."
  }
}

variable "max_compare_size" {
  description = "Where ETags and checksums do not tell whether the destination holds an object already, both are read and compared up to this size, such as 1GiB; what is larger is a conflict. null for frogmove's default."
  type        = string
  default     = null

  validation {
    condition     = var.max_compare_size == null ? true : can(regex("^[0-9]+([KMGT]i?B)?$", var.max_compare_size))
    error_message = "A size is a number of bytes, or one with KB, MB, GB, TB, KiB, MiB, GiB or TiB."
  }
}

variable "carry" {
  description = "What of an object is carried to its copy that S3 does not carry by itself: redirect (website redirects), retention, legal-hold, acl. The function and the operators get the rights for it. Nothing is lost unsaid without: the result says what a copy lacks."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.carry, ["redirect", "retention", "legal-hold", "acl"])) == 0
    error_message = "carry is a list of redirect, retention, legal-hold and acl."
  }
}

variable "move_named_versions" {
  description = "Whether the function may delete a named version of a source object for good, which only S3 Batch Operations with version ids in the manifest asks for. Without it deletes in a versioned source leave a delete marker and can be taken back."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_level" {
  description = "The least that the function logs: DEBUG, INFO, WARNING or ERROR. Each object is a line of INFO."
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
  description = "Further statements for the function's role, as policies in JSON, such as the right to a key that nothing else here names."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.function_policy_documents : can(jsondecode(document).Statement)])
    error_message = "Each is a policy in JSON, with a Statement."
  }
}

variable "vpc" {
  description = "The subnets and security groups of the function, as { subnet_ids = [...], security_group_ids = [...] }, where it has to be in a VPC. It then needs endpoints there for S3 and for SQS, and for KMS with a key. null for none, which is as safe: it speaks to AWS alone, under its role."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null

  validation {
    condition     = var.vpc == null ? true : length(var.vpc.subnet_ids) > 0 && length(var.vpc.security_group_ids) > 0 && alltrue([for id in var.vpc.subnet_ids : startswith(id, "subnet-")]) && alltrue([for id in var.vpc.security_group_ids : startswith(id, "sg-")])
    error_message = "Name one subnet (subnet-…) and one security group (sg-…) at least."
  }
}
