"""``frogmove dlq redrive`` and ``drop``: send dead letters back, or delete them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from frogmove.cli import crash_handler, exit_codes
from frogmove.cli.confirmation import ask_to_continue, can_ask
from frogmove.cli.dlq import (
    HIDDEN,
    MessageChoice,
    open_dead_letters,
    show_letter,
    state_option,
    sweeps_option,
)
from frogmove.cli.escaping import printable
from frogmove.cli.function_options import function
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.options import dry_run, route_options
from frogmove.cli.parameter_types import NewFile, Rate
from frogmove.cli.quantities import counts
from frogmove.cli.signals import interruptible
from frogmove.errors import RunError, UsageError
from frogmove.ops.aws_request import AwsRequestError
from frogmove.ops.dead_letters import create_copies_file, write_copies
from frogmove.ops.message_reader import MAX_BATCH
from frogmove.ops.redrive import SEND
from frogmove.ops.redrive import redrive as send_back
from frogmove.plural import counted
from frogmove.quoting import in_quotes
from frogmove.run_store import runs_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from frogmove.cli.output import Console
    from frogmove.cli.signals import Stop
    from frogmove.config import Config
    from frogmove.ops.dead_letters import DeadLetter, DeadLetters
    from frogmove.ops.queue_message import QueueMessage
    from frogmove.ops.redrive import RedriveResult

_ALL = click.option("--all", "everything", is_flag=True, help="All messages.")
_IDS = click.argument("ids", metavar="[ID]...", nargs=-1)
_YES = click.option("-y", "--yes", is_flag=True, help="Do not ask before messages are deleted.")


@click.command(cls=GroupedCommand)
@_IDS
@_ALL
@state_option
@dry_run
@click.option(
    "--max-rate",
    type=Rate(min=0, min_open=True),
    metavar="N",
    help="Send at most N messages per second.",
)
@function
@route_options
@click.pass_context
def redrive(
    ctx: click.Context,
    config: Config,
    console: Console,
    name: str | None,
    ids: tuple[str, ...],
    everything: bool,
    states: tuple[str, ...],
    dry_run: bool,
    max_rate: float | None,
) -> None:
    """Send messages back to the queue, after their cause was fixed.

    A message is deleted only when SQS has confirmed that it was sent: none is lost, and the command
    can be stopped and run again at any time. A message that is sent twice does no harm. --all
    leaves messages that the function cannot read: they would come back.

    \b
    Examples:
      frogmove dlq redrive --all --dry-run
      frogmove dlq redrive --state waits --max-rate 50
      frogmove dlq redrive 1f0f3c9a
    """
    chosen = MessageChoice(ids, frozenset(states), everything=everything)
    with open_dead_letters(config, console, name) as letters, interruptible(console) as stop:
        stop.stop_message = "Stopping: no further message is sent; the others stay."
        stop.end_message = HIDDEN
        redrive_command = _Redrive(letters, chosen, console)
        if dry_run:
            redrive_command.show(stop)
        else:
            crash_handler.begin("The redrive")
            redrive_command.run(stop, max_rate)
        if not stop.is_set():
            redrive_command.check_all_found()
        console.total(counts(redrive_command.total) or "No message was found.")
        if stop.is_set():
            console.warn("Stopped. The others are in the dead-letter queue: rerun the command.")
            ctx.exit(exit_codes.INTERRUPTED)
    is_done = chosen.is_complete(letters) and not redrive_command.total["failed"]
    ctx.exit(exit_codes.DONE if is_done else exit_codes.ATTENTION)


class _Redrive:
    """One redrive.

    Attributes:
        total: the numbers of messages by result.
    """

    def __init__(self, letters: DeadLetters, chosen: MessageChoice, console: Console) -> None:
        self._letters = letters
        self._chosen = chosen
        self._console = console
        self.total: Counter[str] = Counter()

    def _choose(self, messages: list[QueueMessage]) -> list[QueueMessage]:
        if self._chosen.needs_states:
            letters = self._letters.explain(messages)
            found = [each.message for each in letters if self._chosen.has(each)]
        else:
            found = [each for each in messages if self._chosen.has_readable(each)]
        for each in messages:
            if each not in found:
                self.total["left (unreadable)" if each.problem else "left"] += 1
        return found

    def check_all_found(self) -> None:
        """Check that there was a message for each id.

        Raises:
            UsageError: when there is none for an id, and none was sent.
            RunError: when there is none for an id, but others were sent.
        """
        try:
            self._chosen.check_all_found()
        except UsageError as error:
            if not (self.total["sent"] or self.total["failed"]):
                raise
            raise RunError(f"{error.message} Done: {counts(self.total)}.", error.remedy) from error

    def show(self, stop: Stop) -> None:
        """Print which messages would be sent."""
        for batch in self._letters.reader.batches(stop):
            for message in self._choose(batch):
                self.total["would be sent"] += 1
                _show_result("would-send", message.id, "", self._console)

    def run(self, stop: Stop, rate: float | None) -> None:
        """Send the messages.

        Raises:
            AwsRequestError: when nothing was sent.
            RunError: when only some were sent, or it is not known whether any was.
        """
        queue = self._letters.deployment.queue
        results = send_back(self._letters.reader, queue, self._choose, stop, rate)
        try:
            self._take(results)
        except AwsRequestError as error:
            is_unclear = error.action == SEND and error.may_have_been_done
            if not (self.total["sent"] or self.total["failed"] or is_unclear):
                raise
            raise RunError(
                f"{counted(self.total['sent'], 'message was', 'messages were')} sent; then "
                f"{error.message} The others are still in the dead-letter queue.",
                error.remedy,
            ) from error

    def _take(self, results: Iterator[RedriveResult]) -> None:
        for result in results:
            word = "failed" if result.problem else "sent"
            self.total[word] += 1
            problem = result.problem
            if problem and result.is_sent:
                problem = f"sent, but not deleted from the dead-letter queue: {problem}"
            _show_result(word, result.message.id, problem, self._console)


def _show_result(word: str, message_id: str, problem: str, console: Console) -> None:
    if console.json_lines:
        record = {"type": "message", "id": message_id, "result": word, "reason": problem}
        console.record(record)
    else:
        reason = f"  ({problem})" if problem else ""
        console.say(f"{word:<10}  {message_id}{reason}")
    # A redrive may take long, and each line says what is done.
    console.flush()


@click.command(cls=GroupedCommand)
@_IDS
@_ALL
@state_option
@sweeps_option
@dry_run
@_YES
@click.option(
    "--copy",
    type=NewFile(),
    metavar="FILE",
    help="The file for the copies; by default in the state directory.",
)
@function
@route_options
@click.pass_context
def drop(
    ctx: click.Context,
    config: Config,
    console: Console,
    name: str | None,
    ids: tuple[str, ...],
    everything: bool,
    states: tuple[str, ...],
    sweeps: bool,
    dry_run: bool,
    yes: bool,
    copy: Path | None,
) -> None:
    """Delete messages, after copying them to a file. No object is deleted.

    Each message is copied to a file before it is deleted. Without a terminal, --yes is needed.

    \b
    Examples:
      frogmove dlq drop --state moved --state gone
      frogmove dlq drop 1f0f3c9a --copy poison.jsonl
      frogmove dlq drop --sweeps --all
    """
    chosen = MessageChoice(ids, frozenset(states), everything=everything)
    if not (dry_run or yes or can_ask()):
        raise UsageError("There is no terminal to ask on.", "Use --yes to delete the messages.")
    total: Counter[str] = Counter()
    with (
        open_dead_letters(config, console, name, sweeps=sweeps) as letters,
        interruptible(console) as stop,
    ):
        stop.stop_message = "Stopping: no further message is deleted."
        stop.end_message = HIDDEN
        found = _find(letters, chosen, stop)
        if not stop.is_set():
            chosen.check_all_found()
        if not found:
            console.total("No message was found.")
        elif dry_run:
            _show(found, console)
        elif not yes and not _may_drop(found, console):
            console.warn("Nothing was changed.")
            ctx.exit(exit_codes.REFUSED)
        elif not stop.is_set():
            crash_handler.begin("The deletion")
            _drop(letters, found, copy, stop, console, total)
        if stop.is_set():
            ctx.exit(exit_codes.INTERRUPTED)
    is_done = chosen.is_complete(letters) and not total["failed"]
    ctx.exit(exit_codes.DONE if is_done else exit_codes.ATTENTION)


def _find(letters: DeadLetters, chosen: MessageChoice, stop: Stop) -> list[DeadLetter]:
    return [letter for batch in letters.batches(stop) for letter in batch if chosen.has(letter)]


def _show(found: list[DeadLetter], console: Console) -> None:
    for each in found:
        show_letter(each, console)
    console.total(f"{counted(len(found), 'message', 'messages')} would be deleted")


def _may_drop(found: list[DeadLetter], console: Console) -> bool:
    total = Counter(each.state for each in found)
    console.warn(
        f"{counted(len(found), 'message', 'messages')} would be deleted: {counts(total)}. Objects "
        "that wait at the source are then moved only by a sweep."
    )
    return ask_to_continue()


def _drop(
    letters: DeadLetters,
    found: list[DeadLetter],
    copy: Path | None,
    stop: Stop,
    console: Console,
    total: Counter[str],
) -> None:
    """Copy and delete messages, ten at once."""
    path = copy or runs_directory() / f"dropped-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.messages"
    try:
        with create_copies_file(path) as file:
            for first in range(0, len(found), MAX_BATCH):
                if stop.is_set():
                    break
                part = found[first : first + MAX_BATCH]
                write_copies(file, part)
                left = letters.reader.delete([each.message for each in part])
                for each in part:
                    problem = left.get(each.message.id, "")
                    word = "failed" if problem else "deleted"
                    total[word] += 1
                    _show_result(word, each.message.id, problem, console)
    except OSError as error:
        # Closing the file fails as well, and would hide what was done.
        raise RunError(
            f"The copy {in_quotes(str(path))} cannot be written: {error.strerror}.",
            f"{counted(total['deleted'], 'message was', 'messages were')} deleted; the others are "
            "in the queue.",
        ) from error
    console.total(f"{counts(total)}; copies are in {printable(str(path))}")
