# Routes between Regions, keys of both sides, and CORS rules.
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

run "a_destination_in_another_region" {
  command = plan

  variables {
    destination_region      = "eu-west-1"
    destination_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/d"
    kms_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/s"
    access_log_bucket       = "frogtech-logs"
    batch_operations        = false
  }

  assert {
    condition     = aws_s3_bucket.destination[0].region == "eu-west-1" && aws_s3_bucket.source[0].region == "eu-central-1" && aws_sqs_queue.uploads.region == "eu-central-1" && aws_lambda_function.move.region == "eu-central-1"
    error_message = "Only the destination is in the other Region."
  }

  assert {
    condition = alltrue([for settings in [
      aws_s3_bucket_lifecycle_configuration.this, aws_s3_bucket_ownership_controls.this, aws_s3_bucket_policy.this, aws_s3_bucket_public_access_block.this, aws_s3_bucket_server_side_encryption_configuration.this,
    ] : settings["destination"].region == "eu-west-1" && settings["source"].region == "eu-central-1"]) && aws_s3_bucket_versioning.this["destination"].region == "eu-west-1"
    error_message = "Each bucket's settings are in its Region."
  }

  assert {
    condition     = { for side, encryption in aws_s3_bucket_server_side_encryption_configuration.this : side => one(one(encryption.rule).apply_server_side_encryption_by_default).kms_master_key_id } == { source = var.kms_key_arn, destination = var.destination_kms_key_arn }
    error_message = "Each bucket has the key of its Region."
  }

  assert {
    condition     = aws_lambda_function.move.environment[0].variables.FROGMOVE_KMS_KEY_ID == var.destination_kms_key_arn && strcontains(output.config_toml, "kms_key_id = \"${var.destination_kms_key_arn}\"") && aws_sqs_queue.uploads.kms_master_key_id == var.kms_key_arn
    error_message = "Copies use the destination's key, and queues the one of this Region."
  }

  assert {
    condition = alltrue([for policy in [aws_iam_role_policy.function.policy, aws_iam_policy.operators.policy] :
      one([for statement in jsondecode(policy).Statement : [toset(statement.Resource), toset(statement.Condition.StringEquals["kms:ViaService"])] if statement.Sid == "UseTheKeys"]) ==
    [toset([var.kms_key_arn, var.destination_kms_key_arn]), toset(["s3.eu-central-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", "sqs.eu-central-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"])]])
    error_message = "The function and operators use both keys, each through the services of its Region."
  }

  assert {
    condition     = !strcontains(aws_iam_policy.uploaders.policy, var.destination_kms_key_arn) && strcontains(aws_iam_policy.uploaders.policy, var.kms_key_arn) && strcontains(aws_iam_policy.readers.policy, var.destination_kms_key_arn)
    error_message = "Uploaders use only the source's key, and readers can decrypt copies."
  }

  assert {
    condition     = keys(aws_s3_bucket_logging.this) == ["source"]
    error_message = "Access logs stay in their Region."
  }
}

run "an_adopted_destination_in_another_region" {
  command = plan

  variables {
    destination_region               = "ap-southeast-2"
    create_destination_bucket        = false
    manage_destination_policy        = true
    adopted_destination_is_versioned = true
    batch_operations                 = false
  }

  assert {
    condition     = length(aws_s3_bucket.destination) == 0 && aws_s3_bucket_policy.this["destination"].region == "ap-southeast-2" && !strcontains(aws_iam_role_policy.function.policy, "kms:")
    error_message = "Its policy is set in its Region."
  }
}

run "the_destination_in_this_region_by_name" {
  command = plan

  variables {
    destination_region = "eu-central-1"
    access_log_bucket  = "frogtech-logs"
    batch_operations   = false
  }

  assert {
    condition     = length(aws_s3_bucket_logging.this) == 2 && aws_s3_bucket.destination[0].region == "eu-central-1"
    error_message = "Naming this Region changes nothing."
  }
}

run "a_key_for_the_destination_alone" {
  command = plan

  variables {
    destination_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/d"
  }

  assert {
    condition     = { for side, encryption in aws_s3_bucket_server_side_encryption_configuration.this : side => one(one(encryption.rule).apply_server_side_encryption_by_default).sse_algorithm } == { source = "AES256", destination = "aws:kms" } && aws_sqs_queue.uploads.sqs_managed_sse_enabled
    error_message = "Only the destination has a key."
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.batch[0].policy, var.destination_kms_key_arn) && !strcontains(aws_iam_policy.uploaders.policy, "kms:Decrypt")
    error_message = "Manifests are encrypted with it, uploads are not."
  }
}

run "no_region" {
  command = plan

  variables {
    destination_region = "Ireland"
    batch_operations   = false
  }

  expect_failures = [var.destination_region]
}

run "manifests_in_another_region" {
  command = plan

  variables {
    destination_region = "eu-west-1"
  }

  expect_failures = [var.destination_region]
}

run "a_key_of_the_wrong_region" {
  command = plan

  variables {
    destination_region      = "eu-west-1"
    destination_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/d"
    batch_operations        = false
  }

  expect_failures = [var.destination_kms_key_arn]
}

run "no_key_for_the_other_region" {
  command = plan

  variables {
    destination_region = "eu-west-1"
    create_kms_key     = true
    batch_operations   = false
  }

  expect_failures = [var.destination_kms_key_arn]
}

run "an_alias_for_the_destination" {
  command = plan

  variables {
    destination_kms_key_arn = "alias/frogmove"
  }

  expect_failures = [var.destination_kms_key_arn]
}

run "cors" {
  command = plan

  variables {
    cors_rules = {
      source = [{
        allowed_origins = ["https://upload.frogtech.example", "https://*.frogtech.example"]
        allowed_methods = ["PUT", "POST"]
        allowed_headers = ["*"]
        expose_headers  = ["ETag"]
        max_age_seconds = 3600
      }]
    }
  }

  assert {
    condition     = one(aws_s3_bucket.source[0].cors_rule).expose_headers == tolist(["ETag"]) && length(aws_s3_bucket.destination[0].cors_rule) == 0
    error_message = "Only the source lets browsers upload."
  }
}

run "cors_with_a_path" {
  command = plan

  variables {
    cors_rules = { source = [{ allowed_origins = ["https://frogtech.example/upload"], allowed_methods = ["PUT"] }] }
  }

  expect_failures = [var.cors_rules]
}

run "cors_with_a_method_that_s3_lacks" {
  command = plan

  variables {
    cors_rules = { destination = [{ allowed_origins = ["*"], allowed_methods = ["PATCH"] }] }
  }

  expect_failures = [var.cors_rules]
}

run "cors_of_an_adopted_bucket" {
  command = plan

  variables {
    create_source_bucket       = false
    manage_source_notification = false
    cors_rules                 = { source = [{ allowed_origins = ["*"], allowed_methods = ["PUT"] }] }
  }

  expect_failures = [var.cors_rules]
}

run "a_name_whose_alarms_are_those_of_another" {
  command = plan

  variables {
    name = "frogmove-sweep"
  }

  expect_failures = [var.name]
}
