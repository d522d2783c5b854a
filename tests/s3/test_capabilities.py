"""A server is known by what it does, and the checks leave no objects."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED, Capabilities, probe
from frogmove.s3.errors import Kind, S3Error
from tests.buckets import Buckets
from tests.fault_fixture import ENGINES, FaultFixture
from tests.fault_proxy import DROP_AFTER, PASS, SECONDS_TO_WAIT, Fault, FaultProxy, Request
from tests.iam_users import denied

if TYPE_CHECKING:
    from tests.s3.contract_cases import ContractCase
    from tests.servers import Server


def test_probe_finds_what_each_server_is_known_to_ignore(case: ContractCase) -> None:
    assert probe(case.s3, case.destination, "") == case.honours


def test_probe_leaves_nothing_behind_and_never_writes_to_the_source(case: ContractCase) -> None:
    case.put("kept", bucket=case.destination)
    probe(case.s3, case.destination, "folder/")
    assert case.keys(case.destination) == ["kept"]
    assert case.keys(case.source) == []


def test_probe_does_not_look_for_keys_that_it_has_deleted(fault_fixture: FaultFixture) -> None:
    buckets = fault_fixture.frogmove.buckets
    assert probe(BotoS3(buckets.client, 4), buckets.destination, "") == buckets.server.honours
    assert [each.key for each in fault_fixture.proxy.requests if each.method == "HEAD"] == []
    assert fault_fixture.buckets.there() == {}


def test_probe_leaves_no_versions_behind(server: Server) -> None:
    buckets = Buckets.make(server)
    buckets.version()
    probe(BotoS3(buckets.client, 1), buckets.destination, "folder/")
    if not (server.honours.delete and server.honours.delete_many):
        pytest.skip(f"{server.name} deletes against the condition, which leaves a marker")
    assert buckets.state() == []


def test_probe_of_a_bucket_that_cannot_be_written_to_fails(seaweedfs: Server) -> None:
    buckets = Buckets.make(seaweedfs)
    bob = BotoS3(seaweedfs.spoken_to_as("AKBOB", "SKBOB").client(), 1)
    with pytest.raises(S3Error) as caught:
        probe(bob, buckets.destination, "")
    assert caught.value.kind is Kind.DENIED
    assert buckets.there() == {}


NAMES = ["copy_source", "copy_destination", "delete", "delete_many", "copy_replace"]


@pytest.mark.parametrize("name", NAMES)
def test_shortcomings_describe_what_is_not_honoured(name: str) -> None:
    def without(*refused: str, unknown: tuple[str, ...] = ()) -> Capabilities:
        honours: dict[str, Any] = {each: each != name for each in NAMES}
        return Capabilities(**honours, refused=frozenset(refused), unknown=frozenset(unknown))

    (reported,) = without().shortcomings
    words = reported.removeprefix("ignores ")
    assert words != reported
    assert " " in words or "-" in words
    assert without(name).shortcomings == [f"refuses {words}"]
    assert without(unknown=(name,)).shortcomings == [f"may not support {words}"]
    assert [without().sends(name), without(name).sends(name)] == [False, False]
    assert without(unknown=(name,)).sends(name)


def test_shortcomings_of_aws_are_none() -> None:
    assert ALL_SUPPORTED.shortcomings == []
    assert all(ALL_SUPPORTED.sends(name) for name in NAMES)


# Without permission to delete at the destination, as the Lambda's role is.
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("versioned", [False, True], ids=["plain", "versioned"])
def test_probe_without_permission_to_delete_writes_no_throw_away_key(
    ministack_buckets: Buckets, engine: str, versioned: bool
) -> None:
    if versioned:
        ministack_buckets.version()
    ministack_buckets.put("a", "b")
    who = denied(ministack_buckets, "s3:DeleteObject", bucket=ministack_buckets.destination)
    ran = who("move", "--all", "-v", "-o", "json", FROGMOVE_ENGINE=engine)
    assert (ran.code, ran.outcomes) == (0, {"a": "moved", "b": "moved"})
    assert "may not support" in ran.err
    assert "could not be tested" in ran.err
    assert "does not honour" not in ran.err
    assert (ministack_buckets.here(), ministack_buckets.there()) == ({}, {"a": b"a", "b": b"b"})
    assert {
        row[2] for row in ministack_buckets.state() if row[0] == ministack_buckets.destination
    } == {"a", "b"}


def test_probe_without_permission_to_delete_versions_hides_the_throw_away_keys(
    ministack_buckets: Buckets,
) -> None:
    ministack_buckets.version()
    ministack_buckets.put("a")
    who = denied(ministack_buckets, "s3:DeleteObjectVersion", bucket=ministack_buckets.destination)
    assert who("move", "--all").code == 0
    assert ministack_buckets.there() == {"a": b"a"}


# Asked to stop in the middle of the questions.
@pytest.mark.parametrize(
    ("number", "signum"),
    [*((number, signal.SIGTERM) for number in (1, 2, 5, 8)), (1, signal.SIGINT)],
)
def test_probe_that_is_stopped_leaves_nothing(
    ministack: Server, ministack_proxy: FaultProxy, number: int, signum: signal.Signals
) -> None:
    fault_fixture = FaultFixture.make(ministack, ministack_proxy)
    fault_fixture.buckets.put("a")
    started: list[subprocess.Popen[bytes]] = []
    probes: list[Request] = []
    heard = Event()

    def decide(request: Request) -> Fault:
        # The first question writes nothing.
        if (request.is_probe and request.operation != "DeleteObject") or probes:
            probes.append(request)
            if len(probes) == number:
                started[0].send_signal(signum)
                heard.wait(SECONDS_TO_WAIT)
        return PASS

    ministack_proxy.schedule = decide
    with fault_fixture.frogmove.process(
        "move", "--all", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        started.append(process)
        assert process.stderr is not None
        err = b""
        for line in process.stderr:
            err += line
            if b"Stopping: " in line:
                heard.set()
        assert process.wait(SECONDS_TO_WAIT) == 130, err
    ministack_proxy.reset()
    assert heard.is_set(), err
    assert len(probes) >= number
    assert b"Traceback" not in err
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({"a": b"a"}, {})


@pytest.mark.parametrize("operation", ["PutObject", "CopyObject"])
def test_throw_away_key_whose_answer_was_lost_is_deleted(
    ministack: Server, ministack_proxy: FaultProxy, operation: str
) -> None:
    fault_fixture = FaultFixture.make(ministack, ministack_proxy)
    ministack_proxy.schedule = lambda request: (
        DROP_AFTER if request.operation == operation else PASS
    )
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    server = replace(ministack, endpoint_url=ministack_proxy.endpoint_url)
    client = server.session().client("s3", endpoint_url=ministack_proxy.endpoint_url, config=config)
    s3 = BotoS3(client, 1)
    if operation == "PutObject":
        with pytest.raises(S3Error):
            probe(s3, fault_fixture.buckets.destination, "")
    else:
        assert "copy_source" in probe(s3, fault_fixture.buckets.destination, "").unknown
    s3.close()
    ministack_proxy.reset()
    assert fault_fixture.buckets.there() == {}
