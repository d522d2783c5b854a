# The scan gate in permissions, which no rollback of the function changes, and the role that moves
# threats to the quarantine.

locals {
  # A role's name has at most 64 characters.
  quarantine_role_name = "${local.global_name}-threats"
  quarantine_role_arn  = "arn:${local.partition}:iam::${local.account}:role${var.iam_path}${local.quarantine_role_name}"

  # The value of the tag that each role may read.
  readable = merge(
    local.scans ? { function = local.required_tag.value } : {},
    var.quarantine == null ? {} : { quarantine = "THREATS_FOUND" },
  )
}

# The environment of a published version never changes, so a version from before the gate knows
# nothing of it. Its copies are refused here. A Deny, because a bucket policy could also allow them.
# Without the tag the condition holds as well. Only clean files may be readable: the destination's
# policy does not know the tags of a copy's source, so threats need another role, which cannot write
# there.
# https://docs.aws.amazon.com/guardduty/latest/ug/tag-based-access-s3-malware-protection.html
data "aws_iam_policy_document" "gate" {
  for_each = local.readable

  statement {
    sid       = "RefuseOtherScanResults"
    effect    = "Deny"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.source_arn}/*"]

    condition {
      test     = "StringNotEquals"
      variable = "s3:ExistingObjectTag/${local.required_tag.key}"
      values   = [each.value]
    }
  }
}

data "aws_iam_policy_document" "quarantine_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [local.function_role_arn]
    }
  }
}

data "aws_iam_policy_document" "quarantine" {
  count = var.quarantine == null ? 0 : 1

  source_policy_documents = [
    data.aws_iam_policy_document.use_keys["source"].json,
    data.aws_iam_policy_document.gate["quarantine"].json,
    data.aws_iam_policy_document.move["quarantine"].json,
  ]
}

resource "aws_iam_role" "quarantine" {
  count                = var.quarantine == null ? 0 : 1
  name                 = local.quarantine_role_name
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary
  description          = "Lets the function ${var.name} move threats to the quarantine"
  assume_role_policy   = data.aws_iam_policy_document.quarantine_trust.json
  tags                 = local.tags

  # IAM refuses a trust in a role that does not exist.
  depends_on = [aws_iam_role.function]
}

resource "aws_iam_role_policy" "quarantine" {
  count  = var.quarantine == null ? 0 : 1
  name   = "quarantine"
  role   = aws_iam_role.quarantine[0].id
  policy = data.aws_iam_policy_document.quarantine[0].json
}
