"""Keys as what may be pasted behind ``frogmove move``, into sh, bash or zsh. Pure.

Outsiders choose them: none may act on a terminal or a shell, nor be read as another key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from frogmove.s3.uri import ENCODED_KEY

if TYPE_CHECKING:
    from frogmove.s3.uri import Location

# What neither a shell nor a spreadsheet takes for anything else: shlex's characters and letters.
_PLAIN = re.compile(r"[\w./,:%][\w@%+=:,./-]*")

# What has no shape of its own, but passes for a letter, a mark or a symbol.
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point; Braille's blank besides.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def key_argument(key: str, side: Location, encoding: str = "utf-8") -> str:
    """Return a key as ``frogmove move`` takes it: relative to the source, else as a URI.

    Args:
        key: the whole key.
        side: what it is relative to.
        encoding: of whoever is to show it.

    Returns:
        the key as it is where that is plain; in single quotes where a shell would read it
        otherwise; as a URI where the command itself would; percent-encoded in a URI where it
        cannot be seen.
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
