"""Converts glob patterns for keys to regular expressions.

``*`` matches any text without a ``/``, ``**`` any text, ``**/`` any number of folders or none,
``?`` one character except ``/``, ``[a-z]`` one character of a set, and ``[!a-z]`` one that is not
in the set, but never ``/``. Every other character matches itself, even a backslash: ``[*]`` is a
star.

Keys come from outsiders, so no key may take long to match. The text before a star is matched at the
earliest place and not tried again (an atomic group): a later star matches the rest. Only the text
after the last ``**`` is tried at each place.
"""

from __future__ import annotations

import re
from itertools import groupby

from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.uri import check_text

_TOKEN = re.compile(r"\*\*+|\*|\?|\[(?>[!^]?\]?)[^\]]*\]|.", re.DOTALL)
_STAR = "[^/]*"
_ANY = ".*"
_FOLDERS = "(?:[^/]*/)*"
_WILD = (_STAR, _ANY, _FOLDERS)


def glob_regex(glob: str) -> str:
    """Return a regular expression for a pattern; it matches to the end of the text.

    Use it with ``re.DOTALL``: keys may contain line ends.

    Raises:
        UsageError: when it is empty or not UTF-8, or contains a set that is not valid.
    """
    if not glob:
        raise UsageError("An empty text is not a pattern.", "Write it as '*.csv' or 'logs/**'.")
    # Otherwise it would match nothing, and exclude nothing.
    check_text(glob)
    parts = _split(_tokens(glob), (_ANY, _FOLDERS))
    regex = "".join(_block(parts[0], is_last=len(parts) == 1))
    for place in range(1, len(parts), 2):
        (wild,), block = parts[place], parts[place + 1]
        is_last = place == len(parts) - 2
        if is_last:
            regex += f"{wild}?{_block(block, is_last=True)}" if block else wild
        else:
            regex += f"(?>{wild}?{_block(block, is_last=False)})"
    return regex + r"\Z"


def _block(tokens: list[str], *, is_last: bool) -> str:
    """Return a regular expression for a part without ``**``."""
    runs = _split(tokens, (_STAR,))
    regex = "".join(runs[0])
    for place in range(2, len(runs), 2):
        run = "".join(runs[place])
        if is_last and place == len(runs) - 1:
            # It matches a fixed length, so only the end of the text has to be tried.
            regex += _STAR + run
        else:
            regex += f"(?>{_STAR}?{run})"
    return regex


def _tokens(glob: str) -> list[str]:
    """Return a regular expression for each character, set, star and double star."""
    tokens: list[str] = []
    place = 0
    while place < len(glob):
        found = _TOKEN.match(glob, place)
        text = found[0] if found else ""
        is_segment_start = place == 0 or glob[place - 1] == "/"
        place += len(text)
        if text.startswith("**"):
            if is_segment_start and glob.startswith("/", place):
                place += 1
                tokens.append(_FOLDERS)
            else:
                tokens.append(_ANY)
        elif text == "*":
            tokens.append(_STAR)
        elif text == "?":
            tokens.append("[^/]")
        elif len(text) > 1:
            tokens.append(_set(text, glob))
        elif text == "[":
            raise UsageError(
                f"The pattern {in_quotes(glob, 200)} has a '[' without a ']'.",
                "Write [[] for the character itself.",
            )
        else:
            tokens.append(re.escape(text))
    # Two in a row match the same as one.
    return [token for token, same in groupby(tokens) for token in _once(token, len(list(same)))]


def _once(token: str, count: int) -> list[str]:
    return [token] * (1 if token in _WILD else count)


def _set(text: str, glob: str) -> str:
    """Return a regular expression for a set of characters."""
    is_negated = text[1] in "!^"
    inside = text[2 if is_negated else 1 : -1]
    members = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside)
    regex = f"(?!/)[{'^' if is_negated else ''}{members}]"
    try:
        re.compile(regex)
    except re.error as error:
        raise UsageError(
            f"The set {in_quotes(text, 100)} in the pattern {in_quotes(glob, 200)} cannot be "
            f"read: {error.msg}.",
            "Write it as [a-z], [!a-z] or [-_.].",
        ) from error
    return regex


def _split(tokens: list[str], marks: tuple[str, ...]) -> list[list[str]]:
    """Split at the given tokens, which are returned as the lists at odd indexes."""
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token in marks:
            parts += [[token], []]
        else:
            parts[-1].append(token)
    return parts
