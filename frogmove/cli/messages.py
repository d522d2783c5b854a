"""Messages of the commands on stderr.

rich is imported when it is first used: pipes, JSON lines, help and completion do not need it.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from frogmove.cli import streams
from frogmove.cli.escaping import printable

if TYPE_CHECKING:
    import rich.console


class Messages:
    """One command's messages.

    Args:
        quiet: print only what needs attention.
        verbose: print diagnostic details.
    """

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self.quiet = quiet
        self._verbose = verbose
        self._err: rich.console.Console | None = None

    @property
    def err(self) -> rich.console.Console:
        """The rich console on stderr."""
        if self._err is None:
            self._err = rich_console(stderr=True)
        return self._err

    @cached_property
    def is_live(self) -> bool:
        """Whether stderr is a terminal that can show a progress bar, regardless of FORCE_COLOR."""
        dumb = os.environ.get("TERM", "").lower() in {"dumb", "unknown"}
        return sys.stderr.isatty() and not dumb

    @cached_property
    def _is_plain_err(self) -> bool:
        """Whether stderr is a file or a pipe, and gets no colours on request either."""
        asked = os.environ.get("FORCE_COLOR") or os.environ.get("TTY_COMPATIBLE") == "1"
        return not (sys.stderr.isatty() or asked)

    def message(self, text: str, style: str = "") -> None:
        """Print a line on stderr, in a style of rich."""
        if self._is_plain_err:
            # In one call, because several threads print messages.
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
        else:
            self.err.print(text, style=style)

    def note(self, text: str) -> None:
        """Print a line on stderr, unless quiet."""
        if not self.quiet:
            self.message(printable(text), style="dim")

    def detail(self, text: str) -> None:
        """Print a line on stderr, if verbose."""
        if self._verbose:
            self.note(text)

    def warn(self, text: str) -> None:
        """Print a warning on stderr, even if quiet."""
        self.message(printable(text), style="yellow")

    def error(self, message: str, remedy: str) -> None:
        """Print why a command failed and what can be done."""
        self.message(f"Error: {printable(message)}", style="red")
        if remedy:
            self.message(printable(remedy))

    def total(self, text: str) -> None:
        """Print a line with totals on stderr, unless quiet."""
        if not self.quiet:
            streams.flush()  # In a log of both streams, the data come first.
            self.message(text, style="bold")


def rich_console(*, stderr: bool) -> rich.console.Console:
    """Make a rich console that prints text as it is, without markup."""
    # Lazy: see above.
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)
