import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.verify import Comparison, Match, compare, same_etag
from frogmove.s3.models import Checksum, Head
from tests.factories import a_head, an_object, md5

ONE, OTHER = md5(b"one!"), md5(b"two!")
PARTS = ONE + "-2"


def crc(value: str, algorithm: str = "CRC64NVME", *, full_object: bool = True) -> Checksum:
    return Checksum(algorithm, value, full_object)


def head(
    etag: str = ONE, *checksums: Checksum, size: int = 4, encryption: str | None = None
) -> Head:
    return a_head(an_object(etag=etag, size=size), checksums, encryption)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ONE, ONE, True),
        (ONE, OTHER, False),
        (PARTS, PARTS, False),
        (ONE, ONE.upper(), True),
        (ONE, f'W/"{ONE}"', True),
        ("", "", False),
        ("0x8D4BCC2E4835CD0", "0x8D4BCC2E4835CD0", False),
    ],
)
def test_same_etag_needs_two_equal_md5s(one: str, other: str, same: bool) -> None:
    assert same_etag(one, other) is same


@pytest.mark.parametrize(
    ("one", "other", "match", "by"),
    [
        (head(size=4), head(size=5), Match.DIFFERENT, "size"),
        (head(ONE), head(ONE), Match.SAME, "ETag"),
        (head(ONE), head(OTHER), Match.DIFFERENT, "ETag"),
        (head(ONE, encryption="AES256"), head(OTHER), Match.DIFFERENT, "ETag"),
        (head(ONE), head(OTHER, encryption="aws:kms"), Match.UNKNOWN, "size"),
        (head(ONE, encryption="SSE-C"), head(OTHER), Match.UNKNOWN, "size"),
        (head(PARTS), head(ONE), Match.UNKNOWN, "size"),
        (head(PARTS), head(PARTS), Match.UNKNOWN, "size"),
        (head(PARTS, crc("x")), head(ONE, crc("x")), Match.UNKNOWN, "size"),
        (head(ONE, crc("x")), head(OTHER, crc("x")), Match.DIFFERENT, "ETag"),
        (head(PARTS, crc("x")), head(ONE, crc("y")), Match.DIFFERENT, "CRC64NVME"),
        (
            head(PARTS, crc("x", full_object=False)),
            head(ONE, crc("x")),
            Match.UNKNOWN,
            "size",
        ),
        (
            head(PARTS, crc("x")),
            head(ONE, crc("x", full_object=False)),
            Match.UNKNOWN,
            "size",
        ),
        (head(PARTS, crc("x", "CRC32")), head(ONE, crc("x")), Match.UNKNOWN, "size"),
        (
            head(PARTS, crc("z", full_object=False), crc("x", "SHA256")),
            head(PARTS, crc("y", "CRC32"), crc("x", "SHA256")),
            Match.SAME,
            "SHA256",
        ),
        (
            head(ONE, crc("x"), encryption="aws:kms"),
            head(OTHER, crc("x"), encryption="aws:kms"),
            Match.UNKNOWN,
            "size",
        ),
        (head("", size=0), head("", size=0), Match.UNKNOWN, "size"),
    ],
    ids=lambda value: "" if isinstance(value, Head) else str(value),
)
def test_compare_uses_the_best_proof_there_is(
    one: Head, other: Head, match: Match, by: str
) -> None:
    assert compare(one, other) == Comparison(match, by)
    assert compare(other, one) == Comparison(match, by)


@pytest.mark.parametrize("full_object", [True, False])
def test_compare_takes_a_crc_as_proof_of_our_own_copy_only(full_object: bool) -> None:
    one, other = (head(etag, crc("x", full_object=full_object)) for etag in (PARTS, ONE))
    assert compare(one, other).match is Match.UNKNOWN
    assert compare(one, other, is_our_copy=True).match is Match.SAME


ETAGS = st.sampled_from([ONE, OTHER, PARTS, ""])
ENCRYPTIONS = st.sampled_from([None, "AES256", "aws:kms", "SSE-C"])
CHECKSUMS = st.builds(
    Checksum, st.sampled_from(["CRC32", "SHA256"]), st.sampled_from(["x", "y"]), st.booleans()
)
HEADS = st.builds(
    a_head,
    st.builds(an_object, etag=ETAGS, size=st.sampled_from([3, 4])),
    st.lists(CHECKSUMS, max_size=2, unique_by=lambda checksum: checksum.algorithm),
    ENCRYPTIONS,
)


@given(HEADS, HEADS)
def test_compare_never_calls_objects_of_different_sizes_the_same(one: Head, other: Head) -> None:
    if one.object.size != other.object.size:
        assert compare(one, other).match is Match.DIFFERENT


@given(HEADS)
def test_compare_never_calls_an_object_different_from_itself(head: Head) -> None:
    assert compare(head, head).match is not Match.DIFFERENT
