"""Hyphens and quotes that a word processor or a chat has replaced or doubled in a command."""

_DASHES = ("\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212")

_QUOTES = frozenset("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb")


def begins_with_dash(text: str) -> bool:
    """Tell whether a text begins with another dash than the hyphen of an option."""
    return text.startswith(_DASHES)


def typographic_hint(text: str) -> str:
    """Say which character of a text was probably typed by mistake; empty if none was."""
    if begins_with_dash(text):
        return "Options begin with plain hyphens, as in --prefix; this begins with another dash."
    if text and not _QUOTES.isdisjoint((text[0], text[-1])):
        return "A shell's quotes are plain, ' or \"; this has typographic quotes."
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return "The quotes are a part of it: write one pair only, which the shell removes."
    return ""
