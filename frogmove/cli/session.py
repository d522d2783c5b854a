"""What every command that changes anything shares: reach both ends, then show a plan or run it."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from frogmove.cli import exits
from frogmove.cli.interrupt import interruptible
from frogmove.cli.open_files import fit_open_files
from frogmove.cli.progress import Progress
from frogmove.cli.state import new_run_id, runs_directory
from frogmove.cli.waiting import Waiting
from frogmove.connection import Connection, Engine
from frogmove.core import reach
from frogmove.core.action import Verb
from frogmove.core.attributes import warnings
from frogmove.core.journal_file import Header, JournalFile
from frogmove.core.report import Summary
from frogmove.core.transfer import run
from frogmove.errors import RunError, UsageError
from frogmove.s3 import S3Error
from frogmove.s3.bucket_features import read_features

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from frogmove.cli.console import Console
    from frogmove.cli.policy import Policy
    from frogmove.core.action import Action
    from frogmove.core.route import Route
    from frogmove.core.terms import Terms
    from frogmove.s3.pressure import Limits
    from frogmove.s3.uri import Location
    from frogmove.settings import Settings


@contextmanager
def connect(settings: Settings, limits: Limits, console: Console) -> Iterator[Connection]:
    """Speak to S3 as the settings say.

    Args:
        settings: as whom and where to speak.
        limits: how much may be asked of S3.
        console: where to say that there is no answer yet.

    Raises:
        UsageError: when the settings cannot be used.
    """
    with Waiting(console) as waiting:
        connection = Connection(settings, fit_open_files(limits), Engine.AUTO)
        waiting.watch(connection)
        _collect_less_garbage()
        yield from _used(connection)


def _used(connection: Connection) -> Iterator[Connection]:
    try:
        yield connection
    except KeyboardInterrupt:
        # Nothing is under way that changes anything, but threads may wait minutes for answers.
        sys.stdout.flush()
        os._exit(exits.INTERRUPTED)
    finally:
        connection.close()


def _collect_less_garbage() -> None:
    """Look for garbage seldom: next to nothing here is held by a cycle.

    The defaults, 700 new objects, look through what each page of a listing brings several times
    and through boto3's models with it: a tenth of the CPU of a run (measured).
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@contextmanager
def explained(bucket: str) -> Iterator[None]:
    """Turn S3's refusals, before anything is touched, into errors for people.

    Raises:
        UnreachableError: instead of S3Error.
    """
    try:
        yield
    except S3Error as error:
        raise reach.explain(error, bucket) from error


@contextmanager
def _finished(console: Console) -> Iterator[None]:
    """Let questions that write throw-away keys come to their end, and stop only then."""
    with interruptible(console) as stop:
        yield
    if stop.is_set():
        raise KeyboardInterrupt


def header(command: str, settings: Settings, policy: Policy, connection: Connection) -> Header:
    """Return the journal header of a run that begins now."""
    route = settings.route()
    return Header(
        id=new_run_id(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        source=str(route.source),
        destination=str(route.destination),
        on_conflict=policy.on_conflict,
        verify=policy.verify,
        multipart_threshold=policy.multipart_threshold,
        max_compare_size=policy.max_compare_size,
        carry=list(policy.carry),
        profile=settings.profile,
        region=settings.region,
        # However the server was named: a resume must not go to another one.
        endpoint_url=connection.named_endpoint,
        no_sign_request=settings.no_sign_request,
    )


class Session:
    """A route of which both ends can be used.

    Args:
        connection: where they are.
        route: the route.
        policy: how to move along it.
        console: where to show what happens.
        listed: which of its ends the plan lists.
        probed: the end to which throw-away keys may be written; by default the destination.
        dry_run: whether nothing may be written at all.

    Raises:
        UnreachableError: when an end cannot be used.
        UsageError: when both ends are one bucket under two names.
    """

    def __init__(
        self,
        connection: Connection,
        route: Route,
        policy: Policy,
        console: Console,
        listed: Collection[Location] = (),
        probed: Location | None = None,
        *,
        dry_run: bool = False,
    ) -> None:
        self._route = route
        self._probed = probed or route.destination
        self._connection = connection
        self._policy = policy
        self._console = console
        console.detail(f"Engine: {connection.engine}.")
        for end in (route.source, route.destination):
            reach.check(connection.s3, end, must_list=end in listed)
        with _finished(console), explained(route.destination.bucket):
            reach.check_distinct(connection.s3, route, self._probed, dry_run=dry_run)

    def show(self, actions: Iterable[Action]) -> int:
        """Print a plan instead of running it.

        Returns:
            the exit code.

        Raises:
            UnreachableError: when the source cannot be listed.
        """
        counts: Counter[Verb] = Counter()
        total = 0
        with explained(self._route.source.bucket):
            for action in actions:
                self._console.planned(action)
                counts[action.verb] += 1
                if action.verb in {Verb.MOVE, Verb.COPY}:
                    total += action.object.size
        self._console.totals(counts[Verb.MOVE] + counts[Verb.COPY], total, counts)
        return exits.DONE

    def run(
        self,
        actions: Iterable[Action],
        header: Header,
        uploads: Mapping[str, str] | None = None,
    ) -> int:
        """Run a plan, keep its journal and show its results.

        Args:
            actions: the plan.
            header: what the journal begins with.
            uploads: multipart uploads of an earlier run that may be resumed.

        Returns:
            the exit code.

        Raises:
            UnreachableError: when nothing could be touched.
            UsageError: when the journal cannot be written, or the server is refused.
            RunError: when the run had to end early; its results have been shown.
        """
        terms = self._terms()
        journal = self._journal(header, uploads)
        summary = Summary()
        failure: RunError | None = None
        with interruptible(self._console) as stop, Progress(self._console, summary) as progress:
            watched = progress.watch(actions)
            s3 = self._connection.s3
            try:
                for result in run(watched, s3, self._route, terms, stop, journal):
                    summary.add(result)
                    self._console.done(result)
                    progress.update()
                summary.interrupted = stop.is_set()
                if not summary.interrupted:
                    self._abort(journal.abandon_uploads())
                journal.end(summary)
            except RunError as error:
                failure = error
        self._console.summary(summary)
        if summary.interrupted or failure is not None:
            self._console.note(f"To finish this run: {_finishing(header, self._policy.journal)}")
        if failure is not None:
            raise failure
        return exits.of_undo(summary) if header.command == "undo" else exits.of_summary(summary)

    def _journal(self, header: Header, uploads: Mapping[str, str] | None) -> JournalFile:
        path = self._policy.journal or runs_directory() / f"{header.id}.jsonl"
        self._console.detail(f"Journal: {path}")
        return JournalFile(path, header, uploads)

    def _abort(self, uploads: Iterable[tuple[str, str]]) -> None:
        """Throw away what an earlier run left to be resumed and nothing came back for."""
        bucket = self._route.destination.bucket
        for key, upload_id in uploads:
            with suppress(S3Error):
                self._connection.s3.abort_upload(bucket, key, upload_id).result()

    def _terms(self) -> Terms:
        with _finished(self._console), explained(self._probed.bucket):
            conditions = self._connection.conditions(self._probed)
        server = self._connection.endpoint_url
        shortcomings = "; ".join(conditions.shortcomings)
        if shortcomings and self._policy.require_conditional:
            raise UsageError(
                f"{server} {shortcomings}.",
                "Nothing was moved, as --require-conditional asks.",
            )
        self._console.detail(f"Conditions: {server} {shortcomings or 'honours all'}.")
        for words in self._connection.refused:
            self._console.warn(f"This server refuses {words}: it is asked without.")
        if not conditions.delete:
            self._console.warn(
                "This server does not honour conditional deletes: each source is looked at just "
                "before its delete, which leaves a moment for an overwrite to go unseen."
            )
        terms = self._policy.terms(conditions)
        with explained(self._route.source.bucket):
            features = read_features(self._connection.s3, self._route.source.bucket)
        for words in warnings(features, terms.carry):
            self._console.warn(words)
        return replace(
            terms,
            features=features,
            probe_source=self._probed != self._route.destination,
            kms_key_id=self._connection.kms_key_id,
        )


def _finishing(header: Header, journal: Path | None) -> str:
    """Return the command that finishes a run."""
    if header.command == "undo":
        return f"frogmove undo {header.continues}"
    return shlex.join(["frogmove", "resume", str(journal) if journal else header.id])
