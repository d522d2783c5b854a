# Nearly every option: an adopted source bucket, folders, a KMS key, alarms by e-mail, people in
# groups, and the state in a separate bucket.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.40"
    }
  }

  # The state contains no secrets, but write access to it is full control of the deployment:
  # backend "s3" {
  #   bucket       = "frogtech-terraform-state"
  #   key          = "frogmove/terraform.tfstate"
  #   region       = "eu-central-1"
  #   use_lockfile = true
  # }
}

provider "aws" {
  region = "eu-central-1"
}

module "frogmove" {
  source = "../.."

  function_zip = "${path.root}/../../../dist/frogmove-function.zip"
  layer_zip    = "${path.root}/../../../dist/frogmove-layer-x86_64.zip"
  architecture = "x86_64"
  name         = "frogmove-reports"
  tags         = { team = "sharara" }

  source_bucket              = "frogtech-sharara-external"
  source_prefix              = "reports/"
  selection                  = { exclude = ["**/*.tmp"], max_size = "5TB" }
  create_source_bucket       = false
  manage_source_notification = true

  destination_bucket      = "frogtech-sharara-reports"
  destination_prefix      = "incoming/"
  noncurrent_version_days = 365
  create_kms_key          = true

  memory_megabytes     = 1024
  timeout_seconds      = 900
  max_receive_count    = 20
  maximum_concurrency  = 50
  reserved_concurrency = 60
  batch_size           = 100
  batch_window_seconds = 5
  on_conflict          = "keep-both"
  multipart_threshold  = "1GiB"
  part_size            = "128MiB"
  tracing              = true

  sweep_schedule = "cron(30 * * * ? *)"
  sweep_age      = "1h"

  log_retention_days = 365
  alarm_emails       = ["operators@frogtech.example"]
  alarm_age_seconds  = 7200

  uploader_groups = ["partners"]
  reader_groups   = ["analysts"]
  operator_groups = ["operators"]
}

output "frogmove" {
  description = "What operators, the command line and smoke_test.py need."
  value       = module.frogmove
}

output "config_toml" {
  description = "The operators' configuration file."
  value       = module.frogmove.config_toml
}

output "config_route" {
  description = "The route's lines alone, to be added to a configuration file."
  value       = module.frogmove.config_route
}
