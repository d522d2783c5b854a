"""How a copy is proved, and what is made of one that is not what it should be."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pytest

from frogmove.core.models import Outcome, Result
from frogmove.core.verify import Verify
from frogmove.s3.errors import S3Error
from frogmove.s3.future import LightFuture
from tests.core.copy_helpers import (
    MINE,
    POLICIES,
    THEIRS,
    a_state,
    copy_object,
    ended,
    seen,
    verified,
)
from tests.factories import md5
from tests.fake_s3 import FakeS3
from tests.forgery import forge
from tests.interceptors import RequestHook, no_interception

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.core.options import OnConflict
    from frogmove.s3.future import Future
    from frogmove.s3.models import Head
    from tests.fake_s3_state import FakeS3State
    from tests.interceptors import Interceptor

T = TypeVar("T")


@pytest.fixture
def state() -> FakeS3State:
    return a_state()


# How a copy is proved.


class Encrypted(FakeS3):
    """Tells of every object that it is encrypted: an ETag may then be anything."""

    def __init__(
        self, state: FakeS3State, encryption: str, interceptor: Interceptor = no_interception
    ) -> None:
        super().__init__(state, interceptor)
        self._encryption = encryption

    def head(
        self, bucket: str, key: str, version_id: str | None = None, *, part: int | None = None
    ) -> Future[Head]:
        answer = super().head(bucket, key, version_id, part=part)
        if answer.exception() is not None:
            return answer
        encrypted: LightFuture[Head] = LightFuture()
        encrypted.set_result(replace(answer.result(), encryption=self._encryption))
        return encrypted


ETAGS = {"kms": "f" * 32, "parts": md5(b"parts") + "-2", "odd": "not-hexadecimal"}


@pytest.mark.parametrize("etag", ETAGS.values(), ids=ETAGS)
@pytest.mark.parametrize("verify", list(Verify))
@pytest.mark.parametrize("checksums", [True, False], ids=["checksums", "none"])
def test_copy_is_verified_by_checksums_or_bytes_where_etags_prove_nothing(
    state: FakeS3State, etag: str, verify: Verify, checksums: bool
) -> None:
    state.put("external", "key", MINE, etag)
    state.checksums = checksums
    answer = copy_object(state, seen(state), Encrypted(state, "aws:kms"), verify=verify)
    assert state.bodies("internal") == {"key": MINE}
    assert verified(answer).note == ""


@pytest.mark.parametrize("verify", list(Verify))
def test_copy_that_nothing_proves_and_is_too_large_to_read_keeps_the_source(
    state: FakeS3State, verify: Verify
) -> None:
    state.put("external", "key", MINE, "odd")
    state.checksums = False
    answer = copy_object(
        state, seen(state), Encrypted(state, "aws:kms"), verify=verify, max_compare_size=3
    )
    assert "too large to compare" in ended(answer, Outcome.CONFLICT)


@pytest.mark.parametrize("verify", list(Verify))
def test_copy_verification_is_not_deceived_by_a_forged_crc(
    state: FakeS3State, verify: Verify
) -> None:
    state.put("external", "key", MINE + b"\0\0\0\0" * 2)
    body = state.buckets["external"]["key"].body
    forged = b"evil....".ljust(len(body) - 4, b".")
    forged += forge(forged, zlib.crc32(body))
    assert (len(forged), zlib.crc32(forged)) == (len(body), zlib.crc32(body))
    for etag in (md5(forged), "odd"):
        state.put("internal", "key", forged, etag)
        ended(copy_object(state, seen(state), verify=verify), Outcome.CONFLICT)
        assert state.bodies("internal") == {"key": forged}


@pytest.mark.parametrize("etag", [None, "odd"], ids=["comparable", "incomparable"])
def test_copy_whose_answer_was_lost_is_known_as_ours(state: FakeS3State, etag: str | None) -> None:
    state.put("external", "key", MINE)
    state.put("internal", "key", MINE, etag)
    assert "already held the same bytes" in verified(copy_object(state, seen(state))).note


class Described(FakeS3):
    """Tells of the destination's objects that they have other metadata."""

    def head(
        self, bucket: str, key: str, version_id: str | None = None, *, part: int | None = None
    ) -> Future[Head]:
        answer = super().head(bucket, key, version_id, part=part)
        if bucket != "internal" or answer.exception() is not None:
            return answer
        described: LightFuture[Head] = LightFuture()
        described.set_result(replace(answer.result(), metadata={"by": "somebody else"}))
        return described


def test_destination_with_the_same_bytes_and_other_metadata_is_a_conflict(
    state: FakeS3State,
) -> None:
    state.put("internal", "key", MINE)
    reason = ended(copy_object(state, seen(state), Described(state)), Outcome.CONFLICT)
    assert "other content headers or metadata" in reason


def test_destination_without_the_kms_key_asked_for_is_a_conflict(state: FakeS3State) -> None:
    state.put("internal", "key", MINE)
    reason = ended(copy_object(state, seen(state), kms_key_id="alias/frog"), Outcome.CONFLICT)
    assert "not encrypted with the requested KMS key" in reason


@pytest.mark.parametrize("verify", list(Verify))
@pytest.mark.parametrize("etag", [md5(MINE), *ETAGS.values()])
@pytest.mark.parametrize("checksums", [True, False], ids=["checksums", "none"])
def test_copy_that_is_not_the_source_is_detected(
    state: FakeS3State, verify: Verify, etag: str, checksums: bool
) -> None:
    state.put("external", "key", MINE, etag)
    state.checksums = checksums
    action = seen(state)

    def corrupt(operation: str, request: Callable[[], T]) -> T:
        answer = request()
        if operation == "CopyObject":
            stored = state.buckets["internal"]["key"]
            wrong = replace(stored, body=b"much longer", etag=md5(b"much longer"))
            state.buckets["internal"]["key"] = wrong
            return replace(answer, etag=wrong.etag)  # type: ignore[type-var]
        return answer

    answer = copy_object(state, action, FakeS3(state, corrupt), verify=verify)
    reason = ended(answer, Outcome.FAILED)
    assert "differs from the source's" in reason
    assert "source kept" in reason


@pytest.mark.parametrize("verify", list(Verify))
def test_copy_of_the_right_size_and_other_bytes_fails_by_its_checksum(
    state: FakeS3State, verify: Verify
) -> None:
    state.put("external", "key", MINE, ETAGS["parts"])
    action = seen(state)
    hook = RequestHook({0: lambda: _swap(state, b"MINE")}, only="CopyObject", after=True)
    answer = copy_object(state, action, FakeS3(state, hook), verify=verify)
    assert "CRC32 differs from the source's" in ended(answer, Outcome.FAILED)


def _swap(state: FakeS3State, body: bytes) -> None:
    """Change the copy's bytes but not its ETag, as a disk that lies does."""
    stored = state.buckets["internal"]["key"]
    state.buckets["internal"]["key"] = replace(stored, body=body)


@pytest.mark.parametrize(
    ("deed", "outcome", "word"),
    [
        ("vanish", Outcome.GONE, "was deleted after it was copied"),
        ("change", Outcome.SUPERSEDED, "source has changed since"),
        ("overwrite", Outcome.CONFLICT, "the copy was overwritten"),
        ("remove", Outcome.CONFLICT, "the copy was overwritten"),
    ],
)
def test_copy_is_not_verified_if_either_object_changes_before(
    state: FakeS3State, deed: str, outcome: Outcome, word: str
) -> None:
    state.put("external", "key", MINE, ETAGS["parts"])
    action = seen(state)
    deeds: dict[str, Callable[[], object]] = {
        "vanish": state.buckets["external"].clear,
        "change": lambda: state.put("external", "key", b"newer"),
        "overwrite": lambda: state.put("internal", "key", THEIRS),
        "remove": state.buckets["internal"].clear,
    }
    hook = RequestHook({0: deeds[deed]}, only="CopyObject", after=True)
    answer = copy_object(state, action, FakeS3(state, hook))
    assert word in ended(answer, outcome)


@pytest.mark.parametrize("code", ["AccessDenied", "InternalError", "InvalidRequest"])
def test_copy_raises_a_refusal_that_is_no_condition(state: FakeS3State, code: str) -> None:
    action = seen(state)

    def refuse(operation: str, request: Callable[[], T]) -> T:
        raise S3Error(operation, code, 400, "No.")

    with pytest.raises(S3Error) as caught:
        copy_object(state, action, FakeS3(state, refuse))
    assert caught.value.code == code
    assert state.bodies("internal") == {}


@pytest.mark.parametrize("body", [MINE, THEIRS], ids=["same", "other"])
@pytest.mark.parametrize("policy", POLICIES)
def test_copy_probes_whether_two_objects_of_one_second_are_one_and_leaves_nothing(
    state: FakeS3State, body: bytes, policy: OnConflict
) -> None:
    there = state.put("internal", "key", body)
    modified = state.buckets["external"]["key"].modified
    state.buckets["internal"]["key"] = replace(there, modified=modified)
    answer = copy_object(state, seen(state), on_conflict=policy)
    if body == MINE:
        assert "already held the same bytes" in verified(answer).note
    assert not any("probe" in key for bucket in state.buckets.values() for key in bucket)


@pytest.mark.parametrize("etag", [None, ETAGS["parts"]], ids=["by MD5", "by content"])
@pytest.mark.parametrize("twin", [True, False])
@pytest.mark.parametrize("number", range(9))
def test_copy_whose_source_another_run_moves_between_two_requests_is_no_failure(
    state: FakeS3State, number: int, twin: bool, etag: str | None
) -> None:
    state.put("external", "key", MINE, etag)
    if twin:
        state.put("internal", "key", MINE, etag)
    action = seen(state)
    hook = RequestHook({number: state.buckets["external"].clear})
    answer = copy_object(state, action, FakeS3(state, hook))
    if isinstance(answer, Result):
        assert answer.outcome is Outcome.GONE, answer
    else:
        assert state.bodies("internal") == {"key": MINE}


@pytest.mark.parametrize("etag", [None, ETAGS["parts"]], ids=["by MD5", "by content"])
@pytest.mark.parametrize("number", range(9))
def test_copy_whose_twin_is_deleted_between_two_requests_is_no_failure(
    state: FakeS3State, number: int, etag: str | None
) -> None:
    state.put("external", "key", MINE, etag)
    state.put("internal", "key", MINE, etag)
    action = seen(state)
    hook = RequestHook({number: state.buckets["internal"].clear})
    answer = copy_object(state, action, FakeS3(state, hook))
    if isinstance(answer, Result):
        assert answer.outcome is Outcome.CONFLICT, answer
    assert state.bodies("external") == {"key": MINE}


@pytest.mark.parametrize("code", ["NoSuchKey", "PreconditionFailed"])
@pytest.mark.parametrize("refused", ["CopyObject", "GetObjectTagging"])
def test_copy_raises_a_condition_that_is_refused_though_it_holds(
    state: FakeS3State, refused: str, code: str
) -> None:
    state.put("internal", "key", MINE)

    def refuse(operation: str, request: Callable[[], T]) -> T:
        if operation == refused:
            raise S3Error(operation, code, 404 if code == "NoSuchKey" else 412, "")
        return request()

    if refused == "CopyObject":
        state.buckets["internal"].clear()
    with pytest.raises(S3Error, match=code):
        copy_object(state, seen(state), FakeS3(state, refuse))
