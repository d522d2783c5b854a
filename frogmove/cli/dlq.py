"""``frogmove dlq``: the messages that failed too often, in the dead-letter queue (DLQ)."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from frogmove.cli import exit_codes
from frogmove.cli.escaping import printable
from frogmove.cli.function_options import deployment_of, function
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.key_argument import key_argument
from frogmove.cli.options import route_options
from frogmove.cli.quantities import counts
from frogmove.cli.runner import connect
from frogmove.cli.signals import interruptible
from frogmove.errors import UsageError
from frogmove.ops.dead_letters import STATES, DeadLetters
from frogmove.ops.key_state import ObjectState
from frogmove.plural import counted
from frogmove.s3.limits import Limits
from frogmove.s3.uri import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.cli.output import Console
    from frogmove.config import Config
    from frogmove.ops.dead_letters import DeadLetter
    from frogmove.ops.queue_message import QueueMessage

# The characters of an id that are printed.
_ID_LENGTH = 8

# Keys of a message that are printed.
_NAMED = 3

# What a second signal leaves.
HIDDEN = "Stopped immediately. Messages that were read are hidden for some minutes; none is lost."

state_option = click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    help="Only messages whose object waits at the source, was moved since, ...; repeatable.",
)

sweeps_option = click.option(
    "--sweeps", is_flag=True, help="The sweeps that failed, instead of the uploads."
)


@contextmanager
def open_dead_letters(
    config: Config, console: Console, name: str | None, *, sweeps: bool = False
) -> Iterator[DeadLetters]:
    """Open the DLQ; at the end its messages are visible again, and its problems are printed.

    Args:
        config: the route.
        console: the output.
        name: the function; None for the route's.
        sweeps: whether it is the DLQ of sweeps instead of that of uploads.

    Raises:
        UsageError: when the server has no queues.
        FrogmoveError: when the DLQ cannot be read.
    """
    deployment = deployment_of(config, name)
    with connect(config, Limits(), console, deployment.services) as client:
        if not deployment.services.belong_to(client.endpoint_url):
            raise UsageError(
                f"The server {client.endpoint_url} has no queues.",
                "Set AWS_ENDPOINT_URL if it has, as `frogmove local` does.",
            )
        letters = DeadLetters(deployment, config, client.s3, sweeps=sweeps)
        try:
            yield letters
        finally:
            letters.release()
            for problem in letters.problems:
                console.warn(problem)


@click.command(cls=GroupedCommand)
@state_option
@sweeps_option
@function
@route_options
@click.pass_context
def ls(
    ctx: click.Context,
    config: Config,
    console: Console,
    name: str | None,
    states: tuple[str, ...],
    sweeps: bool,
) -> None:
    """List messages: why they failed, and where their objects are.

    The reasons are from the messages and from the function's log. While the command runs, the
    messages are hidden from others; afterwards they are as before.

    \b
    Examples:
      frogmove dlq ls
      frogmove dlq ls --state waits -o json
    """
    with (
        open_dead_letters(config, console, name, sweeps=sweeps) as letters,
        interruptible(console) as stop,
    ):
        stop.stop_message = "Stopping: the messages become visible again."
        stop.end_message = HIDDEN
        batches = letters.reader.batches(stop)
        # Sweeps are few, and their texts say why they failed.
        found = [
            message if sweeps else message.without_body() for batch in batches for message in batch
        ]
        total: Counter[str] = Counter()
        reasons = letters.reasons(found)
        for each in letters.explain(found, reasons):
            if not states or each.state in states:
                total[each.state] += 1
                show_letter(each, console)
        console.total(f"{counted(total.total(), 'message', 'messages')}{_of(total)}")
        if stop.is_set():
            ctx.exit(exit_codes.INTERRUPTED)
    # A list with unknown states is not complete.
    ctx.exit(exit_codes.ATTENTION if letters.problems else exit_codes.DONE)


def _of(total: Counter[str]) -> str:
    return f": {counts(total)}" if total else ""


def show_letter(letter: DeadLetter, console: Console) -> None:
    """Print a message on one line."""
    if console.json_lines:
        console.record(letter.record())
        return
    message = letter.message
    sent = "" if message.sent is None else f"{message.sent:%Y-%m-%d %H:%M:%S}"
    keys = [key_argument(each.key, Location(each.bucket)) for each in letter.keys]
    more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
    named = ", ".join(keys[:_NAMED]) + more or "-"
    why = letter.why or "the log says nothing about it"
    console.say(f"{message.id[:_ID_LENGTH]}  {sent:19}  {letter.state:<12}  {named}  ({why[:300]})")


@click.command(cls=GroupedCommand)
@click.argument("message_id", metavar="ID")
@sweeps_option
@function
@route_options
@click.pass_context
def show(
    ctx: click.Context,
    config: Config,
    console: Console,
    name: str | None,
    message_id: str,
    sweeps: bool,
) -> None:
    """Show one message: its text, its keys, and the log about them.

    ID is the beginning of a message's id, as `frogmove dlq ls` prints it.

    \b
    Examples:
      frogmove dlq show 1f0f3c9a
    """
    with (
        open_dead_letters(config, console, name, sweeps=sweeps) as letters,
        interruptible(console) as stop,
    ):
        chosen = MessageChoice((message_id,), frozenset(), everything=False)
        batches = letters.reader.batches(stop)
        found = [message for batch in batches for message in batch if chosen.has_id(message)]
        chosen.check_all_found()
        reasons = letters.reasons(found)
        for letter in letters.explain(found, reasons):
            lines = reasons.lines_of(letter.message)
            if console.json_lines:
                texts = {"body": letter.message.body, "log": [line.text for line in lines]}
                console.record(letter.record() | texts)
                continue
            show_letter(letter, console)
            for each in letter.keys:
                key = key_argument(each.key, Location(each.bucket))
                console.say(f"{each.state.value:<12}  {key}  {each.reason}".rstrip())
            for line in lines:
                console.say(f"log {line.time:%Y-%m-%d %H:%M:%S}  {line.text}")
            console.say(_readable(letter.message.body))
        if stop.is_set():
            ctx.exit(exit_codes.INTERRUPTED)
    ctx.exit(exit_codes.ATTENTION if letters.problems else exit_codes.DONE)


def _readable(body: str) -> str:
    """Return a message's text on one line, without special characters."""
    try:
        return json.dumps(json.loads(body))
    except (ValueError, RecursionError):
        return printable(body)


class MessageChoice:
    """The messages that a command is to handle.

    Args:
        ids: the beginnings of their ids.
        states: their states; empty for any.
        everything: whether all messages are chosen.

    Raises:
        UsageError: when nothing is chosen, or the choices contradict each other.
    """

    def __init__(self, ids: tuple[str, ...], states: frozenset[str], *, everything: bool) -> None:
        if [bool(ids), bool(states), everything].count(True) != 1:
            raise UsageError("Give either IDs, --state or --all.", "`frogmove dlq ls` lists them.")
        if any(len(each) < _ID_LENGTH for each in ids):
            raise UsageError(f"An ID has at least {_ID_LENGTH} characters.")
        self._states = states
        self._everything = everything
        self._left = dict.fromkeys(ids, 0)

    def has_id(self, message: QueueMessage) -> bool:
        """Tell whether a message is chosen by its id."""
        found = [each for each in self._left if message.id.startswith(each)]
        for each in found:
            self._left[each] += 1
        return bool(found)

    @property
    def has_ids(self) -> bool:
        """Whether messages are chosen by their ids."""
        return bool(self._left)

    @property
    def needs_states(self) -> bool:
        """Whether the states of the keys have to be looked up."""
        return bool(self._states)

    def is_complete(self, letters: DeadLetters) -> bool:
        """Tell whether all messages that may have been meant were read, with their states."""
        needs_known = self.needs_states and ObjectState.UNKNOWN.value not in self._states
        is_known = not (needs_known and letters.has_unknown)
        return is_known and (self.has_ids or not letters.is_incomplete)

    def has(self, letter: DeadLetter) -> bool:
        """Tell whether a message is chosen."""
        if self._everything:
            return True
        return letter.state in self._states or self.has_id(letter.message)

    def has_readable(self, message: QueueMessage) -> bool:
        """Tell whether a message is chosen by its id, or as one of all that can be read."""
        if self._everything:
            return not message.problem
        return self.has_id(message)

    def check_all_found(self) -> None:
        """Check that there is a message for each id.

        Raises:
            UsageError: when there is none for an id.
        """
        missing = [each for each, count in self._left.items() if not count]
        if missing:
            raise UsageError(
                f"There is no message {missing[0]!a} in the dead-letter queue.",
                "`frogmove dlq ls` lists them. It may have been handled meanwhile, or somebody "
                "else is looking at it.",
            )
