"""``frogmove lambda invoke``: calls the deployed function."""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING, Any

import click

from frogmove.cli import crash_handler, exit_codes, options
from frogmove.cli.function_options import function_options
from frogmove.cli.quantities import objects
from frogmove.cli.signals import end, interruptible
from frogmove.core.units import parse_age
from frogmove.errors import UsageError
from frogmove.ops.invoke import call, lambda_client
from frogmove.ops.unfinished import unfinished
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.ops.deployment import Deployment

_STOPPED_WAITING = (
    "Stopped waiting. The function continues; its result will be in its log: "
    "frogmove lambda logs {option}"
)

ACTIONS = ("ping", "move", "sweep", "sync")


@click.command()
@click.argument("action", type=click.Choice(ACTIONS), metavar="[ACTION]", required=False)
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option(
    "--event", type=click.File("r", encoding="utf-8-sig"), help="Send this JSON file as the event."
)
@options.dry_run
@click.option("--age", metavar="AGE", help="Sweep objects older than this: 900, 15m, 1h or 1d.")
@click.option("--no-wait", is_flag=True, help="Queue the event and do not wait for the result.")
@click.option("-v", "--verbose", is_flag=True, help="Print the end of the function's log as well.")
@function_options
def invoke(
    action: str | None,
    keys: tuple[str, ...],
    event: IO[str] | None,
    dry_run: bool,
    age: str | None,
    deployment: Deployment,
    console: Console,
    no_wait: bool,
    verbose: bool,
) -> None:
    """Call the deployed function.

    ACTION is ping (its version and settings), move (these KEYs, written as for `frogmove move`),
    sweep (objects that have been at the source for too long) or sync. The exit code is 1 if a key
    failed or conflicted, if the function ran out of time, or if there was no response, which is
    printed as JSON. Ctrl-C ends only the wait: the function continues.

    \b
    Examples:
      frogmove lambda invoke ping
      frogmove lambda invoke sweep --dry-run
      frogmove lambda invoke move reports/2026.csv
      frogmove lambda invoke --event event.json --verbose
    """
    sent = _event(action, keys, event, dry_run=dry_run, age=age, wait=not no_wait)
    if action == "move":
        sent = {**sent, "keys": _whole_keys(deployment, keys)}
    crash_handler.begin("The call")
    client = lambda_client(deployment.services)
    with interruptible(console) as stop:
        stop.on_stop = lambda: end(_STOPPED_WAITING.format(option=deployment.option))
        invocation = call(client, deployment.function, sent, wait=not no_wait)
    for line in invocation.log.splitlines() if verbose else ():
        console.note(line)
    if no_wait:
        console.note("Queued. The result will be in the function's log.")
        return
    _show(invocation.response, console)
    left = unfinished(invocation.response, sent)
    for line in left:
        console.warn(line)
    if left:
        sys.exit(exit_codes.ATTENTION)


def _show(response: object, console: Console) -> None:
    # ASCII, so that special characters in outsiders' keys are escaped.
    sys.stdout.write(json.dumps(response, indent=None if console.json_lines else 2) + "\n")
    console.flush()
    if not console.json_lines and isinstance(response, dict) and "counts" in response:
        console.total(_totals(response))


def _totals(response: dict[str, Any]) -> str:
    """Return what was done in one line; objects that are too young are not nothing."""
    counts = response["counts"] if isinstance(response["counts"], dict) else {}
    parts = [f"{number:,} {word}" for word, number in counts.items()] or ["nothing to do"]
    young = response.get("young")
    if isinstance(young, int) and young:
        verb = "waits" if young == 1 else "wait"
        parts.append(f"{objects(young)} {verb}, too young for a sweep (--age 0 includes all)")
    return ", ".join(parts)


def _whole_keys(deployment: Deployment, names: tuple[str, ...]) -> list[str]:
    """Return the keys of the source that are named relative to it, or by URIs.

    Raises:
        UsageError: when one is not valid, or the function's settings are not.
        UnreachableError: when the function's source cannot be read.
    """
    try:
        route = deployment.settings.route
    except UsageError as error:
        raise UsageError(
            f"The settings of the function {in_quotes(deployment.function)} are not valid: "
            f"{error.message}",
            "`frogmove doctor` says what to do.",
        ) from error
    return [route.source_key(name) for name in names]


def _event(
    action: str | None,
    keys: tuple[str, ...],
    file: IO[str] | None,
    *,
    dry_run: bool,
    age: str | None,
    wait: bool,
) -> Any:  # noqa: ANN401 - any JSON document
    """Return the event to send.

    Raises:
        UsageError: when the options contradict each other, or the file is not JSON.
    """
    if (action is None) == (file is None):
        raise UsageError("Give either an ACTION or an --event.")
    if file is not None:
        if dry_run or age is not None:
            raise UsageError("--dry-run and --age need an ACTION; an --event cannot have them.")
        try:
            document: object = json.load(file)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{in_quotes(file.name)} is not JSON: {error}.") from error
        return document
    if bool(keys) != (action == "move"):
        raise UsageError("KEYs can be given only with move, which needs at least one.")
    if (age is not None and action != "sweep") or (dry_run and action == "ping"):
        raise UsageError(
            f"{action} does not have this option.", "See frogmove lambda invoke --help."
        )
    event: dict[str, object] = {"action": action}
    if keys and wait and not dry_run:
        event["return_failures"] = True
    if dry_run:
        event["dry_run"] = True
    if age is not None:
        # The function checks it as well, but then it has been invoked.
        parse_age(age)
        event["age"] = age
    return event
