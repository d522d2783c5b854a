"""Dead letters are explained, sent back without a loss, and deleted only with a copy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from frogmove.cli import dlq_redrive
from frogmove.local_aws.stack import Stack, StackConfig, build_stack
from frogmove.ops import message_reader, redrive
from frogmove.ops.aws_request import AwsRequestError, Cause, send
from frogmove.packaging.function_zip import build_package
from tests.aws_events import TEST_EVENT, bridged, notification
from tests.cli.cli_runner import COMMAND, ROOT, Ran, run
from tests.ops.conftest import keys_of_user

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from tests.local_aws.conftest import Eventually

HOSTILE = "a\x1b[31m'b\n$(id).csv"


@dataclass
class DlqFixture:
    """A stack whose dead-letter queue a test fills, and an operator."""

    server: Server
    clients: Clients
    stack: Stack

    def environment(self) -> dict[str, str]:
        return {
            **self.server.client_environment(),
            "FROGMOVE_ENDPOINT_URL": self.server.endpoint_url,
            "FROGMOVE_SOURCE": self.stack.source,
            "FROGMOVE_DESTINATION": self.stack.destination,
            "FROGMOVE_FUNCTION": self.stack.config.name,
        }

    def __call__(self, *arguments: str, **more: str | None) -> Ran:
        return run("dlq", *arguments, environment={**self.environment(), **more})

    def letter(self, body: object, **attributes: Any) -> str:
        """Put a message into the DLQ, and return its id."""
        text = body if isinstance(body, str) else json.dumps(body)
        url = self.stack.dead_letter_url
        sent = self.clients.sqs.send_message(
            QueueUrl=url, MessageBody=text, MessageAttributes=attributes
        )
        return sent["MessageId"]

    def upload(self, *keys: str) -> dict[str, Any]:
        return notification(self.stack.config.source_bucket, *keys)

    def put(self, key: str, *, there: bool = False) -> None:
        config = self.stack.config
        bucket = config.destination_bucket if there else config.source_bucket
        self.clients.s3.put_object(Bucket=bucket, Key=key, Body=key.encode())

    def log(self, **fields: Any) -> None:
        """Write a line of the function's log."""
        logs = self.client("logs")
        group, stream = f"/aws/lambda/{self.stack.config.name}", uuid.uuid4().hex
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": json.dumps(fields)}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("test", "test", region_name="us-east-1")
        return session.client(service, endpoint_url=self.server.endpoint_url)

    def visible(self, url: str = "") -> set[str]:
        """Return the ids of the messages that can be received, and leave them so."""
        found: dict[str, str] = {}
        while received := self.clients.sqs.receive_message(
            QueueUrl=url or self.stack.dead_letter_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=30,
        ).get("Messages", []):
            found |= {each["MessageId"]: each["ReceiptHandle"] for each in received}
        for receipt in found.values():
            self.clients.sqs.change_message_visibility(
                QueueUrl=url or self.stack.dead_letter_url,
                ReceiptHandle=receipt,
                VisibilityTimeout=0,
            )
        return set(found)

    def pause(self) -> None:
        """Stop the function, so that messages stay in its queue."""
        functions = self.clients.functions
        (mapping,) = functions.list_event_source_mappings(FunctionName=self.stack.config.name)[
            "EventSourceMappings"
        ]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


@pytest.fixture
def dlq(
    server: Server,
    clients: Clients,
    stack_config: StackConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> DlqFixture:
    monkeypatch.setattr(message_reader, "WAIT_SECONDS", 0)
    return DlqFixture(server, clients, build_stack(clients, build_package(), stack_config))


def test_dlq_ls_explains_each_message_and_leaves_it(dlq: DlqFixture) -> None:
    dlq.put("waits")
    dlq.put("moved", there=True)
    dlq.put(HOSTILE)
    letters = {
        dlq.letter(dlq.upload("waits")): ("waits", "failed: access denied"),
        dlq.letter(dlq.upload("moved")): ("moved", ""),
        dlq.letter(dlq.upload("gone", "moved")): ("moved", ""),
        dlq.letter(bridged(dlq.stack.config.source_bucket, HOSTILE)): ("waits", ""),
        dlq.letter(notification("another-bucket", "key")): ("other-bucket", "is not the"),
        dlq.letter("not JSON \x1b[31m".replace("\x1b", "\u202e")): ("unreadable", "cannot read it"),
        dlq.letter({"Records": "x" * 200_000}): ("unreadable", "cannot read it"),
        dlq.letter(TEST_EVENT): ("no-upload", "reports no upload"),
    }
    other = next(name for name, reported in letters.items() if reported[0] == "other-bucket")
    dlq.log(level="ERROR", message="failed", key="waits", outcome="failed", reason="access denied")
    dlq.log(level="INFO", message="moved", key="waits", outcome="moved")
    dlq.log(level="WARNING", message="Bucket another-bucket is not the source.", about=other)

    listed = dlq("ls", "-o", "json")
    assert listed.code == 0, listed.err
    found = {each["id"]: each for each in listed.of("message")}
    assert {name: each["state"] for name, each in found.items()} == {
        name: state for name, (state, _) in letters.items()
    }
    for name, (_, why) in letters.items():
        assert why in found[name]["why"], found[name]
    several = next(each for each in found.values() if len(each["keys"]) == 2)
    assert [each["state"] for each in several["keys"]] == ["gone", "moved"]
    assert dlq.visible() == set(letters)

    text = dlq("ls", "--state", "waits", "--state", "unreadable").out
    assert len(text.splitlines()) == 4
    assert not {"\x1b", "\u202e"} & set(text)
    assert "'s3://" in text
    assert "%1B" in text

    shown = dlq("show", other[:8])
    assert (shown.code, "is not the source" in shown.out) == (0, True)
    assert '"another-bucket"' in shown.out
    assert dlq.visible() == set(letters)


def test_redrive_sends_back_what_can_be_read_and_it_is_moved(
    dlq: DlqFixture, eventually: Eventually
) -> None:
    dlq.put("a b")
    text = {"DataType": "String", "StringValue": "kept"}
    dlq.letter(dlq.upload("a b"), kind=text)
    dlq.letter(dlq.upload("gone"))
    poison = dlq.letter("poison")
    shown = dlq("redrive", "--all", "--dry-run", "-o", "json")
    assert [each["result"] for each in shown.records] == ["would-send"] * 2
    assert len(dlq.visible()) == 3

    ran = dlq("redrive", "--all")
    assert (ran.code, dlq.visible()) == (0, {poison})
    assert "2 sent" in ran.err
    assert "1 left (unreadable)" in ran.err
    source = dlq.stack.config.source_bucket
    eventually(lambda: dlq.clients.s3.list_objects_v2(Bucket=source)["KeyCount"] == 0)
    # Named by its id, it is sent all the same.
    dlq.pause()
    assert dlq("redrive", poison).code == 0
    assert dlq.visible() == set()
    assert len(dlq.visible(dlq.stack.queue_url)) == 1


@pytest.mark.parametrize("is_sent", [True, False])
def test_redrive_loses_no_message_with_a_lost_response(
    dlq: DlqFixture, monkeypatch: pytest.MonkeyPatch, *, is_sent: bool
) -> None:
    dlq.pause()
    letters = {dlq.letter(dlq.upload(f"{number}")) for number in range(15)}
    calls = []

    def lossy(action: str, request: Any) -> Any:
        calls.append(action)
        if len(calls) == 2:
            if is_sent:
                request()
            raise AwsRequestError(action, Cause.FAILED, "the connection was reset")
        return send(action, request)

    with monkeypatch.context() as patch:
        patch.setattr(redrive, "send", lossy)
        ran = dlq("redrive", "--all")
    assert ran.code == 1
    assert "10 messages were sent; then sqs:SendMessage failed" in " ".join(ran.err.split())
    left = dlq.visible()
    assert len(left) == 5
    assert left < letters
    again = dlq("redrive", "--all")
    assert (again.code, dlq.visible()) == (0, set())
    assert len(dlq.visible(dlq.stack.queue_url)) == 15 + (5 if is_sent else 0)


def test_redrive_whose_first_response_is_lost_exits_1_and_keeps_the_message(
    dlq: DlqFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = dlq.letter(dlq.upload("key"))

    def lossy(action: str, request: Any) -> Any:
        raise AwsRequestError(action, Cause.NO_RESPONSE, "no response")

    monkeypatch.setattr(redrive, "send", lossy)
    ran = dlq("redrive", "--all")
    assert (ran.code, dlq.visible()) == (1, {letter})
    assert "0 messages were sent; then sqs:SendMessage failed" in " ".join(ran.err.split())


def test_redrive_that_is_interrupted_loses_no_message_and_the_next_goes_on(dlq: DlqFixture) -> None:
    dlq.pause()
    letters = {dlq.letter(dlq.upload(f"{number}")) for number in range(8)}
    with subprocess.Popen(
        [*COMMAND, "dlq", "redrive", "--all", "--max-rate", "2"],
        env={**os.environ, **dlq.environment(), "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("sent")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, "rerun the command" in errors) == (130, True), errors
    left, sent = dlq.visible(), dlq.visible(dlq.stack.queue_url)
    # At once visible again, and each in one of both queues.
    assert 0 < len(left) < 8
    assert left < letters
    assert len(left) + len(sent) == 8
    assert dlq("redrive", "--all").code == 0
    assert len(dlq.visible(dlq.stack.queue_url)) == 8


def test_redrive_sends_only_messages_of_one_state(dlq: DlqFixture) -> None:
    dlq.pause()
    dlq.put("waits")
    dlq.letter(dlq.upload("waits"))
    gone = dlq.letter(dlq.upload("gone"))
    assert dlq("redrive", "--state", "waits", "--max-rate", "100").code == 0
    assert dlq.visible() == {gone}
    assert len(dlq.visible(dlq.stack.queue_url)) == 1


def test_redrive_of_an_id_that_is_not_there_is_no_refusal_once_another_was_sent(
    dlq: DlqFixture,
) -> None:
    dlq.pause()
    letter = dlq.letter(dlq.upload("key"))
    ran = dlq("redrive", letter, "12345678")
    assert (ran.code, dlq.visible()) == (1, set())
    assert "There is no message '12345678'" in ran.err
    assert "1 sent" in ran.err


def test_messages_that_come_again_and_again_end_the_command(
    dlq: DlqFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where reading takes longer than they are hidden."""
    letter = dlq.letter("poison")
    for name in ("HOLD_SECONDS", "MAX_HOLD_SECONDS"):
        monkeypatch.setattr(message_reader, name, 0)
    listed = dlq("ls", "-o", "json")
    assert (listed.code, [each["id"] for each in listed.of("message")]) == (1, [letter])
    assert "Not all messages were read" in listed.err
    for arguments in (["redrive", "--all", "-n"], ["drop", "--state", "moved", "--yes"]):
        assert dlq(*arguments).code == 1


def test_messages_that_somebody_else_holds_are_counted(dlq: DlqFixture) -> None:
    """As after a command that was ended at once."""
    dlq.letter("poison")
    receive = dlq.clients.sqs.receive_message
    url = dlq.stack.dead_letter_url
    assert len(receive(QueueUrl=url, VisibilityTimeout=60)["Messages"]) == 1
    for arguments in (["ls"], ["redrive", "--all"], ["drop", "--all", "--yes"]):
        ran = dlq(*arguments)
        assert (ran.code, "About 1 more messages could not" in ran.err) == (1, True), arguments


def test_message_that_stays_hidden_is_reported(
    dlq: DlqFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    dlq.letter("poison")

    def refused(action: str, request: Any) -> Any:
        if action == "sqs:ChangeMessageVisibility":
            return {"Failed": [{"Id": "0", "Code": "InternalError", "Message": "Once more."}]}
        return send(action, request)

    monkeypatch.setattr(message_reader, "send", refused)
    listed = dlq("ls")
    assert listed.code == 1
    assert "sqs:ChangeMessageVisibility failed: Once more." in " ".join(listed.err.split())


def test_drop_keeps_a_copy_of_deleted_messages(dlq: DlqFixture, tmp_path: Path) -> None:
    dlq.put("waits")
    waits = dlq.letter(dlq.upload("waits"))
    dropped = {dlq.letter(f"poison {number} é\ud7ff") for number in range(12)}
    none = dlq("drop", "--state", "gone", "--yes")
    assert (none.code, none.err) == (0, "No message was found.\n")
    refused = dlq("drop", "--state", "unreadable")
    assert (refused.code, "Use --yes" in refused.err) == (2, True)
    copy = tmp_path / "copy.jsonl"
    ran = dlq("drop", "--state", "unreadable", "--yes", "--copy", str(copy))
    assert (ran.code, dlq.visible()) == (0, {waits})
    kept = [json.loads(line) for line in copy.read_text().splitlines()]
    assert {each["id"] for each in kept} == dropped
    assert {each["body"] for each in kept} == {f"poison {n} é\ud7ff" for n in range(12)}

    refused = dlq("drop", "--all", "--yes", "--copy", str(copy))
    assert (refused.code, dlq.visible()) == (2, {waits})


def test_drop_on_a_full_disk_deletes_nothing(
    dlq: DlqFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = dlq.letter("poison")
    full = Path("/dev/full")
    monkeypatch.setattr(dlq_redrive, "create_copies_file", lambda _path: full.open("w"))
    ran = dlq("drop", "--all", "--yes")
    printed = " ".join(ran.err.split())
    assert (ran.code, "cannot be written" in printed) == (1, True), printed
    assert "0 messages were deleted" in printed
    assert dlq.visible() == {letter}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["redrive"], "Give either IDs, --state or --all"),
        (["drop", "--all", "--state", "gone", "--yes"], "Give either IDs, --state or --all"),
        (["redrive", "abc"], "at least 8 characters"),
        (["show", "12345678"], "There is no message"),
        (["drop", "12345678", "--yes"], "There is no message"),
        (["ls", "--function", "not-there"], "There is no queue 'not-there-uploads-dead'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_dlq_refuses_what_is_not_clear(dlq: DlqFixture, arguments: list[str], words: str) -> None:
    letter = dlq.letter("poison")
    refused = dlq(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.split())
    assert dlq.visible() == {letter}


def test_messages_with_unknown_states_are_left_and_reported(dlq: DlqFixture) -> None:
    letter = dlq.letter(dlq.upload("key"))
    some = keys_of_user(dlq.clients, ["sqs:*", "lambda:*"])
    for arguments in (["redrive", "--state", "waits"], ["drop", "--state", "moved", "--yes"]):
        left = dlq(*arguments, **some)
        printed = " ".join(left.err.split())
        assert (left.code, "Where some objects are is not known" in printed) == (1, True), printed
    assert dlq.visible() == {letter}


def test_permission_that_is_missing_is_named_beside_what_is_known(dlq: DlqFixture) -> None:
    letter = dlq.letter(dlq.upload("key"))
    reader = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    some = keys_of_user(dlq.clients, [*reader, "lambda:ListEventSourceMappings"])
    listed = dlq("ls", "-o", "json", **some)
    assert listed.code == 1
    (reported,) = listed.of("message")
    assert (reported["id"], reported["state"]) == (letter, "unknown")
    assert "s3:GetObject" in reported["keys"][0]["reason"]
    printed = " ".join(listed.err.split())
    for action in (
        "lambda:GetFunctionConfiguration",
        "logs:FilterLogEvents",
        "sqs:ChangeMessageVisibility",
    ):
        assert action in printed
