# People.

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of the created roles; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "It must be the ARN of an IAM policy."
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
  description = "Whether each uploader may write only below a folder with the name of the IAM user. False lets every uploader write anywhere below the source prefix, and is needed for roles, which have no user name."
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
    error_message = "Each must be the name of an IAM group, not its ARN."
  }
}

variable "reader_groups" {
  description = "IAM groups whose users read the destination."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for group in var.reader_groups : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", group))])
    error_message = "Each must be the name of an IAM group, not its ARN."
  }
}

variable "operator_groups" {
  description = "IAM groups whose users run the frogmove command line."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for group in var.operator_groups : can(regex("^[A-Za-z0-9_+=,.@-]{1,128}$", group))])
    error_message = "Each must be the name of an IAM group, not its ARN."
  }
}

variable "create_groups" {
  description = "Whether an IAM group of uploaders, one of readers and one of operators are created, each with its policy."
  type        = bool
  default     = false
  nullable    = false
}

variable "users" {
  description = "IAM users to create in those groups, as { uploaders = [...], readers = [...], operators = [...] }, without passwords and keys. For partners without single sign-on. Names of users are unique in an account, so only one deployment can create each."
  type        = map(list(string))
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.users), ["uploaders", "readers", "operators"])) == 0 && alltrue([for name in setunion([], values(var.users)...) : can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", name))])
    error_message = "The keys are uploaders, readers and operators, and a user's name has 1 to 64 letters, digits and _+=,.@-."
  }

  validation {
    condition     = length(var.users) == 0 || var.create_groups
    error_message = "Users need create_groups, because they are added to these groups."
  }
}

variable "uploader_accounts" {
  description = "Other AWS accounts that upload to a created source bucket, as { folder = account }: each may only upload files below its folder in source_prefix. Its administrators decide which of its users may."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for folder, account in var.uploader_accounts : can(regex("^[A-Za-z0-9!_.()-]{1,64}$", folder)) && can(regex("^[0-9]{12}$", account))])
    error_message = "A folder has 1 to 64 letters, digits and !_.()-, and an account id has 12 digits."
  }

  validation {
    condition     = length(var.uploader_accounts) == 0 || coalesce(var.manage_source_policy, var.create_source_bucket)
    error_message = "This needs the source bucket's policy, which must be set here (manage_source_policy)."
  }

  validation {
    condition     = length(var.uploader_accounts) == 0 || (!var.create_kms_key && var.kms_key_arn == null)
    error_message = "Other accounts cannot use the KMS key: use neither create_kms_key nor kms_key_arn."
  }
}

variable "batch_operations" {
  description = "Whether the role for S3 Batch Operations is created, with which operators can move billions of objects by a manifest."
  type        = bool
  default     = true
  nullable    = false
}

variable "batch_prefix" {
  description = "The folder of the destination bucket for manifests and reports of S3 Batch Operations, with a slash at the end and at most 64 characters. Uploads that would be moved there stay at the source."
  type        = string
  default     = "frogmove-batch/"
  nullable    = false

  validation {
    condition     = !var.batch_operations || !startswith(var.destination_prefix, var.batch_prefix)
    error_message = "destination_prefix must not be in batch_prefix: uploads would be among the manifests."
  }

  validation {
    condition     = can(regex("^([A-Za-z0-9!_.()-]+/)+$", var.batch_prefix)) && length(var.batch_prefix) <= 64
    error_message = "A prefix is folder/ or folder/folder/: letters, digits and !_.()- with a slash at the end."
  }
}
