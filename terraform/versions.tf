terraform {
  # Validation that looks at other variables, and mocks in tests, need this much.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.40"
    }
  }
}
