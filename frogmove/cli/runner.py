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

from frogmove.cli import exit_codes
from frogmove.cli.fd_limit import fit_open_files
from frogmove.cli.progress import Progress
from frogmove.cli.run_store import new_run_id, runs_directory
from frogmove.cli.signals import interruptible
from frogmove.cli.waiting import Waiting
from frogmove.client import Client, Engine
from frogmove.core import preflight
from frogmove.core.attributes import warnings
from frogmove.core.journal_file import Header, JournalFile
from frogmove.core.models import Verb
from frogmove.core.records import Summary
from frogmove.core.transfer import run
from frogmove.errors import RunError, UsageError
from frogmove.s3.bucket_features import read_features
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from frogmove.cli.options import TransferFlags
    from frogmove.cli.output import Console
    from frogmove.config import Config
    from frogmove.core.models import Action, Route
    from frogmove.core.options import TransferOptions
    from frogmove.s3.limits import Limits
    from frogmove.s3.uri import Location


@contextmanager
def connect(config: Config, limits: Limits, console: Console) -> Iterator[Client]:
    """Speak to S3 as the settings say.

    Args:
        config: the endpoint and the credentials.
        limits: how much may be asked of S3.
        console: where to say that there is no answer yet.

    Raises:
        UsageError: when the settings cannot be used.
    """
    with Waiting(console) as waiting:
        client = Client(config, fit_open_files(limits, console), Engine.AUTO)
        waiting.watch(client)
        _collect_less_garbage()
        yield from _used(client)


def _used(client: Client) -> Iterator[Client]:
    try:
        yield client
    except KeyboardInterrupt:
        # Nothing is in flight that changes anything, but threads may wait minutes for answers.
        sys.stdout.flush()
        os._exit(exit_codes.INTERRUPTED)
    finally:
        client.close()


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
        raise preflight.explain(error, bucket) from error


@contextmanager
def _finished(console: Console) -> Iterator[None]:
    """Let questions that write throw-away keys come to their end, and stop only then."""
    with interruptible(console) as stop:
        yield
    if stop.is_set():
        raise KeyboardInterrupt


def header(command: str, config: Config, flags: TransferFlags, client: Client) -> Header:
    """Return the journal header of a run that begins now."""
    route = config.route()
    return Header(
        id=new_run_id(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        source=str(route.source),
        destination=str(route.destination),
        on_conflict=flags.on_conflict,
        verify=flags.verify,
        multipart_threshold=flags.multipart_threshold,
        max_compare_size=flags.max_compare_size,
        carry=list(flags.carry),
        profile=config.profile,
        region=config.region,
        # However the server was named: a resume must not go to another one.
        endpoint_url=client.named_endpoint,
        no_sign_request=config.no_sign_request,
    )


class Runner:
    """A route of which both ends can be used.

    Args:
        client: where they are.
        route: the route.
        flags: how to move along it.
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
        client: Client,
        route: Route,
        flags: TransferFlags,
        console: Console,
        listed: Collection[Location] = (),
        probed: Location | None = None,
        *,
        dry_run: bool = False,
    ) -> None:
        self._route = route
        self._probed = probed or route.destination
        self._client = client
        self._flags = flags
        self._console = console
        console.detail(f"Engine: {client.engine}.")
        for end in (route.source, route.destination):
            preflight.check(client.s3, end, must_list=end in listed)
        with _finished(console), explained(route.destination.bucket):
            preflight.check_distinct(client.s3, route, self._probed, dry_run=dry_run)

    def preview(self, actions: Iterable[Action]) -> int:
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
        policy = self._flags.on_conflict
        self._console.totals(counts[Verb.MOVE] + counts[Verb.COPY], total, counts, policy)
        return exit_codes.DONE

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
        options = self._options()
        summary = Summary()
        failure: RunError | None = None
        with interruptible(self._console) as stop, Progress(self._console, summary) as progress:
            journal = self._journal(header, uploads)
            watched = progress.watch(actions)
            s3 = self._client.s3
            stop.on_stop = s3.drop_turns
            stop.last_words = _last_words(header, _finishing(header, self._flags.journal))
            try:
                for result in run(watched, s3, self._route, options, stop, journal):
                    summary.add(result)
                    self._console.done(result)
                    progress.update()
                summary.interrupted = stop.is_set() and progress.has_more(watched)
                if not summary.interrupted:
                    self._abort(journal.abandon_uploads())
                journal.end(summary)
            except RunError as error:
                failure = error
        self._console.summary(summary)
        if summary.interrupted or failure is not None:
            self._console.note(f"To finish this run: {_finishing(header, self._flags.journal)}")
        if failure is not None:
            raise failure
        if stop.is_set():
            return exit_codes.INTERRUPTED
        return (
            exit_codes.of_undo(summary)
            if header.command == "undo"
            else exit_codes.of_summary(summary)
        )

    def _journal(self, header: Header, uploads: Mapping[str, str] | None) -> JournalFile:
        path = self._flags.journal or runs_directory() / f"{header.id}.jsonl"
        self._console.detail(f"Journal: {path}")
        return JournalFile(path, header, uploads)

    def _abort(self, uploads: Iterable[tuple[str, str]]) -> None:
        """Throw away what an earlier run left to be resumed and nothing came back for."""
        bucket = self._route.destination.bucket
        for key, upload_id in uploads:
            with suppress(S3Error):
                self._client.s3.abort_upload(bucket, key, upload_id).result()

    def _options(self) -> TransferOptions:
        with _finished(self._console), explained(self._probed.bucket):
            capabilities = self._client.capabilities(self._probed)
        server = self._client.endpoint_url
        shortcomings = "; ".join(capabilities.shortcomings)
        if shortcomings and self._flags.require_conditional:
            raise UsageError(
                f"{server} {shortcomings}.",
                "Nothing was moved, as --require-conditional asks.",
            )
        self._console.detail(f"Conditions: {server} {shortcomings or 'honours all'}.")
        for words in self._client.refused:
            self._console.warn(f"This server refuses {words}: it is asked without.")
        if not capabilities.delete:
            self._console.warn(
                "This server does not honour conditional deletes: each source is looked at just "
                "before its delete. An overwrite between check and delete can be lost."
            )
        options = self._flags.options(capabilities)
        with explained(self._route.source.bucket):
            features = read_features(self._client.s3, self._route.source.bucket)
        for words in warnings(features, options.carry):
            self._console.warn(words)
        return replace(
            options,
            features=features,
            probe_source=self._probed != self._route.destination,
            kms_key_id=self._client.kms_key_id,
        )


def _last_words(header: Header, finishing: str) -> str:
    """Say what is where when a run ends with objects in flight."""
    return (
        f"Run {header.id} ended at once. Whatever was in flight is whole at {header.source}, "
        f"or at {header.destination}, or at both. To finish this run: {finishing}"
    )


def _finishing(header: Header, journal: Path | None) -> str:
    """Return the command that finishes a run."""
    if header.command == "undo":
        return f"frogmove undo {header.continues}"
    return shlex.join(["frogmove", "resume", str(journal) if journal else header.id])
