"""A worker process: ``python -m frogmove.worker FD``, started by a run.

It exits when the run's process exits, because its pipe then closes.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

from frogmove import cpu_scheduling
from frogmove.client import Client
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Outcome
from frogmove.engine import Engine
from frogmove.errors import FrogmoveError
from frogmove.processes import garbage_collector
from frogmove.processes.messages import (
    Began,
    Done,
    End,
    ExtendTo,
    Failed,
    Ready,
    Results,
    SetLimits,
    Setup,
    Split,
    SplitOff,
    Stop,
    Take,
)
from frogmove.processes.range_runner import RangeRunner
from frogmove.processes.spares import ignore_signals, name_process
from frogmove.processes.worker_pipe import WorkerPipe

if TYPE_CHECKING:
    from frogmove.core.models import Result

# Results are sent in batches of at most this many, at least this often.
_MAX_BATCH = 256
_BATCH_SECONDS = 0.1


class Worker:
    """One worker.

    Args:
        pipe: the pipe to the run's process.
    """

    def __init__(self, pipe: WorkerPipe) -> None:
        self._pipe = pipe
        setup: Setup = pipe.first
        name_process()
        # Before the client starts its threads.
        cpu_scheduling.keep_to(setup.cores, as_batch=True)
        self._stop = Event()
        self._work: SimpleQueue[Take | End] = SimpleQueue()
        self._client = Client(setup.config, setup.limits)
        garbage_collector.tune()
        self._counts_skips = setup.counts_skips
        self._journal = JournalWriter(setup.segment, setup.spec, setup.uploads)
        self._runner = RangeRunner(
            self._client.s3,
            setup.spec,
            setup.options,
            self._journal,
            self._stop,
            offer=lambda keys: pipe.send(SplitOff(keys)),
            sent=setup.sent,
        )

    def run(self) -> None:
        """Run ranges until there are none left."""
        self._pipe.listen(self._receive)
        self._pipe.send(Ready())
        while True:
            work = self._work.get()
            if isinstance(work, End):
                break
            self._do(work)
        self._journal.close()
        self._journal.discard_if_empty()
        self._client.close()

    def _receive(self, message: object) -> None:
        """Handle a message from the run's process."""
        listing = self._runner.listing
        match message:
            case Take() | End():
                self._work.put(message)
            case Split():
                if listing is not None:
                    listing.ask_to_split()
            case ExtendTo(last, ends_at_key):
                if listing is not None:
                    listing.extend_to(last, ends_at_key=ends_at_key)
            case SetLimits(concurrency, rate):
                self._client.s3.set_limits(concurrency, rate)
            case Stop():
                self._stop.set()
                self._client.s3.cancel_rate_limited()
                if listing is not None:
                    listing.stop()

    def _do(self, work: Take) -> None:
        runner, send = self._runner, self._pipe.send
        try:
            listing = runner.begin(work.folder, work.keys)
        except FrogmoveError as error:
            send(Done(error=error.message, remedy=error.remedy, could_begin=False))
            return
        if work.skips_first:
            send(Began(listing.first))
        waiting: list[Result] = []
        skipped = 0
        since = time.monotonic()
        message = remedy = ""
        try:
            for result in runner.results(listing, work):
                if result is not None:
                    if self._counts_skips and result.outcome is Outcome.SKIPPED:
                        skipped += 1
                    else:
                        waiting.append(result)
                now = time.monotonic()
                if len(waiting) >= _MAX_BATCH or now - since > _BATCH_SECONDS:
                    self._report(waiting, skipped)
                    waiting, skipped, since = [], 0, now
        except FrogmoveError as error:
            message, remedy = error.message, error.remedy
        self._report(waiting, skipped)
        send(Done(listing.is_broken, listing.gap, message, remedy))

    def _report(self, results: list[Result], skipped: int) -> None:
        runner, activity = self._runner, self._client.s3.activity
        # If this process is killed, the run's process reads unreported results from its journal.
        with suppress(FrogmoveError):
            # A full disk is detected and reported before the next delete.
            self._journal.flush()
        planned, is_planned = runner.planned, runner.is_planned
        self._pipe.send(Results(results, skipped, planned, is_planned, activity))


def serve(connection: Connection) -> None:
    """Serve the run at the other end of a pipe.

    Raises:
        EOFError: when it has no work for this process.
    """
    ignore_signals()
    # If one worker cannot start, the others do its work.
    pipe = WorkerPipe(connection)
    worker = Worker(pipe)
    try:
        worker.run()
    except Exception as error:
        pipe.send(Failed(f"{type(error).__name__} {error}".strip()))
        raise


def prepare_engine(name: str | None) -> None:
    """Import and read what the HTTP engine of this name needs, so that forks have it already."""
    # Lazy: see frogmove.engine.
    with suppress(ImportError):
        import botocore.session  # noqa: F401

        import frogmove.s3.boto
        from frogmove import service_models

        service_models.read_s3()
        if name != Engine.BOTO3:
            import frogmove.s3.crt
            import frogmove.s3.transport  # noqa: F401


def main() -> None:
    """Serve the run that started this process."""
    serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
