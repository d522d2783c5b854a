# Malware scans. GuardDuty's results are sent to the queue; with another scanner, the source
# bucket's events about new tags are.

locals {
  scans     = var.scan != "none"
  guardduty = var.scan == "guardduty"
  # https://docs.aws.amazon.com/guardduty/latest/ug/monitor-enable-s3-object-tagging-malware-protection.html
  required_tag = local.guardduty ? { key = "GuardDutyMalwareScanStatus", value = "NO_THREATS_FOUND" } : var.require_tag
  creates_plan = local.guardduty && var.scan_plan_arn == null
  scan_plan    = local.creates_plan ? aws_guardduty_malware_protection_plan.source[0].arn : var.scan_plan_arn

  scan_role_name = "${local.global_name}-scan"
  scan_role_arn  = "arn:${local.partition}:iam::${local.account}:role${var.iam_path}${local.scan_role_name}"
  taggers        = concat(local.creates_plan ? [local.scan_role_arn] : [], var.scan_tagger_arns)

  quarantine_bucket  = try(split("/", var.quarantine)[2], null)
  quarantine_arn     = var.quarantine == null ? null : "arn:${local.partition}:s3:::${local.quarantine_bucket}"
  quarantine_objects = var.quarantine == null ? null : "arn:${local.partition}:s3:::${trimprefix(var.quarantine, "s3://")}*"

  # GuardDuty allows five prefixes.
  scanned_prefixes = distinct(concat([for keys in local.announced : keys.prefix], var.scan_prefixes))
  plan_prefixes    = length(local.scanned_prefixes) <= 5 ? local.scanned_prefixes : distinct(concat([var.source_prefix], var.scan_prefixes))
}

# Permission to set the tag is permission to move files. A copy takes the tags of its source along,
# without naming them in the request; for other accounts that needs s3:PutObjectTagging, which no
# policy here grants. IAM does not distinguish the case of the tag's key in s3:ExistingObjectTag, so
# no other spelling of it may be set either.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
data "aws_iam_policy_document" "tag" {
  dynamic "statement" {
    for_each = {
      OnlyScannersSetTheTag = {
        actions = ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"]
        conditions = [
          { test = "ForAnyValue:StringEqualsIgnoreCase", variable = "s3:RequestObjectTagKeys", value = local.scans ? local.required_tag.key : "GuardDutyMalwareScanStatus" },
        ]
      }
      OnlyScannersCopyObjects = {
        actions = ["s3:PutObject"]
        conditions = [
          { test = "Null", variable = "s3:x-amz-copy-source", value = "false" },
          { test = "StringEquals", variable = "aws:PrincipalAccount", value = local.source_account },
        ]
      }
      OnlyScannersReplicate = { actions = ["s3:ReplicateObject", "s3:ReplicateTags"], conditions = [] }
    }

    content {
      sid       = statement.key
      effect    = "Deny"
      actions   = statement.value.actions
      resources = ["${local.source_arn}/*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      dynamic "condition" {
        for_each = concat(
          [for each in statement.value.conditions : { test = each.test, variable = each.variable, values = [each.value] }],
          length(local.taggers) > 0 ? [{ test = "ArnNotLike", variable = "aws:PrincipalArn", values = local.taggers }] : [],
        )

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

resource "aws_iam_role" "scan" {
  count                = local.creates_plan ? 1 : 0
  name                 = local.scan_role_name
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary
  description          = "Lets GuardDuty scan and tag the source of ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust["scan"].json
  tags                 = local.tags
}

# https://docs.aws.amazon.com/guardduty/latest/ug/malware-protection-s3-iam-policy-prerequisite.html
data "aws_iam_policy_document" "scan" {
  source_policy_documents = [data.aws_iam_policy_document.use_keys["source"].json]

  statement {
    sid       = "ManageUploadRule"
    actions   = ["events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"]
    resources = ["arn:${local.partition}:events:${local.here}:rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*"]

    condition {
      test     = "StringLike"
      variable = "events:ManagedBy"
      values   = ["malware-protection-plan.guardduty.amazonaws.com"]
    }
  }

  statement {
    sid       = "ReadUploadRule"
    actions   = ["events:DescribeRule", "events:ListTargetsByRule"]
    resources = ["arn:${local.partition}:events:${local.here}:rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*"]
  }

  statement {
    sid       = "ManageNotification"
    actions   = ["s3:GetBucketNotification", "s3:PutBucketNotification"]
    resources = [local.source_arn]
  }

  statement {
    sid       = "ListBucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
    resources = [local.source_arn]
  }

  statement {
    sid       = "WriteTestObject"
    actions   = ["s3:PutObject"]
    resources = ["${local.source_arn}/malware-protection-resource-validation-object"]
  }

  statement {
    sid = "ScanAndTag"
    actions = [
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:GetObjectVersion",
      "s3:GetObjectVersionTagging",
      "s3:PutObjectTagging",
      "s3:PutObjectVersionTagging",
    ]
    resources = concat([local.source_objects], [for prefix in var.scan_prefixes : "${local.source_arn}/${prefix}*"])
  }
}

resource "aws_iam_role_policy" "scan" {
  count  = local.creates_plan ? 1 : 0
  name   = "scan"
  role   = aws_iam_role.scan[0].id
  policy = data.aws_iam_policy_document.scan.json
}

resource "aws_guardduty_malware_protection_plan" "source" {
  count = local.creates_plan ? 1 : 0
  role  = aws_iam_role.scan[0].arn
  tags  = local.tags

  protected_resource {
    s3_bucket {
      bucket_name     = var.source_bucket
      object_prefixes = contains(local.plan_prefixes, "") ? null : local.plan_prefixes
    }
  }

  actions {
    tagging {
      # If the result is lost, a sweep moves the object by its tag.
      status = "ENABLED"
    }
  }

  # GuardDuty checks the permissions of its role, and enables EventBridge on the bucket; the
  # bucket's notification, which also enables it, is set afterwards.
  depends_on = [
    aws_iam_role_policy.scan,
    aws_s3_bucket.source,
    aws_s3_bucket_policy.this,
    aws_s3_bucket_ownership_controls.this,
    aws_s3_bucket_versioning.this,
  ]
}
