"""Reads from a response of the function what is left to do.

The responses are those of :mod:`frogmove.function.responses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each response has one of these.
_FIELDS = frozenset({"action", "counts", "batchItemFailures", "results"})

_NEED_ATTENTION = ("conflict", "failed")


def unfinished(response: object, event: object) -> list[str]:
    """Return what is left to do, one line per item; empty if all is done.

    Args:
        response: the function's response.
        event: the event; the response refers to its tasks and messages by id.
    """
    if not isinstance(response, dict) or _FIELDS.isdisjoint(response):
        return ["The response is not from frogmove."]
    return [*_of_keys(response), *_of_messages(response), *_of_tasks(response, _keys_of(event))]


def _of_keys(response: dict[str, Any]) -> Iterator[str]:
    counts = response.get("counts")
    counts = counts if isinstance(counts, dict) else {}
    named = 0
    for result in _list(response, "results"):
        if result.get("outcome") in _NEED_ATTENTION:
            named += 1
            yield f"{in_quotes(result.get('key'))}: {result['outcome']}: {result.get('reason')}"
    numbers = (counts.get(outcome, 0) for outcome in _NEED_ATTENTION)
    total = sum(number for number in numbers if isinstance(number, int))
    if total > named:
        yield f"{total - named:,} more failed or conflicted; the function's log names each."
    if response.get("finished") is False:
        yield "The function ran out of time. Call it again for the rest."


def _of_messages(response: dict[str, Any]) -> Iterator[str]:
    for failure in _list(response, "batchItemFailures"):
        message = in_quotes(failure.get("itemIdentifier"))
        yield f"The message {message} was not processed; the log says why."


def _of_tasks(response: dict[str, Any], keys: dict[str, str]) -> Iterator[str]:
    for result in _list(response, "results"):
        code = result.get("resultCode")
        if code is not None and code != "Succeeded":
            identity = str(result.get("taskId"))
            name = keys.get(identity, identity)
            yield f"{in_quotes(name)}: {code}: {result.get('resultString')}"


def _keys_of(event: object) -> dict[str, str]:
    tasks = _list(event, "tasks") if isinstance(event, dict) else []
    return {str(task.get("taskId")): str(task.get("s3Key")) for task in tasks}


def _list(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = document.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
