import pytest

from frogmove.core.deletion import DeletionBatch, fits_xml
from frogmove.s3 import Deletion, S3Error
from frogmove.s3.failure import Kind
from tests.model import ModelS3, World


class Before:
    """Counts how often it was called."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def seeded(count: int) -> tuple[World, list[Deletion]]:
    world = World({"a": {}})
    keys = [f"key {number}" for number in range(count)]
    return world, [Deletion(key, world.put("a", key, b"x").etag) for key in keys]


def test_a_full_batch_is_sent_by_itself() -> None:
    world, deletions = seeded(1000)
    before = Before()
    batch = DeletionBatch(ModelS3(world), "a", before, batched=True)
    fates = [batch.add(deletion) for deletion in deletions]
    assert [fate.result(0) for fate in fates] == [None] * 1000
    assert world.buckets["a"] == {}
    assert before.times == 1


def test_nothing_is_sent_before_the_batch_is_full_or_flushed() -> None:
    world, deletions = seeded(3)
    batch = DeletionBatch(ModelS3(world), "a", Before(), batched=True)
    fates = [batch.add(deletion) for deletion in deletions]
    assert not any(fate.done() for fate in fates)
    assert len(world.buckets["a"]) == 3
    batch.flush()
    assert [fate.result(0) for fate in fates] == [None] * 3


def test_each_key_has_its_own_fate() -> None:
    world, deletions = seeded(2)
    world.put("a", "key 1", b"newer")
    batch = DeletionBatch(ModelS3(world), "a", Before(), batched=True)
    fates = [batch.add(deletion) for deletion in [*deletions, Deletion("missing", "0" * 32)]]
    batch.flush()
    kinds = [fate.kind if (fate := future.result(0)) else None for future in fates]
    assert kinds == [None, Kind.CHANGED, Kind.MISSING]
    assert world.bodies("a") == {"key 1": b"newer"}


def test_a_key_that_xml_cannot_carry_is_deleted_alone_and_at_once() -> None:
    world = World({"a": {}})
    etag = world.put("a", "line\r", b"x").etag
    before = Before()
    fate = DeletionBatch(ModelS3(world), "a", before, batched=True).add(Deletion("line\r", etag))
    assert fate.result(0) is None
    assert world.buckets["a"] == {}
    assert before.times == 1


def test_a_server_without_conditions_in_batches_gets_single_deletes() -> None:
    world, deletions = seeded(3)
    before = Before()
    batch = DeletionBatch(ModelS3(world), "a", before, batched=False)
    assert all(batch.add(deletion).result(0) is None for deletion in deletions)
    assert before.times == 3


def test_one_key_twice_is_never_in_one_batch() -> None:
    world, (deletion,) = seeded(1)
    batch = DeletionBatch(ModelS3(world), "a", Before(), batched=True)
    first, second = batch.add(deletion), batch.add(deletion)
    batch.flush()
    assert first.result(0) is None
    again = second.result(0)
    assert again is not None
    assert again.kind is Kind.MISSING


def test_a_failed_request_fails_each_of_its_keys() -> None:
    batch = DeletionBatch(ModelS3(World()), "gone", Before(), batched=True)
    fates = [batch.add(Deletion(key, None)) for key in ("a", "b")]
    batch.flush()
    assert all(isinstance(fate.result(0), S3Error) for fate in fates)


@pytest.mark.parametrize("key", ["a/b c", "é", "🐸", "<&>'\"", "a//b", "\ud7ff\ue000"])
def test_what_xml_carries(key: str) -> None:
    assert fits_xml(key)


@pytest.mark.parametrize("key", ["\r", "\n", "\t", "\x00", "\x1b", "\x7f", "\x85", "\uffff"])
def test_what_xml_harms(key: str) -> None:
    assert not fits_xml(f"a{key}b")
