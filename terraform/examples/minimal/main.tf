# The least: both buckets are created, everything else is at its default.

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

  # As soon as somebody else may apply, keep the state where both can reach it, in the place of the
  # above, and run `terraform init -migrate-state`:
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

  # A bucket's name is taken for all the world: the account's number makes it ours.
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
