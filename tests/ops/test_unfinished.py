"""What the answers of the function leave to do."""

from __future__ import annotations

from typing import Any

import pytest

from frogmove.ops.unfinished import unfinished
from tests.aws_events import job, task


@pytest.mark.parametrize(
    "answer",
    [
        {"action": "ping", "version": "1"},
        {"counts": {}},
        {"counts": {"moved": 2, "gone": 1, "skipped": 1, "superseded": 1}, "finished": True},
        {"batchItemFailures": []},
        {"results": [{"taskId": "1", "resultCode": "Succeeded", "resultString": "moved"}]},
        {"results": [{"key": "a", "outcome": "moved", "reason": ""}], "counts": {"moved": 1}},
    ],
    ids=str,
)
def test_unfinished_is_empty_where_all_is_done(answer: dict[str, Any]) -> None:
    assert unfinished(answer, {}) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"counts": {"failed": 1}}, "1 more failed"),
        ({}, "not from frogmove"),
        ({"statusCode": 500, "body": "error"}, "not from frogmove"),
        ({"counts": {"moved": 1, "conflict": 2}}, "2 more failed"),
        ({"counts": {"moved": 1}, "finished": False}, "again"),
        ({"batchItemFailures": [{"itemIdentifier": "m1"}]}, "m1"),
        ({"results": [{"taskId": "1", "resultCode": "TemporaryFailure"}]}, "my%20key"),
        ({"results": [{"taskId": "1", "resultCode": "PermanentFailure"}]}, "my%20key"),
        (
            {
                "counts": {"failed": 1},
                "results": [{"key": "k\x1b", "outcome": "failed", "reason": "r"}],
            },
            "'k\\x1b': failed: r",
        ),
        (None, "not from frogmove"),
        ([], "not from frogmove"),
    ],
    ids=str,
)
def test_unfinished_names_what_is_left(answer: object, words: str) -> None:
    (line,) = unfinished(answer, job(task("external", "my key", identity="1")))
    assert words in line
