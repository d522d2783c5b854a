"""Builds the responses to events from the results of their keys."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from frogmove.core.models import Outcome
from frogmove.errors import RunError
from frogmove.function.batch_operations import Code
from frogmove.function.key_request import KeyRequest, KeyResults
from frogmove.function.move_keys import NOT_REACHED, not_done
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from frogmove.errors import FrogmoveError
    from frogmove.function.events import Job, Move, Task, Upload
    from frogmove.function.key_request import KeyResult
    from frogmove.function.redelivery import Redelivery

# How many keys an error message names; the log names all.
_NAMED = 3

# Maximum results in a response.
RESULTS_SHOWN = 100


def key_requests(uploads: Iterable[Upload]) -> list[KeyRequest]:
    """Return the keys of uploads."""
    return [KeyRequest(upload.key, scan=upload.scan, is_upload=True) for upload in uploads]


def request_of_task(task: Task, upload: Upload) -> KeyRequest:
    """Return the key of a task of S3 Batch Operations."""
    return KeyRequest(upload.key, task.version_id, task.alternative_key)


def to_queue(coming: Iterable[Redelivery]) -> dict[str, Any]:
    """Return the response that names the messages to deliver again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    return {"batchItemFailures": [{"itemIdentifier": each.message.id} for each in coming]}


def to_notifier(uploads: Iterable[Upload], key_results: KeyResults, ignored: int) -> dict[str, Any]:
    """Return the response for uploads that were reported directly to the function.

    Args:
        uploads: the uploads.
        key_results: the results of their keys.
        ignored: how many other events were reported.

    Raises:
        RunError: when not all is done, so that Lambda delivers the event again.
    """
    requested = key_requests(uploads)
    _check(requested, key_results)
    counts = _counts(requested, key_results)
    return {"counts": counts | {"ignored": ignored} if ignored else counts}


def to_operator(move: Move, key_results: KeyResults, moved_bytes: int) -> dict[str, Any]:
    """Return the response for keys that an operator named.

    Raises:
        RunError: when not all is done, unless the failures are to be returned.
    """
    requested = [KeyRequest(key) for key in move.keys]
    if not move.return_failures:
        _check(requested, key_results)
    found = {each: key_results.get(each, NOT_REACHED) for each in requested}
    return {
        "dry_run": False,
        "finished": not any(each.unfinished for each in found.values()),
        "counts": _counts(requested, found),
        "bytes": moved_bytes,
        "results": results(found),
    }


def results(key_results: KeyResults) -> list[dict[str, str]]:
    """Return a limited number of results, those that need attention first."""
    ordered = sorted(key_results.items(), key=lambda item: item[1].is_done)
    return [
        {"key": each.key, "outcome": key_result.word, "reason": key_result.reason}
        for each, key_result in ordered[:RESULTS_SHOWN]
    ]


def to_job(
    job: Job, refusals: Sequence[FrogmoveError | None], key_results: KeyResults
) -> dict[str, Any]:
    """Return the results of the tasks of S3 Batch Operations."""
    return job.response(
        [_end(task, error, key_results) for task, error in zip(job.tasks, refusals, strict=True)]
    )


def _end(task: Task, refusal: FrogmoveError | None, key_results: KeyResults) -> tuple[Code, str]:
    if refusal is not None or task.upload is None:
        return Code.PERMANENT, str(refusal)
    key_result = key_results.get(request_of_task(task, task.upload), NOT_REACHED)
    words = (
        f"{key_result.outcome.value}: {key_result.reason}"
        if key_result.reason
        else key_result.outcome.value
    )
    if key_result.outcome is Outcome.SUPERSEDED or (
        not key_result.is_done and key_result.retrying_helps
    ):
        return Code.TEMPORARY, words
    return (Code.SUCCEEDED if key_result.is_done else Code.PERMANENT), words


def _check(requested: Iterable[KeyRequest], key_results: Mapping[KeyRequest, KeyResult]) -> None:
    left = not_done(requested, key_results)
    if left:
        named = "; ".join(
            f"{in_quotes(each.key, 200)}: {key_result.reason[:300]}"
            for each, key_result in list(left.items())[:_NAMED]
        )
        more = f"; and {len(left) - _NAMED:,} more" if len(left) > _NAMED else ""
        raise RunError(f"Not all keys were moved: {named}{more}.", "The log names all of them.")


def _counts(
    requested: Iterable[KeyRequest], key_results: Mapping[KeyRequest, KeyResult]
) -> dict[str, int]:
    return dict(Counter(key_results[each].word for each in dict.fromkeys(requested)))
