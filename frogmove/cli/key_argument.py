"""Formats keys so that they can be pasted after ``frogmove move`` in sh, bash or zsh.

Outsiders choose keys: none may act on a terminal or a shell, or look like another key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from frogmove.s3.uri import ENCODED_KEY

if TYPE_CHECKING:
    from frogmove.s3.uri import Location

# Characters without a special meaning in a shell or a spreadsheet: shlex's, and letters.
_PLAIN = re.compile(r"[\w./,:%][\w@%+=:,./-]*")

# Invisible characters that Unicode counts as letters, marks or symbols.
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point; and the Braille blank.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def key_argument(key: str, side: Location, encoding: str = "utf-8") -> str:
    """Return a key as an argument of ``frogmove move``: relative to the source, else as a URI.

    Args:
        key: the whole key.
        side: the location that it is relative to.
        encoding: the encoding of the output.

    Returns:
        the key itself if it is safe; in single quotes if a shell would change it; as a URI if the
        command would read it as something else; percent-encoded in a URI if it holds invisible
        characters.
    """
    name = key.removeprefix(side.prefix)
    if _PLAIN.fullmatch(name) and name.isascii() and not name.startswith("s3://"):
        return name
    if not _can_be_seen(key, encoding) or not name or name.startswith(("-", "s3://")):
        return key_uri(key, side.bucket, encoding)
    return _quoted(name)


def key_uri(key: str, bucket: str, encoding: str = "utf-8") -> str:
    """Return a key as a URI for a shell; see :func:`key_argument`."""
    if not _can_be_seen(key, encoding):
        return f"'s3://{bucket}{ENCODED_KEY}{quote(key, errors='surrogatepass')}'"
    return _quoted(f"s3://{bucket}/{key}")


def extra_key_argument(
    key: str, source: Location, destination_key: str, destination: Location, encoding: str = "utf-8"
) -> str:
    """Return a key that only the destination has: as a source's, but a URI is the destination's."""
    name = key_argument(key, source, encoding)
    is_uri = name.startswith(("s3://", "'s3://"))
    return key_uri(destination_key, destination.bucket, encoding) if is_uri else name


def _quoted(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return name
    return "'" + name.replace("'", "'\"'\"'") + "'"


def _can_be_seen(key: str, encoding: str) -> bool:
    if not key.isprintable() or _BLANK.search(key):
        return False
    try:
        key.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
