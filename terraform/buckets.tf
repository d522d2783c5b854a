# Both buckets, created or adopted. Of an adopted one only the policy is set, and only on request.

locals {
  owns_source_policy      = coalesce(var.manage_source_policy, var.create_source_bucket)
  owns_destination_policy = coalesce(var.manage_destination_policy, var.create_destination_bucket)

  created = merge(
    var.create_source_bucket ? { source = aws_s3_bucket.source[0].id } : {},
    var.create_destination_bucket ? { destination = aws_s3_bucket.destination[0].id } : {},
  )
  versioned = merge(
    var.create_source_bucket && (var.source_versioning || local.scans) ? { source = aws_s3_bucket.source[0].id } : {},
    var.create_destination_bucket ? { destination = aws_s3_bucket.destination[0].id } : {},
  )
  bucket_regions = { source = local.region, destination = local.destination_region }
  bucket_keys = {
    source      = { encrypted = local.encrypted, arn = local.key_arn }
    destination = { encrypted = local.destination_encrypted, arn = local.destination_key_arn }
  }
  # Blocks of the buckets: the provider used by the tests has no aws_s3_bucket_cors_configuration.
  cors_rules = { for side in ["source", "destination"] : side => var.cors_rules == null ? [] : lookup(var.cors_rules, side, []) }
  # Days after which old versions expire. Also in a source that keeps none: if it did before, with a
  # scan or source_versioning, S3 only suspends that, and the old versions stay.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
  expiring = var.noncurrent_version_days == null ? [] : [var.noncurrent_version_days]
  policed = merge(
    local.owns_source_policy ? { source = var.source_bucket } : {},
    local.owns_destination_policy ? { destination = var.destination_bucket } : {},
  )
}

resource "aws_s3_bucket" "source" {
  # checkov:skip=CKV2_AWS_6:aws_s3_bucket_public_access_block.this is of both buckets; checkov does not follow its for_each
  # checkov:skip=CKV2_AWS_61:aws_s3_bucket_lifecycle_configuration.this is of both buckets; checkov does not follow its for_each
  # checkov:skip=CKV_AWS_18:access logs are optional, see access_log_bucket
  # checkov:skip=CKV_AWS_21:objects stay there for seconds; versions would keep a second copy of every file, see source_versioning
  # checkov:skip=CKV_AWS_144:a bucket that files only pass through needs no replica
  # checkov:skip=CKV_AWS_145:a customer KMS key is optional, see create_kms_key; SSE-S3 otherwise
  # checkov:skip=CKV2_AWS_62:its notification is in queue.tf
  count         = var.create_source_bucket ? 1 : 0
  bucket        = var.source_bucket
  force_destroy = var.force_destroy
  tags          = local.tags

  dynamic "cors_rule" {
    for_each = local.cors_rules["source"]

    content {
      allowed_headers = cors_rule.value.allowed_headers
      allowed_methods = cors_rule.value.allowed_methods
      allowed_origins = cors_rule.value.allowed_origins
      expose_headers  = cors_rule.value.expose_headers
      max_age_seconds = cors_rule.value.max_age_seconds
    }
  }

  lifecycle {
    postcondition {
      condition     = var.cors_rules == null || length(self.cors_rule) == length(local.cors_rules["source"])
      error_message = "The bucket has CORS rules that cors_rules does not contain, because the provider does not remove the last one. Remove them with: aws s3api delete-bucket-cors --bucket ${self.bucket}"
    }
  }
}

resource "aws_s3_bucket" "destination" {
  # checkov:skip=CKV2_AWS_6:aws_s3_bucket_public_access_block.this is of both buckets; checkov does not follow its for_each
  # checkov:skip=CKV2_AWS_61:aws_s3_bucket_lifecycle_configuration.this is of both buckets; checkov does not follow its for_each
  # checkov:skip=CKV_AWS_18:access logs are optional, see access_log_bucket
  # checkov:skip=CKV_AWS_21:aws_s3_bucket_versioning.this is of both buckets; checkov does not follow its for_each
  # checkov:skip=CKV_AWS_144:replication is the owner's decision; versions protect against mistakes
  # checkov:skip=CKV_AWS_145:a customer KMS key is optional, see create_kms_key; SSE-S3 otherwise
  # checkov:skip=CKV2_AWS_62:nothing waits for files that have arrived
  count         = var.create_destination_bucket ? 1 : 0
  region        = local.destination_region
  bucket        = var.destination_bucket
  force_destroy = var.force_destroy
  tags          = local.tags

  dynamic "cors_rule" {
    for_each = local.cors_rules["destination"]

    content {
      allowed_headers = cors_rule.value.allowed_headers
      allowed_methods = cors_rule.value.allowed_methods
      allowed_origins = cors_rule.value.allowed_origins
      expose_headers  = cors_rule.value.expose_headers
      max_age_seconds = cors_rule.value.max_age_seconds
    }
  }

  lifecycle {
    postcondition {
      condition     = var.cors_rules == null || length(self.cors_rule) == length(local.cors_rules["destination"])
      error_message = "The bucket has CORS rules that cors_rules does not contain, because the provider does not remove the last one. Remove them with: aws s3api delete-bucket-cors --bucket ${self.bucket}"
    }
  }
}

# S3 allows only one change of a bucket's access at a time: public access, then policy, then
# ownership. Otherwise the error is "A conflicting conditional operation is currently in progress".

resource "aws_s3_bucket_public_access_block" "this" {
  for_each                = local.created
  region                  = local.bucket_regions[each.key]
  bucket                  = each.value
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

data "aws_iam_policy_document" "bucket" {
  for_each = local.policed

  source_policy_documents = concat(
    [data.aws_iam_policy_document.tls[each.key].json],
    local.scans && each.key == "source" ? [data.aws_iam_policy_document.tag.json] : [],
    lookup(var.bucket_policy_documents, each.key, []),
  )

  dynamic "statement" {
    for_each = each.key == "source" ? var.uploader_accounts : {}

    content {
      sid       = "AllowUpload${index(keys(var.uploader_accounts), statement.key)}"
      actions   = ["s3:AbortMultipartUpload", "s3:PutObject"]
      resources = ["${local.source_arn}/${var.source_prefix}${statement.key}/*"]

      principals {
        type        = "AWS"
        identifiers = ["arn:${local.partition}:iam::${statement.value}:root"]
      }

      dynamic "condition" {
        # The uploader account's aws/s3 key cannot be used by this account.
        for_each = concat(local.movable, [{
          test     = "StringEqualsIfExists"
          variable = "s3:x-amz-server-side-encryption"
          values   = ["AES256"]
        }])

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.policed
  region   = local.bucket_regions[each.key]
  bucket   = each.value
  policy   = data.aws_iam_policy_document.bucket[each.key].json

  depends_on = [aws_s3_bucket.source, aws_s3_bucket.destination, aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.created
  region   = local.bucket_regions[each.key]
  bucket   = each.value

  rule {
    # ACLs are disabled: only policies grant access.
    object_ownership = "BucketOwnerEnforced"
  }

  depends_on = [aws_s3_bucket_policy.this]
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.versioned
  region   = local.bucket_regions[each.key]
  bucket   = each.value

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.created
  region   = local.bucket_regions[each.key]
  bucket   = each.value

  rule {
    bucket_key_enabled = local.bucket_keys[each.key].encrypted
    # Only the uploader could read or move such an object.
    blocked_encryption_types = ["SSE-C"]

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.bucket_keys[each.key].encrypted ? "aws:kms" : "AES256"
      kms_master_key_id = local.bucket_keys[each.key].arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.created
  region   = local.bucket_regions[each.key]
  bucket   = each.value

  rule {
    id     = "clean-up"
    status = "Enabled"

    filter {}

    # Copies of large objects continue over several deliveries in one multipart upload, so they may
    # need days.
    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_multipart_days
    }

    dynamic "noncurrent_version_expiration" {
      for_each = local.expiring

      content {
        noncurrent_days = noncurrent_version_expiration.value
      }
    }

    dynamic "expiration" {
      for_each = local.expiring

      content {
        expired_object_delete_marker = true
      }
    }
  }

  dynamic "rule" {
    for_each = lookup(var.lifecycle_rules, each.key, [])

    content {
      id     = rule.value.id
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      dynamic "expiration" {
        for_each = rule.value.expiration_days == null ? [] : [rule.value.expiration_days]

        content {
          days = expiration.value
        }
      }

      dynamic "transition" {
        for_each = rule.value.transitions

        content {
          days          = transition.value.days
          storage_class = transition.value.storage_class
        }
      }
    }
  }

  # Rules for versions have another meaning while versioning is disabled.
  depends_on = [aws_s3_bucket_versioning.this]
}

# S3 writes access logs only to a bucket of the same Region.
resource "aws_s3_bucket_logging" "this" {
  for_each      = { for side, bucket in local.created : side => bucket if var.access_log_bucket != null && (side == "source" || local.destination_region == local.region) }
  bucket        = each.value
  target_bucket = var.access_log_bucket
  target_prefix = "${each.value}/"
}

# Terraform destroys a bucket's settings first, and only then fails because the bucket is not empty;
# a key is deleted without any check. So a plan that would destroy anything that objects depend on
# is refused: by destroy, by another name or Region, or by create_... = false.
resource "terraform_data" "kept" {
  for_each = merge(
    { for bucket in aws_s3_bucket.source : "source bucket" => [bucket.bucket, bucket.region] if !var.force_destroy },
    { for bucket in aws_s3_bucket.destination : "destination bucket" => [bucket.bucket, bucket.region] if !var.force_destroy },
    { for key in aws_kms_key.this : "key" => [key.arn] if !local.key_may_go },
  )
  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [
    aws_s3_bucket_lifecycle_configuration.this,
    aws_s3_bucket_ownership_controls.this,
    aws_s3_bucket_policy.this,
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}
