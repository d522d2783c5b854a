"""How a copy is proved, and what is made of one that is not what it should be."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pytest

from frogmove.core.result import Outcome
from frogmove.core.verify import Verify
from frogmove.s3 import S3Error
from tests.core.landings import (
    MINE,
    POLICIES,
    THEIRS,
    Meddler,
    a_world,
    ended,
    land,
    landed,
    seen,
)
from tests.forgery import forge
from tests.model import ModelS3, World, open_gate
from tests.objects import md5

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from frogmove.core.terms import OnConflict
    from frogmove.s3 import Head
    from tests.model import Gate

T = TypeVar("T")


@pytest.fixture
def world() -> World:
    return a_world()


# How a copy is proved.


class Encrypted(ModelS3):
    """Tells of every object that it is encrypted: an ETag may then be anything."""

    def __init__(self, world: World, encryption: str, gate: Gate = open_gate) -> None:
        super().__init__(world, gate)
        self._encryption = encryption

    def head(self, bucket: str, key: str, version_id: str | None = None) -> Future[Head]:
        answer = super().head(bucket, key, version_id)
        if answer.exception() is None:
            head = answer.result()
            answer = type(answer)()
            answer.set_result(replace(head, encryption=self._encryption))
        return answer


ETAGS = {"kms": "f" * 32, "parts": md5(b"parts") + "-2", "odd": "not-hexadecimal"}


@pytest.mark.parametrize("etag", ETAGS.values(), ids=ETAGS)
@pytest.mark.parametrize("verify", list(Verify))
@pytest.mark.parametrize("checksums", [True, False], ids=["checksums", "none"])
def test_where_etags_prove_nothing_checksums_do_and_else_the_bytes(
    world: World, etag: str, verify: Verify, checksums: bool
) -> None:
    world.put("external", "key", MINE, etag)
    world.checksums = checksums
    answer = land(world, seen(world), Encrypted(world, "aws:kms"), verify=verify)
    assert world.bodies("internal") == {"key": MINE}
    assert landed(answer).note == ""


@pytest.mark.parametrize("verify", list(Verify))
def test_what_nothing_proves_and_is_too_large_to_be_read_stays_at_the_source(
    world: World, verify: Verify
) -> None:
    world.put("external", "key", MINE, "odd")
    world.checksums = False
    answer = land(
        world, seen(world), Encrypted(world, "aws:kms"), verify=verify, max_compare_size=3
    )
    assert "too large to be read" in ended(answer, Outcome.CONFLICT)


@pytest.mark.parametrize("verify", list(Verify))
def test_a_forged_crc_does_not_make_other_bytes_the_copy(world: World, verify: Verify) -> None:
    world.put("external", "key", MINE + b"\0\0\0\0" * 2)
    body = world.buckets["external"]["key"].body
    forged = b"evil....".ljust(len(body) - 4, b".")
    forged += forge(forged, zlib.crc32(body))
    assert (len(forged), zlib.crc32(forged)) == (len(body), zlib.crc32(body))
    for etag in (md5(forged), "odd"):
        world.put("internal", "key", forged, etag)
        ended(land(world, seen(world), verify=verify), Outcome.CONFLICT)
        assert world.bodies("internal") == {"key": forged}


@pytest.mark.parametrize("etag", [None, "odd"], ids=["comparable", "incomparable"])
def test_a_copy_whose_answer_was_lost_is_known_as_ours(world: World, etag: str | None) -> None:
    world.put("external", "key", MINE)
    world.put("internal", "key", MINE, etag)
    assert "same bytes already" in landed(land(world, seen(world))).note


class Described(ModelS3):
    """Tells of the destination's objects that they have other metadata."""

    def head(self, bucket: str, key: str, version_id: str | None = None) -> Future[Head]:
        answer = super().head(bucket, key, version_id)
        if bucket == "internal" and answer.exception() is None:
            head = answer.result()
            answer = type(answer)()
            answer.set_result(replace(head, metadata={"by": "somebody else"}))
        return answer


def test_the_same_bytes_with_other_metadata_are_not_there_already(world: World) -> None:
    world.put("internal", "key", MINE)
    reason = ended(land(world, seen(world), Described(world)), Outcome.CONFLICT)
    assert "other content headers or metadata" in reason


def test_the_same_bytes_without_the_key_asked_for_are_not_there_already(world: World) -> None:
    world.put("internal", "key", MINE)
    reason = ended(land(world, seen(world), kms_key_id="alias/frog"), Outcome.CONFLICT)
    assert "not encrypted with the KMS key" in reason


@pytest.mark.parametrize("verify", list(Verify))
@pytest.mark.parametrize("etag", [md5(MINE), *ETAGS.values()])
@pytest.mark.parametrize("checksums", [True, False], ids=["checksums", "none"])
def test_a_copy_that_is_not_the_source_is_found_out(
    world: World, verify: Verify, etag: str, checksums: bool
) -> None:
    world.put("external", "key", MINE, etag)
    world.checksums = checksums
    action = seen(world)

    def corrupt(operation: str, request: Callable[[], T]) -> T:
        answer = request()
        if operation == "CopyObject":
            stored = world.buckets["internal"]["key"]
            wrong = replace(stored, body=b"much longer", etag=md5(b"much longer"))
            world.buckets["internal"]["key"] = wrong
            return replace(answer, etag=wrong.etag)  # type: ignore[type-var]
        return answer

    answer = land(world, action, ModelS3(world, corrupt), verify=verify)
    reason = ended(answer, Outcome.FAILED)
    assert "is not the source's" in reason
    assert "source kept" in reason


@pytest.mark.parametrize("verify", list(Verify))
def test_a_copy_of_the_right_size_is_told_by_its_checksum(world: World, verify: Verify) -> None:
    world.put("external", "key", MINE, ETAGS["parts"])
    action = seen(world)
    meddler = Meddler("CopyObject", lambda: _swap(world, b"MINE"), after=True)
    answer = land(world, action, ModelS3(world, meddler), verify=verify)
    assert "CRC32 is not the source's" in ended(answer, Outcome.FAILED)


def _swap(world: World, body: bytes) -> None:
    """Change the copy's bytes but not its ETag, as a disk that lies does."""
    stored = world.buckets["internal"]["key"]
    world.buckets["internal"]["key"] = replace(stored, body=body)


@pytest.mark.parametrize(
    ("deed", "outcome", "word"),
    [
        ("vanish", Outcome.GONE, "vanished"),
        ("change", Outcome.SUPERSEDED, "changed at the source"),
        ("overwrite", Outcome.CONFLICT, "somebody else changed the copy"),
        ("remove", Outcome.CONFLICT, "somebody else changed the copy"),
    ],
)
def test_what_changes_before_the_proof_is_not_proved(
    world: World, deed: str, outcome: Outcome, word: str
) -> None:
    world.put("external", "key", MINE, ETAGS["parts"])
    action = seen(world)
    deeds: dict[str, Callable[[], object]] = {
        "vanish": world.buckets["external"].clear,
        "change": lambda: world.put("external", "key", b"newer"),
        "overwrite": lambda: world.put("internal", "key", THEIRS),
        "remove": world.buckets["internal"].clear,
    }
    meddler = Meddler("CopyObject", deeds[deed], after=True)
    answer = land(world, action, ModelS3(world, meddler))
    assert word in ended(answer, outcome)


@pytest.mark.parametrize("code", ["AccessDenied", "InternalError", "InvalidRequest"])
def test_a_refusal_that_is_no_condition_is_raised(world: World, code: str) -> None:
    action = seen(world)

    def refuse(operation: str, request: Callable[[], T]) -> T:
        raise S3Error(operation, code, 400, "No.")

    with pytest.raises(S3Error) as caught:
        land(world, action, ModelS3(world, refuse))
    assert caught.value.code == code
    assert world.bodies("internal") == {}


@pytest.mark.parametrize("body", [MINE, THEIRS], ids=["same", "other"])
@pytest.mark.parametrize("policy", POLICIES)
def test_two_of_the_same_second_are_asked_whether_they_are_one_and_leave_nothing(
    world: World, body: bytes, policy: OnConflict
) -> None:
    there = world.put("internal", "key", body)
    modified = world.buckets["external"]["key"].modified
    world.buckets["internal"]["key"] = replace(there, modified=modified)
    answer = land(world, seen(world), on_conflict=policy)
    if body == MINE:
        assert "same bytes already" in landed(answer).note
    assert not any("probe" in key for bucket in world.buckets.values() for key in bucket)
