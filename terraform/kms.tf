# An optional KMS key for buckets, queues, topic and logs.

locals {
  # The key must exist as long as objects that it encrypts, also those in adopted buckets.
  key_may_go = var.force_destroy && var.create_source_bucket && var.create_destination_bucket
  encrypted  = var.create_kms_key || var.kms_key_arn != null
  key_arn    = var.create_kms_key ? aws_kms_key.this[0].arn : var.kms_key_arn
  # The destination's key: another one in another Region, because a key works only in its own.
  destination_encrypted = local.encrypted || var.destination_kms_key_arn != null
  destination_key_arn   = var.destination_kms_key_arn == null ? local.key_arn : var.destination_kms_key_arn
  # All keys that objects may be encrypted with. Their number is known before the key is created.
  source_key_arns      = concat(local.encrypted ? [local.key_arn] : [], var.bucket_kms_key_arns)
  destination_key_arns = concat(local.destination_encrypted ? [local.destination_key_arn] : [], var.bucket_kms_key_arns)
  object_key_arns      = concat(local.source_key_arns, var.destination_kms_key_arn == null ? [] : [var.destination_kms_key_arn])
  key_regions = distinct(concat(
    local.encrypted ? [local.region] : [],
    [for arn in concat(var.bucket_kms_key_arns, var.destination_kms_key_arn == null ? [] : [var.destination_kms_key_arn]) : split(":", arn)[3]],
  ))
}

data "aws_iam_policy_document" "key" {
  source_policy_documents = [data.aws_iam_policy_document.sender["key"].json]

  # checkov:skip=CKV_AWS_109:in a key's policy the resource * is the key itself
  # checkov:skip=CKV_AWS_111:in a key's policy the resource * is the key itself
  # checkov:skip=CKV_AWS_356:in a key's policy the resource * is the key itself

  # Without this nobody could administer the key; IAM policies decide who may.
  statement {
    sid       = "AllowIamPolicies"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }

  # Deleting the key would lose every object encrypted with it, so this policy must be changed
  # first.
  dynamic "statement" {
    for_each = local.key_may_go ? [] : ["*"]

    content {
      sid       = "DenyDeletion"
      effect    = "Deny"
      actions   = ["kms:DisableKey", "kms:ScheduleKeyDeletion"]
      resources = [statement.value]

      principals {
        type        = "*"
        identifiers = ["*"]
      }
    }
  }

  statement {
    sid       = "AllowLogs"
    actions   = ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${local.region}.amazonaws.com"]
    }

    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = [local.log_group_arn]
    }
  }

  statement {
    sid       = "AllowAlarms"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_kms_key" "this" {
  count                   = var.create_kms_key ? 1 : 0
  description             = "Encrypts the buckets, queues and logs of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
  tags                    = local.tags
}

resource "aws_kms_alias" "this" {
  count         = var.create_kms_key ? 1 : 0
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this[0].key_id
}

# Part of the policies of roles and people; empty without a key. A multipart upload needs Decrypt
# too, to assemble its parts.
data "aws_iam_policy_document" "use_keys" {
  for_each = {
    source      = { keys = local.source_key_arns, services = ["s3"] }
    destination = { keys = local.destination_key_arns, services = ["s3"] }
    queues      = { keys = local.encrypted ? [local.key_arn] : [], services = ["sqs"] }
    all         = { keys = local.object_key_arns, services = ["s3", "sqs"] }
  }

  dynamic "statement" {
    for_each = length(each.value.keys) > 0 ? [each.value] : []

    content {
      sid       = "UseTheKeys"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = statement.value.keys

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [for pair in setproduct(statement.value.services, local.key_regions) : "${pair[0]}.${pair[1]}.${local.dns_suffix}"]
      }
    }
  }
}
