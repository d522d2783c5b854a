import pytest

from frogmove.core.units import parse_age, parse_size
from frogmove.errors import UsageError


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("67108864", 67108864),
        ("64MiB", 64 * 2**20),
        ("5gb", 5_000_000_000),
        (" 1 KiB ", 1024),
        ("0", 0),
    ],
)
def test_a_size_is_a_number_of_bytes(text: str, bytes_: int) -> None:
    assert parse_size(text) == bytes_


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5GB", "1 XB", "٣", "9" * 30, "1MiB2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("900", 900), ("90s", 90), ("15m", 900), ("1h", 3600), ("2D", 172800), (0, 0), (1.5, 1.5)],
)
def test_an_age_is_a_number_of_seconds(value: object, seconds: float) -> None:
    assert parse_age(value) == seconds


@pytest.mark.parametrize(
    "value", ["", "soon", "-1", "1.5h", "1w", "٣", None, True, -1, 1e10, float("nan"), [], "9" * 99]
)
def test_what_is_no_age_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        parse_age(value)
