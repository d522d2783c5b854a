# Policies for uploaders and readers, to attach to groups, users or roles, and what all policies of
# resources refuse. The policy for operators is in operators.tf.

locals {
  # Uploads that could not be moved are denied: archive storage classes, and encryption with the
  # uploader's own key.
  movable = concat(
    [
      {
        test     = "StringEqualsIfExists"
        variable = "s3:x-amz-storage-class"
        values   = ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"]
      },
      {
        test     = "Null"
        variable = "s3:x-amz-server-side-encryption-customer-algorithm"
        values   = ["true"]
      },
    ],
    length(local.source_key_arns) > 0 ? [{
      test     = "ArnEqualsIfExists"
      variable = "s3:x-amz-server-side-encryption-aws-kms-key-id"
      values   = local.source_key_arns
      }] : [{
      test     = "Null"
      variable = "s3:x-amz-server-side-encryption-aws-kms-key-id"
      values   = ["true"]
    }],
  )

  uploader_objects = var.uploader_folders ? "${local.source_arn}/${var.source_prefix}&{aws:username}/*" : local.source_objects
}

# Uploaders can only write: they cannot list, read or delete objects.

data "aws_iam_policy_document" "uploaders" {
  source_policy_documents = [data.aws_iam_policy_document.use_keys["source"].json]

  statement {
    sid = "Upload"
    # Multipart uploads need only PutObject.
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    actions   = ["s3:AbortMultipartUpload", "s3:PutObject"]
    resources = [local.uploader_objects]

    dynamic "condition" {
      for_each = local.movable

      content {
        test     = condition.value.test
        variable = condition.value.variable
        values   = condition.value.values
      }
    }
  }
}

# The descriptions must not change: Terraform replaces a policy whose description changes, which
# detaches it.

resource "aws_iam_policy" "uploaders" {
  name        = "${local.global_name}-uploaders"
  path        = var.iam_path
  description = "Upload to the source of frogmove, and nothing else"
  policy      = data.aws_iam_policy_document.uploaders.json
  tags        = local.tags
}

# Readers can only list and read the destination.

data "aws_iam_policy_document" "readers" {
  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject", "s3:GetObjectTagging"]
    resources = [local.destination_objects]
  }

  statement {
    sid       = "ListObjects"
    actions   = ["s3:ListBucket"]
    resources = [local.destination_arn]

    dynamic "condition" {
      for_each = var.destination_prefix == "" ? [] : [var.destination_prefix]

      content {
        test     = "StringLike"
        variable = "s3:prefix"
        values   = ["${condition.value}*"]
      }
    }
  }

  # All keys: before destination_kms_key_arn was set, copies were encrypted with the other one.
  dynamic "statement" {
    for_each = length(local.object_key_arns) > 0 ? [local.object_key_arns] : []

    content {
      sid       = "DecryptThroughS3"
      actions   = ["kms:Decrypt"]
      resources = statement.value

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [for region in local.key_regions : "s3.${region}.${local.dns_suffix}"]
      }
    }
  }
}

resource "aws_iam_policy" "readers" {
  name        = "${local.global_name}-readers"
  path        = var.iam_path
  description = "Read the destination of frogmove, and nothing else"
  policy      = data.aws_iam_policy_document.readers.json
  tags        = local.tags
}

resource "aws_iam_group_policy_attachment" "uploaders" {
  for_each   = toset(var.uploader_groups)
  group      = each.value
  policy_arn = aws_iam_policy.uploaders.arn
}

resource "aws_iam_group_policy_attachment" "readers" {
  for_each   = toset(var.reader_groups)
  group      = each.value
  policy_arn = aws_iam_policy.readers.arn
}

resource "aws_iam_group_policy_attachment" "operators" {
  for_each   = toset(var.operator_groups)
  group      = each.value
  policy_arn = aws_iam_policy.operators.arn
}

# Part of the policies of buckets, queues and topic.
data "aws_iam_policy_document" "tls" {
  for_each = merge(
    { for side, bucket in local.policed : side => {
      actions   = ["s3:*"]
      resources = ["arn:${local.partition}:s3:::${bucket}", "arn:${local.partition}:s3:::${bucket}/*"]
    } },
    { for name, arn in {
      "uploads"            = local.queue_arn
      "dead letters"       = local.dead_letter_arn
      "sweep dead letters" = local.sweep_dead_arn
    } : name => { actions = ["sqs:*"], resources = [arn] } },
    # Policies of topics do not support sns:*.
    { topic = { actions = ["sns:Publish"], resources = [local.topic_arn] } },
  )

  statement {
    sid       = "RefuseWithoutTls"
    effect    = "Deny"
    actions   = each.value.actions
    resources = each.value.resources

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
