"""What is answered to whoever sent an event, made of what became of its keys. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from frogmove.core.batch_job import Code
from frogmove.core.result import Outcome
from frogmove.errors import RunError
from frogmove.function.delivery import NOT_REACHED, Fates, Wanted, not_done

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from frogmove.core.events import Job, Message, Move, Task, Upload
    from frogmove.errors import FrogmoveError
    from frogmove.function.delivery import Fate

# How many keys an error names; the log names all.
_NAMED = 3

# The most results that an answer shows.
RESULTS_SHOWN = 100


def wanted_of(uploads: Iterable[Upload]) -> list[Wanted]:
    """Return the keys that uploads are about."""
    return [Wanted(upload.key) for upload in uploads]


def wanted_of_task(task: Task, upload: Upload) -> Wanted:
    """Return what a task of S3 Batch Operations is about."""
    return Wanted(upload.key, task.version_id, task.rival)


def to_queue(
    messages: Iterable[Message], refused: Mapping[str, FrogmoveError], fates: Fates
) -> dict[str, Any]:
    """Return which messages are to be delivered again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    again = [
        message.id
        for message in messages
        if message.id in refused or not_done(wanted_of(message.uploads), fates)
    ]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in dict.fromkeys(again)]}


def to_notifier(uploads: Iterable[Upload], fates: Fates, ignored: int) -> dict[str, Any]:
    """Return what became of uploads that were reported to the function directly.

    Args:
        uploads: the uploads.
        fates: what became of them.
        ignored: how much else was reported.

    Raises:
        RunError: when something is left to do, so that Lambda delivers the event again.
    """
    wanted = wanted_of(uploads)
    _check(wanted, fates)
    counts = _counts(wanted, fates)
    return {"counts": counts | {"ignored": ignored} if ignored else counts}


def to_operator(move: Move, fates: Fates, moved_bytes: int) -> dict[str, Any]:
    """Return what became of keys that an operator named.

    Raises:
        RunError: when something is left to do.
    """
    wanted = [Wanted(key) for key in move.keys]
    _check(wanted, fates)
    return {
        "dry_run": False,
        "finished": True,
        "counts": _counts(wanted, fates),
        "bytes": moved_bytes,
        "results": results({each: fates[each] for each in wanted}),
    }


def results(fates: Fates) -> list[dict[str, str]]:
    """Return what is shown of the ends of keys: what needs attention first, and not too many."""
    ordered = sorted(fates.items(), key=lambda item: item[1].is_done)
    return [
        {"key": each.key, "outcome": fate.outcome.value, "reason": fate.reason}
        for each, fate in ordered[:RESULTS_SHOWN]
    ]


def to_job(job: Job, refusals: Sequence[FrogmoveError | None], fates: Fates) -> dict[str, Any]:
    """Return how the tasks of S3 Batch Operations ended; those that were refused, with why."""
    return job.answer(
        [_end(task, error, fates) for task, error in zip(job.tasks, refusals, strict=True)]
    )


def _end(task: Task, refusal: FrogmoveError | None, fates: Fates) -> tuple[Code, str]:
    if refusal is not None or task.upload is None:
        return Code.PERMANENT, str(refusal)
    fate = fates.get(wanted_of_task(task, task.upload), NOT_REACHED)
    words = f"{fate.outcome.value}: {fate.reason}" if fate.reason else fate.outcome.value
    if fate.outcome is Outcome.SUPERSEDED or (not fate.is_done and fate.retrying_helps):
        return Code.TEMPORARY, words
    return (Code.SUCCEEDED if fate.is_done else Code.PERMANENT), words


def _check(wanted: Iterable[Wanted], fates: Mapping[Wanted, Fate]) -> None:
    left = not_done(wanted, fates)
    if left:
        named = "; ".join(
            f"{each.key[:200]!a}: {fate.reason[:300]!a}"
            for each, fate in list(left.items())[:_NAMED]
        )
        more = f"; and {len(left) - _NAMED:,} more" if len(left) > _NAMED else ""
        raise RunError(f"Not everything could be moved: {named}{more}.", "The log names each.")


def _counts(wanted: Iterable[Wanted], fates: Mapping[Wanted, Fate]) -> dict[str, int]:
    return dict(Counter(fates[each].outcome.value for each in dict.fromkeys(wanted)))
