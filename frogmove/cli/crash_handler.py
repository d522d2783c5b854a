"""Turns every end of a command into an exit code and one sentence, never a traceback."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from frogmove import __version__
from frogmove.cli import exit_codes, streams
from frogmove.cli.escaping import printable
from frogmove.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Maximum length of the details; of a deep recursion, only the two ends are kept.
MAX_DETAILS_LENGTH = 100_000


class _Begun:
    """What this process has started that may change something."""

    # The id of the run, or the name of the command.
    name = ""
    run_id = ""


def begin(name: str, run_id: str = "") -> None:
    """Record that from now on something may have been changed.

    Args:
        name: what was started, for messages.
        run_id: the id of the run, if it has a journal.
    """
    _Begun.name, _Begun.run_id = name, run_id


def exit_code(command: Callable[[], object]) -> int:
    """Run a command to its end.

    Args:
        command: returns an exit code; any other value means success.

    Returns:
        the exit code.
    """
    _Begun.name = _Begun.run_id = ""
    code: object
    try:
        code = command()
    except SystemExit as end:
        code = end.code
    except click.ClickException as error:
        _show(error)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = exit_codes.INTERRUPTED
    except BaseException as error:
        code = explain(error)
    return _after_output(code if isinstance(code, int) else exit_codes.DONE)


def _show(error: click.ClickException) -> None:
    """Print Click's message; it may quote arguments, which are escaped."""
    shown = io.StringIO()
    error.show(file=shown)
    for line in shown.getvalue().splitlines():
        click.echo(printable(line), err=True)


def install_hooks() -> None:
    """Protect the output streams, and keep errors of threads and destructors out of them."""
    if not streams.protect():
        return

    def in_thread(failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value is not None:
            explain(failed.exc_value)

    def in_destructor(failed: sys.UnraisableHookArgs) -> None:
        if failed.exc_value is not None:
            _save_details(failed.exc_value)

    threading.excepthook = in_thread
    sys.unraisablehook = in_destructor


def _after_output(code: int) -> int:
    """Return the exit code, after checking whether the output could be written."""
    if streams.flush():
        shown = "The output is incomplete."
        if _Begun.run_id:
            shown = f"`frogmove report {_Begun.run_id}` shows what the run did."
        _say(f"{streams.explain()} {shown}")
        return code or exit_codes.ATTENTION
    return code


def explain(error: BaseException) -> int:
    """Report an unexpected error in one sentence, and save its traceback.

    Returns:
        the exit code: 1 if anything may have been changed.
    """
    code = exit_codes.ATTENTION if _Begun.name else exit_codes.REFUSED
    with suppress(Exception):
        what = " ".join(str(error).split())[:300]
        reason = f"{type(error).__name__}{': ' if what else ''}{what}"
        if not _Begun.name:
            state = "Nothing was changed"
        elif _Begun.run_id:
            state = (
                f"Run {_Begun.run_id} did not finish: what it moved stays moved. To finish it: "
                f"frogmove resume {_Begun.run_id}"
            )
        else:
            state = f"{_Begun.name} may be partly done"
        _say(f"Unexpected {printable(redact(reason))}. {state}. {_save_details(error)}")
    return code


def _say(text: str) -> None:
    with suppress(Exception):
        sys.stderr.write(f"Error: {text}\n")
        sys.stderr.flush()


def _save_details(error: BaseException) -> str:
    """Save a traceback in the state directory, and return a sentence that says where."""
    try:
        # Lazy: only needed after an unexpected error.
        from frogmove.run_store import runs_directory

        path = _write(runs_directory(), _details(error))
    except Exception as problem:
        return f"The details could not be saved ({printable(str(problem))})."
    return f"Details are in {printable(str(path))}; please report them."


def _details(error: BaseException) -> str:
    trace = "".join(traceback.format_exception(error))
    if len(trace) > MAX_DETAILS_LENGTH:
        half = MAX_DETAILS_LENGTH // 2
        trace = f"{trace[:half]}\n[…]\n{trace[-half:]}"
    began = f"frogmove {__version__}, Python {sys.version}, {sys.platform}"
    return redact(f"{began}\n{_Begun.run_id}\n{' '.join(map(repr, sys.argv))}\n\n{trace}")


def _write(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"error-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}.txt"
    # Readable only by this user: it may contain keys.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path
