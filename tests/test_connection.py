"""The questions before a run: what does not depend on another is asked together."""

from __future__ import annotations

import signal
import subprocess
from threading import Barrier, Event
from typing import TYPE_CHECKING

import pytest

from frogmove.s3 import timeouts, transport
from tests.fault_fixture import FaultFixture
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, SILENCE, Fault, Request, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

# A page of each end, and three features of the source.
QUESTIONS = 5

NO_BUCKET = Fault("404", "never", (404, "NoSuchBucket"))


@pytest.fixture
def fault_fixture(moto: Server) -> Iterator[FaultFixture]:
    with proxied(moto) as proxy:
        fixture = FaultFixture.make(moto, proxy)
        fixture.buckets.put("a")
        yield fixture


def is_feature(request: Request) -> bool:
    return request.operation == "GET bucket"


def is_question(request: Request) -> bool:
    return is_feature(request) or "list-type" in request.query


def test_preflight_asks_together_what_does_not_depend_on_another(
    fault_fixture: FaultFixture,
) -> None:
    together = Barrier(QUESTIONS)

    def decide(request: Request) -> Fault:
        if is_question(request):
            together.wait(SECONDS_TO_WAIT)
        return PASS

    fault_fixture.proxy.schedule = decide
    ran = fault_fixture.frogmove("move", "--all", FROGMOVE_ENGINE="crt")
    assert ran.code == 0, ran.err
    assert not together.broken
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({}, {"a": b"a"})


def test_preflight_reports_the_source_first_whichever_answer_is_first(
    fault_fixture: FaultFixture,
) -> None:
    answered = Event()

    def decide(request: Request) -> Fault:
        if request.bucket == fault_fixture.buckets.destination:
            answered.set()
        else:
            answered.wait(SECONDS_TO_WAIT)
        return NO_BUCKET

    fault_fixture.proxy.schedule = decide
    ran = fault_fixture.frogmove("move", "--all", FROGMOVE_ENGINE="crt")
    assert ran.code == 2
    assert f"Error: The bucket '{fault_fixture.buckets.source}' does not exist" in ran.err


def test_preflight_that_fails_does_not_wait_long_for_other_answers(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "QUICK", 0.8)
    monkeypatch.setattr(transport, "TIMEOUT_CHECK_SECONDS", 0.1)
    fault_fixture.proxy.schedule = lambda request: SILENCE if is_feature(request) else NO_BUCKET
    ran = fault_fixture.frogmove("move", "--all", FROGMOVE_ENGINE="crt")
    assert ran.code == 2
    assert ran.err.startswith(f"Error: The bucket '{fault_fixture.buckets.source}' does not exist")
    assert "Traceback" not in ran.err
    assert fault_fixture.buckets.here() == {"a": b"a"}


def test_preflight_without_an_answer_is_ended_by_a_signal(fault_fixture: FaultFixture) -> None:
    asked = Barrier(QUESTIONS + 1)

    def decide(request: Request) -> Fault:
        assert is_question(request)
        asked.wait(SECONDS_TO_WAIT)
        return SILENCE

    fault_fixture.proxy.schedule = decide
    with fault_fixture.frogmove.process(
        *("move", "--all"),
        env={"FROGMOVE_ENGINE": "crt"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        asked.wait(SECONDS_TO_WAIT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    assert fault_fixture.buckets.here() == {"a": b"a"}
    assert fault_fixture.buckets.there() == {}


def test_preflight_without_credentials_asks_nothing_more(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    ran = fault_fixture.frogmove(
        "move",
        "--all",
        FROGMOVE_ENGINE="crt",
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
    )
    assert ran.code == 2
    assert "credentials" in ran.err
    assert fault_fixture.proxy.requests == []
