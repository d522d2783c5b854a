# Refusals about the route: accounts, filters, statements and rules of buckets.
# These are plans: no request is sent to AWS. The other variables are in terraform.tfvars.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "nobody"
  secret_key                  = "nothing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

run "buckets_of_another_account_that_are_created" {
  command = plan

  variables {
    source_account       = "210987654321"
    destination_account  = "210987654321"
    permissions_boundary = "boundary"
    iam_path             = "frogs"
  }

  expect_failures = [
    var.source_account,
    var.destination_account,
    var.permissions_boundary,
    var.iam_path,
  ]
}

run "invalid_accounts" {
  command = plan

  variables {
    create_source_bucket             = false
    create_destination_bucket        = false
    manage_source_notification       = false
    adopted_destination_is_versioned = true
    batch_operations                 = false
    source_account                   = "frogtech"
    destination_account              = "1234"
  }

  expect_failures = [
    var.source_account,
    var.destination_account,
  ]
}

run "overlapping_filters" {
  command = plan

  variables {
    upload_prefixes = ["a/", "a/b/"]
    upload_suffixes = [".gz", ".tar.gz"]
  }

  expect_failures = [
    var.upload_prefixes,
    var.upload_suffixes,
  ]
}

run "invalid_filters" {
  command = plan

  variables {
    upload_prefixes = ["a"]
    upload_suffixes = ["*.csv"]
  }

  expect_failures = [
    var.upload_prefixes,
    var.upload_suffixes,
  ]
}

run "an_invalid_selection" {
  command = plan

  variables {
    selection = { include = ["a,b"] }
  }

  expect_failures = [var.selection]
}

run "a_selection_with_an_invalid_time" {
  command = plan

  variables {
    selection = { older_than = "yesterday", min_size = "large", storage_classes = ["standard"] }
  }

  expect_failures = [var.selection]
}

run "too_many_filters_for_a_rule" {
  command = plan

  variables {
    trigger         = "eventbridge"
    upload_prefixes = [for n in range(10) : "${join("", [for m in range(20) : "abcd${n}/"])}"]
    upload_suffixes = [for n in range(10) : ".a${n}"]
  }

  expect_failures = [aws_cloudwatch_event_rule.uploads]
}

run "invalid_statements" {
  command = plan

  variables {
    bucket_policy_documents   = { source = ["nothing"] }
    function_policy_documents = ["{}"]
  }

  expect_failures = [
    var.bucket_policy_documents,
    var.function_policy_documents,
  ]
}

run "statements_for_a_policy_that_is_not_set_here" {
  command = plan

  variables {
    create_source_bucket       = false
    manage_source_notification = false
    bucket_policy_documents    = { source = ["{\"Statement\":[]}"] }
  }

  expect_failures = [var.bucket_policy_documents]
}

run "a_rule_that_archives_the_source" {
  command = plan

  variables {
    lifecycle_rules = { source = [{ id = "archive", transitions = [{ days = 1, storage_class = "GLACIER" }] }] }
  }

  expect_failures = [var.lifecycle_rules]
}

run "a_rule_that_does_nothing" {
  command = plan

  variables {
    lifecycle_rules = { destination = [{ id = "nothing" }] }
  }

  expect_failures = [var.lifecycle_rules]
}

run "a_rule_of_an_adopted_bucket" {
  command = plan

  variables {
    create_source_bucket       = false
    manage_source_notification = false
    lifecycle_rules            = { source = [{ id = "forget", expiration_days = 9 }] }
  }

  expect_failures = [var.lifecycle_rules]
}

run "a_vpc_without_a_security_group" {
  command = plan

  variables {
    vpc = { subnet_ids = ["subnet-1"], security_group_ids = [] }
  }

  expect_failures = [var.vpc]
}

run "uploads_among_the_manifests" {
  command = plan

  variables {
    destination_prefix = "jobs/in/"
    batch_prefix       = "jobs/"
  }

  expect_failures = [var.batch_prefix]
}

run "a_policy_that_is_too_long" {
  command = plan

  variables {
    name               = "abcdefghijabcdefghijabcdefghijabcdefghij"
    source_prefix      = join("", [for n in range(32) : "abcdefghijklmno/"])
    destination_prefix = join("", [for n in range(32) : "abcdefghijklmno/"])
    batch_prefix       = join("", [for n in range(4) : "bcdefghijklmnop/"])
    carry              = ["retention", "legal-hold", "acl"]
    scan               = "guardduty"
    quarantine         = "s3://frogtech-quarantine-with-a-name-that-is-as-long-as-it-may-be/"
    kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  expect_failures = [aws_iam_policy.operators]
}
