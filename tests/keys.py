"""Keys as outsiders choose them, by name: each must be moved exactly as it is."""

SLASHES = {
    "double slash": "a//b",
    "leading slash": "/a",
    "trailing slash": "a/",
    "nothing but a slash": "/",
}

DOTS = {
    "dot-dot": "a/../b",
    "leading dot-dot": "../../a",
    "dot": "./a",
}

# Nothing but these is shown otherwise than it is.
UNSEEN = {
    "newline": "a\nb",
    "carriage return": "a\rb",
    "tab": "a\tb",
    "escape sequence": "\x1b[31mred\x1b]0;title\x07",
    "delete": "a\x7fb",
    "C1 control": "\x9b31m",
    "right-to-left override": "\u202egpj.exe",
    "zero-width": "a\u200bb",
    "line separator": "a\u2028b",
    "no character": "a\uffffb",
}

KEYS = {
    **SLASHES,
    **DOTS,
    **UNSEEN,
    "spaces": " a  b ",
    "plus": "a+b",
    "percent": "100%25",
    "bare percent": "%",
    "query": "a?b=c#d&e;f",
    "quotes": "a\"b'c`<d>",
    "backslash": "a\\x0a",
    "dollar": "$(id) $HOME",
    "markup": "[bold red]x[/bold red]",
    "option": "--all",
    "emoji": "🐸/🐸:frog:",
    "NFC": "\u00e9",
    "NFD": "e\u0301",
    "1024 bytes": "k" * 1024,
    "1024 bytes of emoji": "🐸" * 256,
}
