"""Parses sizes, ages and dates: ``64MiB``, ``15m``, ``2026-03-01``."""

import re
from datetime import UTC, datetime, timedelta

from frogmove.errors import UsageError

_UNITS = {"": 1, "b": 1}
_UNITS |= {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)}
_UNITS |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)}

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def parse_size(text: str) -> int:
    """Parse a number of bytes.

    Raises:
        UsageError: when it is not valid.
    """
    match = re.fullmatch(r"([0-9]{1,18})\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _UNITS:
        raise UsageError(f"{text[:100]!a} is not a size.", "Write it as 67108864, 64MiB or 5GB.")
    return int(match[1]) * _UNITS[match[2]]


def parse_age(value: object) -> float:
    """Parse an age, in seconds.

    Args:
        value: a number, or a text such as ``900``, ``15m``, ``1h``, ``1d`` or ``1w``.

    Raises:
        UsageError: when it is not an age, or negative.
    """
    if isinstance(value, str):
        # An M may mean months.
        match = re.fullmatch(r"([0-9]{1,9})\s*([smhdwSHDW]?)", value.strip())
        if match is not None:
            return float(int(match[1]) * _SECONDS[match[2].lower()])
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e9:
        return float(value)
    shown = f"{value[:100]!a}" if isinstance(value, str) else "That"
    raise UsageError(f"{shown} is not an age.", "Write it as 900, 15m, 1h or 1d.")


def parse_time(text: str, now: datetime) -> datetime:
    """Parse a point in time.

    Args:
        text: an age with its unit, such as ``90m``, ``36h``, ``7d`` or ``2w``; or a date or time in
            ISO 8601. Without a time zone it is in UTC; a date means the start of that day.
        now: the time that an age is relative to.

    Raises:
        UsageError: when it is not valid.
    """
    written = text.strip()
    try:
        if written[-1:].lower() in _SECONDS and not written.endswith("Z"):
            return now - timedelta(seconds=parse_age(written))
        if not written.isdecimal():
            read = datetime.fromisoformat(written)
            return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError, UsageError):
        pass
    raise UsageError(
        f"{text[:100]!a} is neither an age nor a date.",
        "Write it as 90m, 36h, 7d, 2w, 2026-03-01 or 2026-03-01T12:30:00+01:00.",
    )
