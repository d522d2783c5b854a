"""Escapes keys for a terminal: outsiders choose them, so they may hold control sequences."""

import unicodedata

# Control and format characters (escape sequences, bidirectional overrides), surrogates,
# unassigned, and the separators that terminals and editors take for the end of a line.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(key: str) -> str:
    """Return a key as it is, or in the shell's ``$'…'`` quotes if it holds invisible characters.

    Pasted into bash or zsh, the quoted form gives the key again. A key that looks like a quoted one
    is quoted as well, so no two keys have the same form.
    """
    # Fast path: nearly every key is printable.
    is_seen = key.isprintable() or not any(_is_unseen(char) for char in key)
    if is_seen and not key.startswith("$'"):
        return key
    return "$'" + "".join(_escape(char) for char in key) + "'"


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
