"""A key's story ends in where its bytes are, as both buckets confirm, and in what to do."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
import pytest

from frogmove.local_aws.stack import Stack, StackConfig, build_stack, connect
from frogmove.ops import message_reader
from frogmove.ops import trace as ops_trace
from frogmove.ops.trace import DESTINATION, SOURCE, Trace
from frogmove.ops.trace_place import Place
from frogmove.ops.trace_verdict import conclude
from frogmove.packaging.function_zip import build_package
from tests.aws_events import notification
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner, Ran, last_id, run
from tests.ops.conftest import keys_of_user

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from tests.local_aws.conftest import Eventually
    from tests.servers import Server as S3Server

HOSTILE = "a\x1b[31m'b\n$(id) \u202e.csv"


@dataclass
class TraceFixture:
    """A stack without its trigger, and an operator."""

    server: Server
    clients: Clients
    stack: Stack

    @property
    def source(self) -> str:
        return self.stack.config.source_bucket

    @property
    def destination(self) -> str:
        return self.stack.config.destination_bucket

    def run(self, *arguments: str, **more: str | None) -> Ran:
        environment: dict[str, str | None] = {
            **self.server.client_environment(),
            "FROGMOVE_ENDPOINT_URL": self.server.endpoint_url,
            "FROGMOVE_SOURCE": self.stack.source,
            "FROGMOVE_DESTINATION": self.stack.destination,
            "FROGMOVE_FUNCTION": self.stack.config.name,
        }
        return run(*arguments, environment=environment | more)

    def __call__(self, key: str, *arguments: str, **more: str | None) -> Ran:
        return self.run("trace", key, "-o", "json", *arguments, **more)

    def put(self, key: str, body: bytes = b"frogs", **more: Any) -> None:
        self.clients.s3.put_object(Bucket=self.source, Key=key, Body=body, **more)

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("test", "test", region_name="us-east-1")
        return session.client(service, endpoint_url=self.server.endpoint_url)

    def log(self, **fields: Any) -> None:
        """Write a line of the function's log, each to a stream of its own."""
        logs = self.client("logs")
        group, stream = f"/aws/lambda/{self.stack.config.name}", uuid.uuid4().hex
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": json.dumps(fields)}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    def send(self, url: str, *keys: str) -> str:
        body = json.dumps(notification(self.source, *keys))
        return self.clients.sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]

    def set_variables(self, **more: str) -> None:
        name = self.stack.config.name
        reported = self.clients.functions.get_function_configuration(FunctionName=name)
        variables = reported["Environment"]["Variables"] | more
        self.clients.functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )

    def pause(self) -> None:
        paused = self.run("lambda", "pause", "--function", self.stack.config.name)
        assert paused.code == 0, paused.err


@pytest.fixture
def trace(
    server: Server,
    clients: Clients,
    stack_config: StackConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> TraceFixture:
    monkeypatch.setattr(message_reader, "WAIT_SECONDS", 0)
    return TraceFixture(server, clients, build_stack(clients, build_package(), stack_config))


def wheres(ran: Ran) -> list[str]:
    return [each["where"] for each in ran.of("event")]


def verdict(ran: Ran) -> dict[str, Any]:
    assert ran.err == "" or ran.code != 0, ran.err
    (reported,) = ran.of("trace")
    assert ran.records[-1] == reported
    return reported


def test_trace_of_an_upload_that_the_function_moved(
    trace: TraceFixture, eventually: Eventually
) -> None:
    connect(trace.clients, trace.stack)
    trace.put("reports/a b+.csv")
    eventually(
        lambda: trace.clients.s3.list_objects_v2(Bucket=trace.source).get("KeyCount", 0) == 0
    )
    eventually(lambda: "function" in wheres(trace("reports/a b+.csv")))
    ran = trace("reports/a b+.csv")
    reported = verdict(ran)
    assert (ran.code, reported["todo"], reported["unknown"]) == (0, [], [])
    assert set(wheres(ran)) == {"destination", "function"}
    assert reported["verdict"].startswith(
        f"The bytes are at s3://{trace.destination}/reports/a b+.csv"
    )
    assert reported["places"]["source"]["exists"] is False
    assert reported["places"]["destination"]["current"]["size"] == 5
    # By the URI of the other side it is the same story.
    there = trace(f"s3://{trace.destination}/reports/a b+.csv")
    assert there.records == ran.records


def test_trace_of_runs_on_this_machine_and_their_undo(trace: TraceFixture) -> None:
    trace.put("clé")
    assert trace.run("move", "clé").code == 0
    moved = last_id()
    assert trace.run("undo", moved, "--while-live").code == 0
    ran = trace("clé")
    texts = [each["text"] for each in ran.of("event") if each["where"] == "run"]
    assert f"move {moved}: copied to 'clé', and verified" in texts
    assert any(text == f"move {moved}: moved" for text in texts)
    assert any(text.startswith("undo ") and text.endswith(": moved") for text in texts)
    reported = verdict(ran)
    assert reported["verdict"] == f"The bytes are at s3://{trace.source}/clé."
    assert reported["todo"] == ["frogmove move clé"]


def test_trace_of_a_dead_letter_with_its_reason(trace: TraceFixture) -> None:
    trace.put("key")
    trace.log(level="ERROR", message="failed", key="key", outcome="failed", reason="access denied")
    trace.log(level="ERROR", message="failed", key="other", outcome="failed", reason="no")
    dead = trace.send(trace.stack.dead_letter_url, "key")
    other = trace.send(trace.stack.dead_letter_url, "other")
    ran = trace("key")
    assert sorted(wheres(ran)) == ["dlq", "function", "source"]
    assert "failed: access denied" in [each["text"] for each in ran.of("event")]
    reported = verdict(ran)
    assert ran.code == 1
    assert reported["todo"] == [
        f"frogmove dlq show {dead}",
        f"Fix the cause, then: frogmove dlq redrive {dead}",
    ]
    # Nothing was consumed.
    listed = trace.run("dlq", "ls", "-o", "json")
    assert {each["id"] for each in listed.of("message")} == {dead, other}


def test_trace_of_a_message_that_waits_while_the_function_is_paused(trace: TraceFixture) -> None:
    trace.pause()
    trace.put("key")
    message = trace.send(trace.stack.queue_url, "key")
    for _ in range(2):
        ran = trace("key")
        assert wheres(ran).count("queue") == 1
        assert message in str(ran.of("event"))
    assert "received 2 times, this reading included" in str(ran.of("event"))
    function = trace.stack.config.name
    assert verdict(ran)["todo"] == [f"frogmove lambda resume --function {function}"]


def test_trace_says_of_each_queue_that_it_did_not_read_it_all(
    trace: TraceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops_trace, "MAX_MESSAGES", 1)
    trace.pause()
    urls = (trace.stack.dead_letter_url, trace.stack.queue_url)
    for url in urls:
        trace.send(url, "other")
    dead, queue = (
        text for text in verdict(trace("key"))["unknown"] if "of its messages were read" in text
    )
    assert dead.startswith(urls[0].rpartition("/")[2])
    assert queue.startswith(urls[1].rpartition("/")[2])
    assert ["frogmove dlq ls" in text for text in (dead, queue)] == [True, False]


def test_trace_says_that_the_scan_decides(trace: TraceFixture) -> None:
    trace.set_variables(FROGMOVE_REQUIRE_TAG="GuardDutyMalwareScanStatus=NO_THREATS_FOUND")
    trace.put("new")
    assert "It waits for the tag" in verdict(trace("new"))["todo"][0]
    trace.put("bad", Tagging="GuardDutyMalwareScanStatus=THREATS_FOUND")
    bad = trace("bad")
    assert "now tagged GuardDutyMalwareScanStatus=THREATS_FOUND" in str(bad.of("event"))
    assert "contact the uploader" in verdict(bad)["todo"][0]


def test_trace_finds_what_was_deleted_in_its_versions(trace: TraceFixture) -> None:
    there = trace.destination
    version = trace.clients.s3.put_object(Bucket=there, Key="key", Body=b"1")["VersionId"]
    trace.clients.s3.delete_object(Bucket=there, Key="key")
    ran = trace("key")
    assert [each["details"]["size"] for each in ran.of("event")] == [1, None]
    reported = verdict(ran)
    assert version in reported["verdict"]
    assert reported["todo"][0].startswith(f"aws s3api copy-object --bucket {there} --key key ")
    assert ran.code == 1


def test_trace_says_how_to_move_a_key_by_what_the_destination_holds(trace: TraceFixture) -> None:
    trace.put("key")
    trace.clients.s3.put_object(Bucket=trace.destination, Key="key", Body=b"toads")
    differs = verdict(trace("key"))
    assert "holds other bytes" in differs["verdict"]
    assert differs["todo"] == ["frogmove move key --on-conflict keep-both"]
    trace.clients.s3.put_object(Bucket=trace.destination, Key="key", Body=b"frogs")
    same = verdict(trace("key"))
    assert "the same ETag is at" in same["verdict"]
    assert same["todo"] == ["frogmove move key"]


def test_trace_of_a_key_that_nobody_knows(trace: TraceFixture) -> None:
    ran = trace("never")
    assert (ran.code, ran.of("event")) == (1, [])
    assert "nothing is known about it" in verdict(ran)["verdict"]
    pasted = verdict(trace("'never'"))
    assert pasted["todo"] == [
        "The quotes are a part of it: write one pair only, which the shell removes."
    ]
    # One that begins with it is another.
    trace.put("never-again")
    assert trace("never").of("event") == []


def test_trace_of_a_hostile_key_is_inert(trace: TraceFixture) -> None:
    trace.put(HOSTILE)
    trace.log(level="ERROR", message="failed", key=HOSTILE, outcome="failed", reason=HOSTILE)
    shown = trace.run("trace", HOSTILE)
    assert shown.code == 1
    assert not {"\x1b", "\u202e"} & set(shown.out + shown.err)
    assert len(shown.out.splitlines()) == 4
    assert verdict(trace(HOSTILE))["places"]["source"]["exists"] is True
    # Only the key is quoted, not the line.
    assert not [line for line in shown.out.splitlines() if line.startswith("$'")]
    # As `frogmove ls --side destination` prints the copy.
    copy = trace(f"s3://{trace.destination}?key={quote(HOSTILE)}")
    assert verdict(copy)["key"] == HOSTILE


def test_trace_reports_each_missing_permission_beside_what_is_known(trace: TraceFixture) -> None:
    trace.put("key")
    some = keys_of_user(trace.clients, ["s3:ListBucket", "s3:GetObject"])
    ran = trace("key", **some)
    reported = verdict(ran)
    assert ran.code == 1
    assert reported["verdict"] == f"The bytes are at s3://{trace.source}/key."
    unknown = " ".join(reported["unknown"])
    for action in (
        *("lambda:GetFunctionConfiguration", "logs:FilterLogEvents", "sqs:GetQueueUrl"),
        *("s3:ListBucketVersions", "s3:GetObjectTagging"),
    ):
        assert action in unknown
    nobody = trace("key", **keys_of_user(trace.clients, ["sts:GetCallerIdentity"]))
    assert (nobody.code, verdict(nobody)["places"]["source"]["exists"]) == (1, None)
    assert "could not be read" in verdict(nobody)["verdict"]
    assert 'Correct what "Not known" names' in verdict(nobody)["todo"][0]


def test_trace_of_a_route_without_a_function_has_a_story_too(trace: TraceFixture) -> None:
    trace.clients.s3.put_object(Bucket=trace.destination, Key="key", Body=b"1")
    ran = trace("key", "--function", "not-there")
    reported = verdict(ran)
    assert (ran.code, reported["unknown"], reported["absent"]) == (0, [], ["the function"])
    shown = trace.run("trace", "key", "--function", "not-there")
    assert "Not there: the function." in shown.err


def test_trace_on_another_server_than_aws_has_no_function(moto: S3Server) -> None:
    """No request goes to AWS with the keys of another server."""
    buckets = Buckets.make(moto)
    buckets.put("key")
    ran = FrogmoveRunner(buckets)("trace", "key", "-o", "json")
    reported = verdict(ran)
    assert (ran.code, reported["unknown"], reported["absent"]) == (1, [], ["the function"])
    assert (wheres(ran), reported["todo"]) == (["source"], ["frogmove move key"])
    refused = FrogmoveRunner(buckets)("dlq", "ls")
    assert (refused.code, "has no queues" in refused.err) == (2, True)


def test_trace_refuses_a_key_outside_the_route(trace: TraceFixture) -> None:
    refused = trace("s3://another-bucket/key")
    assert (refused.code, refused.out) == (2, "")


@pytest.mark.parametrize(
    ("has_trigger", "is_paused", "words"),
    [
        (True, False, "the function moves it soon"),
        (None, None, "the function moves it soon"),
        (False, None, "no queue invokes the function: frogmove doctor"),
        (True, True, "frogmove lambda resume"),
    ],
)
def test_trace_does_not_promise_what_no_trigger_does(
    has_trigger: bool | None, is_paused: bool | None, words: str
) -> None:
    places = {SOURCE: Place("a", "key", exists=True), DESTINATION: Place("b", "key", exists=False)}
    trace = Trace("key", places, messages=["1"], has_trigger=has_trigger, is_paused=is_paused)
    (todo,) = conclude(trace, "key", "frogmove").todo
    assert words in todo
