import pytest

from frogmove.core.batch_delete import BatchDeleter, fits_xml
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.models import Deletion
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State


class Before:
    """Counts how often it was called."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def seeded(count: int) -> tuple[FakeS3State, list[Deletion]]:
    state = FakeS3State({"a": {}})
    keys = [f"key {number}" for number in range(count)]
    return state, [Deletion(key, state.put("a", key, b"x").etag) for key in keys]


def test_batch_that_is_full_is_sent() -> None:
    state, deletions = seeded(1000)
    before = Before()
    batch = BatchDeleter(FakeS3(state), "a", before, batched=True)
    errors = [batch.add(deletion) for deletion in deletions]
    assert [error.result(0) for error in errors] == [None] * 1000
    assert state.buckets["a"] == {}
    assert before.times == 1


def test_batch_is_not_sent_before_it_is_full_or_flushed() -> None:
    state, deletions = seeded(3)
    batch = BatchDeleter(FakeS3(state), "a", Before(), batched=True)
    errors = [batch.add(deletion) for deletion in deletions]
    assert not any(error.done() for error in errors)
    assert len(state.buckets["a"]) == 3
    batch.flush()
    assert [error.result(0) for error in errors] == [None] * 3


def test_batch_gives_each_key_its_own_result() -> None:
    state, deletions = seeded(2)
    state.put("a", "key 1", b"newer")
    batch = BatchDeleter(FakeS3(state), "a", Before(), batched=True)
    errors = [batch.add(deletion) for deletion in [*deletions, Deletion("missing", "0" * 32)]]
    batch.flush()
    kinds = [error.kind if (error := future.result(0)) else None for future in errors]
    assert kinds == [None, Kind.CHANGED, Kind.MISSING]
    assert state.bodies("a") == {"key 1": b"newer"}


def test_key_that_xml_cannot_carry_is_deleted_alone_and_at_once() -> None:
    state = FakeS3State({"a": {}})
    etag = state.put("a", "line\r", b"x").etag
    before = Before()
    error = BatchDeleter(FakeS3(state), "a", before, batched=True).add(Deletion("line\r", etag))
    assert error.result(0) is None
    assert state.buckets["a"] == {}
    assert before.times == 1


def test_deletes_are_single_on_a_server_without_conditions_in_batches() -> None:
    state, deletions = seeded(3)
    before = Before()
    batch = BatchDeleter(FakeS3(state), "a", before, batched=False)
    assert all(batch.add(deletion).result(0) is None for deletion in deletions)
    assert before.times == 3


def test_batch_never_has_one_key_twice() -> None:
    state, (deletion,) = seeded(1)
    batch = BatchDeleter(FakeS3(state), "a", Before(), batched=True)
    first, second = batch.add(deletion), batch.add(deletion)
    batch.flush()
    assert first.result(0) is None
    again = second.result(0)
    assert again is not None
    assert again.kind is Kind.MISSING


def test_batch_whose_request_fails_fails_each_of_its_keys() -> None:
    batch = BatchDeleter(FakeS3(FakeS3State()), "gone", Before(), batched=True)
    errors = [batch.add(Deletion(key, None)) for key in ("a", "b")]
    batch.flush()
    assert all(isinstance(error.result(0), S3Error) for error in errors)


@pytest.mark.parametrize("key", ["a/b c", "é", "🐸", "<&>'\"", "a//b", "\ud7ff\ue000"])
def test_fits_xml_accepts_what_xml_carries(key: str) -> None:
    assert fits_xml(key)


@pytest.mark.parametrize("key", ["\r", "\n", "\t", "\x00", "\x1b", "\x7f", "\x85", "\uffff"])
def test_fits_xml_refuses_what_xml_harms(key: str) -> None:
    assert not fits_xml(f"a{key}b")
