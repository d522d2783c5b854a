"""Quotes outsiders' text in messages: keys, URIs, patterns.

Outsiders choose keys, and operators paste them: quoted text is inert on a terminal and in a shell,
and pasting it gives the same text again.
"""

import unicodedata

# Control and format characters (escape sequences, bidirectional overrides), surrogates,
# unassigned, and the separators that terminals and editors take for the end of a line.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

# Longer texts are shortened in messages.
_MAX_LENGTH = 1024


def in_quotes(text: object, max_length: int = _MAX_LENGTH) -> str:
    """Return a text in a shell's single quotes, or in ``$'…'`` if it has invisible characters.

    Args:
        text: the text; any other value is formatted as by Python.
        max_length: maximum characters; a longer text is cut, with ``…`` after the quotes.
    """
    whole = text if isinstance(text, str) else repr(text)
    shown = whole[:max_length]
    more = "…" if len(whole) > max_length else ""
    if has_invisible(shown):
        return f"{with_escapes(shown)}{more}"
    return "'" + shown.replace("'", "'\"'\"'") + f"'{more}"


def has_invisible(text: str) -> bool:
    """Tell whether a text has an invisible character."""
    # Fast path: nearly every key is printable.
    return not text.isprintable() and any(_is_invisible(char) for char in text)


def with_escapes(text: str) -> str:
    """Return a text in bash's and zsh's quotes with escapes, ``$'…'``."""
    return "$'" + "".join(_escape(char) for char in text) + "'"


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in _INVISIBLE


def _escape(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if char == "'":
        # Not \': a shell without $'…' would take it for the closing quote.
        return "\\x27"
    if not _is_invisible(char):
        return char
    code = ord(char)
    if code < 0x80:
        # Always two digits, so that a digit after it is not read as part of the escape.
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
