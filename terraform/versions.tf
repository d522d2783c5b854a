terraform {
  # Needed for validations that use other variables, and for mocks in tests.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.40"
    }
  }
}
