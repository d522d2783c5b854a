"""The automatic face of frogmove: one AWS event in, keys moved, one answer out.

Environment variables: ``FROGMOVE_SOURCE`` and ``FROGMOVE_DESTINATION``, the route;
``FROGMOVE_ON_CONFLICT``, ``overwrite`` (the default) or ``fail``; ``FROGMOVE_CONCURRENCY``,
the number of objects under way at once, 16 by default; ``FROGMOVE_ENDPOINT_URL`` for an
S3-compatible server.
"""

import json
import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from threading import Event
from typing import Any

from frogmove.connection import Connection
from frogmove.core.events import (
    EventError,
    Message,
    Upload,
    is_from_queue,
    read_messages,
    read_notification,
)
from frogmove.core.plan import plan_move
from frogmove.core.result import Outcome
from frogmove.core.source import look_up
from frogmove.core.terms import OnConflict, Terms
from frogmove.core.transfer import run
from frogmove.errors import RunError, UsageError
from frogmove.s3 import S3Object
from frogmove.s3.conditions import Conditions
from frogmove.s3.pressure import Limits
from frogmove.settings import Settings, resolve

log = logging.getLogger("frogmove")
log.setLevel(logging.INFO)


class Mover:
    """Moves uploads along one route; made once, used by every invocation.

    Args:
        environment: the function's environment variables.

    Raises:
        UsageError: when they do not describe a route.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        settings = resolve(Settings(), None, environment, None)
        self._route = settings.route()
        self._on_conflict, self._concurrency = _options(environment)
        self._connection = Connection(settings, Limits(self._concurrency))

    def check(self, uploads: Iterable[Upload]) -> None:
        """Refuse uploads that are not to this route's source bucket.

        Raises:
            EventError: at the first that is not.
        """
        for upload in uploads:
            if upload.bucket != self._route.source.bucket:
                raise EventError(
                    f"An upload to {upload.bucket!r} is not this function's to move.",
                    f"Its source is {self._route.source}.",
                )

    def move(self, uploads: Iterable[Upload]) -> dict[str, Outcome]:
        """Move what the uploads left at the source, as it is there now.

        Args:
            uploads: objects of the source bucket; a key named twice is moved once.

        Returns:
            the outcome for each key; a key is left out when the run ended before it.
        """
        outcomes: dict[str, Outcome] = {}
        prefix = self._route.source.prefix
        keys = dict.fromkeys(upload.key for upload in uploads)
        objects = list(self._find([key for key in keys if key.startswith(prefix)], outcomes))
        outcomes |= {key: Outcome.SKIPPED for key in keys if not key.startswith(prefix)}
        if objects:
            self._run(objects, outcomes)
        return outcomes

    def _find(self, keys: list[str], outcomes: dict[str, Outcome]) -> Iterator[S3Object]:
        found = look_up(keys, self._connection.s3, self._route.source.bucket, self._concurrency)
        for key, item in found:
            if isinstance(item, S3Object):
                yield item
            else:
                # No longer there: an earlier delivery of the same event has moved it.
                outcomes[key] = Outcome.GONE if item is None else Outcome.FAILED
                _log(key=key, outcome=outcomes[key], reason=str(item or ""))

    def _run(self, objects: list[S3Object], outcomes: dict[str, Outcome]) -> None:
        terms = Terms(self._conditions, self._on_conflict, concurrency=self._concurrency)
        actions = plan_move(objects, self._route)
        try:
            for result in run(actions, self._connection.s3, self._route, terms, Event()):
                item = result.action.object
                outcomes[item.key] = result.outcome
                _log(key=item.key, outcome=result.outcome, reason=result.reason, bytes=item.size)
        except RunError as error:
            _log(error=str(error))

    @cached_property
    def _conditions(self) -> Conditions:
        return self._connection.conditions(self._route.destination)


@cache
def mover() -> Mover:
    """Return the process's one mover, made of its environment."""
    return Mover(os.environ)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Move what an event reports. Lambda calls this.

    Args:
        event: S3 notifications, by themselves or in messages of an SQS queue.
        context: Lambda's; https://docs.aws.amazon.com/lambda/latest/dg/python-context.html

    Returns:
        for a queue, which messages are to be delivered again; else the counts by outcome.

    Raises:
        EventError: when the event is none of these, or another bucket's.
        RunError: when a notification that came by itself could not be dealt with, so that
            Lambda delivers it again.
    """
    started = time.monotonic()
    answer = _answer_queue(event) if is_from_queue(event) else _answer_notification(event)
    _log(
        request_id=getattr(context, "aws_request_id", ""),
        milliseconds=round(1000 * (time.monotonic() - started)),
        answer=answer,
    )
    return answer


def _answer_queue(event: dict[str, Any]) -> dict[str, Any]:
    messages = [_checked(message) for message in read_messages(event)]
    outcomes = mover().move(upload for message in messages for upload in message.uploads)
    again = [message.id for message in messages if not _is_done(message, outcomes)]
    return {"batchItemFailures": [{"itemIdentifier": identity} for identity in again]}


def _checked(message: Message) -> Message:
    error = message.error
    if error is None:
        try:
            mover().check(message.uploads)
        except EventError as refusal:
            error = refusal
    if error is None:
        return message
    _log(message_id=message.id, error=str(error))
    return Message(message.id, error=error)


def _is_done(message: Message, outcomes: Mapping[str, Outcome]) -> bool:
    fates = [outcomes.get(upload.key, Outcome.FAILED) for upload in message.uploads]
    return message.error is None and not any(fate.needs_attention for fate in fates)


def _answer_notification(event: object) -> dict[str, Any]:
    uploads = read_notification(event)
    mover().check(uploads)
    outcomes = mover().move(uploads)
    if not _is_done(Message("", uploads), outcomes):
        raise RunError("Not every upload could be moved.", "The log names each.")
    return {"counts": dict(Counter(outcomes.values()))}


def _options(environment: Mapping[str, str]) -> tuple[OnConflict, int]:
    try:
        on_conflict = OnConflict(environment.get("FROGMOVE_ON_CONFLICT", OnConflict.OVERWRITE))
        concurrency = int(environment.get("FROGMOVE_CONCURRENCY", "16"))
    except ValueError as error:
        raise UsageError(f"An environment variable cannot be used: {error}.") from error
    if concurrency < 1:
        raise UsageError(f"FROGMOVE_CONCURRENCY is {concurrency}; it has to be 1 at least.")
    return on_conflict, concurrency


def _log(**facts: object) -> None:
    # JSON shows whatever an outsider put into a key as \u escapes, on one line.
    log.info(json.dumps(facts))


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # Wrong settings then fail the function's start, and the first event finds a client ready.
    mover()
