"""What belongs to a deployed function is found from its name, and a missing permission is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from frogmove.ops.aws_request import AwsRequestError, Cause, send
from frogmove.ops.clients import Services
from frogmove.ops.deployment import Deployment
from tests.ops.conftest import keys_of_user

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.stack import Stack


def test_deployment_finds_the_resources_of_a_function_from_its_name(
    services: Services, quiet_stack: Stack
) -> None:
    found = Deployment(quiet_stack.config.name, services)
    assert found.configuration["FunctionArn"] == quiet_stack.function_arn
    assert found.variables["FROGMOVE_SOURCE"] == quiet_stack.source
    assert found.queue.url == quiet_stack.queue_url
    assert found.queue.max_receive_count == quiet_stack.config.tries
    # S3 announces a notification by a test event.
    assert found.queue.depth.total in {0, 1}
    assert found.dead_letters.arn == quiet_stack.dead_letter_arn
    assert found.failed_sweeps is None
    assert found.schedule is not None
    assert found.log.group == f"/aws/lambda/{quiet_stack.config.name}"


def test_log_group_that_lambda_has_not_created_has_no_lines(services: Services) -> None:
    log = Deployment("not-there", services).log
    assert list(log.lines(datetime.now(UTC) - timedelta(hours=1))) == []


def test_function_that_is_not_there_has_nothing(services: Services) -> None:
    found = Deployment("not-there", services)
    assert (found.mappings, found.schedule, found.failed_sweeps) == ([], None, None)
    for name in ("configuration", "queue", "dead_letters"):
        with pytest.raises(AwsRequestError) as refused:
            getattr(found, name)
        assert refused.value.cause is Cause.MISSING


def test_permission_that_is_missing_is_named_and_what_can_be_found_is_found(
    clients: Clients, services: Services, quiet_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = ["sqs:GetQueueUrl", "lambda:ListEventSourceMappings"]
    for name, value in keys_of_user(clients, allowed).items():
        monkeypatch.setenv(name, value)
    found = Deployment(quiet_stack.config.name, Services())
    assert len(found.mappings) == 1
    for name, action in (
        ("configuration", "lambda:GetFunctionConfiguration"),
        ("queue", "sqs:GetQueueAttributes"),
        ("schedule", "scheduler:GetSchedule"),
    ):
        with pytest.raises(AwsRequestError) as refused:
            getattr(found, name)
        assert (refused.value.cause, refused.value.action) == (Cause.DENIED, action)
        assert action in refused.value.message
    with pytest.raises(AwsRequestError, match=r"logs:FilterLogEvents") as refused:
        list(found.log.lines(datetime.now(UTC)))
    assert refused.value.cause is Cause.DENIED


def test_service_that_the_server_lacks_is_reported(services: Services) -> None:
    metrics = services.client("cloudwatch")
    with pytest.raises(AwsRequestError) as refused:
        send("cloudwatch:DescribeAlarms", metrics.describe_alarms)
    assert refused.value.cause is Cause.NOT_OFFERED
    assert str(refused.value) == "This server does not offer cloudwatch:DescribeAlarms."


def test_queue_whose_name_cannot_be_read_is_not_called_missing(
    services: Services,
    quiet_stack: Stack,
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = keys_of_user(clients, ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"])
    for variable, value in keys.items():
        monkeypatch.setenv(variable, value)
    found = Deployment(quiet_stack.config.name, Services())
    for name in ("queue", "dead_letters"):
        with pytest.raises(AwsRequestError, match="lambda:ListEventSourceMappings is missing"):
            getattr(found, name)


def test_function_is_named_in_commands_so_that_a_shell_does_not_change_it(
    services: Services,
) -> None:
    assert Deployment("frogmove", services).option == "--function frogmove"
    assert Deployment("frogmove:$LATEST", services).option == "--function 'frogmove:$LATEST'"
