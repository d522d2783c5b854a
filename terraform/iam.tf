# The permissions of the function and of S3 Batch Operations. The move protocol needs every action;
# frogmove/local_aws/iam_policies.py has the same list for the embedded AWS.

locals {
  # Retention and legal holds are set on a copy, and read back.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
  carries_retention = contains(var.carry, "retention")
  carries_hold      = contains(var.carry, "legal-hold")
  carries_acl       = contains(var.carry, "acl")

  carried_at_the_source = local.carries_acl ? ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"] : []
  carried_to_the_destination = concat(
    local.carries_retention ? ["s3:GetObjectRetention", "s3:PutObjectRetention"] : [],
    local.carries_hold ? ["s3:GetObjectLegalHold", "s3:PutObjectLegalHold"] : [],
    local.carries_acl ? ["s3:GetObjectAcl", "s3:PutObjectAcl"] : [],
  )

  # Objects have attributes that S3 does not copy only if one of these is enabled.
  source_settings = [
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketWebsite",
  ]

  # A conditional delete also needs GetObject:
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
  source_actions = concat(
    [
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:GetObjectAnnotation",
      "s3:GetObjectLegalHold",
      "s3:GetObjectRetention",
      "s3:GetObjectTagging",
      "s3:GetObjectVersion",
      "s3:GetObjectVersionAnnotation",
      "s3:GetObjectVersionTagging",
      # To check, with a multipart upload, that source and destination are not the same bucket.
      "s3:ListMultipartUploadParts",
      "s3:ListObjectAnnotations",
      "s3:ListObjectVersionAnnotations",
    ],
    var.move_named_versions ? ["s3:DeleteObjectVersion"] : [],
    local.carried_at_the_source,
  )

  destination_actions = concat(
    [
      "s3:AbortMultipartUpload",
      "s3:GetObject",
      "s3:GetObjectAnnotation",
      "s3:GetObjectTagging",
      "s3:ListMultipartUploadParts",
      "s3:ListObjectAnnotations",
      "s3:PutObject",
      "s3:PutObjectAnnotation",
      "s3:PutObjectTagging",
    ],
    local.carried_to_the_destination,
  )

  # Further permissions that the policy of another account's bucket must grant the function.
  access = {
    source = {
      bucket  = concat(["s3:ListBucket"], local.source_settings)
      objects = local.source_actions
      arn     = local.source_arn
      under   = local.source_objects
    }
    destination = {
      bucket  = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
      objects = local.destination_actions
      arn     = local.destination_arn
      under   = local.destination_objects
    }
  }
}

# Which service assumes which role.
data "aws_iam_policy_document" "trust" {
  for_each = {
    function = { service = "lambda.amazonaws.com", conditions = [] }
    scan     = { service = "malware-protection-plan.guardduty.amazonaws.com", conditions = [] }
    # The group of a schedule, not the schedule itself:
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    scheduler = {
      service = "scheduler.amazonaws.com"
      conditions = [
        { test = "ArnEquals", variable = "aws:SourceArn", value = local.schedule_group_arn },
        { test = "StringEquals", variable = "aws:SourceAccount", value = local.account },
      ]
    }
    # AWS does not document whether Batch Operations sends its job and account when it assumes a
    # role. If it does, they must be of this account; if not, iam:PassRole still limits the role to
    # this account's operators, because a role cannot be passed from another account.
    batch = {
      service = "batchoperations.s3.amazonaws.com"
      conditions = [
        { test = "StringEqualsIfExists", variable = "aws:SourceAccount", value = local.account },
        { test = "ArnLikeIfExists", variable = "aws:SourceArn", value = local.batch_jobs_arn },
      ]
    }
  }

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value.service]
    }

    dynamic "condition" {
      for_each = each.value.conditions

      content {
        test     = condition.value.test
        variable = condition.value.variable
        values   = [condition.value.value]
      }
    }
  }
}

resource "aws_iam_role" "function" {
  name                 = "${local.global_name}-function"
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary
  description          = "What the function ${var.name} may do"
  assume_role_policy   = data.aws_iam_policy_document.trust["function"].json
  tags                 = local.tags
}

# What a role needs to move objects from the source to one place.
data "aws_iam_policy_document" "move" {
  for_each = merge(
    {
      destination = {
        sid     = "CopyToTheDestination"
        bucket  = local.destination_arn
        objects = local.destination_objects
      }
    },
    var.quarantine == null ? {} : {
      quarantine = {
        sid     = "MoveThreatsToQuarantine"
        bucket  = local.quarantine_arn
        objects = local.quarantine_objects
      }
    },
  )

  # For the whole bucket: S3 returns 404 instead of 403 for a missing key only with this permission,
  # and a HEAD request does not satisfy a condition on s3:prefix.
  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
  statement {
    sid       = "ListBuckets"
    actions   = ["s3:ListBucket"]
    resources = [local.source_arn, each.value.bucket]
  }

  statement {
    sid       = "ReadSourceSettings"
    actions   = local.source_settings
    resources = [local.source_arn]
  }

  statement {
    sid       = "ReadAndDeleteAtTheSource"
    actions   = local.source_actions
    resources = [local.source_objects]
  }

  statement {
    sid       = each.value.sid
    actions   = local.destination_actions
    resources = [each.value.objects]
  }

  # To continue the copy of a large object from an earlier delivery.
  statement {
    sid       = "FindUnfinishedCopies"
    actions   = ["s3:ListBucketMultipartUploads"]
    resources = [each.value.bucket]
  }
}

data "aws_iam_policy_document" "function" {
  source_policy_documents = concat(
    [
      data.aws_iam_policy_document.use_keys["all"].json,
      data.aws_iam_policy_document.move["destination"].json,
    ],
    local.scans ? [data.aws_iam_policy_document.gate["function"].json] : [],
    var.function_policy_documents,
  )

  dynamic "statement" {
    for_each = var.quarantine == null ? [] : [local.quarantine_role_arn]

    content {
      sid       = "AssumeTheRoleForThreats"
      actions   = ["sts:AssumeRole"]
      resources = [statement.value]
    }
  }

  statement {
    sid = "ReceiveUploads"
    actions = [
      # Failed messages are delivered again with back-off, unfinished copies within seconds.
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
    ]
    resources = [local.queue_arn]
  }

  statement {
    sid       = "SendFailedSweeps"
    actions   = ["sqs:SendMessage"]
    resources = [local.sweep_dead_arn]
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:*"]
  }

  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  dynamic "statement" {
    for_each = var.vpc == null ? [] : ["*"]

    content {
      sid = "ConnectToVpc"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.tracing ? ["*"] : []

    content {
      sid       = "Trace"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "function" {
  name   = "move"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

data "aws_iam_policy_document" "access" {
  for_each = local.access

  statement {
    sid       = "AllowFrogmoveToReadTheBucket"
    actions   = each.value.bucket
    resources = [each.value.arn]

    principals {
      type        = "AWS"
      identifiers = [local.function_role_arn]
    }
  }

  statement {
    sid       = "AllowFrogmoveToMove"
    actions   = each.value.objects
    resources = [each.value.under]

    principals {
      type        = "AWS"
      identifiers = [local.function_role_arn]
    }
  }
}

# S3 Batch Operations lets the function move the objects of a manifest.

resource "aws_iam_role" "batch" {
  count                = var.batch_operations ? 1 : 0
  name                 = local.batch_role_name
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary
  description          = "Lets S3 Batch Operations call the function ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust["batch"].json
  tags                 = local.tags
}

data "aws_iam_policy_document" "batch" {
  source_policy_documents = [data.aws_iam_policy_document.use_keys["destination"].json]

  statement {
    sid       = "CallTheFunction"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.alias_arn]
  }

  statement {
    sid       = "ReadTheManifest"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = [local.batch_objects]
  }

  statement {
    sid       = "WriteTheReport"
    actions   = ["s3:PutObject"]
    resources = [local.batch_objects]
  }

  statement {
    sid       = "FindTheBucket"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.destination_arn]
  }

  # For a manifest that S3 generates itself.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
  statement {
    sid       = "ListTheSourceForAManifest"
    actions   = ["s3:PutInventoryConfiguration"]
    resources = [local.source_arn]
  }
}

resource "aws_iam_role_policy" "batch" {
  count  = var.batch_operations ? 1 : 0
  name   = "batch"
  role   = aws_iam_role.batch[0].id
  policy = data.aws_iam_policy_document.batch.json
}
