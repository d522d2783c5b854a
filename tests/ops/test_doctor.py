"""Everything that a route depends on is examined; each fault is named with what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.function.resumable_uploads import FOLDER
from frogmove.local_aws.stack import Stack, build_stack, connect
from frogmove.ops import leftovers
from frogmove.ops.check import State
from frogmove.ops.clients import Services
from frogmove.ops.deployment import Deployment
from frogmove.ops.function_checks import check_log
from frogmove.ops.identity_checks import check_identity
from frogmove.packaging.function_zip import build_package
from frogmove.s3.capabilities import PROBE
from frogmove.s3.uri import parse_location
from tests.canned_server import XML, canned_server, error, nobody_listening
from tests.cli.cli_runner import Ran, run
from tests.ops.conftest import keys_of_user

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from frogmove.local_aws.stack import StackConfig
    from tests.servers import Server as MotoServer


def doctor(server: Server, stack: Stack, *arguments: str, **more: str | None) -> Ran:
    environment: dict[str, str | None] = {
        **server.client_environment(),
        "AWS_PROFILE": None,
        "FROGMOVE_ENDPOINT_URL": server.endpoint_url,
        "FROGMOVE_SOURCE": stack.source,
        "FROGMOVE_DESTINATION": stack.destination,
        "FROGMOVE_FUNCTION": stack.config.name,
    }
    return run("doctor", *arguments, environment=environment | more)


def checks(ran: Ran) -> dict[str, dict[str, Any]]:
    return {record["name"]: record for record in ran.of("check")}


def test_doctor_finds_a_route_without_a_fault_well_and_leaves_nothing(
    server: Server, quiet_stack: Stack, clients: Clients
) -> None:
    ran = doctor(server, quiet_stack, "-o", "json")
    reported = checks(ran)
    assert (ran.code, {name for name, each in reported.items() if each["state"] != "ok"}) == (
        0,
        set(),
    )
    assert "s3:DeleteObject" in reported["permissions to move"]["allowed"]
    for bucket in (quiet_stack.config.source_bucket, quiet_stack.config.destination_bucket):
        assert "Contents" not in clients.s3.list_objects_v2(Bucket=bucket)
        assert "Uploads" not in clients.s3.list_multipart_uploads(Bucket=bucket)


def test_doctor_names_each_fault_with_its_remedy(
    server: Server, clients: Clients, stack_config: StackConfig
) -> None:
    stack = build_stack(clients, build_package(), stack_config)
    connect(clients, stack)
    source, destination = stack.config.source_bucket, stack.config.destination_bucket
    s3, functions, sqs = clients.s3, clients.functions, clients.sqs
    s3.put_bucket_versioning(Bucket=destination, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_lifecycle(Bucket=source)
    s3.put_bucket_notification_configuration(Bucket=source, NotificationConfiguration={})
    s3.delete_public_access_block(Bucket=source)
    (mapping,) = functions.list_event_source_mappings(FunctionName=stack.config.name)[
        "EventSourceMappings"
    ]
    functions.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=[])
    sqs.set_queue_attributes(QueueUrl=stack.queue_url, Attributes={"Policy": ""})
    sqs.send_message(QueueUrl=stack.dead_letter_url, MessageBody="poison")
    variables = {"FROGMOVE_SOURCE": stack.source, "FROGMOVE_DESTINATION": "internal"}
    functions.update_function_configuration(
        FunctionName=stack.config.name, Environment={"Variables": variables}
    )

    ran = doctor(server, stack, "-o", "json")
    reported = checks(ran)
    assert ran.code == 1
    for name, state, words in (
        ("destination versions", "warning", "aws s3api put-bucket-versioning"),
        ("source lifecycle", "warning", "AbortIncompleteMultipartUpload"),
        ("source public access", "warning", "aws s3api put-public-access-block"),
        ("notification", "broken", stack.queue_arn),
        ("queue", "broken", "Terraform"),
        ("mapping", "broken", "ReportBatchItemFailures"),
        ("dead letters", "broken", "frogmove dlq"),
        ("settings", "broken", "aws lambda update-alias"),
        ("invocation", "broken", "frogmove lambda logs --failed"),
    ):
        assert (name, reported[name]["state"]) == (name, state)
        assert words in reported[name]["remedy"]
    assert "'internal'" in reported["settings"]["message"]


def test_doctor_tells_settings_that_only_one_side_has(
    server: Server, clients: Clients, quiet_stack: Stack
) -> None:
    owner = ("--expected-bucket-owner", "000000000000")
    functions, name = clients.functions, quiet_stack.config.name
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        told = checks(doctor(server, quiet_stack, *owner, "-o", "json"))
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert (told["settings"]["state"], told["concurrency"]["state"]) == ("warning", "broken")
    assert "expected_bucket_owner is not set in the function" in told["settings"]["message"]
    assert "delete-function-concurrency" in told["concurrency"]["remedy"]


def test_doctor_examines_the_key_of_the_copies(
    server: Server, quiet_stack: Stack, moto: MotoServer
) -> None:
    kms: Any = moto.session()
    key = kms.client("kms", endpoint_url=moto.endpoint_url).create_key()["KeyMetadata"]["Arn"]
    url = {"AWS_ENDPOINT_URL_KMS": moto.endpoint_url}
    reported = checks(doctor(server, quiet_stack, "-o", "json", FROGMOVE_KMS_KEY_ID=key, **url))
    assert "source key" not in reported
    assert (reported["destination key"]["state"], reported["destination key"]["kms_key_arn"]) == (
        "ok",
        key,
    )
    # The embedded AWS's functions have a role without permissions for KMS.
    assert reported["function destination key"]["state"] == "warning"
    assert "destination key use" in reported


def test_doctor_says_that_a_server_has_no_kms(server: Server, quiet_stack: Stack) -> None:
    ran = doctor(server, quiet_stack, "-o", "json", FROGMOVE_KMS_KEY_ID="alias/frogs")
    found = checks(ran)["destination key"]
    assert (found["state"], found["action"]) == ("not offered", "kms:DescribeKey")


def test_doctor_finds_a_quarantine_that_is_not_there(
    server: Server, clients: Clients, stack_config: StackConfig
) -> None:
    quarantine = f"threats-{stack_config.source_bucket}"
    config = replace(stack_config, quarantine_bucket=quarantine)
    stack = build_stack(clients, build_package(), config)
    for state in ("ok", "broken"):
        ran = doctor(server, stack, "-o", "json")
        assert checks(ran)["quarantine bucket"]["state"] == state
        if state == "ok":
            clients.s3.delete_bucket(Bucket=quarantine)


def test_log_without_a_line_is_a_warning(services: Services, quiet_stack: Stack) -> None:
    deployment = Deployment(quiet_stack.config.name, services)
    found = check_log(deployment, datetime.now(UTC) + timedelta(days=3))
    assert found.state is State.WARNING
    assert "no lines of the last day" in found.message


def test_doctor_names_each_missing_permission(
    server: Server, quiet_stack: Stack, clients: Clients
) -> None:
    keys = keys_of_user(clients, ["s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"])
    ran = doctor(server, quiet_stack, "-o", "json", **keys)
    reported = checks(ran)
    assert (ran.code, reported["source bucket"]["state"]) == (1, "ok")
    assert reported["permissions to move"]["state"] == "broken"
    source, destination = quiet_stack.config.source_bucket, quiet_stack.config.destination_bucket
    assert set(reported["permissions to move"]["denied"]) >= {
        f"s3:PutObject on {destination}",
        f"s3:GetObjectTagging on {source}",
    }
    for name, action in (
        ("source versions", "s3:GetBucketVersioning"),
        ("source encryption", "s3:GetEncryptionConfiguration"),
        ("source lifecycle", "s3:GetLifecycleConfiguration"),
        ("function", "lambda:GetFunctionConfiguration"),
        ("mapping", "lambda:ListEventSourceMappings"),
        ("schedule", "scheduler:GetSchedule"),
        ("log", "logs:FilterLogEvents"),
        ("source uploads", "s3:ListBucketMultipartUploads"),
        ("invocation", "lambda:InvokeFunction"),
    ):
        assert (name, reported[name]["state"]) == (name, "unknown")
        assert action in reported[name]["message"]


def test_doctor_says_that_a_denied_bucket_may_be_of_another_owner(
    server: Server, quiet_stack: Stack, clients: Clients
) -> None:
    owner = ("--expected-bucket-owner", "210987654321")
    keys = keys_of_user(clients, ["sqs:GetQueueUrl"])
    reported = checks(doctor(server, quiet_stack, *owner, "-o", "json", **keys))
    assert reported["source bucket"]["state"] == "unknown"
    assert "does not belong to account 210987654321" in reported["source bucket"]["message"]


def test_bucket_that_is_not_there_is_one_fault(server: Server, quiet_stack: Stack) -> None:
    ran = doctor(server, quiet_stack, "-o", "json", FROGMOVE_DESTINATION="s3://nowhere-at-all")
    reported = checks(ran)
    assert (ran.code, reported["destination bucket"]["state"]) == (1, "broken")
    assert "destination versions" not in reported
    assert reported["source bucket"]["state"] == "ok"


def test_function_that_is_not_there_is_one_fault(server: Server, quiet_stack: Stack) -> None:
    ran = doctor(server, quiet_stack, "--function", "not-there", "-o", "json")
    broken = [check for check in ran.of("check") if check["state"] == "broken"]
    assert (ran.code, [check["name"] for check in broken]) == (1, ["function"])
    assert broken[0]["remedy"] == "Check --function, --route, --profile and --region."


def test_uploads_that_are_abandoned_and_temporary_keys_are_distinguished(
    quiet_stack: Stack, clients: Clients
) -> None:
    bucket = f"left-{quiet_stack.config.source_bucket}"
    clients.s3.create_bucket(Bucket=bucket)
    end = parse_location(f"s3://{bucket}/out")

    def upload(key: str) -> str:
        return clients.s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]

    ours = upload("out/large")
    upload(f"out/{FOLDER}place/content/{ours}")
    upload("out/\u202eevil")
    upload("elsewhere")
    clients.s3.put_object(Bucket=bucket, Key=f"out/{PROBE}left", Body=b"")
    now = datetime.now(UTC)
    for check in (leftovers.check_uploads, leftovers.check_probes):
        assert check(clients.s3, "destination", end, now).state is State.OK

    later = now + timedelta(days=2)
    found = leftovers.check_uploads(clients.s3, "destination", end, later)
    assert found.state is State.WARNING
    owners = {each["key"]: each["owner"] for each in found.facts["abandoned"]}
    assert owners == {
        "out/large": "function",
        f"out/{FOLDER}place/content/{ours}": "function",
        "out/\u202eevil": "other",
    }
    assert "\u202e" not in found.message + found.remedy
    assert "aws s3api abort-multipart-upload" in found.remedy
    probes = leftovers.check_probes(clients.s3, "destination", end, later)
    assert probes.remedy == f"aws s3 rm 's3://{bucket}/out/{PROBE}left'"


def _later(ahead: timedelta) -> datetime:
    return datetime.now(UTC) + ahead


def test_clock_that_is_wrong_is_reported(
    server: Server, quiet_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.client_environment().items():
        monkeypatch.setenv(name, value)
    for seconds, state in ((0, State.OK), (120, State.WARNING), (1200, State.BROKEN)):
        for ahead in (timedelta(seconds=seconds), -timedelta(seconds=seconds)):
            found = list(check_identity(Services(), partial(_later, ahead)))
            assert [(each.name, each.state) for each in found] == [
                ("credentials", State.OK),
                ("clock", state),
            ]


def test_clock_is_compared_with_the_time_of_the_response(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STS that responds after minutes, such as after retries, is no wrong clock."""
    for name, value in server.client_environment().items():
        monkeypatch.setenv(name, value)
    times = iter([datetime.now(UTC) - timedelta(minutes=3), datetime.now(UTC)])
    _, clock = check_identity(Services(), lambda: next(times))
    assert clock.state is State.OK


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than x"),
        ("RequestExpired", "Request has expired."),
    ],
)
def test_clock_is_the_fault_if_aws_refuses_signatures_of_another_time(
    monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    body = f"<ErrorResponse>{error(code, message)[len(XML) :]}</ErrorResponse>"
    with canned_server((403, body)) as server:
        services = Services(region="us-east-1", endpoint_url=server.endpoint_url)
        ahead = timedelta(hours=1)
        clock, credentials = check_identity(services, partial(_later, ahead))
    assert (clock.state, credentials.state) == (State.BROKEN, State.UNKNOWN)
    assert credentials.remedy == clock.remedy == "Set this computer's clock, such as by NTP."


@pytest.mark.matrix
def test_doctor_ends_if_nobody_answers(server: Server, quiet_stack: Stack) -> None:
    with nobody_listening() as url:
        ran = doctor(server, quiet_stack, "-o", "json", AWS_ENDPOINT_URL=url)
    assert ran.code == 2
    assert "AWS does not respond" in ran.err


def test_doctor_text_names_what_to_do_below_each_fault(server: Server, quiet_stack: Stack) -> None:
    ran = doctor(server, quiet_stack, FROGMOVE_REQUIRE_TAG="scan=clean")
    assert ran.code == 1
    versions, gate = [line for line in ran.out.splitlines() if line.startswith("warning")]
    assert "source versions" in versions
    assert "scan gate" in gate
    assert "-> aws s3api put-bucket-versioning" in ran.out
    assert "-> Remove require_tag from the route" in ran.out
    assert "2 warning" in ran.err
