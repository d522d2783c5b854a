"""Transfer options, and the parts of a size."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from frogmove import Attribute, OnConflict, TransferOptions, UsageError, Verify
from frogmove.core.options import MAX_PARTS, MIB, MIN_PART_SIZE, Multipart
from frogmove.s3.models import MAX_COPY_SIZE

GIB = 1024 * MIB
# The largest object there can be.
LARGEST = MAX_PARTS * 5 * GIB


def test_transfer_options_take_choices_as_text() -> None:
    options = TransferOptions(on_conflict="keep-both", verify="strict", carry=frozenset({"acl"}))  # type: ignore[arg-type]
    assert options.on_conflict is OnConflict.KEEP_BOTH
    assert options.verify is Verify.STRICT
    assert options.carry == {Attribute.ACL}


@pytest.mark.parametrize("wrong", [{"on_conflict": "skipp"}, {"verify": 3}, {"carry": ["owner"]}])
def test_transfer_options_refuse_an_unknown_choice_and_name_the_known_ones(
    wrong: dict[str, str],
) -> None:
    with pytest.raises(UsageError) as caught:
        TransferOptions(**wrong)  # type: ignore[arg-type]
    assert any(word in caught.value.remedy for word in ("skip", "strict", "acl"))


@given(st.integers(1, LARGEST), st.sampled_from([MIN_PART_SIZE, 64 * MIB, 512 * MIB]))
@example(MIN_PART_SIZE * MAX_PARTS, MIN_PART_SIZE)
@example(MIN_PART_SIZE * MAX_PARTS + 1, MIN_PART_SIZE)
@example(MIN_PART_SIZE * MAX_PARTS - 1, MIN_PART_SIZE)
@example(MAX_COPY_SIZE + 1, 512 * MIB)
@example(LARGEST, MIN_PART_SIZE)
@example(1, MIN_PART_SIZE)
def test_parts_cover_every_byte_once_within_s3s_limits(size: int, part_size: int) -> None:
    parts = Multipart(part_size=part_size).parts(size)
    assert [number for number, _, _ in parts] == list(range(1, len(parts) + 1))
    assert len(parts) <= MAX_PARTS
    assert (parts[0][1], parts[-1][2]) == (0, size - 1)
    assert all(before[2] + 1 == after[1] for before, after in pairwise(parts))
    lengths = [last - first + 1 for _, first, last in parts]
    assert all(length >= part_size for length in lengths[:-1])
    assert 0 < lengths[-1] <= lengths[0] <= 5 * GIB


@given(st.integers(1, LARGEST))
def test_parts_of_a_size_are_always_the_same(size: int) -> None:
    """Otherwise a resumed upload would be assembled of parts that do not fit."""
    assert Multipart().parts(size) == Multipart(at_once=3, threshold=9).parts(size)


def test_multipart_defaults_are_within_s3s_limits() -> None:
    assert Multipart().threshold == MAX_COPY_SIZE
    assert Multipart().part_size >= MIN_PART_SIZE
