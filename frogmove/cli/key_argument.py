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
    if not _can_be_seen(key, encoding):
        return f"'s3://{side.bucket}{ENCODED_KEY}{quote(key, errors='surrogatepass')}'"
    if not name or name.startswith(("-", "s3://")):
        name = f"s3://{side.bucket}/{key}"
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
