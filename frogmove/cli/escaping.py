"""Keys as text for a terminal. Outsiders choose them, so none may act on whoever reads it. Pure."""

import unicodedata

# Control and format characters (escape sequences, bidirectional overrides), surrogates,
# unassigned, and the separators that terminals and editors take for the end of a line.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(key: str) -> str:
    """Return a key as it is, or in the shell's ``$'…'`` quotes if it holds what cannot be seen.

    Pasted into bash or zsh, the quoted form is the key again. No two keys are shown alike, so one
    that looks quoted by itself is quoted, too.
    """
    # Nearly every key is printable throughout: that is one look instead of one a character.
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
        # Never \': a shell without these quotes would take it for their end.
        return "\\x27"
    if not _is_unseen(char):
        return char
    code = ord(char)
    if code < 0x80:
        # Always two digits, so that a digit after it is not taken for part of it.
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
