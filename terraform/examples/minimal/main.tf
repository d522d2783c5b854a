# The least: both buckets are created, everything else is at its default.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.40"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

module "frogmove" {
  source = "../.."

  function_zip = "${path.root}/../../../dist/frogmove-function.zip"
  layer_zip    = "${path.root}/../../../dist/frogmove-layer-arm64.zip"
}

output "frogmove" {
  description = "What operators, the command line and smoke_test.py need."
  value       = module.frogmove
}

output "config_toml" {
  description = "The operators' configuration file."
  value       = module.frogmove.config_toml
}
