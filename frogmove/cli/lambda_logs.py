"""``frogmove lambda logs``: shows the function's log."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from frogmove.cli.escaping import printable
from frogmove.cli.function_options import function_options
from frogmove.core.units import parse_time
from frogmove.ops.aws_request import AwsRequestError, Cause
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.cli.output import Console
    from frogmove.ops.deployment import Deployment
    from frogmove.ops.function_log import FunctionLog, LogLine

_POLL_SECONDS = 2.0

# Lines may become visible a while after they were written.
_MAX_DELAY = timedelta(minutes=1)
_MAX_SEEN = 100_000

# Fields of a line that are shown otherwise, or not at all.
_NOT_LISTED = frozenset(
    {"level", "message", "timestamp", "service", "request_id", "key", "outcome", "xray_trace_id"}
)

# Uploaders choose these values.
_UNTRUSTED_FIELDS = frozenset({"destination_key", "threats"})


@click.command()
@click.option(
    "--since",
    default="1h",
    show_default=True,
    metavar="TIME",
    help="Lines from this time on: 15m, 2h, 7d, 2026-03-01.",
)
@click.option("-f", "--follow", is_flag=True, help="Continue with new lines until Ctrl-C.")
@click.option("--failed", is_flag=True, help="Only errors and warnings.")
@click.option("-v", "--verbose", is_flag=True, help="Also the lines of Lambda itself, and metrics.")
@function_options
def logs(
    since: str,
    follow: bool,
    failed: bool,
    verbose: bool,
    deployment: Deployment,
    console: Console,
) -> None:
    """Show the function's log, from all its log streams, in the order of time.

    \b
    Examples:
      frogmove lambda logs --failed --since 1d
      frogmove lambda logs --follow
      frogmove lambda logs -o json
    """
    begin = parse_time(since, datetime.now(UTC))
    log = deployment.log
    if follow and next(log.lines(begin), None) is None:
        _require_function(deployment)
    lines = _following(log, begin, failed=failed) if follow else _read(log, begin, failed=failed)
    shown = 0
    for line in lines:
        if not verbose and (line.is_metrics or (line.is_platform and not line.is_failure)):
            continue
        shown += 1
        _show(line, console)
    if not shown:
        _require_function(deployment)
        kind = "errors or warnings" if failed else "lines"
        console.note(f"No {kind} since {begin:%Y-%m-%d %H:%M} UTC in {log.group}.")


def _require_function(deployment: Deployment) -> None:
    """Refuse a function that does not exist; one that never ran has no log either.

    Raises:
        AwsRequestError: when it does not exist.
    """
    try:
        deployment.configuration  # noqa: B018
    except AwsRequestError as error:
        if error.cause is Cause.MISSING:
            raise


def _read(log: FunctionLog, since: datetime, *, failed: bool) -> Iterator[LogLine]:
    return log.failures(since) if failed else log.lines(since)


def _following(log: FunctionLog, since: datetime, *, failed: bool) -> Iterator[LogLine]:
    """Yield lines forever, each once."""
    seen: OrderedDict[tuple[str, str, datetime, str], None] = OrderedDict()
    newest = since
    while True:
        for line in _read(log, since, failed=failed):
            identity = (line.id, line.stream, line.time, "" if line.id else line.text)
            if identity in seen:
                continue
            seen[identity] = None
            if len(seen) > _MAX_SEEN:
                seen.popitem(last=False)
            newest = max(newest, line.time)
            yield line
        since = max(since, newest - _MAX_DELAY)
        time.sleep(_POLL_SECONDS)


def _show(line: LogLine, console: Console) -> None:
    if console.json_lines:
        console.record(
            {
                "type": "log",
                "time": line.time.isoformat(),
                "stream": line.stream,
                "failure": line.is_failure,
                "line": line.fields or line.text,
            }
        )
    else:
        style = "bold yellow" if line.is_failure else ""
        console.line([(f"{line.time:%Y-%m-%d %H:%M:%S}  ", "dim"), (printable(_text(line)), style)])
    console.flush()


def _text(line: LogLine) -> str:
    fields = line.fields
    if not fields or line.is_platform:
        return line.text
    message = fields.get("message") or fields.get("errorMessage") or ""
    parts = [f"{fields.get('level') or ''!s:<8}", str(message)]
    if line.key is not None:
        parts.append(in_quotes(line.key))
    parts += [
        f"{name}={in_quotes(value) if name in _UNTRUSTED_FIELDS else value}"
        for name, value in fields.items()
        if name not in _NOT_LISTED and value not in (None, "", line.key)
    ]
    return " ".join(parts)
