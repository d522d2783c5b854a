"""Escapes text for a terminal: outsiders choose keys, so they may hold control sequences."""

from frogmove.quoting import has_invisible, with_escapes


def printable(text: str) -> str:
    """Return a text as it is, or in the shell's ``$'…'`` quotes if it holds invisible characters.

    Pasted into bash or zsh, the quoted form gives the text again. A text that looks like a quoted
    one is quoted as well, so no two texts have the same form.
    """
    looks_quoted = text.startswith("$'") and text.endswith("'")
    return with_escapes(text) if looks_quoted or has_invisible(text) else text
