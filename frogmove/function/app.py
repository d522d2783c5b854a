"""Handles invocations; configuration and clients are created once per process."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from frogmove.client import Client
from frogmove.core.attributes import warnings
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.server_facts import ServerFacts
from frogmove.engine import Engine
from frogmove.errors import FrogmoveError
from frogmove.function import redelivery, responses
from frogmove.function.config import read_config
from frogmove.function.deadline import Deadline, seconds_left
from frogmove.function.events import (
    EventError,
    Ignored,
    Job,
    Move,
    Notification,
    Ping,
    Queue,
    Sweep,
    Sync,
    read_event,
)
from frogmove.function.invocation import Invocation, describe
from frogmove.function.key_request import KeyRequest, KeyResult, KeyResults
from frogmove.function.move_keys import deliver, plan
from frogmove.function.telemetry import Telemetry
from frogmove.quoting import in_quotes
from frogmove.s3.bucket_features import BucketFeatures
from frogmove.s3.capabilities import NONE_SUPPORTED
from frogmove.s3.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from threading import Event as Flag

    from frogmove.config import Config
    from frogmove.core.models import Route
    from frogmove.function.events import Event, Upload

_UNKNOWN_FACTS = ServerFacts(NONE_SUPPORTED, BucketFeatures())

# A Lambda cannot wait long for a throttling server; the event is delivered again.
_ATTEMPTS = 6
_MAX_DELAY_SECONDS = 5.0

_NAMES = {
    Notification: "notification",
    Queue: "queue",
    Job: "batch job",
    Move: "move",
    Sync: "sync",
    Sweep: "sweep",
    Ping: "ping",
}


class LambdaApp:
    """Handles the events of one route.

    Args:
        environment: the function's environment variables.
        connect: creates a client.

    Raises:
        UsageError: when the environment cannot be used.
    """

    def __init__(
        self, environment: Mapping[str, str], connect: Callable[..., Client] = Client
    ) -> None:
        self.config = read_config(environment)
        self._connect = connect
        self._clients: dict[tuple[Engine, Config], Client] = {}
        self._known_facts: dict[Route, ServerFacts] = {}
        self._aborted = False
        # Created now, because the initialisation is faster than the first invocation.
        self._client(Engine.BOTO3, self.config.client_config)

    def handle(self, event: object, context: object) -> dict[str, Any]:
        """Handle an event.

        Args:
            event: any event that :mod:`frogmove.function.events` supports.
            context: Lambda's.

        Returns:
            the response that the sender of such an event expects.

        Raises:
            FrogmoveError: when the event cannot be read, or when it failed and the sender expects
                an error; Lambda then retries it, if it was invoked asynchronously.
        """
        telemetry = Telemetry(
            self.config.client_config, str(getattr(context, "aws_request_id", ""))
        )
        kind, word = "unknown", "error"
        self._aborted = False
        try:
            request = read_event(event)
            kind = _NAMES[type(request)]
            with Deadline(context, self.config.margin, self._abort_pending) as deadline:
                response = self._dispatch(request, context, deadline.stop, telemetry)
        except FrogmoveError as error:
            telemetry.warn(error)
            raise
        else:
            word = "unfinished" if response.get("finished") is False else "complete"
            return response
        finally:
            telemetry.end(kind, word)
            if self._aborted:
                # Its threads may wait for responses that never come.
                self._clients.clear()

    def _dispatch(
        self, request: Event, context: object, stop: Flag, telemetry: Telemetry
    ) -> dict[str, Any]:
        match request:
            case Queue():
                return self._handle_queue(request, context, stop, telemetry)
            case Job():
                return self._handle_job(request, stop, telemetry)
            case Notification(uploads, ignored):
                uploads, ignored = self._with_tagged(uploads, ignored)
                telemetry.ignore(ignored)
                for upload in uploads:
                    self._check(upload)
                uploads = self._filter(uploads, telemetry)
                requested = responses.key_requests(uploads)
                key_results = self._deliver(requested, stop, telemetry) if requested else {}
                return responses.to_notifier(uploads, key_results, len(ignored))
            case Ping():
                return {"action": "ping", **self.config.record(), "context": describe(context)}
            case Move():
                return {"action": "move", **self._handle_move(request, stop, telemetry)}
            case Sync() | Sweep():
                return {"action": _NAMES[type(request)], **self._in_bulk(request, stop, telemetry)}

    def _handle_queue(
        self, queue: Queue, context: object, stop: Flag, telemetry: Telemetry
    ) -> dict[str, Any]:
        refused: dict[str, FrogmoveError] = {}
        requested: list[KeyRequest] = []
        messages = []
        for each in queue.messages:
            uploads, ignored = self._with_tagged(each.uploads, each.ignored)
            telemetry.ignore(ignored, each.id)
            error = each.error or self._refusal(*uploads)
            message = replace(each, uploads=self._filter(uploads, telemetry))
            messages.append(message)
            if error is None:
                requested += responses.key_requests(message.uploads)
            else:
                refused[message.id] = error
                telemetry.warn(error, message.id)
        key_results = self._deliver_best_effort(requested, stop, telemetry)
        to_redeliver = redelivery.redeliveries(messages, refused, key_results)
        redelivery.schedule(queue, to_redeliver, telemetry, partial(seconds_left, context))
        return responses.to_queue(to_redeliver)

    def _handle_job(self, job: Job, stop: Flag, telemetry: Telemetry) -> dict[str, Any]:
        refusals: list[FrogmoveError | None] = []
        requested: list[KeyRequest] = []
        for task in job.tasks:
            error = task.error
            if task.upload is not None:
                error = self._refusal(task.upload) or self._outside(task.upload.key)
            refusals.append(error)
            if error is not None:
                telemetry.warn(error, task.id)
            elif task.upload is not None:
                requested.append(responses.request_of_task(task, task.upload))
        return responses.to_job(
            job, refusals, self._deliver_best_effort(requested, stop, telemetry)
        )

    def _handle_move(self, move: Move, stop: Flag, telemetry: Telemetry) -> dict[str, Any]:
        for key in move.keys:
            error = self._outside(key)
            if error is not None:
                raise error
        requested = [KeyRequest(key) for key in move.keys]
        if not move.dry_run:
            key_results = self._deliver(requested, stop, telemetry)
            return responses.to_operator(move, key_results, telemetry.bytes)
        # Lazy: only needed by a sweep or a sync.
        from frogmove.function.sweep_sync import preview

        invocation = self._invocation(Engine.BOTO3, stop, telemetry, dry_run=True)
        unplanned: KeyResults = {}
        shown = preview(plan(requested, invocation, unplanned), invocation)
        for key_result in unplanned.values():
            counts = shown["counts"]
            counts[key_result.outcome.value] = counts.get(key_result.outcome.value, 0) + 1
        if any(not key_result.is_done for key_result in unplanned.values()):
            shown["results"] = responses.results(
                {each: unplanned[each] for each in requested if each in unplanned}
            )
        return shown

    def _in_bulk(self, request: Sync | Sweep, stop: Flag, telemetry: Telemetry) -> dict[str, Any]:
        # Lazy: an invocation for one upload starts faster without it.
        from frogmove.function.sweep_sync import execute, preview, sweep, sync

        invocation = self._invocation(Engine.AUTO, stop, telemetry, dry_run=request.dry_run)
        if isinstance(request, Sync):
            actions = sync(invocation, request.compare)
        else:
            age = self.config.sweep_age if request.age is None else request.age
            actions = sweep(invocation, age)
        is_sweep = isinstance(request, Sweep)
        if request.dry_run:
            response = preview(actions, invocation)
        else:
            response = execute(actions, invocation, is_sweep=is_sweep)
        return response | {"young": telemetry.young} if is_sweep else response

    def _deliver(self, requested: list[KeyRequest], stop: Flag, telemetry: Telemetry) -> KeyResults:
        key_results: KeyResults = {}
        for group, to_quarantine in self._by_destination(requested):
            key_results |= self._deliver_to(group, stop, telemetry, to_quarantine=to_quarantine)
        return key_results

    def _deliver_best_effort(
        self, requested: list[KeyRequest], stop: Flag, telemetry: Telemetry
    ) -> KeyResults:
        """Move keys for a sender that gets one result per key."""
        key_results: KeyResults = {}
        for group, to_quarantine in self._by_destination(requested):
            try:
                key_results |= self._deliver_to(group, stop, telemetry, to_quarantine=to_quarantine)
            except FrogmoveError as error:
                telemetry.warn(error)
                key_results |= dict.fromkeys(group, KeyResult.of_unusable(error))
        return key_results

    def _by_destination(
        self, requested: list[KeyRequest]
    ) -> Iterator[tuple[list[KeyRequest], bool]]:
        """Separate the keys for the destination from those for the quarantine."""
        has_quarantine = self.config.scan_gate.quarantine is not None
        for to_quarantine in (False, True):
            group = [
                each for each in requested if (has_quarantine and each.is_threat) is to_quarantine
            ]
            if group:
                yield group, to_quarantine

    def _deliver_to(
        self, requested: list[KeyRequest], stop: Flag, telemetry: Telemetry, *, to_quarantine: bool
    ) -> KeyResults:
        invocation = self._invocation(
            Engine.BOTO3, stop, telemetry, dry_run=False, to_quarantine=to_quarantine
        )
        return deliver(requested, invocation)

    def _invocation(
        self,
        engine: Engine,
        stop: Flag,
        telemetry: Telemetry,
        *,
        dry_run: bool,
        to_quarantine: bool = False,
    ) -> Invocation:
        """Prepare an invocation.

        Raises:
            FrogmoveError: when the destination cannot be used.
        """
        config, gate = self.config, self.config.scan_gate
        route = gate.quarantine if to_quarantine and gate.quarantine else config.route
        client_config = config.client_config
        if to_quarantine:
            client_config = config.quarantine_client_config()
        client = self._client(engine, client_config)
        # A dry run never writes probe keys; its options are not used.
        facts = _UNKNOWN_FACTS if dry_run else self._facts(client, route, telemetry)
        is_bulk = engine is Engine.AUTO
        options = TransferOptions(
            facts.capabilities,
            # Objects that are already in the quarantine are evidence and are not overwritten.
            OnConflict.KEEP_BOTH if to_quarantine else config.on_conflict,
            multipart=config.multipart,
            concurrency=config.bulk_concurrency if is_bulk else config.concurrency,
            kms_key_id=client_config.kms_key_id,
            max_compare_size=config.max_compare_size,
            carry=config.carry,
            features=facts.features,
        )
        now = datetime.now(UTC)
        return Invocation(
            client.s3,
            route,
            options,
            stop,
            telemetry,
            gate.tag,
            is_quarantine=to_quarantine,
            is_selected=config.object_filter.matcher(now),
            filters=config.object_filter.filters(now),
        )

    def _facts(self, client: Client, route: Route, telemetry: Telemetry) -> ServerFacts:
        """Check, once, the server's capabilities and that both ends of the route differ."""
        if route not in self._known_facts:
            facts = client.preflight(route, probed=route.destination, checked=False)
            self._known_facts[route] = facts
            telemetry.refused(client.refused)
            for words in warnings(facts.features, self.config.carry):
                telemetry.warning(words)
        return self._known_facts[route]

    def _client(self, engine: Engine, client_config: Config) -> Client:
        if (engine, client_config) not in self._clients:
            config = self.config
            is_bulk = engine is Engine.AUTO
            limits = Limits(
                config.bulk_concurrency if is_bulk else config.concurrency,
                attempts=_ATTEMPTS,
                max_delay=_MAX_DELAY_SECONDS,
            )
            made = self._connect(client_config, limits, engine)
            self._clients[engine, client_config] = made
            if self._aborted:
                made.s3.abort_pending()
        return self._clients[engine, client_config]

    def _abort_pending(self) -> None:
        self._aborted = True
        for client in list(self._clients.values()):
            client.s3.abort_pending()

    def _filter(self, uploads: tuple[Upload, ...], telemetry: Telemetry) -> tuple[Upload, ...]:
        """Remove keys that do not match the configured prefixes and suffixes, except threats."""
        selected = []
        for upload in uploads:
            if upload.is_threat or self.config.object_filter.matches(upload.key):
                selected.append(upload)
            else:
                telemetry.outside(upload.key, "does not match the configured prefixes and suffixes")
        return tuple(selected)

    def _with_tagged(
        self, uploads: tuple[Upload, ...], ignored: tuple[Ignored, ...]
    ) -> tuple[tuple[Upload, ...], tuple[Ignored, ...]]:
        """Treat an object that was tagged like an upload, if a tag is required."""
        if self.config.scan_gate.tag is None:
            return uploads, ignored
        tagged = tuple(each.tagged for each in ignored if each.tagged is not None)
        return uploads + tagged, tuple(each for each in ignored if each.tagged is None)

    def _refusal(self, *uploads: Upload) -> EventError | None:
        try:
            for upload in uploads:
                self._check(upload)
        except EventError as error:
            return error
        return None

    def _check(self, upload: Upload) -> None:
        """Refuse an upload to a bucket that is not the configured source.

        Raises:
            EventError: when it is not.
        """
        source = self.config.route.source
        if upload.bucket != source.bucket:
            raise EventError(
                f"Bucket {in_quotes(upload.bucket, 100)} is not the configured source.",
                f"The source is {source}.",
            )
        if upload.scan is not None and upload.scan.plan != self.config.scan_gate.plan:
            raise EventError(
                "The scan result comes from the protection plan "
                f"{in_quotes(upload.scan.plan, 200)}.",
                f"The configured plan is {self.config.scan_gate.plan or 'none'}.",
            )

    def _outside(self, key: str) -> EventError | None:
        """Return an error for a requested key that is not under the source."""
        source = self.config.route.source
        if key.startswith(source.prefix):
            return None
        return EventError(f"{in_quotes(key, 200)} is not under {source}.", "It was not changed.")
