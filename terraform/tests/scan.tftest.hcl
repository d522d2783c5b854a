# The scan gate: what each way of scanning creates, and what is refused.
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

run "no_scan" {
  command = plan

  assert {
    condition     = length(aws_guardduty_malware_protection_plan.source) + length(aws_iam_role.scan) + length(aws_cloudwatch_event_rule.uploads) + length(aws_cloudwatch_event_target.uploads) == 0 && !contains(keys(aws_lambda_function.move.environment[0].variables), "FROGMOVE_REQUIRE_TAG") && !contains(keys(aws_cloudwatch_metric_alarm.this), "unscanned")
    error_message = "Without a scan there is no gate."
  }

  assert {
    condition     = length(jsondecode(aws_s3_bucket_policy.this["source"].policy).Statement) == 1 && !contains(keys(aws_s3_bucket_versioning.this), "source") && output.scan_plan_arn == null && !strcontains(output.config_toml, "require_tag")
    error_message = "Everything else is as without scans."
  }
}

run "guardduty" {
  command = plan

  variables {
    scan            = "guardduty"
    source_prefix   = "in/"
    upload_suffixes = [".csv"]
    quarantine      = "s3://frogtech-quarantine/threats/"
  }

  override_resource {
    target          = aws_guardduty_malware_protection_plan.source
    override_during = plan
    values          = { arn = "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/abc" }
  }

  assert {
    condition     = aws_guardduty_malware_protection_plan.source[0].protected_resource[0].s3_bucket[0].bucket_name == "frogtech-sharara-external" && aws_guardduty_malware_protection_plan.source[0].protected_resource[0].s3_bucket[0].object_prefixes == toset(["in/"]) && aws_guardduty_malware_protection_plan.source[0].actions[0].tagging[0].status == "ENABLED"
    error_message = "The plan scans and tags the route's part of the source."
  }

  assert {
    condition     = aws_lambda_function.move.environment[0].variables.FROGMOVE_REQUIRE_TAG == "GuardDutyMalwareScanStatus=NO_THREATS_FOUND" && aws_lambda_function.move.environment[0].variables.FROGMOVE_SCAN_PLAN == "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/abc" && aws_lambda_function.move.environment[0].variables.FROGMOVE_QUARANTINE == "s3://frogtech-quarantine/threats/"
    error_message = "The function gets tag, plan and quarantine."
  }

  assert {
    condition = aws_cloudwatch_event_rule.uploads[0].name == "frogmove-scans" && aws_cloudwatch_event_target.uploads[0].rule == "frogmove-scans" && jsondecode(aws_cloudwatch_event_rule.uploads[0].event_pattern) == {
      source      = ["aws.guardduty"]
      detail-type = ["GuardDuty Malware Protection Object Scan Result"]
      detail      = { s3ObjectDetails = { bucketName = ["frogtech-sharara-external"], objectKey = [{ prefix = "in/" }] } }
    }
    error_message = "The rule matches all objects of the source, so that threats are reported whatever is moved."
  }

  assert {
    condition     = length(aws_s3_bucket_notification.uploads[0].queue) == 0 && aws_s3_bucket_notification.uploads[0].eventbridge && length(aws_cloudwatch_event_rule.uploads) == 1
    error_message = "Uploads are reported only with their scan result; EventBridge is enabled for GuardDuty."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.uploads.policy).Statement[0].Principal == { Service = "events.amazonaws.com" } && jsondecode(aws_sqs_queue_policy.uploads.policy).Statement[0].Condition.ArnEquals == { "aws:SourceArn" = "arn:aws:events:eu-central-1:123456789012:rule/frogmove-scans" }
    error_message = "Only the rule of the scans may send to the queue."
  }

  assert {
    condition = [for each in jsondecode(aws_s3_bucket_policy.this["source"].policy).Statement : each if each.Sid == "OnlyScannersSetTheTag"] == [{
      Sid       = "OnlyScannersSetTheTag"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObjectVersionTagging", "s3:PutObjectTagging", "s3:PutObject"]
      Resource  = "arn:aws:s3:::frogtech-sharara-external/*"
      Condition = {
        ArnNotLike                           = { "aws:PrincipalArn" = "arn:aws:iam::123456789012:role/frogmove-eu-central-1-scan" }
        "ForAnyValue:StringEqualsIgnoreCase" = { "s3:RequestObjectTagKeys" = "GuardDutyMalwareScanStatus" }
      }
    }]
    error_message = "Only GuardDuty's role may set its tag."
  }

  assert {
    condition     = jsondecode(aws_iam_role.scan[0].assume_role_policy).Statement[0].Principal == { Service = "malware-protection-plan.guardduty.amazonaws.com" } && [for each in jsondecode(aws_iam_role_policy.scan[0].policy).Statement : each.Resource if each.Sid == "ScanAndTag"] == ["arn:aws:s3:::frogtech-sharara-external/in/*"]
    error_message = "GuardDuty may read and tag the route's objects."
  }

  assert {
    condition     = contains(keys(aws_s3_bucket_versioning.this), "source") && contains(keys(aws_cloudwatch_metric_alarm.this), "threats") && contains(keys(aws_cloudwatch_metric_alarm.this), "unscanned") && strcontains(output.config_toml, "require_tag = \"GuardDutyMalwareScanStatus=NO_THREATS_FOUND\"")
    error_message = "The source keeps versions, there are alarms, and operators' commands require the tag."
  }
}

run "guardduty_of_the_whole_bucket_with_a_key" {
  command = plan

  variables {
    scan             = "guardduty"
    create_kms_key   = true
    upload_prefixes  = ["a/", "b/", "c/", "d/", "e/", "f/"]
    scan_tagger_arns = ["arn:aws:iam::123456789012:user/operator"]
  }

  override_resource {
    target          = aws_kms_key.this
    override_during = plan
    values          = { arn = "arn:aws:kms:eu-central-1:123456789012:key/k" }
  }

  override_resource {
    target          = aws_guardduty_malware_protection_plan.source
    override_during = plan
    values          = { arn = "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/abc" }
  }

  assert {
    condition     = aws_guardduty_malware_protection_plan.source[0].protected_resource[0].s3_bucket[0].object_prefixes == null
    error_message = "GuardDuty allows five prefixes; with more, it scans the whole source."
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.scan[0].policy, "UseTheKeys") && one([for each in jsondecode(output.scan_bucket_policy).Statement : each.Condition.ArnNotLike["aws:PrincipalArn"] if each.Sid == "OnlyScannersSetTheTag"]) == ["arn:aws:iam::123456789012:role/frogmove-eu-central-1-scan", "arn:aws:iam::123456789012:user/operator"]
    error_message = "GuardDuty may use the key; operators who undo may set the tag."
  }

  assert {
    condition     = !contains(keys(aws_lambda_function.move.environment[0].variables), "FROGMOVE_QUARANTINE") && length(aws_iam_role.quarantine) == 0 && !strcontains(aws_iam_role_policy.function.policy, "sts:AssumeRole")
    error_message = "Without a quarantine threats stay."
  }
}

run "a_plan_that_exists" {
  command = plan

  variables {
    scan             = "guardduty"
    scan_plan_arn    = "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/theirs"
    scan_tagger_arns = ["arn:aws:iam::123456789012:role/theirs"]
  }

  assert {
    condition     = length(aws_guardduty_malware_protection_plan.source) + length(aws_iam_role.scan) + length(aws_iam_role_policy.scan) == 0 && aws_lambda_function.move.environment[0].variables.FROGMOVE_SCAN_PLAN == "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/theirs" && output.scan_plan_arn == "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/theirs"
    error_message = "The function uses the results of the existing plan."
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
    condition     = aws_lambda_function.move.environment[0].variables.FROGMOVE_REQUIRE_TAG == "av-status=clean" && !contains(keys(aws_lambda_function.move.environment[0].variables), "FROGMOVE_SCAN_PLAN") && length(aws_cloudwatch_event_rule.uploads) == 0
    error_message = "The tag alone decides."
  }

  assert {
    condition     = aws_s3_bucket_notification.uploads[0].queue[0].events == toset(["s3:ObjectCreated:*", "s3:ObjectTagging:Put"])
    error_message = "New tags are reported."
  }

  assert {
    condition     = one([for each in jsondecode(output.scan_bucket_policy).Statement : each.Condition["ForAnyValue:StringEqualsIgnoreCase"] if each.Sid == "OnlyScannersSetTheTag"]) == { "s3:RequestObjectTagKeys" = "av-status" } && contains(keys(aws_cloudwatch_metric_alarm.this), "unscanned") && !contains(keys(aws_cloudwatch_metric_alarm.this), "threats")
    error_message = "Only the scanner may set the tag, and an alarm reports objects without it."
  }
}

run "another_scanner_by_eventbridge" {
  command = plan

  variables {
    scan             = "tag"
    trigger          = "eventbridge"
    require_tag      = { key = "av-status", value = "clean" }
    scan_tagger_arns = ["arn:aws:iam::123456789012:role/scanner*"]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.uploads[0].event_pattern).detail-type == ["Object Created", "Object Tags Added"]
    error_message = "New tags are reported."
  }
}

run "an_adopted_source_whose_policy_guards_the_tag" {
  command = plan

  variables {
    scan                        = "tag"
    require_tag                 = { key = "av-status", value = "clean" }
    scan_tagger_arns            = ["arn:aws:iam::123456789012:role/scanner"]
    create_source_bucket        = false
    manage_source_notification  = false
    adopted_source_guards_tag   = true
    adopted_source_is_versioned = true
  }

  assert {
    condition     = length(aws_s3_bucket_policy.this) == 1
    error_message = "The owner of the bucket sets its policy."
  }
}

# Refusals.

run "an_unknown_scan" {
  command = plan

  variables {
    scan = "clamav"
  }

  expect_failures = [var.scan]
}

run "guardduty_in_another_account" {
  command = plan

  variables {
    scan                        = "guardduty"
    create_source_bucket        = false
    manage_source_notification  = false
    source_account              = "210987654321"
    adopted_source_guards_tag   = true
    adopted_source_is_versioned = true
  }

  expect_failures = [var.scan]
}

run "a_tag_without_a_scan_and_a_scan_without_a_tag" {
  command = plan

  variables {
    scan             = "tag"
    scan_tagger_arns = ["arn:aws:iam::123456789012:role/scanner"]
  }

  expect_failures = [var.require_tag]
}

run "a_tag_with_guardduty" {
  command = plan

  variables {
    scan        = "guardduty"
    require_tag = { key = "av-status", value = "clean" }
  }

  expect_failures = [var.require_tag]
}

run "an_invalid_tag" {
  command = plan

  variables {
    scan             = "tag"
    require_tag      = { key = "a=b", value = "clean" }
    scan_tagger_arns = ["arn:aws:iam::123456789012:role/scanner"]
  }

  expect_failures = [var.require_tag]
}

run "a_quarantine_without_guardduty" {
  command = plan

  variables {
    quarantine = "s3://frogtech-quarantine/"
  }

  expect_failures = [var.quarantine]
}

run "an_invalid_quarantine" {
  command = plan

  variables {
    scan       = "guardduty"
    quarantine = "frogtech-quarantine"
  }

  expect_failures = [var.quarantine]
}

run "a_quarantine_in_the_destination" {
  command = plan

  variables {
    scan       = "guardduty"
    quarantine = "s3://frogtech-sharara-internal/threats/"
  }

  expect_failures = [var.quarantine]
}

run "a_plan_without_its_scan" {
  command = plan

  variables {
    scan_plan_arn    = "arn:aws:guardduty:eu-central-1:123456789012:malware-protection-plan/theirs"
    scan_tagger_arns = ["arn:aws:iam::123456789012:role/theirs"]
  }

  expect_failures = [var.scan_plan_arn]
}

run "a_scanner_without_permission_to_tag" {
  command = plan

  variables {
    scan        = "tag"
    require_tag = { key = "av-status", value = "clean" }
  }

  expect_failures = [var.scan_tagger_arns]
}

run "an_invalid_tagger" {
  command = plan

  variables {
    scan             = "guardduty"
    scan_tagger_arns = ["scanner"]
  }

  expect_failures = [var.scan_tagger_arns]
}

run "an_adopted_source_that_does_not_guard_the_tag" {
  command = plan

  variables {
    scan                        = "guardduty"
    create_source_bucket        = false
    manage_source_notification  = true
    adopted_source_is_versioned = true
  }

  expect_failures = [var.adopted_source_guards_tag]
}

run "an_adopted_source_without_versions" {
  command = plan

  variables {
    scan                       = "guardduty"
    create_source_bucket       = false
    manage_source_notification = true
    manage_source_policy       = true
  }

  expect_failures = [var.adopted_source_is_versioned]
}

run "many_prefixes_for_a_scan_rule" {
  command = plan

  variables {
    scan            = "guardduty"
    upload_prefixes = [for n in range(10) : "${join("", [for m in range(20) : "abcd${n}/"])}"]
    upload_suffixes = [for n in range(10) : ".a${n}"]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.uploads[0].event_pattern).detail == { s3ObjectDetails = { bucketName = ["frogtech-sharara-external"] } }
    error_message = "The rule of the scans does not depend on what is moved."
  }
}
