# The function, its layer, its alias, and its event source mapping.

locals {
  # An upload must not become a manifest or report of S3 Batch Operations.
  excluded = concat(
    var.selection.exclude,
    var.batch_operations && startswith(var.batch_prefix, var.destination_prefix) ? ["${trimprefix(var.batch_prefix, var.destination_prefix)}**"] : [],
  )
}

resource "aws_lambda_layer_version" "libraries" {
  layer_name               = "${var.name}-libraries"
  description              = "boto3, awscrt and Powertools for frogmove, pinned"
  filename                 = var.layer_zip
  source_code_hash         = var.keep_package ? null : filebase64sha256(var.layer_zip)
  compatible_runtimes      = [var.runtime]
  compatible_architectures = [var.architecture]

  lifecycle {
    # The function gets the new layer before the old one is destroyed; published versions keep
    # theirs.
    create_before_destroy = true
  }
}

resource "aws_lambda_function" "move" {
  # checkov:skip=CKV_AWS_115:the queue's maximum_concurrency limits it; reserved_concurrency is optional
  # checkov:skip=CKV_AWS_116:the dead-letter queue is the queue's, and the alias has its own destination for failed sweeps
  # checkov:skip=CKV_AWS_117:it speaks to AWS alone, which needs no VPC; vpc is optional
  # checkov:skip=CKV_AWS_173:its environment holds no secret
  # checkov:skip=CKV_AWS_272:code signing is the owner's decision; the package is reproducible and its hash is in the plan
  function_name                  = var.name
  description                    = "Moves each upload from the source to the destination"
  role                           = aws_iam_role.function.arn
  handler                        = "frogmove.lambda_handler.handler"
  runtime                        = var.runtime
  architectures                  = [var.architecture]
  filename                       = var.function_zip
  source_code_hash               = var.keep_package ? null : filebase64sha256(var.function_zip)
  layers                         = [aws_lambda_layer_version.libraries.arn]
  memory_size                    = var.memory_megabytes
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency
  # Every change publishes a version, to which the alias can be rolled back.
  publish = true
  tags    = local.tags

  environment {
    variables = merge(
      {
        FROGMOVE_SOURCE      = local.source_uri
        FROGMOVE_DESTINATION = local.destination_uri
        FROGMOVE_ON_CONFLICT = var.on_conflict
        FROGMOVE_SWEEP_AGE   = var.sweep_age
        POWERTOOLS_LOG_LEVEL = var.log_level
      },
      local.owner == null ? {} : { FROGMOVE_EXPECTED_BUCKET_OWNER = local.owner },
      local.destination_encrypted ? { FROGMOVE_KMS_KEY_ID = local.destination_key_arn } : {},
      var.object_concurrency == null ? {} : { FROGMOVE_CONCURRENCY = tostring(var.object_concurrency) },
      var.multipart_threshold == null ? {} : { FROGMOVE_MULTIPART_THRESHOLD = var.multipart_threshold },
      length(var.carry) == 0 ? {} : { FROGMOVE_CARRY = join(",", var.carry) },
      var.max_compare_size == null ? {} : { FROGMOVE_MAX_COMPARE_SIZE = var.max_compare_size },
      length(var.upload_prefixes) == 0 ? {} : { FROGMOVE_KEY_PREFIXES = join(",", [for prefix in var.upload_prefixes : "${var.source_prefix}${prefix}"]) },
      length(var.upload_suffixes) == 0 ? {} : { FROGMOVE_KEY_SUFFIXES = join(",", var.upload_suffixes) },
      length(var.selection.include) == 0 ? {} : { FROGMOVE_INCLUDE = join(",", var.selection.include) },
      length(local.excluded) == 0 ? {} : { FROGMOVE_EXCLUDE = join(",", local.excluded) },
      var.selection.newer_than == null ? {} : { FROGMOVE_NEWER_THAN = var.selection.newer_than },
      var.selection.older_than == null ? {} : { FROGMOVE_OLDER_THAN = var.selection.older_than },
      var.selection.min_size == null ? {} : { FROGMOVE_MIN_SIZE = var.selection.min_size },
      var.selection.max_size == null ? {} : { FROGMOVE_MAX_SIZE = var.selection.max_size },
      length(var.selection.storage_classes) == 0 ? {} : { FROGMOVE_STORAGE_CLASS = join(",", var.selection.storage_classes) },
      local.scans ? { FROGMOVE_REQUIRE_TAG = "${local.required_tag.key}=${local.required_tag.value}" } : {},
      local.guardduty ? { FROGMOVE_SCAN_PLAN = local.scan_plan } : {},
      var.quarantine == null ? {} : { FROGMOVE_QUARANTINE = var.quarantine, FROGMOVE_QUARANTINE_ROLE = local.quarantine_role_arn },
      var.part_size == null ? {} : { FROGMOVE_PART_SIZE = var.part_size },
    )
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function.name
    # Never above INFO: Lambda would drop the log lines with the metrics.
    application_log_level = var.log_level == "DEBUG" ? "DEBUG" : "INFO"
    system_log_level      = "INFO"
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  # Recursion detection has Lambda's default, Terminate: Lambda stops a loop between source and
  # destination.

  depends_on = [aws_iam_role_policy.function, aws_cloudwatch_log_group.function]
}

resource "aws_lambda_alias" "live" {
  name             = local.alias
  description      = "Called by queue, schedule, operators and S3 Batch Operations"
  function_name    = aws_lambda_function.move.function_name
  function_version = var.live_version == null ? aws_lambda_function.move.version : var.live_version

  # A version that trusts the tag is called only after nobody but the scanner can set it. The source
  # keeps versions by then.
  depends_on = [
    aws_iam_role_policy.function,
    aws_iam_role_policy.quarantine,
    aws_s3_bucket_policy.this,
    aws_s3_bucket_versioning.this,
  ]
}

resource "aws_lambda_event_source_mapping" "uploads" {
  event_source_arn                   = aws_sqs_queue.uploads.arn
  function_name                      = aws_lambda_alias.live.arn
  enabled                            = var.enabled
  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batch_window_seconds
  # Only failed messages are delivered again.
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = local.tags

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }

  # Nothing is copied before versioning and the public access block of the destination are set.
  depends_on = [
    aws_iam_role_policy.function,
    aws_s3_bucket_versioning.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_ownership_controls.this,
    aws_s3_bucket_lifecycle_configuration.this,
  ]
}

# A failed sweep is retried once; then its event is kept in a queue, and the next sweep does its
# work.
resource "aws_lambda_function_event_invoke_config" "live" {
  function_name                = aws_lambda_function.move.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_retry_attempts       = 1
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = aws_sqs_queue.sweep_dead_letters.arn
    }
  }
}
