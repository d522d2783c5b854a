# Bad input: refused before anything is touched.
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

run "names" {
  command = plan

  variables {
    name               = "Frogmove"
    source_bucket      = "Frog_Tech"
    source_prefix      = "reports"
    destination_prefix = "in/*/"
    function_zip       = "tests/none.zip"
    layer_zip          = "tests/none.zip"
  }

  expect_failures = [
    var.name,
    var.source_bucket,
    var.source_prefix,
    var.destination_prefix,
    var.function_zip,
    var.layer_zip,
  ]
}

run "one_bucket_for_both_and_an_unknown_architecture" {
  command = plan

  variables {
    destination_bucket = "frogtech-sharara-external"
    architecture       = "mips"
    batch_prefix       = ""
    runtime            = "python3.9"
    trigger            = "sns"
  }

  expect_failures = [
    var.destination_bucket,
    var.architecture,
    var.batch_prefix,
    var.runtime,
    var.trigger,
  ]
}

run "adopted_buckets_without_decisions" {
  command = plan

  variables {
    create_source_bucket      = false
    create_destination_bucket = false
  }

  expect_failures = [
    var.manage_source_notification,
    var.on_conflict,
  ]
}

run "numbers_too_small" {
  command = plan

  variables {
    noncurrent_version_days = 0
    abort_multipart_days    = 1
    memory_megabytes        = 128
    timeout_seconds         = 1
    maximum_concurrency     = 1
    batch_size              = 0
    object_concurrency      = 0
    max_receive_count       = 1
    queue_retention_seconds = 60
    alarm_age_seconds       = 1
  }

  expect_failures = [
    var.noncurrent_version_days,
    var.abort_multipart_days,
    var.memory_megabytes,
    var.timeout_seconds,
    var.maximum_concurrency,
    var.batch_size,
    var.object_concurrency,
    var.max_receive_count,
    var.queue_retention_seconds,
    var.alarm_age_seconds,
  ]
}

run "numbers_too_large" {
  command = plan

  variables {
    timeout_seconds         = 901
    batch_size              = 1001
    max_receive_count       = 1001
    memory_megabytes        = 10241
    maximum_concurrency     = 1001
    queue_retention_seconds = 1209601
    object_concurrency      = 257
  }

  expect_failures = [
    var.timeout_seconds,
    var.batch_size,
    var.max_receive_count,
    var.memory_megabytes,
    var.maximum_concurrency,
    var.queue_retention_seconds,
    var.object_concurrency,
  ]
}

run "invalid_words" {
  command = plan

  variables {
    reserved_concurrency = 5
    batch_window_seconds = 0
    batch_size           = 100
    destination_bucket   = "a..b"
    on_conflict          = "guess"
    carry                = ["redirects"]
    live_version         = "newest"
    multipart_threshold  = "large"
    part_size            = "small"
    max_compare_size     = "all"
    log_level            = "LOUD"
    sweep_schedule       = "hourly"
    sweep_age            = "old"
    log_retention_days   = 42
    alarm_emails         = ["operators"]
    kms_key_arn          = "alias/frogmove"
    bucket_kms_key_arns  = ["alias/aws/s3"]
  }

  expect_failures = [
    var.reserved_concurrency,
    var.batch_window_seconds,
    var.destination_bucket,
    var.on_conflict,
    var.carry,
    var.live_version,
    var.multipart_threshold,
    var.part_size,
    var.max_compare_size,
    var.log_level,
    var.sweep_schedule,
    var.sweep_age,
    var.log_retention_days,
    var.alarm_emails,
    var.kms_key_arn,
    var.bucket_kms_key_arns,
  ]
}

run "two_keys_and_a_layer_for_another_architecture" {
  command = plan

  variables {
    layer_zip        = "tests/layer-x86_64.zip"
    create_kms_key   = true
    kms_key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/1"
    alarm_topic_arns = ["on-call"]
  }

  expect_failures = [
    var.layer_zip,
    var.kms_key_arn,
    var.alarm_topic_arns,
  ]
}

run "a_visibility_timeout_that_is_too_short" {
  command = plan

  variables {
    visibility_timeout_seconds = 300
  }

  expect_failures = [
    aws_sqs_queue.uploads,
  ]
}

run "a_visibility_timeout_without_the_batching_window" {
  command = plan

  variables {
    batch_window_seconds       = 5
    visibility_timeout_seconds = 1804
  }

  expect_failures = [
    aws_sqs_queue.uploads,
  ]
}

run "a_visibility_timeout_that_is_too_long" {
  command = plan

  variables {
    visibility_timeout_seconds = 43201
    queue_retention_seconds    = 1209600
  }

  expect_failures = [
    aws_sqs_queue.uploads,
  ]
}

run "messages_that_expire_before_the_dead_letter_queue" {
  command = plan

  variables {
    timeout_seconds   = 900
    max_receive_count = 100
  }

  expect_failures = [
    aws_sqs_queue.uploads,
  ]
}

run "numbers_with_a_fraction" {
  command = plan

  variables {
    noncurrent_version_days    = 1.5
    abort_multipart_days       = 2.5
    memory_megabytes           = 512.5
    timeout_seconds            = 30.5
    maximum_concurrency        = 2.5
    batch_size                 = 1.5
    object_concurrency         = 1.5
    max_receive_count          = 5.5
    visibility_timeout_seconds = 1800.5
    queue_retention_seconds    = 345600.5
    alarm_age_seconds          = 60.5
  }

  expect_failures = [
    var.noncurrent_version_days,
    var.abort_multipart_days,
    var.memory_megabytes,
    var.timeout_seconds,
    var.maximum_concurrency,
    var.batch_size,
    var.object_concurrency,
    var.max_receive_count,
    var.visibility_timeout_seconds,
    var.queue_retention_seconds,
    var.alarm_age_seconds,
  ]
}

run "invalid_names" {
  command = plan

  variables {
    name              = "a2345678901234567890123456789012345678901"
    source_prefix     = join("", [for n in range(103) : "abcd/"])
    batch_prefix      = join("", [for n in range(103) : "abcd/"])
    access_log_bucket = "frogtech-sharara-external"
    uploader_groups   = ["arn:aws:iam::123456789012:group/partners"]
    reader_groups     = [""]
    operator_groups   = ["two words"]
  }

  expect_failures = [
    var.name,
    var.source_prefix,
    var.batch_prefix,
    var.access_log_bucket,
    var.uploader_groups,
    var.reader_groups,
    var.operator_groups,
  ]
}

run "too_many_topics" {
  command = plan

  variables {
    alarm_emails     = ["operators@frogtech.example"]
    alarm_topic_arns = [for n in range(5) : "arn:aws:sns:eu-central-1:123456789012:on-call-${n}"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "a_tag_with_the_prefix_aws" {
  command = plan

  variables {
    tags = { "aws:team" = "sharara" }
  }

  expect_failures = [var.tags]
}

run "a_tag_with_a_forbidden_character" {
  command = plan

  variables {
    tags = { team = "sharara; ponds" }
  }

  expect_failures = [var.tags]
}

run "a_tag_without_a_key" {
  command = plan

  variables {
    tags = { "" = "sharara" }
  }

  expect_failures = [var.tags]
}

run "tags_that_differ_only_in_case" {
  command = plan

  variables {
    tags = { Project = "sharara" }
  }

  expect_failures = [var.tags]
}

run "too_many_tags" {
  command = plan

  variables {
    tags = { for n in range(50) : "tag${n}" => "" }
  }

  expect_failures = [var.tags]
}

run "a_tag_that_is_too_long" {
  command = plan

  variables {
    tags = { team = join("", [for n in range(257) : "a"]) }
  }

  expect_failures = [var.tags]
}

run "a_visibility_timeout_with_a_fraction" {
  command = plan

  variables {
    reserved_concurrency = 10.5
    batch_window_seconds = 0.5
  }

  expect_failures = [
    var.reserved_concurrency,
    var.batch_window_seconds,
  ]
}

run "an_alarm_that_would_always_be_on" {
  command = plan

  variables {
    sweep_schedule    = "rate(2 hours)"
    alarm_sweep_hours = 2
  }

  expect_failures = [var.alarm_sweep_hours]
}

run "an_alarm_over_less_than_two_hours" {
  command = plan

  variables {
    alarm_sweep_hours = 1
  }

  expect_failures = [var.alarm_sweep_hours]
}
