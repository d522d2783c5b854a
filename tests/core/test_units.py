from datetime import UTC, datetime, timedelta

import pytest

from frogmove.core.units import parse_age, parse_size, parse_time
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
def test_parse_size_reads_a_number_of_bytes(text: str, bytes_: int) -> None:
    assert parse_size(text) == bytes_


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5GB", "1 XB", "٣", "9" * 30, "1MiB2"])
def test_parse_size_refuses_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("900", 900),
        ("90s", 90),
        ("15m", 900),
        ("1h", 3600),
        ("2D", 172800),
        ("2w", 1209600),
        (0, 0),
        (1.5, 1.5),
    ],
)
def test_parse_age_reads_a_number_of_seconds(value: object, seconds: float) -> None:
    assert parse_age(value) == seconds


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-1", "3M", "1.5h", "1y", "٣", None, True, -1, 1e10, float("nan"), [], "9" * 99],
)
def test_parse_age_refuses_what_is_no_age(value: object) -> None:
    with pytest.raises(UsageError, match="is not an age"):
        parse_age(value)


NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("36h", NOW - timedelta(hours=36)),
        (" 7D ", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T12:30", datetime(2026, 3, 1, 12, 30, tzinfo=UTC)),
        ("2026-03-01 12:30:45Z", datetime(2026, 3, 1, 12, 30, 45, tzinfo=UTC)),
        ("2026-03-01T12:30:00+01:00", datetime(2026, 3, 1, 11, 30, tzinfo=UTC)),
    ],
)
def test_parse_time_reads_an_age_or_a_date_in_utc(text: str, time: datetime) -> None:
    read = parse_time(text, NOW)
    assert read == time
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "7", "20260301", "2026-13-01", "-7d", "1.5h", "999999999w", "7d7", "٣d"),
        *("Z", "3M", "0001-01-01T00:00:00+01:00"),
    ],
)
def test_parse_time_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="neither an age nor a date"):
        parse_time(text, NOW)
