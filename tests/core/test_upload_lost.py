"""Multipart uploads that fail, are interrupted or get no response: none stays without a report."""

from __future__ import annotations

import os
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.models import Action, Outcome, Result, Verb
from frogmove.core.options import MIN_PART_SIZE, Multipart, TransferOptions
from frogmove.core.transfer import run
from frogmove.s3.capabilities import ALL_SUPPORTED
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES, FaultFixture
from tests.fault_proxy import DROP_AFTER, PASS, Fault, Request, proxied
from tests.request_hooks import ALWAYS, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.buckets import Buckets
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

PART = MIN_PART_SIZE


def put(seaweedfs_buckets: Buckets) -> bytes:
    body = os.urandom(PART + 1)
    seaweedfs_buckets.put("a", body=body)
    return body


def uploads(seaweedfs_buckets: Buckets) -> list[str]:
    answer = seaweedfs_buckets.client.list_multipart_uploads(Bucket=seaweedfs_buckets.destination)
    return [upload["UploadId"] for upload in answer.get("Uploads", [])]


def move(seaweedfs_buckets: Buckets, hooks: RequestHooks) -> Result:
    s3 = hooks.s3(seaweedfs_buckets.server)
    options = TransferOptions(ALL_SUPPORTED, multipart=Multipart(PART, PART, 1))
    (result,) = run(
        [Action(Verb.MOVE, seaweedfs_buckets.seen("a"), "a")],
        s3,
        seaweedfs_buckets.route,
        options,
        Event(),
    )
    s3.close()
    return result


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ends", ["well", "badly"])
def test_upload_whose_answer_was_lost_does_not_stay(
    seaweedfs: Server, engine: str, ends: str
) -> None:
    """Nobody who pays for its storage would see it. Uploads of other programs stay."""
    with proxied(seaweedfs) as proxy:
        fault_fixture = FaultFixture.make(seaweedfs, proxy)
        body = os.urandom(PART + 1)
        fault_fixture.buckets.put("a", body=body)
        there = {"Bucket": fault_fixture.buckets.destination, "Key": "a"}
        theirs = fault_fixture.buckets.client.create_multipart_upload(**there)["UploadId"]
        lost = iter([DROP_AFTER, DROP_AFTER])

        def decide(request: Request) -> Fault:
            if request.operation == "UploadPartCopy" and ends == "badly":
                return Fault("denied", "never", (403, "AccessDenied"))
            return next(lost, PASS) if request.operation == "CreateMultipartUpload" else PASS

        proxy.schedule = decide
        ran = fault_fixture.frogmove(
            "move", "a", "-o", "json", "--multipart-threshold", "5MiB", FROGMOVE_ENGINE=engine
        )
        left = uploads(fault_fixture.buckets)
    assert ran.outcomes == {"a": "moved" if ends == "well" else "failed"}
    assert left == [theirs]
    assert fault_fixture.buckets.there() == ({"a": body} if ends == "well" else {})


def test_upload_that_others_began_meanwhile_and_fill_stays(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    body = put(seaweedfs_buckets)
    there: Any = {"Bucket": seaweedfs_buckets.destination, "Key": "a"}
    theirs: list[str] = []

    def begin() -> None:
        theirs.append(seaweedfs_buckets.client.create_multipart_upload(**there)["UploadId"])
        seaweedfs_buckets.client.upload_part(
            **there, UploadId=theirs[0], PartNumber=1, Body=b"theirs"
        )

    hooks.before("CreateMultipartUpload", begin)
    assert move(seaweedfs_buckets, hooks).outcome is Outcome.MOVED
    assert uploads(seaweedfs_buckets) == theirs
    assert seaweedfs_buckets.there() == {"a": body}


@pytest.mark.parametrize("times", [1, ALWAYS])
def test_uploads_are_not_touched_where_they_cannot_be_listed(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, times: int
) -> None:
    body = put(seaweedfs_buckets)
    theirs = seaweedfs_buckets.client.create_multipart_upload(
        Bucket=seaweedfs_buckets.destination, Key="a"
    )["UploadId"]
    hooks.answer("ListMultipartUploads", refusal(403, "AccessDenied"), times=times)
    assert move(seaweedfs_buckets, hooks).outcome is Outcome.MOVED
    assert seaweedfs_buckets.there() == {"a": body}
    assert uploads(seaweedfs_buckets) == [theirs]


MIB = 1024 * 1024


IN_PARTS = ["--multipart-threshold", "5MiB"]


@pytest.fixture
def one_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frogmove.core.run_spec.Multipart", partial(Multipart, at_once=1))


# rclone#4300, aws-cli#1428: multipart uploads are not aborted, and billed for ever.
@pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
def test_upload_that_fails_is_aborted(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, operation: str
) -> None:
    seaweedfs_buckets.put("a", body=b"x" * 6 * MIB)
    skip = 1 if operation == "UploadPartCopy" else 0
    hooks.answer(operation, refusal(403, "AccessDenied"), skip=skip, times=ALWAYS)
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "a", "-o", "json", *IN_PARTS)
    assert (ran.code, ran.outcomes) == (1, {"a": "failed"})
    assert len(hooks.of("AbortMultipartUpload")) == 1
    assert uploads(seaweedfs_buckets) == []
    assert seaweedfs_buckets.there() == {}


@pytest.mark.usefixtures("one_part_at_a_time")
def test_upload_that_is_interrupted_is_kept_only_to_be_resumed(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, interrupt: Callable[[], None]
) -> None:
    body = os.urandom(11 * MIB)
    seaweedfs_buckets.put("a", body=body)
    hooks.before("UploadPartCopy", interrupt, skip=1)
    frogmove = FrogmoveRunner(seaweedfs_buckets)
    interrupted = frogmove("move", "a", "-o", "json", *IN_PARTS)
    assert interrupted.code == 130
    (result,) = interrupted.of("result")
    assert "upload is kept to be resumed" in result["reason"]
    assert "frogmove resume" in frogmove("runs").out
    assert len(uploads(seaweedfs_buckets)) == 1
    done = len(hooks.of("UploadPartCopy"))
    assert done < 3
    resumed = frogmove("resume", "-o", "json")
    assert (resumed.code, resumed.outcomes) == (0, {"a": "moved"})
    assert len(hooks.of("UploadPartCopy")) == 3
    assert uploads(seaweedfs_buckets) == []
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({}, {"a": body})
