"""An object that is too large for one invocation, over as many as it takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.options import Multipart
from frogmove.errors import RunError
from frogmove.function.resumable_uploads import FOLDER
from frogmove.s3.errors import S3Error
from tests.aws_events import batch, message, notification
from tests.buckets import Buckets
from tests.fake_s3_state import FakeS3State
from tests.function.fake_lambda import CONTEXT, lambda_app, stopping
from tests.interceptors import RequestHook

if TYPE_CHECKING:
    from threading import Event

    from tests.function.invoke import Invoke
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

OLD, NEW = b"0123456789abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ9876543210"
EVENT = batch(message("1", notification("external", "a")))
AGAIN = {"batchItemFailures": [{"itemIdentifier": "1"}]}
DONE: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def state() -> FakeS3State:
    state = FakeS3State({"external": {}, "internal": {}})
    state.put("external", "a", OLD)
    return state


def invocation(state: FakeS3State, interceptor: Any = None) -> dict[str, Any]:
    return lambda_app(state, interceptor or RequestHook()).handle(EVENT, CONTEXT)


def interrupted(state: FakeS3State, flags: list[Event], after: int = 3) -> RequestHook:
    """Have one invocation copy so many parts."""
    interceptor = RequestHook({after - 1: stopping(flags)}, only="UploadPartCopy")
    assert invocation(state, interceptor) == AGAIN
    return interceptor


def markers(state: FakeS3State) -> list[str]:
    return [upload.key for upload in state.uploads.values() if upload.key.startswith(FOLDER)]


def test_resume_goes_on_from_the_part_that_was_reached(
    state: FakeS3State, flags: list[Event]
) -> None:
    gates = [interrupted(state, flags) for _ in range(2)]
    assert state.bodies("external") == {"a": OLD}
    assert len(state.uploads) == 2
    last = RequestHook()
    assert invocation(state, last) == DONE
    parts = [interceptor.operations.count("UploadPartCopy") for interceptor in [*gates, last]]
    assert parts == [3, 3, 3]
    assert (state.bodies("external"), state.bodies("internal")) == ({}, {"a": OLD})
    assert state.uploads == {}


def test_marker_is_seen_by_no_reader_and_no_listing(state: FakeS3State, flags: list[Event]) -> None:
    interrupted(state, flags)
    assert state.bodies("internal") == {}
    (marker,) = markers(state)
    assert marker.isascii()
    assert len(marker) < 400


def test_parts_of_what_was_replaced_are_thrown_away(state: FakeS3State, flags: list[Event]) -> None:
    interrupted(state, flags)
    state.put("external", "a", NEW)
    last = RequestHook()
    assert invocation(state, last) == DONE
    assert last.operations.count("UploadPartCopy") == 9
    assert (state.bodies("external"), state.bodies("internal")) == ({}, {"a": NEW})
    assert state.uploads == {}


def test_resume_does_not_take_the_same_size_of_other_bytes_for_it(
    state: FakeS3State, flags: list[Event]
) -> None:
    """Back and forth: the older content is again what the source holds."""
    interrupted(state, flags)
    state.put("external", "a", NEW)
    interrupted(state, flags)
    state.put("external", "a", OLD)
    assert invocation(state) == DONE
    assert state.bodies("internal") == {"a": OLD}
    assert state.uploads == {}


def test_upload_without_its_marker_is_not_trusted(state: FakeS3State, flags: list[Event]) -> None:
    interrupted(state, flags)
    for upload_id in [each for each, upload in state.uploads.items() if upload.key != "a"]:
        del state.uploads[upload_id]
    last = RequestHook()
    assert invocation(state, last) == DONE
    assert last.operations.count("UploadPartCopy") == 9
    assert state.bodies("internal") == {"a": OLD}
    assert [upload.key for upload in state.uploads.values()] == ["a"]


def test_marker_of_nothing_is_cleared_away(state: FakeS3State, flags: list[Event]) -> None:
    """The lifecycle rule may come to the upload first."""
    interrupted(state, flags)
    for upload_id in [each for each, upload in state.uploads.items() if upload.key == "a"]:
        del state.uploads[upload_id]
    assert invocation(state) == DONE
    assert state.bodies("internal") == {"a": OLD}
    assert state.uploads == {}


def test_upload_that_failed_for_the_moment_is_gone_on_with(state: FakeS3State) -> None:
    def fail() -> None:
        raise S3Error("UploadPartCopy", "SlowDown", 503, "Please reduce your request rate")

    interceptor = RequestHook({3: fail}, only="UploadPartCopy")
    assert invocation(state, interceptor) == AGAIN
    assert len(markers(state)) == 1
    last = RequestHook()
    assert invocation(state, last) == DONE
    assert last.operations.count("UploadPartCopy") == 6
    assert (state.bodies("internal"), state.uploads) == ({"a": OLD}, {})


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidRequest"])
def test_upload_that_failed_for_good_leaves_nothing(state: FakeS3State, code: str) -> None:
    def fail() -> None:
        raise S3Error("UploadPartCopy", code, 403, "No")

    assert invocation(state, RequestHook({3: fail}, only="UploadPartCopy")) == AGAIN
    assert (state.bodies("external"), state.uploads) == ({"a": OLD}, {})


@pytest.mark.parametrize("operation", ["ListMultipartUploads", "CreateMultipartUpload"])
def test_upload_that_cannot_be_remembered_is_not_begun(state: FakeS3State, operation: str) -> None:
    def fail() -> None:
        raise S3Error(operation, "AccessDenied", 403, "No")

    # The second upload that is created is the marker.
    which = 1 if operation == "CreateMultipartUpload" else 0
    interceptor = RequestHook({which: fail}, only=operation)
    assert invocation(state, interceptor) == AGAIN
    assert "UploadPartCopy" not in interceptor.operations
    assert (state.bodies("external"), state.uploads) == ({"a": OLD}, {})


def test_part_size_that_was_set_anew_begins_anew(state: FakeS3State, flags: list[Event]) -> None:
    interrupted(state, flags)
    wider = lambda_app(state, parts=Multipart(threshold=4, part_size=9))
    assert wider.handle(EVENT, CONTEXT) == DONE
    assert (state.bodies("internal"), state.uploads) == ({"a": OLD}, {})


# Two at once: the second runs from its start to its end before any one request of the first.

FIRST = 32


@pytest.mark.parametrize("second", ["whole", "interrupted", "after an overwrite"])
def test_deliveries_at_once_never_tear_or_lose_an_object(second: str, flags: list[Event]) -> None:
    complete = {OLD, NEW}
    for moment in range(FIRST):
        state = FakeS3State({"external": {}, "internal": {}})
        state.put("external", "a", OLD)

        def meanwhile(state: FakeS3State = state) -> None:
            deeds = {1: stopping(flags)} if second == "interrupted" else {}
            if second == "after an overwrite":
                state.put("external", "a", NEW)
            invocation(state, RequestHook(deeds, only="UploadPartCopy"))
            assert set(state.bodies("internal").values()) <= complete

        interceptor = RequestHook({moment: meanwhile})
        first = invocation(state, interceptor)
        # The second invocation finds the work done, not a failure.
        assert first == DONE or second != "whole"
        assert set(state.bodies("internal").values()) <= complete
        assert invocation(state) == DONE
        newest = NEW if second == "after an overwrite" and moment < interceptor.counted else OLD
        assert (state.bodies("external"), state.bodies("internal")) == ({}, {"a": newest})
    # Else there were moments that nothing was tried at.
    assert interceptor.counted < FIRST


def test_notification_without_a_queue_raises_until_the_object_is_whole(
    state: FakeS3State, flags: list[Event]
) -> None:
    event = notification("external", "a")
    interceptor = RequestHook({3: stopping(flags)}, only="UploadPartCopy")
    with pytest.raises(RunError, match="4 of 9 parts; the upload is kept"):
        lambda_app(state, interceptor).handle(event, CONTEXT)
    assert lambda_app(state).handle(event, CONTEXT) == {"counts": {"moved": 1}}
    assert (state.bodies("internal"), state.uploads) == ({"a": OLD}, {})


# And on a real server.


def test_resume_goes_on_on_a_real_server(
    seaweedfs: Server, invoke: Invoke, hooks: RequestHooks, flags: list[Event]
) -> None:
    seaweedfs_buckets = Buckets.make(seaweedfs)
    body = os.urandom(3 * 5 * 2**20)
    seaweedfs_buckets.put("a b/é", body=body)
    event = batch(message("1", notification(seaweedfs_buckets.source, "a b/é")))
    sizes = {"FROGMOVE_MULTIPART_THRESHOLD": "5MiB", "FROGMOVE_PART_SIZE": "5MiB"}
    hooks.before("UploadPartCopy", lambda: flags[-1].set())
    assert invoke(seaweedfs_buckets, event, FROGMOVE_CONCURRENCY="1", **sizes) == AGAIN
    assert (
        len(
            seaweedfs_buckets.client.list_multipart_uploads(Bucket=seaweedfs_buckets.destination)[
                "Uploads"
            ]
        )
        == 2
    )
    before = len(hooks.of("UploadPartCopy"))
    assert invoke(seaweedfs_buckets, event, **sizes) == DONE
    copied = hooks.of("UploadPartCopy")
    assert len(copied) == len({request.url for request in copied}) == 3
    assert 0 < before <= 3
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({}, {"a b/é": body})
    assert "Uploads" not in seaweedfs_buckets.client.list_multipart_uploads(
        Bucket=seaweedfs_buckets.destination
    )
