# The scan gate in permissions: which role may read which files.
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

override_resource {
  target          = aws_guardduty_malware_protection_plan.source
  override_during = plan
  values          = { arn = "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/abc" }
}

run "no_scan" {
  command = plan

  assert {
    condition     = !strcontains(aws_iam_role_policy.function.policy, "Deny") && length(aws_iam_role.quarantine) + length(aws_iam_role_policy.quarantine) == 0 && output.quarantine_role_arn == null
    error_message = "Without a scan the function may read all files of the source."
  }
}

run "a_scan_without_a_quarantine" {
  command = plan

  variables {
    scan                      = "guardduty"
    source_prefix             = "in/"
    function_policy_documents = ["{\"Statement\":[{\"Sid\":\"Theirs\",\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}"]
  }

  assert {
    condition = [for each in jsondecode(aws_iam_role_policy.function.policy).Statement : each if each.Effect == "Deny"] == [{
      Sid       = "RefuseOtherScanResults"
      Effect    = "Deny"
      Action    = ["s3:GetObjectVersion", "s3:GetObject"]
      Resource  = "arn:aws:s3:::frogtech-sharara-external/*"
      Condition = { StringNotEquals = { "s3:ExistingObjectTag/GuardDutyMalwareScanStatus" = "NO_THREATS_FOUND" } }
    }]
    error_message = "The function may read only clean files, whatever else allows it more."
  }
}

run "another_scanner" {
  command = plan

  variables {
    scan             = "tag"
    require_tag      = { key = "av-status", value = "clean" }
    scan_tagger_arns = ["arn:aws:iam::123456789012:role/scanner"]
  }

  assert {
    condition     = one([for each in jsondecode(aws_iam_role_policy.function.policy).Statement : each.Condition if each.Effect == "Deny"]) == { StringNotEquals = { "s3:ExistingObjectTag/av-status" = "clean" } }
    error_message = "The function may read only what has the scanner's tag."
  }
}

run "a_quarantine" {
  command = plan

  variables {
    name                 = "abcdefghijabcdefghijabcdefghijabcdefghij"
    scan                 = "guardduty"
    quarantine           = "s3://frogtech-quarantine/threats/"
    source_prefix        = "in/"
    iam_path             = "/frogs/"
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
    bucket_kms_key_arns  = ["arn:aws:kms:eu-central-1:123456789012:key/quarantine"]
  }

  assert {
    condition     = one([for each in jsondecode(aws_iam_role_policy.function.policy).Statement : each.Condition if each.Effect == "Deny"]) == { StringNotEquals = { "s3:ExistingObjectTag/GuardDutyMalwareScanStatus" = "NO_THREATS_FOUND" } } && !strcontains(aws_iam_role_policy.function.policy, "frogtech-quarantine")
    error_message = "The function's own role may neither read threats nor write to the quarantine."
  }

  assert {
    condition     = one([for each in jsondecode(aws_iam_role_policy.quarantine[0].policy).Statement : each.Condition if each.Effect == "Deny"]) == { StringNotEquals = { "s3:ExistingObjectTag/GuardDutyMalwareScanStatus" = "THREATS_FOUND" } } && !strcontains(aws_iam_role_policy.quarantine[0].policy, "frogtech-sharara-internal") && strcontains(aws_iam_role_policy.quarantine[0].policy, "key/quarantine")
    error_message = "The role for threats may read only threats, and cannot write to the destination."
  }

  assert {
    condition     = [for each in jsondecode(aws_iam_role_policy.quarantine[0].policy).Statement : each.Resource if each.Sid == "MoveThreatsToQuarantine"] == ["arn:aws:s3:::frogtech-quarantine/threats/*"] && [for each in jsondecode(aws_iam_role_policy.quarantine[0].policy).Statement : each.Resource if each.Sid == "ReadAndDeleteAtTheSource"] == ["arn:aws:s3:::frogtech-sharara-external/in/*"]
    error_message = "It may write only to the quarantine."
  }

  assert {
    condition     = [for each in jsondecode(aws_iam_role_policy.function.policy).Statement : each.Resource if flatten([each.Action]) == ["sts:AssumeRole"]] == [aws_lambda_function.move.environment[0].variables.FROGMOVE_QUARANTINE_ROLE] && aws_lambda_function.move.environment[0].variables.FROGMOVE_QUARANTINE_ROLE == "arn:aws:iam::123456789012:role/frogs/abcdefghijabcdefghijabcdefghijabcdefghij-eu-central-1-threats"
    error_message = "The function may assume that role."
  }

  assert {
    condition = jsondecode(aws_iam_role.quarantine[0].assume_role_policy).Statement[0].Principal == {
      AWS = "arn:aws:iam::123456789012:role/frogs/abcdefghijabcdefghijabcdefghijabcdefghij-eu-central-1-function"
    } && aws_iam_role.quarantine[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && aws_iam_role.quarantine[0].path == "/frogs/"
    error_message = "Only the function may assume it."
  }
}

# GuardDuty allows one plan per bucket.
run "a_plan_for_several_routes" {
  command = plan

  variables {
    scan            = "guardduty"
    source_prefix   = "in/"
    upload_prefixes = ["a/", "b/", "c/", "d/"]
    scan_prefixes   = ["partners/", "staff/"]
  }

  override_resource {
    target          = aws_guardduty_malware_protection_plan.source
    override_during = plan
    values          = { arn = "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/abc" }
  }

  assert {
    condition     = aws_guardduty_malware_protection_plan.source[0].protected_resource[0].s3_bucket[0].object_prefixes == toset(["in/", "partners/", "staff/"])
    error_message = "The plan scans the folders of all routes."
  }

  assert {
    condition = alltrue([for prefix in ["in/", "partners/", "staff/"] : contains(
      one([for each in jsondecode(aws_iam_role_policy.scan[0].policy).Statement : each.Resource if each.Sid == "ScanAndTag"]),
      "arn:aws:s3:::frogtech-sharara-external/${prefix}*",
    )])
    error_message = "Its role reads and tags what it scans."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.function.policy, "partners/") && !strcontains(aws_cloudwatch_event_rule.uploads[0].event_pattern, "partners/")
    error_message = "The function has nothing to do with files of other routes."
  }
}

run "folders_to_scan_without_a_plan_of_ones_own" {
  command = plan

  variables {
    scan_prefixes = ["partners/"]
  }

  expect_failures = [var.scan_prefixes]
}

run "folders_to_scan_that_are_not_folders" {
  command = plan

  variables {
    scan          = "guardduty"
    scan_prefixes = ["partners"]
  }

  expect_failures = [var.scan_prefixes]
}
