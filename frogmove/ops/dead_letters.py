"""The dead letters of a route: what each says, why it failed, and where its objects are now."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from frogmove.core.models import Route
from frogmove.errors import UsageError
from frogmove.ops.aws_request import AwsRequestError
from frogmove.ops.failure_reasons import FailureReasons, find_reasons
from frogmove.ops.key_state import KeyState, ObjectState, key_states
from frogmove.ops.message_reader import MessageReader
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from frogmove.config import Config
    from frogmove.ops.deployment import Deployment
    from frogmove.ops.queue_message import QueueMessage
    from frogmove.s3.interface import S3

# The states of messages, besides those of keys.
UNREADABLE, EMPTY, SWEEP = "unreadable", "no-upload", "failed-sweep"

STATES = (*(state.value for state in ObjectState), UNREADABLE, EMPTY)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of the DLQ.

    Attributes:
        message: the message.
        keys: the states of its keys.
        why: why it failed, as far as that is known.
        is_sweep: whether it is a sweep that was not started, or failed.
    """

    message: QueueMessage
    keys: tuple[KeyState, ...]
    why: str
    is_sweep: bool = False

    @property
    def state(self) -> str:
        """Its state: that of the key that needs most attention."""
        if self.is_sweep:
            return SWEEP
        if self.message.problem:
            return UNREADABLE
        states = [each.state for each in self.keys]
        return next((state.value for state in ObjectState if state in states), EMPTY)

    def record(self) -> dict[str, Any]:
        """Return its JSON record."""
        sent = self.message.sent
        return {
            "type": "message",
            "id": self.message.id,
            "sent": None if sent is None else sent.isoformat(),
            "receives": self.message.receives,
            "bytes": self.message.bytes,
            "state": self.state,
            "why": self.why,
            "keys": [each.record() for each in self.keys],
        }


class DeadLetters:
    """The DLQ of a deployed function.

    Args:
        deployment: the function.
        config: the route of the command, if the function's own is not known.
        s3: the client for both buckets.
        sweeps: whether to read the DLQ of sweeps instead of that of uploads.

    Attributes:
        reader: reads the DLQ.
        problems: what could not be read, and why, each once.
        has_unknown: whether the state of an object could not be read.
    """

    def __init__(
        self, deployment: Deployment, config: Config, s3: S3, *, sweeps: bool = False
    ) -> None:
        self.deployment = deployment
        queue = deployment.failed_sweeps if sweeps else deployment.dead_letters
        if queue is None:
            raise UsageError(f"{deployment.function!a} has no dead-letter queue of sweeps.")
        self.reader = MessageReader(queue)
        self._is_of_sweeps = sweeps
        self.problems: list[str] = []
        self.has_unknown = False
        self._s3 = s3
        self._route = self._find_route(config)

    def _find_route(self, config: Config) -> Route:
        try:
            variables = self.deployment.variables
            return Route.parse(variables["FROGMOVE_SOURCE"], variables["FROGMOVE_DESTINATION"])
        except AwsRequestError as error:
            self._add_problem(str(error))
        except (KeyError, UsageError):
            self._add_problem("The function's own settings name no route; the command's is used.")
        return config.route()

    def _add_problem(self, problem: str) -> None:
        if problem and problem not in self.problems:
            self.problems.append(problem)

    def batches(self, stop: Event) -> Iterator[list[DeadLetter]]:
        """Yield all messages, a few at once; see :meth:`MessageReader.batches`.

        Raises:
            AwsRequestError: when they cannot be received.
        """
        for messages in self.reader.batches(stop):
            yield self.explain(messages)

    def explain(
        self, messages: Sequence[QueueMessage], reasons: FailureReasons | None = None
    ) -> list[DeadLetter]:
        """Return the messages with the states of their keys, and why they failed.

        Args:
            messages: the messages.
            reasons: what the log says about them.
        """
        if self._is_of_sweeps:
            return [DeadLetter(each, (), _sweep_failure(each), is_sweep=True) for each in messages]
        uploads = [upload for each in messages for upload in each.uploads]
        states = key_states(self._s3, self._route, uploads)
        self._check_known(states.values())
        return [
            DeadLetter(
                each,
                tuple(states[upload] for upload in each.uploads),
                "" if reasons is None else reasons.why(each),
            )
            for each in messages
        ]

    def _check_known(self, states: Iterable[KeyState]) -> None:
        unknown = next((each for each in states if each.state is ObjectState.UNKNOWN), None)
        if unknown is not None and not self.has_unknown:
            self.has_unknown = True
            self._add_problem(f"Where some objects are is not known: {unknown.reason}.")

    @property
    def is_incomplete(self) -> bool:
        """Whether messages may not have been read."""
        return self.reader.is_incomplete or self.reader.hidden > 0

    def reasons(self, messages: Sequence[QueueMessage]) -> FailureReasons:
        """Read from the log why messages failed."""
        if self._is_of_sweeps:
            return FailureReasons()
        found = find_reasons(self.deployment.log, messages)
        self._add_problem(found.problem)
        return found

    def release(self) -> None:
        """Make the messages visible again that were not deleted."""
        problem = self.reader.release()
        if self.reader.is_incomplete:
            self._add_problem(
                "Not all messages were read, because others came again. Run it once more."
            )
        if self.reader.hidden:
            self._add_problem(
                f"About {self.reader.hidden:,} more messages could not be read, because somebody "
                "else reads them, or did so until now. Run it again in some minutes."
            )
        if problem:
            self._add_problem(f"{problem} The messages are hidden for some minutes.")


def _sweep_failure(message: QueueMessage) -> str:
    """Return why a sweep failed, by Scheduler's attributes or Lambda's record of the invocation.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    attributes = message.attributes
    named = [
        str(attributes[name].get("StringValue"))
        for name in ("ERROR_CODE", "ERROR_MESSAGE")
        if name in attributes
    ]
    if named:
        return ": ".join(named)
    try:
        record = json.loads(message.body)
        error_message = record["responsePayload"]["errorMessage"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return str(error_message)


def write_copies(file: IO[str], letters: Sequence[DeadLetter]) -> None:
    """Write messages to a file, and make sure that they are on disk.

    Raises:
        OSError: when they cannot be written; then they must not be deleted.
    """
    for each in letters:
        content = {"body": each.message.body, "attributes": each.message.attributes}
        file.write(json.dumps(each.record() | content, default=_bytes) + "\n")
    file.flush()
    os.fsync(file.fileno())


def _bytes(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)


def create_copies_file(path: Path) -> IO[str]:
    """Create the file for copies, readable only by this user.

    Raises:
        UsageError: when it exists or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(
            f"The copy {in_quotes(str(path))} cannot be written: {error.strerror}.",
            "Nothing was deleted. Choose another file with --copy.",
        ) from error
    return os.fdopen(descriptor, "w", encoding="ascii")
