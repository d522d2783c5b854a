"""How the system schedules the threads of a process that runs one command.

A run's work is done by two threads, Python's and awscrt's, which hand each other the interpreter
for every response. On two cores that takes a fifth more CPU time than on one, and nothing is done
at the same time (measured). So both are kept on one core, and each process of a run on another
one. The system still moves other programs away from it; if one stays, the threads are released.

They are also scheduled as a batch (sched(7), SCHED_BATCH): a thread that is woken by a response
does not interrupt the other one. So it takes several responses at a time.

Only Linux can do both; elsewhere nothing is changed.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Started = TypeVar("_Started")

# A second in which other programs had more than this share of the core shows that it is needed.
_WATCH_SECONDS = 1.0
_MAX_OTHERS = 0.5


class _Kept(NamedTuple):
    """What is in force; the first of the cores is the one in use."""

    cores: Sequence[int]
    ended: Event


_kept: _Kept | None = None


def cores() -> Sequence[int]:
    """Return the cores that this process may use, the one that it is on first.

    Empty if the system does not tell.
    """
    if _kept is not None:
        return _kept.cores
    if sys.platform != "linux":
        return ()
    try:
        usable = sorted(os.sched_getaffinity(0))
        # Of proc(5); the name, in parentheses, may hold anything.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        first = usable.index(int(fields[36]))
    except (OSError, ValueError, IndexError):
        return ()
    return usable[first:] + usable[:first]


def cores_of(number: int, count: int) -> Sequence[int]:
    """Return the cores for :func:`keep_to` in one of several processes of a run.

    Each gets another one first, as long as there are enough. If there are more cores than
    processes, the system chooses better: some cores share a physical one.

    Args:
        number: the process's number; 0 is this one.
        count: how many there are.
    """
    usable = cores()
    if 1 < count < len(usable):
        return ()
    place = number % len(usable) if usable else 0
    return [*usable[place:], *usable[:place]]


@contextmanager
def on_one_core(count: int) -> Iterator[None]:
    """Keep this thread, and those that it starts, on one core; undo that in the end.

    Args:
        count: how many processes the run may have; see :func:`cores_of`.
    """
    keep_to(cores_of(0, count), as_batch=count > 1)
    try:
        yield
    finally:
        release()


def keep_to(usable: Sequence[int], *, as_batch: bool) -> None:
    """Keep this thread, and those that it starts, on a core until :func:`release`.

    Args:
        usable: the core, then the others that this process may use as well.
        as_batch: whether they are also scheduled as a batch. That pays with several processes; a
            single one then waits longer for a response.
    """
    global _kept
    if sys.platform != "linux" or _kept is not None or len(usable) < 2:
        return
    kept = _Kept(usable, Event())
    # It may use all cores.
    watch = Thread(target=_watch, args=(kept,), name="core", daemon=True)
    try:
        watch.start()
        _kept = kept
        os.sched_setaffinity(0, usable[:1])
    except (OSError, RuntimeError):
        # The system refuses it, or has no further thread.
        release()
        return
    # musl always refuses it: https://github.com/python/cpython/pull/9236.
    with suppress(OSError):
        if as_batch and os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def release() -> None:
    """Let all threads of this process use all cores again, scheduled as before."""
    global _kept
    kept, _kept = _kept, None
    if kept is not None:
        kept.ended.set()
        _use_cores(kept.cores)
        _for_all_threads(_schedule_as_usual)


def use_all_cores() -> None:
    """Let the calling thread use all cores: it reads and hashes data beside the others."""
    if sys.platform == "linux" and _kept is not None:
        with suppress(OSError):
            os.sched_setaffinity(0, _kept.cores)


def start_unpinned(start: Callable[[], _Started]) -> _Started:
    """Start another program, which may use all cores, scheduled as usual.

    It would inherit both from the thread that starts it, and its own children, which may live on
    for days, from it. Nothing would release them.

    Args:
        start: starts it.

    Raises:
        RuntimeError: when no thread can be started.
    """
    if sys.platform != "linux" or _kept is None:
        return start()
    # Lazy: few runs need it.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, initializer=_unpin) as thread:
        return thread.submit(start).result()


def _unpin() -> None:
    use_all_cores()
    with suppress(OSError):
        _schedule_as_usual(0)


def _watch(kept: _Kept) -> None:
    """Release the threads once other programs that stay on their core need it."""
    before = _times(kept.cores[0])
    while before is not None and not kept.ended.wait(_WATCH_SECONDS):
        now = _times(kept.cores[0])
        if now is None or now.others - before.others > _MAX_OTHERS * (now.wall - before.wall):
            break
        before = now
    if not kept.ended.is_set():
        _use_cores(kept.cores)


class _Times(NamedTuple):
    """Seconds of the clock, and of other programs on a core."""

    wall: float
    others: float


def _times(core: int) -> _Times | None:
    """Return the times so far; None if the system does not tell."""
    try:
        with Path("/proc/stat").open() as file:
            fields = next(line.split() for line in file if line.startswith(f"cpu{core} "))
        user, nice, system, _idle, _waiting, *interrupts = map(int, fields[1:9])
    except (OSError, ValueError, StopIteration):
        return None
    busy = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    return _Times(time.monotonic(), busy - time.process_time())


def _use_cores(cores: Sequence[int]) -> None:
    _for_all_threads(lambda thread: os.sched_setaffinity(thread, cores))


def _schedule_as_usual(thread: int) -> None:
    if os.sched_getscheduler(thread) == os.SCHED_BATCH:
        os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _for_all_threads(change: Callable[[int], None]) -> None:
    with suppress(OSError):
        # Twice, because a thread that is not changed yet may just start another one.
        for _ in range(2):
            for thread in Path("/proc/self/task").iterdir():
                with suppress(OSError):
                    change(int(thread.name))
