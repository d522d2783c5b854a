"""Copies in parts that are killed or interrupted, and what `frogmove resume` makes of them."""

from __future__ import annotations

import signal
import subprocess
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core.options import Multipart
from tests import fault_proxy as faults
from tests.cli.killed_runs import (
    assert_all_is_there_once,
    interrupted,
)
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, FaultProxy, Request

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.fault_fixture import FaultFixture

MIB = 1024 * 1024
LARGE = ("move", "large", "--multipart-threshold", "5MiB")


def put_large(buckets: Buckets, parts: int) -> dict[str, bytes]:
    """Upload an object of so many parts of the least size, each of other bytes."""
    body = b"".join(f"part {n:03}".encode() * (5 * MIB // 8) for n in range(parts))
    buckets.put("large", body=body, Metadata={"owner": "frog"}, Tagging="team=pond")
    return {"large": body}


def resume_parts(fault_fixture: FaultFixture) -> list[str]:
    """Resume; returns the numbers of the parts that were copied for it."""
    (upload,) = uploads(fault_fixture)
    ran = fault_fixture.frogmove("resume", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"large": "moved"}), ran
    assert fault_fixture.proxy.of("CreateMultipartUpload") == []
    parts = fault_fixture.proxy.of("UploadPartCopy")
    assert {part.query["uploadId"] for part in parts} <= {upload}
    assert uploads(fault_fixture) == []
    return sorted(part.query["partNumber"] for part in parts)


def uploads(fault_fixture: FaultFixture) -> list[str]:
    answer = fault_fixture.buckets.client.list_multipart_uploads(
        Bucket=fault_fixture.buckets.destination
    )
    return [upload["UploadId"] for upload in answer.get("Uploads", [])]


def assert_large_is_whole(fault_fixture: FaultFixture, bodies: dict[str, bytes]) -> None:
    assert_all_is_there_once(fault_fixture, bodies)
    where = {"Bucket": fault_fixture.buckets.destination, "Key": "large"}
    assert fault_fixture.buckets.client.head_object(**where)["Metadata"] == {"owner": "frog"}
    (tag,) = fault_fixture.buckets.client.get_object_tagging(**where)["TagSet"]
    assert tag == {"Key": "team", "Value": "pond"}


def test_multipart_copy_that_was_killed_goes_on_from_the_parts_it_has(
    fault_fixture: FaultFixture,
) -> None:
    bodies = put_large(fault_fixture.buckets, 4)
    killed = Event()

    def decide(request: Request) -> Fault:
        if request.operation == "UploadPartCopy" and request.query["partNumber"] in {"2", "4"}:
            killed.wait(SECONDS_TO_WAIT)
        return faults.DROP_BEFORE if killed.is_set() else PASS

    fault_fixture.proxy.reset(decide)
    with fault_fixture.frogmove.process(*LARGE, stderr=subprocess.DEVNULL) as process:
        copied = partial(_copied_parts, fault_fixture.proxy)
        fault_fixture.proxy.wait_for(lambda: copied() == {"1", "3"})
        process.kill()
        assert process.wait(SECONDS_TO_WAIT) == -signal.SIGKILL
        killed.set()
    fault_fixture.proxy.reset()
    assert resume_parts(fault_fixture) == ["2", "4"]
    assert_large_is_whole(fault_fixture, bodies)


def _copied_parts(proxy: FaultProxy) -> set[str]:
    return {part.query["partNumber"] for part in proxy.of("UploadPartCopy") if part.status == 200}


@pytest.mark.matrix
def test_multipart_copy_that_was_interrupted_is_kept_named_and_resumed(
    fault_fixture: FaultFixture,
) -> None:
    at_once = Multipart().at_once
    bodies = put_large(fault_fixture.buckets, at_once + 2)
    with interrupted(fault_fixture, signal.SIGINT, "UploadPartCopy", at_once, *LARGE) as (
        process,
        go,
    ):
        go.set()
        out, err = process.communicate(timeout=SECONDS_TO_WAIT)
        assert process.returncode == 130
    state = f"interrupted after {at_once} of {at_once + 2} parts; the upload is kept to be resumed"
    assert state.encode() in out
    assert b"frogmove resume" in err
    assert resume_parts(fault_fixture) == sorted([f"{at_once + 1}", f"{at_once + 2}"])
    assert_large_is_whole(fault_fixture, bodies)
