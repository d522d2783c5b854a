"""Quotes outsiders' text in messages: keys, URIs, patterns.

Outsiders choose keys, and operators paste them: quoted text is inert on a terminal and in a shell,
and pasting it gives the same text again.
"""

import unicodedata

# Control and format characters (escape sequences, bidirectional overrides), surrogates,
# unassigned, and the separators that terminals and editors take for the end of a line.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

# Longer texts are shortened in messages.
_LONGEST = 1024


def in_quotes(text: object, longest: int = _LONGEST) -> str:
    """Return a text in a shell's single quotes, or in ``$'…'`` if it has invisible characters.

    Args:
        text: the text; any other value is formatted as by Python.
        longest: maximum characters; a longer text is cut, with ``…`` after the quotes.
    """
    whole = text if isinstance(text, str) else repr(text)
    shown = whole[:longest]
    more = "…" if len(whole) > longest else ""
    if has_unseen(shown):
        return f"{with_escapes(shown)}{more}"
    return "'" + shown.replace("'", "'\"'\"'") + f"'{more}"


def has_unseen(text: str) -> bool:
    """Tell whether a text has an invisible character."""
    # Fast path: nearly every key is printable.
    return not text.isprintable() and any(_is_unseen(char) for char in text)


def with_escapes(text: str) -> str:
    """Return a text in bash's and zsh's quotes with escapes, ``$'…'``."""
    return "$'" + "".join(_escape(char) for char in text) + "'"


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN


def _escape(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if char == "'":
        # Not \': a shell without $'…' would take it for the closing quote.
        return "\\x27"
    if not _is_unseen(char):
        return char
    code = ord(char)
    if code < 0x80:
        # Always two digits, so that a digit after it is not read as part of the escape.
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
