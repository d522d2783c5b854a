# The package: what `frogmove lambda package` has built.

variable "function_zip" {
  description = "Path of frogmove-function.zip, which `frogmove lambda package` writes."
  type        = string
  nullable    = false

  validation {
    condition     = var.keep_package || fileexists(var.function_zip)
    error_message = "There is no such file. Build it with: frogmove lambda package"
  }
}

variable "layer_zip" {
  description = "Path of frogmove-layer-arm64.zip, or frogmove-layer-x86_64.zip for that architecture."
  type        = string
  nullable    = false

  validation {
    condition     = var.keep_package || fileexists(var.layer_zip)
    error_message = "There is no such file. Build it with: frogmove lambda package"
  }

  validation {
    condition     = !endswith(var.layer_zip, "-arm64.zip") && !endswith(var.layer_zip, "-x86_64.zip") || endswith(var.layer_zip, "-${var.architecture}.zip")
    error_message = "This layer was built for another architecture than the variable architecture names."
  }
}

variable "keep_package" {
  description = "Whether the deployed code stays as it is. The packages need not be there then, as when somebody pauses or destroys from another machine."
  type        = bool
  default     = false
  nullable    = false
}

variable "name" {
  description = "Name of the function, and beginning of the name of everything else; also the name of the route in config_toml."
  type        = string
  default     = "frogmove"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name))
    error_message = "A name is 1 to 40 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "tags" {
  description = "Tags of every resource that can have some."
  type        = map(string)
  default     = {}
  nullable    = false

  # https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
  validation {
    condition     = length(merge({ project = "" }, var.tags)) <= 50
    error_message = "AWS takes 50 tags at most; one of them is project."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && !startswith(lower(key), "aws:")])
    error_message = "A tag's key is 1 to 128 letters, digits, spaces and _.:/=+-@, and does not begin with aws:."
  }

  validation {
    condition     = alltrue([for value in values(var.tags) : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value))])
    error_message = "A tag's value is at most 256 letters, digits, spaces and _.:/=+-@."
  }

  validation {
    # IAM refuses two that differ in case alone.
    condition     = length(distinct([for key in keys(merge({ project = "" }, var.tags)) : lower(key)])) == length(merge({ project = "" }, var.tags))
    error_message = "Two tags must not differ in upper and lower case alone; one of them is project."
  }
}

variable "enabled" {
  description = "Whether uploads and schedule start moves. False pauses: uploads wait in the queue, for queue_retention_seconds at most; a sweep finds them after that."
  type        = bool
  default     = true
  nullable    = false
}

# The route.

variable "source_bucket" {
  description = "The bucket that files are uploaded to, in this Region. Nobody else in the world may have the name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.source_bucket)) && !strcontains(var.source_bucket, "..")
    error_message = "A bucket's name is 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "source_prefix" {
  description = "The folder of the source bucket whose files are moved, with a slash at the end; empty for all of the bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    # What is left out here would be a wildcard in a policy, or be written otherwise in a
    # notification's filter.
    condition     = can(regex("^([A-Za-z0-9!_.()-]+/)*$", var.source_prefix)) && length(var.source_prefix) <= 512
    error_message = "A prefix is empty or folder/ or folder/folder/: letters, digits and !_.()- with a slash at the end."
  }
}

variable "upload_prefixes" {
  description = "Folders under source_prefix, each with a slash at the end, whose files are moved; empty for all. Files elsewhere stay, in sweeps too."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.upload_prefixes) <= 10 && alltrue([for prefix in var.upload_prefixes : can(regex("^([A-Za-z0-9!_.()-]+/)+$", prefix)) && length(prefix) <= 256])
    error_message = "At most 10, each folder/ or folder/folder/: letters, digits and !_.()- with a slash at the end."
  }

  validation {
    # S3 refuses two filters that the same key meets.
    condition     = alltrue([for index, prefix in var.upload_prefixes : !anytrue([for other, whole in var.upload_prefixes : other != index && startswith(whole, prefix)])])
    error_message = "None may be inside another."
  }
}

variable "upload_suffixes" {
  description = "What the keys of moved files end with, such as .csv; empty for anything. Files with other names stay, in sweeps too."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.upload_suffixes) <= 10 && alltrue([for suffix in var.upload_suffixes : can(regex("^[A-Za-z0-9!_.()-]{1,64}$", suffix))])
    error_message = "At most 10, each 1 to 64 letters, digits and !_.()-."
  }

  validation {
    condition     = alltrue([for index, suffix in var.upload_suffixes : !anytrue([for other, whole in var.upload_suffixes : other != index && endswith(whole, suffix)])])
    error_message = "None may be the end of another."
  }
}

variable "destination_bucket" {
  description = "The bucket that files are moved to, in this Region. Nobody else in the world may have the name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.destination_bucket)) && !strcontains(var.destination_bucket, "..")
    error_message = "A bucket's name is 3 to 63 lower-case letters, digits, dots and hyphens."
  }

  validation {
    condition     = var.destination_bucket != var.source_bucket
    error_message = "Source and destination have to be two buckets: in one, the function's own copies would start it again."
  }
}

variable "destination_prefix" {
  description = "The folder of the destination bucket that files are moved to, with a slash at the end; empty for its top."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9!_.()-]+/)*$", var.destination_prefix)) && length(var.destination_prefix) <= 512
    error_message = "A prefix is empty or folder/ or folder/folder/: letters, digits and !_.()- with a slash at the end."
  }
}

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

# The queue.

variable "visibility_timeout_seconds" {
  description = "How long a message stays hidden while it is worked on; null for six times timeout_seconds plus batch_window_seconds, the least that AWS advises. The function has failed messages come back sooner: see README.md."
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
    error_message = "A whole number: 5 at least, as throttling counts too; 1000 at most."
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
  description = "When the function looks for files that no notification has moved, as an EventBridge Scheduler expression (UTC); null for never."
  type        = string
  default     = "rate(1 hour)"

  validation {
    condition     = var.sweep_schedule == null ? true : can(regex("^(rate\\([1-9][0-9]* (minutes?|hours?|days?)\\)|cron\\(.+\\))$", var.sweep_schedule))
    error_message = "A schedule is rate(1 hour), rate(30 minutes) or cron(...)."
  }
}

variable "sweep_age" {
  description = "How old a file has to be before a sweep moves it, so that its own notification comes first: seconds, or 15m, 1h, 1d."
  type        = string
  default     = "15m"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+[smhd]?$", var.sweep_age))
    error_message = "An age is a number of seconds, or one with m, h or d."
  }
}

# Encryption.

variable "create_kms_key" {
  description = "Whether a KMS key is created for created buckets, queues, topic and logs, instead of the services' own encryption."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "A KMS key that exists, for the same. Its key policy has to allow what kms.tf allows."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "The ARN of a key is arn:aws:kms:REGION:ACCOUNT:key/ID; an alias will not do."
  }

  validation {
    condition     = var.kms_key_arn == null || !var.create_kms_key
    error_message = "Either create_kms_key or kms_key_arn."
  }
}

variable "bucket_kms_key_arns" {
  description = "Further keys that adopted buckets encrypt with, for function and people to use."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.bucket_kms_key_arns : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "The ARN of a key is arn:aws:kms:REGION:ACCOUNT:key/ID; an alias will not do."
  }
}

# Watching.

variable "log_retention_days" {
  description = "Days that the function's logs are kept: what CloudWatch Logs offers, 0 for ever."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps logs 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days, or 0 for ever."
  }
}

variable "alarms" {
  description = "Whether alarms are created."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_emails" {
  description = "Addresses that alarms are sent to, through a topic of their own. Each has to confirm a message from AWS."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Each is an e-mail address."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that exist, which alarms are sent to as well."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "Each is the ARN of a standard SNS topic."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    condition     = length(distinct(var.alarm_topic_arns)) + min(length(var.alarm_emails), 1) <= 5
    error_message = "An alarm tells five topics at most, and alarm_emails is one of them."
  }
}

variable "alarm_age_seconds" {
  description = "An upload that waits longer than this raises an alarm."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.alarm_age_seconds >= 60 && floor(var.alarm_age_seconds) == var.alarm_age_seconds
    error_message = "A whole number of seconds, 60 at least."
  }
}

variable "alarm_sweep_hours" {
  description = "Hours without a sweep that raise an alarm; null for none. More than sweep_schedule leaves between two sweeps."
  type        = number
  default     = 2

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    condition     = var.alarm_sweep_hours == null ? true : var.alarm_sweep_hours >= 2 && var.alarm_sweep_hours <= 168 && floor(var.alarm_sweep_hours) == var.alarm_sweep_hours
    error_message = "A whole number of hours, 2 to 168, or null."
  }

  validation {
    condition     = var.alarm_sweep_hours == null || var.sweep_schedule == null ? true : try(tonumber(regex("^rate\\(([0-9]+) hour", var.sweep_schedule)[0]), try(24 * tonumber(regex("^rate\\(([0-9]+) day", var.sweep_schedule)[0]), 0)) < var.alarm_sweep_hours
    error_message = "More hours than sweep_schedule leaves between two sweeps, or it would always ring."
  }
}

variable "dashboard" {
  description = "Whether a CloudWatch dashboard is created."
  type        = bool
  default     = true
  nullable    = false
}

variable "access_log_bucket" {
  description = "A bucket that exists, to which S3 writes the access logs of created buckets; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.access_log_bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket)) && !contains([var.source_bucket, var.destination_bucket], var.access_log_bucket)
    error_message = "It is the name of a third bucket: logs in the source would be moved, and logs of their own writing never end."
  }
}

# People.

variable "permissions_boundary" {
  description = "The ARN of the policy that bounds what the created roles may do, where the organisation asks for one; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "It is the ARN of an IAM policy."
  }
}

variable "iam_path" {
  description = "The path of the created roles and policies. Changing it replaces them."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([A-Za-z0-9_.-]+/)*$", var.iam_path)) && length(var.iam_path) <= 512
    error_message = "A path is / or /folder/ or /folder/folder/."
  }
}

variable "uploader_folders" {
  description = "Whether each uploader may write only under a folder named as the IAM user. False lets every uploader write anywhere under the source prefix, and is needed for roles, which have no user name."
  type        = bool
  default     = true
  nullable    = false
}

variable "uploader_groups" {
  description = "IAM groups whose users upload to the source."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for group in var.uploader_groups : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", group))])
    error_message = "Each is the name of an IAM group, not its ARN."
  }
}

variable "reader_groups" {
  description = "IAM groups whose users read the destination."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for group in var.reader_groups : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", group))])
    error_message = "Each is the name of an IAM group, not its ARN."
  }
}

variable "operator_groups" {
  description = "IAM groups whose users run the frogmove command line."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for group in var.operator_groups : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", group))])
    error_message = "Each is the name of an IAM group, not its ARN."
  }
}

variable "batch_operations" {
  description = "Whether the role for S3 Batch Operations is created, so that operators can have the function move billions of objects by a manifest."
  type        = bool
  default     = true
  nullable    = false
}

variable "batch_prefix" {
  description = "Where in the destination bucket the manifests and reports of S3 Batch Operations are, with a slash at the end."
  type        = string
  default     = "frogmove-batch/"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9!_.()-]+/)+$", var.batch_prefix)) && length(var.batch_prefix) <= 512
    error_message = "A prefix is folder/ or folder/folder/: letters, digits and !_.()- with a slash at the end."
  }
}
