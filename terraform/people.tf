# Groups and users for deployments without single sign-on, and the policy for applying this module.

locals {
  people = {
    uploaders = aws_iam_policy.uploaders.arn
    readers   = aws_iam_policy.readers.arn
    operators = aws_iam_policy.operators.arn
  }
  groups = { for kind in keys(local.people) : kind => "${local.global_name}-${kind}" }
  # The groups of each user.
  users = { for user in setunion([], values(var.users)...) : user => [for kind, names in var.users : kind if contains(names, user)] }
}

resource "aws_iam_group" "people" {
  for_each = var.create_groups ? local.groups : {}
  name     = each.value
  path     = var.iam_path
}

resource "aws_iam_group_policy_attachment" "people" {
  for_each   = var.create_groups ? local.people : {}
  group      = aws_iam_group.people[each.key].name
  policy_arn = each.value
}

# Without passwords and access keys, which would be in the state.
resource "aws_iam_user" "people" {
  # checkov:skip=CKV_AWS_273:users are optional, for partners who have no single sign-on
  for_each             = local.users
  name                 = each.key
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
}

resource "aws_iam_user_group_membership" "people" {
  for_each = local.users
  user     = aws_iam_user.people[each.key].name
  groups   = [for kind in each.value : aws_iam_group.people[kind].name]
}

# The least permissions for applying the module, limited by names. Permission to create roles
# includes everything that roles may do, so it should be combined with a permissions_boundary.

data "aws_iam_policy_document" "deployer" {
  statement {
    sid = "Buckets"
    actions = concat(
      [
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:GetAccelerateConfiguration",
        "s3:GetBucket*",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:ListTagsForResource",
        "s3:PutBucket*",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
        "s3:TagResource",
        "s3:UntagResource",
      ],
      var.force_destroy ? ["s3:ListBucketVersions"] : [],
    )
    resources = [local.source_arn, local.destination_arn]
  }

  dynamic "statement" {
    for_each = var.force_destroy ? ["/*"] : []

    content {
      sid       = "EmptyBuckets"
      actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      resources = ["${local.source_arn}${statement.value}", "${local.destination_arn}${statement.value}"]
    }
  }

  statement {
    sid = "Queues"
    actions = [
      "sqs:CreateQueue",
      "sqs:DeleteQueue",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ListQueueTags",
      "sqs:SetQueueAttributes",
      "sqs:TagQueue",
      "sqs:UntagQueue",
    ]
    resources = [local.queue_arn, local.dead_letter_arn, local.sweep_dead_arn]
  }

  statement {
    sid = "Function"
    actions = [
      "lambda:*Alias",
      "lambda:*FunctionConcurrency",
      "lambda:*FunctionEventInvokeConfig",
      "lambda:*Tag*",
      "lambda:CreateFunction",
      "lambda:DeleteFunction",
      "lambda:GetFunction*",
      "lambda:ListVersionsByFunction",
      "lambda:PublishVersion",
      "lambda:UpdateFunction*",
    ]
    resources = [local.function_arn, "${local.function_arn}:*"]
  }

  statement {
    sid = "Layer"
    actions = [
      "lambda:DeleteLayerVersion",
      "lambda:GetLayerVersion",
      "lambda:PublishLayerVersion",
    ]
    resources = ["${local.layer_arn}", "${local.layer_arn}:*"]
  }

  statement {
    sid       = "Mapping"
    actions   = ["lambda:*EventSourceMapping"]
    resources = ["*"]

    condition {
      test     = "ArnLike"
      variable = "lambda:FunctionArn"
      values   = [local.function_arn, "${local.function_arn}:*"]
    }
  }

  statement {
    sid       = "MappingTags"
    actions   = ["lambda:*Tag*"]
    resources = ["arn:${local.partition}:lambda:${local.here}:event-source-mapping:*"]
  }

  statement {
    sid = "Roles"
    actions = concat(
      [
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
      ],
      var.permissions_boundary == null ? ["iam:DeleteRolePermissionsBoundary"] : [],
    )
    resources = [local.made_roles]
  }

  # With a boundary no role or user gets permissions without it, and none loses it.
  statement {
    sid = "RolePermissions"
    actions = [
      "iam:CreateRole",
      "iam:PutRolePermissionsBoundary",
      "iam:PutRolePolicy",
    ]
    resources = [local.made_roles]

    dynamic "condition" {
      for_each = var.permissions_boundary == null ? [] : [var.permissions_boundary]

      content {
        test     = "ArnEquals"
        variable = "iam:PermissionsBoundary"
        values   = [condition.value]
      }
    }
  }

  statement {
    sid       = "PassRoles"
    actions   = ["iam:PassRole"]
    resources = [local.made_roles]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["lambda.amazonaws.com", "malware-protection-plan.guardduty.amazonaws.com", "scheduler.amazonaws.com"]
    }
  }

  statement {
    sid = "Policies"
    actions = [
      "iam:*PolicyVersion*",
      "iam:CreatePolicy",
      "iam:DeletePolicy",
      "iam:GetPolicy",
      "iam:ListEntitiesForPolicy",
      "iam:TagPolicy",
      "iam:UntagPolicy",
    ]
    resources = ["arn:${local.partition}:iam::${local.account}:policy${var.iam_path}${local.global_name}-*"]
  }

  dynamic "statement" {
    for_each = length(local.deployed_groups) > 0 ? [local.deployed_groups] : []

    content {
      sid       = "Groups"
      actions   = ["iam:*Group*"]
      resources = [for group in statement.value : "arn:${local.partition}:iam::${local.account}:group/${group}"]
    }
  }

  dynamic "statement" {
    for_each = length(local.users) > 0 ? [local.made_users] : []

    content {
      sid = "Users"
      actions = concat(
        ["iam:AddUserToGroup", "iam:DeleteUser", "iam:GetUser", "iam:List*User*", "iam:RemoveUserFromGroup", "iam:TagUser", "iam:UntagUser", "iam:UpdateUser"],
        var.permissions_boundary == null ? ["iam:DeleteUserPermissionsBoundary"] : [],
      )
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = length(local.users) > 0 ? [local.made_users] : []

    content {
      sid       = "UserPermissions"
      actions   = ["iam:CreateUser", "iam:PutUserPermissionsBoundary"]
      resources = statement.value

      dynamic "condition" {
        for_each = var.permissions_boundary == null ? [] : [var.permissions_boundary]

        content {
          test     = "ArnEquals"
          variable = "iam:PermissionsBoundary"
          values   = [condition.value]
        }
      }
    }
  }

  statement {
    sid = "Log"
    actions = [
      "logs:*KmsKey",
      "logs:*RetentionPolicy",
      "logs:*TagsForResource",
      "logs:CreateLogGroup",
      "logs:DeleteLogGroup",
      "logs:TagResource",
      "logs:UntagResource",
    ]
    resources = [local.log_group_arn, "${local.log_group_arn}:*"]
  }

  statement {
    sid = "Monitoring"
    actions = [
      "cloudwatch:*Tag*",
      "cloudwatch:DeleteAlarms",
      "cloudwatch:DeleteDashboards",
      "cloudwatch:GetDashboard",
      "cloudwatch:PutDashboard",
      "cloudwatch:PutMetricAlarm",
    ]
    resources = [
      "arn:${local.partition}:cloudwatch:${local.here}:alarm:${var.name}-*",
      "arn:${local.partition}:cloudwatch::${local.account}:dashboard/${local.global_name}",
    ]
  }

  statement {
    sid       = "Schedule"
    actions   = ["scheduler:*Schedule", "scheduler:ListTagsForResource"]
    resources = [local.schedule_arn]
  }

  statement {
    sid = "Rules"
    actions = [
      "events:*Rule",
      "events:*Tag*",
      "events:*Targets*",
    ]
    # Both names of the rule, because a change of trigger or scan replaces it.
    resources = [for kind in ["uploads", "scans"] : "arn:${local.partition}:events:${local.here}:rule/${var.name}-${kind}"]
  }

  dynamic "statement" {
    for_each = length(var.alarm_emails) > 0 ? [local.topic_arn] : []

    content {
      sid       = "Topic"
      actions   = ["sns:*Tag*", "sns:*TopicAttributes", "sns:CreateTopic", "sns:DeleteTopic", "sns:GetSubscriptionAttributes", "sns:ListSubscriptionsByTopic", "sns:Subscribe", "sns:Unsubscribe"]
      resources = [statement.value, "${statement.value}:*"]
    }
  }

  dynamic "statement" {
    for_each = local.creates_plan ? ["arn:${local.partition}:guardduty:${local.here}:malware-protection-plan/*"] : []

    content {
      sid       = "Scan"
      actions   = ["guardduty:*MalwareProtectionPlan", "guardduty:*Tag*"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.create_kms_key ? ["arn:${local.partition}:kms:${local.here}:key/*"] : []

    content {
      sid       = "Key"
      actions   = ["kms:*Alias", "kms:*KeyDescription", "kms:*KeyPolicy", "kms:*KeyRotation*", "kms:*Tag*", "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ScheduleKeyDeletion"]
      resources = [statement.value, "arn:${local.partition}:kms:${local.here}:alias/${var.name}"]

      condition {
        test     = "StringEqualsIfExists"
        variable = "aws:ResourceTag/project"
        values   = [local.tags.project]
      }
    }
  }

  # These actions do not support resource-level permissions.
  statement {
    sid = "ActionsWithoutResources"
    actions = concat(
      ["cloudwatch:DescribeAlarms", "lambda:ListEventSourceMappings", "logs:DescribeLogGroups"],
      var.create_kms_key ? ["kms:CreateKey", "kms:ListAliases"] : [],
      local.creates_plan ? ["guardduty:CreateMalwareProtectionPlan"] : [],
      var.vpc == null ? [] : ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
    )
    resources = ["*"]
  }
}

locals {
  made_roles      = "arn:${local.partition}:iam::${local.account}:role${var.iam_path}${local.global_name}-*"
  made_users      = [for user in keys(local.users) : "arn:${local.partition}:iam::${local.account}:user${var.iam_path}${user}"]
  layer_arn       = "arn:${local.partition}:lambda:${local.here}:layer:${var.name}-libraries"
  deployed_groups = concat(var.uploader_groups, var.reader_groups, var.operator_groups, var.create_groups ? ["*${local.global_name}-*"] : [])
}
