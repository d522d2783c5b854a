# Groups, users, other accounts, and the deployer's policy.
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

run "nobody_by_default" {
  command = plan

  assert {
    condition     = length(aws_iam_group.people) + length(aws_iam_user.people) + length(aws_iam_group_policy_attachment.people) + length(aws_iam_user_group_membership.people) == 0 && output.groups == {}
    error_message = "No groups and users are created by default."
  }

  assert {
    condition     = !strcontains(output.deployer_policy, "iam:*Group*") && !strcontains(output.deployer_policy, "kms:") && !strcontains(output.deployer_policy, "guardduty:") && !strcontains(output.deployer_policy, "sns:") && !strcontains(output.deployer_policy, "s3:DeleteObject")
    error_message = "The deployer's policy has no permissions for resources that are not created."
  }

  assert {
    condition     = length(jsondecode(aws_s3_bucket_policy.this["source"].policy).Statement) == 1
    error_message = "No other account uploads."
  }
}

run "groups_and_users" {
  command = plan

  variables {
    create_groups = true
    iam_path      = "/frogs/"
    users         = { uploaders = ["partner"], operators = ["ana", "ben"], readers = ["ana"] }
  }

  assert {
    condition     = output.groups == { operators = "frogmove-eu-central-1-operators", readers = "frogmove-eu-central-1-readers", uploaders = "frogmove-eu-central-1-uploaders" } && toset(keys(aws_iam_group_policy_attachment.people)) == toset(["operators", "readers", "uploaders"])
    error_message = "Each group has its policy."
  }

  assert {
    condition     = toset(keys(aws_iam_user.people)) == toset(["ana", "ben", "partner"]) && aws_iam_user_group_membership.people["ana"].groups == toset(["frogmove-eu-central-1-operators", "frogmove-eu-central-1-readers"]) && aws_iam_user_group_membership.people["partner"].groups == toset(["frogmove-eu-central-1-uploaders"])
    error_message = "Each user is in its groups."
  }

  assert {
    condition     = strcontains(output.deployer_policy, "user/frogs/ana") && strcontains(output.deployer_policy, "iam:*Group*")
    error_message = "The deployer may create them."
  }
}

run "other_accounts_upload" {
  command = plan

  variables {
    source_prefix     = "in/"
    uploader_accounts = { acme = "210987654321" }
  }

  assert {
    condition     = [for each in jsondecode(aws_s3_bucket_policy.this["source"].policy).Statement : each if each.Effect == "Allow"][0].Principal == { AWS = "arn:aws:iam::210987654321:root" } && [for each in jsondecode(aws_s3_bucket_policy.this["source"].policy).Statement : each if each.Effect == "Allow"][0].Resource == "arn:aws:s3:::frogtech-sharara-external/in/acme/*"
    error_message = "Each account uploads below its folder."
  }

  assert {
    condition     = [for each in jsondecode(aws_s3_bucket_policy.this["source"].policy).Statement : each if each.Effect == "Allow"][0].Condition.StringEqualsIfExists["s3:x-amz-server-side-encryption"] == "AES256"
    error_message = "Uploads use a key that this account can use."
  }

  assert {
    condition     = length([for each in jsondecode(aws_s3_bucket_policy.this["destination"].policy).Statement : each if each.Effect == "Allow"]) == 0
    error_message = "No other account may use the destination."
  }
}

run "uploads_under_keys_of_ours" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_policy.uploaders.policy).Statement : statement.Condition.ArnEqualsIfExists if statement.Sid == "Upload"]) == { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "arn:aws:kms:eu-central-1:123456789012:key/k" }
    error_message = "Uploaders encrypt with keys that the function can use."
  }
}

run "deployer_with_a_boundary" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/bounds"
    create_kms_key       = true
    force_destroy        = true
    alarm_emails         = ["operators@frogtech.example"]
    scan                 = "guardduty"
    uploader_groups      = ["partners"]
  }

  assert {
    condition     = [for each in jsondecode(output.deployer_policy).Statement : each.Condition if each.Sid == "RolePermissions"] == [{ ArnEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::123456789012:policy/bounds" } }]
    error_message = "Created roles must have the boundary."
  }

  assert {
    condition     = !strcontains(output.deployer_policy, "DeleteRolePermissionsBoundary")
    error_message = "The boundary cannot be removed."
  }

  assert {
    condition     = length(jsonencode(jsondecode(output.deployer_policy))) < 10240
    error_message = "The policy fits into a role's inline policies."
  }

  assert {
    condition     = length(setsubtract(["EmptyBuckets", "Topic", "Scan", "Key", "Groups"], [for each in jsondecode(output.deployer_policy).Statement : each.Sid])) == 0
    error_message = "The policy has permissions for all created resources."
  }
}

# Refusals.

run "users_without_groups" {
  command = plan

  variables {
    users = { readers = ["ana"] }
  }

  expect_failures = [var.users]
}

run "an_unknown_group" {
  command = plan

  variables {
    create_groups = true
    users         = { admins = ["ana"] }
  }

  expect_failures = [var.users]
}

run "an_invalid_account" {
  command = plan

  variables {
    uploader_accounts = { acme = "acme" }
  }

  expect_failures = [var.uploader_accounts]
}

run "accounts_without_a_managed_policy" {
  command = plan

  variables {
    create_source_bucket       = false
    manage_source_notification = false
    uploader_accounts          = { acme = "210987654321" }
  }

  expect_failures = [var.uploader_accounts]
}

run "accounts_that_cannot_use_the_key" {
  command = plan

  variables {
    create_kms_key    = true
    uploader_accounts = { acme = "210987654321" }
  }

  expect_failures = [var.uploader_accounts]
}
