# The packages built by `frogmove lambda package`.

variable "function_zip" {
  description = "Path of frogmove-function.zip, which `frogmove lambda package` writes."
  type        = string
  nullable    = false

  validation {
    condition     = var.keep_package || fileexists(var.function_zip)
    error_message = "The file does not exist. Build it with: frogmove lambda package"
  }
}

variable "layer_zip" {
  description = "Path of frogmove-layer-arm64.zip, or frogmove-layer-x86_64.zip for that architecture."
  type        = string
  nullable    = false

  validation {
    condition     = var.keep_package || fileexists(var.layer_zip)
    error_message = "The file does not exist. Build it with: frogmove lambda package"
  }

  validation {
    condition     = !endswith(var.layer_zip, "-arm64.zip") && !endswith(var.layer_zip, "-x86_64.zip") || endswith(var.layer_zip, "-${var.architecture}.zip")
    error_message = "This layer was built for another architecture than the variable architecture."
  }
}

variable "keep_package" {
  description = "Whether to keep the deployed code. Then the packages are not needed, for example to pause or destroy from another machine."
  type        = bool
  default     = false
  nullable    = false
}

variable "name" {
  description = "Name of the function, and prefix of the names of all other resources; also the name of the route in config_toml."
  type        = string
  default     = "frogmove"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name))
    error_message = "A name has 1 to 40 lower-case letters, digits and hyphens, and starts with a letter."
  }

  validation {
    # The alarm dead-letters of name-sweep would be the alarm sweep-dead-letters of name.
    condition     = !endswith(var.name, "-sweep")
    error_message = "A name must not end in -sweep, because alarms of two deployments would have the same name."
  }
}

variable "tags" {
  description = "Tags of all resources that support tags."
  type        = map(string)
  default     = {}
  nullable    = false

  # https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
  validation {
    condition     = length(merge({ project = "" }, var.tags)) <= 50
    error_message = "AWS allows at most 50 tags, including project."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && !startswith(lower(key), "aws:")])
    error_message = "A tag's key has 1 to 128 letters, digits, spaces and _.:/=+-@, and does not start with aws:."
  }

  validation {
    condition     = alltrue([for value in values(var.tags) : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value))])
    error_message = "A tag's value has at most 256 letters, digits, spaces and _.:/=+-@."
  }

  validation {
    # IAM refuses two that differ only in case.
    condition     = length(distinct([for key in keys(merge({ project = "" }, var.tags)) : lower(key)])) == length(merge({ project = "" }, var.tags))
    error_message = "Two tag keys must not differ only in case, including project."
  }
}

variable "enabled" {
  description = "Whether uploads and the schedule start moves. False pauses the route: uploads wait in the queue for up to queue_retention_seconds; after that a sweep moves them."
  type        = bool
  default     = true
  nullable    = false
}

# The route.

variable "source_bucket" {
  description = "The bucket for uploads, in this Region. Bucket names are globally unique."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.source_bucket)) && !strcontains(var.source_bucket, "..")
    error_message = "A bucket's name is 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "source_prefix" {
  description = "The folder of the source bucket whose files are moved, with a slash at the end; empty for the whole bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    # Other characters would be a wildcard in a policy, or need encoding in a notification's filter.
    condition     = can(regex("^([A-Za-z0-9!_.()-]+/)*$", var.source_prefix)) && length(var.source_prefix) <= 512
    error_message = "A prefix is empty, folder/ or folder/folder/: letters, digits and !_.()- with a slash at the end."
  }
}

variable "upload_prefixes" {
  description = "Folders under source_prefix, each with a slash at the end, whose files are moved; empty for all. Other files stay, in sweeps too."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.upload_prefixes) <= 10 && alltrue([for prefix in var.upload_prefixes : can(regex("^([A-Za-z0-9!_.()-]+/)+$", prefix)) && length(prefix) <= 256])
    error_message = "At most 10, each folder/ or folder/folder/: letters, digits and !_.()- with a slash at the end."
  }

  validation {
    # S3 refuses two filters that match the same key.
    condition     = alltrue([for index, prefix in var.upload_prefixes : !anytrue([for other, whole in var.upload_prefixes : other != index && startswith(whole, prefix)])])
    error_message = "No folder may be inside another."
  }
}

variable "upload_suffixes" {
  description = "Suffixes of the keys that are moved, such as .csv; empty for all. Other files stay, in sweeps too."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.upload_suffixes) <= 10 && alltrue([for suffix in var.upload_suffixes : can(regex("^[A-Za-z0-9!_.()-]{1,64}$", suffix))])
    error_message = "At most 10, each with 1 to 64 letters, digits and !_.()-."
  }

  validation {
    condition     = alltrue([for index, suffix in var.upload_suffixes : !anytrue([for other, whole in var.upload_suffixes : other != index && endswith(whole, suffix)])])
    error_message = "No suffix may be the end of another."
  }
}

variable "selection" {
  description = "Which of these files are moved; the others stay, in sweeps too. Patterns match keys below source_prefix ('*.csv', '**/*.csv', 'logs/**'; exclude takes precedence), ages count from each event or sweep (36h, 7d) or are dates, sizes are such as 10MiB."
  type = object({
    include         = optional(list(string), [])
    exclude         = optional(list(string), [])
    newer_than      = optional(string)
    older_than      = optional(string)
    min_size        = optional(string)
    max_size        = optional(string)
    storage_classes = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    # Commas separate the patterns in the function's variable.
    condition     = alltrue([for pattern in concat(var.selection.include, var.selection.exclude) : can(regex("^[^,\\s]([^,]*[^,\\s])?$", pattern))])
    error_message = "A pattern must not contain a comma (use ? instead), and must not start or end with a space."
  }

  validation {
    # Lambda allows 4 KB for all variables together.
    condition     = length(join(",", concat(var.selection.include, var.selection.exclude))) <= 1024
    error_message = "All patterns together may have at most 1,024 characters."
  }

  validation {
    condition     = alltrue([for time in [var.selection.newer_than, var.selection.older_than] : time == null || can(regex("^([0-9]{1,9}[smhdw]|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?)$", time))])
    error_message = "A time is an age such as 90m, 36h, 7d or 2w, or a date such as 2026-03-01."
  }

  validation {
    condition     = alltrue([for size in [var.selection.min_size, var.selection.max_size] : size == null || can(regex("(?i)^[0-9]{1,18}([kmgt]?i?b)?$", size))])
    error_message = "A size is a number such as 1000000, 10MiB or 5GB."
  }

  validation {
    condition     = alltrue([for class in var.selection.storage_classes : can(regex("^[A-Z_]+$", class))])
    error_message = "Use a storage class such as STANDARD_IA."
  }
}

variable "destination_bucket" {
  description = "The bucket that files are moved to, in this Region or in destination_region. Bucket names are globally unique."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.destination_bucket)) && !strcontains(var.destination_bucket, "..")
    error_message = "A bucket's name is 3 to 63 lower-case letters, digits, dots and hyphens."
  }

  validation {
    condition     = var.destination_bucket != var.source_bucket
    error_message = "Source and destination must be two different buckets: in one bucket, the function's copies would trigger it again."
  }
}

variable "destination_prefix" {
  description = "The folder of the destination bucket that files are moved to, with a slash at the end; empty for the top level."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9!_.()-]+/)*$", var.destination_prefix)) && length(var.destination_prefix) <= 512
    error_message = "A prefix is empty, folder/ or folder/folder/: letters, digits and !_.()- with a slash at the end."
  }
}
