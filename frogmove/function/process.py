"""The process that serves one invocation after another: settings and connections are made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frogmove.connection import Connection, Engine
from frogmove.core import reach
from frogmove.core.attributes import warnings
from frogmove.core.events import (
    EventError,
    Job,
    Message,
    Move,
    Notification,
    Ping,
    Queue,
    Sweep,
    Sync,
    read_event,
)
from frogmove.core.result import Outcome
from frogmove.core.terms import Terms
from frogmove.errors import FrogmoveError
from frogmove.function import answers
from frogmove.function.context import describe
from frogmove.function.deadline import Deadline
from frogmove.function.delivery import Fate, Fates, Wanted, deliver, plan
from frogmove.function.invocation import Invocation
from frogmove.function.options import read_options
from frogmove.function.telemetry import Telemetry
from frogmove.s3 import S3Error
from frogmove.s3.bucket_features import BucketFeatures, read_features
from frogmove.s3.conditions import Conditions
from frogmove.s3.pressure import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import Event as Flag

    from frogmove.core.events import Event, Upload

_NONE = Conditions(copy_source=False, copy_destination=False, delete=False, delete_many=False)

# A Lambda has no hours to wait for a server that is busy; its event comes again.
_ATTEMPTS = 6
_LONGEST_DELAY = 5.0

_NAMES = {
    Notification: "notification",
    Queue: "queue",
    Job: "batch job",
    Move: "move",
    Sync: "sync",
    Sweep: "sweep",
    Ping: "ping",
}


class Process:
    """Answers events along one route.

    Args:
        environment: the function's environment variables.
        connect: makes a connection.

    Raises:
        UsageError: when the environment cannot be used.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        connect: Callable[..., Connection] = Connection,
    ) -> None:
        self.options = read_options(environment)
        self._connect = connect
        self._connections: dict[Engine, Connection] = {}
        self._conditions: Conditions | None = None
        self._features = BucketFeatures()
        self._given_up = False
        # The first event finds a client ready, as starting is not billed by its length.
        self._connection(Engine.BOTO3)

    def answer(self, event: object, context: object) -> dict[str, Any]:
        """Do what an event asks for.

        Args:
            event: any that :mod:`frogmove.core.events` reads.
            context: Lambda's.

        Returns:
            what the sender of such an event expects.

        Raises:
            FrogmoveError: when it cannot be understood, or was not done and the sender learns so
                by an error alone; Lambda then delivers it again, where it does so at all.
        """
        telemetry = Telemetry(self.options.settings, str(getattr(context, "aws_request_id", "")))
        kind, word = "unknown", "an error"
        self._given_up = False
        try:
            request = read_event(event)
            kind = _NAMES[type(request)]
            with Deadline(context, self.options.margin, self._give_up) as deadline:
                answer = self._answer(request, context, deadline.stop, telemetry)
        except FrogmoveError as error:
            telemetry.warn(error)
            raise
        else:
            word = "as not finished" if answer.get("finished") is False else "in full"
            return answer
        finally:
            telemetry.end(kind, word)
            if self._given_up:
                # Its threads may wait for answers that never come.
                self._connections.clear()

    def _answer(
        self, request: Event, context: object, stop: Flag, telemetry: Telemetry
    ) -> dict[str, Any]:
        match request:
            case Queue(messages):
                return self._answer_queue(messages, stop, telemetry)
            case Job():
                return self._answer_job(request, stop, telemetry)
            case Notification(uploads, ignored):
                telemetry.ignore(ignored)
                for upload in uploads:
                    self._check(upload)
                wanted = answers.wanted_of(uploads)
                fates = self._deliver(wanted, stop, telemetry) if wanted else {}
                return answers.to_notifier(uploads, fates, len(ignored))
            case Ping():
                return {"action": "ping", **self.options.record(), "context": describe(context)}
            case Move():
                return {"action": "move", **self._answer_move(request, stop, telemetry)}
            case Sync(dry_run):
                return {"action": "sync", **self._in_bulk(None, dry_run, stop, telemetry)}
            case Sweep(dry_run, age):
                older = self.options.sweep_age if age is None else age
                return {"action": "sweep", **self._in_bulk(older, dry_run, stop, telemetry)}

    def _answer_queue(
        self, messages: Iterable[Message], stop: Flag, telemetry: Telemetry
    ) -> dict[str, Any]:
        refused: dict[str, FrogmoveError] = {}
        wanted: list[Wanted] = []
        for message in messages:
            telemetry.ignore(message.ignored, message.id)
            error = message.error or self._refusal(*message.uploads)
            if error is None:
                wanted += answers.wanted_of(message.uploads)
            else:
                refused[message.id] = error
                telemetry.warn(error, message.id)
        return answers.to_queue(messages, refused, self._deliver_what_can(wanted, stop, telemetry))

    def _answer_job(self, job: Job, stop: Flag, telemetry: Telemetry) -> dict[str, Any]:
        refusals: list[FrogmoveError | None] = []
        wanted: list[Wanted] = []
        for task in job.tasks:
            error = task.error
            if task.upload is not None:
                error = self._refusal(task.upload) or self._outside(task.upload.key)
            refusals.append(error)
            if error is not None:
                telemetry.warn(error, task.id)
            elif task.upload is not None:
                wanted.append(answers.wanted_of_task(task, task.upload))
        return answers.to_job(job, refusals, self._deliver_what_can(wanted, stop, telemetry))

    def _answer_move(self, move: Move, stop: Flag, telemetry: Telemetry) -> dict[str, Any]:
        for key in move.keys:
            error = self._outside(key)
            if error is not None:
                raise error
        wanted = [Wanted(key) for key in move.keys]
        if not move.dry_run:
            fates = self._deliver(wanted, stop, telemetry)
            return answers.to_operator(move, fates, telemetry.bytes)
        # Only a sweep or sync needs it.
        from frogmove.function.bulk import show

        invocation = self._invocation(Engine.BOTO3, stop, telemetry, dry_run=True)
        unseen: Fates = {}
        shown = show(plan(wanted, invocation, unseen), invocation)
        for fate in unseen.values():
            counts = shown["counts"]
            counts[fate.outcome.value] = counts.get(fate.outcome.value, 0) + 1
        if any(not fate.is_done for fate in unseen.values()):
            shown["results"] = answers.results(
                {each: unseen[each] for each in wanted if each in unseen}
            )
        return shown

    def _in_bulk(
        self, age: float | None, dry_run: bool, stop: Flag, telemetry: Telemetry
    ) -> dict[str, Any]:
        """Sweep what is older than ``age`` seconds, or sync where that is None."""
        # An invocation for one upload starts the sooner for being without.
        from frogmove.function.bulk import carry_out, show, sweep, sync

        invocation = self._invocation(Engine.AUTO, stop, telemetry, dry_run=dry_run)
        actions = sync(invocation) if age is None else sweep(invocation, age)
        return show(actions, invocation) if dry_run else carry_out(actions, invocation)

    def _deliver(self, wanted: list[Wanted], stop: Flag, telemetry: Telemetry) -> Fates:
        return deliver(wanted, self._invocation(Engine.BOTO3, stop, telemetry, dry_run=False))

    def _deliver_what_can(self, wanted: list[Wanted], stop: Flag, telemetry: Telemetry) -> Fates:
        """Deliver for a sender who is told of each key by itself, even where nothing can be."""
        if not wanted:
            return {}
        try:
            return self._deliver(wanted, stop, telemetry)
        except FrogmoveError as error:
            telemetry.warn(error)
            return dict.fromkeys(wanted, _unusable(error))

    def _invocation(
        self, engine: Engine, stop: Flag, telemetry: Telemetry, *, dry_run: bool
    ) -> Invocation:
        """Prepare what the work is done with.

        Raises:
            FrogmoveError: when the destination cannot be used.
        """
        options = self.options
        connection = self._connection(engine)
        # A dry run never asks a server by writing; its terms are not used.
        conditions = _NONE if dry_run else self._found_out(connection, telemetry)
        is_bulk = engine is Engine.AUTO
        terms = Terms(
            conditions,
            options.on_conflict,
            multipart=options.multipart,
            concurrency=options.bulk_concurrency if is_bulk else options.concurrency,
            kms_key_id=options.settings.kms_key_id,
            max_compare_size=options.max_compare_size,
            carry=options.carry,
            features=self._features,
        )
        return Invocation(connection.s3, options.route, terms, stop, telemetry)

    def _found_out(self, connection: Connection, telemetry: Telemetry) -> Conditions:
        """Find out, once, what the server honours and that the route's ends are two."""
        if self._conditions is None:
            route = self.options.route
            try:
                reach.check_distinct(connection.s3, route, route.destination)
                conditions = connection.conditions(route.destination)
            except S3Error as error:
                raise reach.explain(error, route.destination.bucket) from error
            try:
                self._features = read_features(connection.s3, route.source.bucket)
            except S3Error as error:
                raise reach.explain(error, route.source.bucket) from error
            self._conditions = conditions
            telemetry.refused(connection.refused)
            for words in warnings(self._features, self.options.carry):
                telemetry.caution(words)
        return self._conditions

    def _connection(self, engine: Engine) -> Connection:
        if engine not in self._connections:
            options = self.options
            is_bulk = engine is Engine.AUTO
            limits = Limits(
                options.bulk_concurrency if is_bulk else options.concurrency,
                attempts=_ATTEMPTS,
                longest_delay=_LONGEST_DELAY,
            )
            made = self._connect(options.settings, limits, engine)
            self._connections[engine] = made
            if self._given_up:
                made.s3.give_up()
        return self._connections[engine]

    def _give_up(self) -> None:
        self._given_up = True
        for connection in list(self._connections.values()):
            connection.s3.give_up()

    def _refusal(self, *uploads: Upload) -> EventError | None:
        try:
            for upload in uploads:
                self._check(upload)
        except EventError as error:
            return error
        return None

    def _check(self, upload: Upload) -> None:
        """Refuse an upload that is not to this route's source bucket.

        Raises:
            EventError: when it is not.
        """
        source = self.options.route.source
        if upload.bucket != source.bucket:
            raise EventError(
                f"An upload to {upload.bucket[:100]!a} is not this function's to move.",
                f"Its source is {source}.",
            )

    def _outside(self, key: str) -> EventError | None:
        """Refuse a key that somebody named and that is not under the source."""
        source = self.options.route.source
        if key.startswith(source.prefix):
            return None
        return EventError(f"{key[:200]!a} is not under {source}.", "Nothing was done to it.")


def _unusable(error: FrogmoveError) -> Fate:
    """Return the fate of what is left where it is, as the destination cannot be used."""
    cause = error.__cause__
    passes = isinstance(cause, S3Error) and (cause.retrying_helps or cause.is_expired)
    return Fate(Outcome.FAILED, f"{error} The source is kept.", passes)
