"""Questions about a server and its buckets leave nothing behind, whatever becomes of them."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from frogmove.core.same_place import is_same_place
from frogmove.core.scheduler import run_one
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import probe
from frogmove.s3.errors import S3Error
from frogmove.s3.uri import Location
from tests.cli.cli_runner import FrogmoveRunner
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.fault_fixture import ENGINES, FaultFixture
from tests.fault_proxy import DROP_AFTER, PASS, SECONDS_TO_WAIT, Fault, FaultProxy, Request
from tests.iam_users import denied

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.buckets import Buckets
    from tests.servers import Server

ALIAS = "point-abcdefghijklmnopqrstuvwxyz01-s3alias"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked for that writes or deletes, by the engine's own methods."""
    asked: list[str] = []

    def watch(name: str) -> None:
        method = getattr(BotoS3, name)

        def watched(self: BotoS3, *args: Any) -> Any:
            asked.append(name)
            return method(self, *args)

        monkeypatch.setattr(BotoS3, name, watched)

    for name in ("put", "copy", "delete", "delete_many", "create_upload"):
        watch(name)
    return asked


# Without permission to delete at the destination, as the Lambda's role is.


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("versioned", [False, True], ids=["plain", "versioned"])
def test_who_may_not_delete_there_writes_no_throw_away_key(
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


def test_who_may_not_delete_versions_there_hides_the_throw_away_keys(
    ministack_buckets: Buckets,
) -> None:
    ministack_buckets.version()
    ministack_buckets.put("a")
    who = denied(ministack_buckets, "s3:DeleteObjectVersion", bucket=ministack_buckets.destination)
    assert who("move", "--all").code == 0
    assert ministack_buckets.there() == {"a": b"a"}


def test_two_places_are_told_apart_without_permission_to_delete() -> None:
    state = FakeS3State({"external": {}, "internal": {}})

    def interceptor(operation: str, request: Callable[[], Any]) -> Any:
        if operation in {"DeleteObject", "DeleteObjects"}:
            raise S3Error(operation, "AccessDenied", 403, "No.")
        return request()

    s3 = FakeS3(state, interceptor)
    here, there = Location("external", "a/"), Location("internal", "a/")
    assert run_one(is_same_place(s3, here, there)) is False
    assert run_one(is_same_place(s3, there, there)) is True
    assert (state.bodies("external"), state.bodies("internal"), state.uploads) == ({}, {}, {})


# Behind an access point's alias.


@pytest.fixture
def aliased(ministack_buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> FrogmoveRunner:
    """Know the source bucket under a second name: this server has no access points."""

    class Aliased(BotoS3):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self._client.meta.events.register("provide-client-params.s3", renamed)

    def renamed(params: dict[str, Any], **_: object) -> None:
        if params.get("Bucket") == ALIAS:
            params["Bucket"] = ministack_buckets.source

    monkeypatch.setattr("frogmove.s3.boto.BotoS3", Aliased)
    return FrogmoveRunner(ministack_buckets)


@pytest.mark.parametrize("end", ["--source", "--destination"])
def test_a_dry_run_finds_an_alias_and_writes_nothing(
    ministack_buckets: Buckets, aliased: FrogmoveRunner, written: list[str], end: str
) -> None:
    ministack_buckets.put("a", "b")
    ends = {
        "--source": f"s3://{ministack_buckets.source}",
        "--destination": f"s3://{ministack_buckets.source}",
    }
    ends[end] = f"s3://{ALIAS}"
    ran = aliased("move", "--all", "-n", *(part for pair in ends.items() for part in pair))
    assert ran.code == 2
    assert "one bucket under two names" in ran.err
    assert written == []


def test_a_dry_run_between_an_alias_and_another_bucket_writes_nothing(
    ministack_buckets: Buckets, aliased: FrogmoveRunner, written: list[str]
) -> None:
    ministack_buckets.put("a")
    ministack_buckets.put_there("z")
    ran = aliased("move", "--all", "-n", "--source", f"s3://{ALIAS}")
    assert ran.code == 0
    assert "a" in ran.out
    assert written == []


def test_a_run_finds_an_alias_without_an_object(
    ministack_buckets: Buckets, aliased: FrogmoveRunner, written: list[str]
) -> None:
    """Objects set off notifications; an upload that never ends sets off nothing."""
    ministack_buckets.put("a")
    ran = aliased("move", "--all", "--destination", f"s3://{ALIAS}")
    assert ran.code == 2
    assert written == ["create_upload"]
    assert ministack_buckets.here() == {"a": b"a"}
    assert "Uploads" not in ministack_buckets.client.list_multipart_uploads(
        Bucket=ministack_buckets.source
    )


# Asked to stop in the middle of the questions.


@pytest.mark.parametrize(
    ("number", "signum"),
    [*((number, signal.SIGTERM) for number in (1, 2, 5, 8)), (1, signal.SIGINT)],
)
def test_what_is_stopped_at_a_question_leaves_nothing(
    ministack: Server, ministack_proxy: FaultProxy, number: int, signum: signal.Signals
) -> None:
    fault_fixture = FaultFixture.make(ministack, ministack_proxy)
    fault_fixture.buckets.put("a")
    started: list[subprocess.Popen[bytes]] = []
    probes: list[Request] = []

    def decide(request: Request) -> Fault:
        # The first question writes nothing.
        if (request.is_probe and request.operation != "DeleteObject") or probes:
            probes.append(request)
            if len(probes) == number:
                started[0].send_signal(signum)
        return PASS

    ministack_proxy.schedule = decide
    with fault_fixture.frogmove.process(
        "move", "--all", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        started.append(process)
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    ministack_proxy.reset()
    assert process.returncode == 130, err
    assert len(probes) >= number
    assert b"Traceback" not in err
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({"a": b"a"}, {})


@pytest.mark.parametrize("operation", ["PutObject", "CopyObject"])
def test_a_throw_away_key_whose_answer_was_lost_is_deleted(
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
