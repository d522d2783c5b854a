"""Sizes and times as people write them: ``64MiB``, ``15m``. Pure."""

import re

from frogmove.errors import UsageError

_UNITS = {"": 1, "b": 1}
_UNITS |= {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)}
_UNITS |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)}

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_size(text: str) -> int:
    """Read a number of bytes.

    Raises:
        UsageError: when it is none.
    """
    match = re.fullmatch(r"([0-9]{1,18})\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _UNITS:
        raise UsageError(f"{text[:100]!a} is not a size.", "Write it as 67108864, 64MiB or 5GB.")
    return int(match[1]) * _UNITS[match[2]]


def parse_age(value: object) -> float:
    """Read a number of seconds.

    Args:
        value: a number, or a text such as ``900``, ``15m``, ``1h`` or ``1d``.

    Raises:
        UsageError: when it is none, or negative.
    """
    if isinstance(value, str):
        match = re.fullmatch(r"([0-9]{1,9})\s*([smhd]?)", value.strip().lower())
        if match is not None:
            return float(int(match[1]) * _SECONDS[match[2]])
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e9:
        return float(value)
    shown = f"{value[:100]!a}" if isinstance(value, str) else "That"
    raise UsageError(f"{shown} is not a time.", "Write it as 900, 15m, 1h or 1d.")
