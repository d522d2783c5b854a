# Both buckets are created, everything else has its default.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.40"
    }
  }

  backend "local" {
    path = "terraform.tfstate"
  }

  # If several people apply, keep the state in a shared bucket instead, and run `terraform init
  # -migrate-state`:
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

data "aws_caller_identity" "current" {}

module "frogmove" {
  source = "../.."

  function_zip = "${path.root}/../../../dist/frogmove-function.zip"
  layer_zip    = "${path.root}/../../../dist/frogmove-layer-arm64.zip"

  # Bucket names are globally unique, so these contain the account's id.
  source_bucket      = "frogtech-sharara-external-${data.aws_caller_identity.current.account_id}"
  destination_bucket = "frogtech-sharara-internal-${data.aws_caller_identity.current.account_id}"
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
