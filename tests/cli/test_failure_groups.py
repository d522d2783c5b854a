"""Many failures of one cause are one thing to say, and may stop a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from frogmove.cli.failure_groups import EXAMPLES, FailureGroups
from frogmove.core.models import Outcome
from tests.cli.terminal import terminal
from tests.factories import a_result
from tests.fault_proxy import SECONDS_TO_WAIT
from tests.request_hooks import refusal

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner
    from tests.request_hooks import RequestHooks

SERVER = "ministack"

KEYS = [f"in/{number:02}" for number in range(12)]


def test_failure_groups_join_results_where_only_keys_and_numbers_differ() -> None:
    groups = FailureGroups()
    for number in range(5):
        groups.add(a_result(Outcome.FAILED, f"k{number}", f"k{number}: part {number} was refused"))
    assert groups.add(a_result(Outcome.FAILED, "x", "something else")) == 1
    assert groups.add(a_result(Outcome.CONFLICT, "k9", "k9: part 9 was refused")) == 1
    assert groups.add(a_result(Outcome.MOVED, "y")) == 0
    (group,) = groups.large()
    assert (group.count, group.examples) == (5, ["k0", "k1", "k2"])
    assert group.reason == "k0: part 0 was refused"


def test_failure_groups_of_endless_reasons_take_no_endless_memory() -> None:
    groups = FailureGroups()
    for number in range(1000):
        groups.add(a_result(Outcome.FAILED, f"k{number}", "x" * (1 + number)))
    (group,) = groups.large()
    assert (group.count, group.reason) == (980, "other reasons")


def test_failures_that_are_identical_are_reported_once_with_their_number(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put(*KEYS)
    words = "User u is not authorized to perform: kms:GenerateDataKey on this resource"
    hooks.answer("CopyObject", refusal(403, "AccessDenied", words), times=len(KEYS))
    ran = frogmove("move", "--all")
    assert ran.code == 1
    # What is piped is whole.
    assert ran.out.count("failed  ") == len(KEYS)
    (group,) = [line for line in ran.err.splitlines() if "such as" in line]
    assert group.startswith(f"{len(KEYS)} failed: CopyObject: {words}")
    assert "permission: kms:GenerateDataKey" in group
    assert re.search(r"; such as in/\d\d, in/\d\d and in/\d\d$", group)
    assert sorted(buckets.here()) == KEYS


def test_failures_that_are_alike_are_cut_short_on_a_terminal(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put(*KEYS)
    buckets.put_there(*KEYS, body=b"something else")
    with terminal(200) as screen:
        process = frogmove.process(
            *("move", "--all", "--progress", "never"),
            env={"TERM": "xterm-256color", "NO_COLOR": "1"},
            stdout=screen.end,
            stderr=screen.end,
        )
        assert process.wait(SECONDS_TO_WAIT) == 1
    text = re.sub(r"\x1b\[[0-9;]*m", "", screen.text)
    assert len(re.findall("^conflict  ", text, re.MULTILINE)) == EXAMPLES
    assert f"{len(KEYS)} conflict: " in text
    report = frogmove("report").out
    assert report.count("conflict  ") == len(KEYS)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_max_errors_stops_a_run_that_can_be_resumed(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, processes: str
) -> None:
    buckets.put(*KEYS)
    buckets.put_there(KEYS[0], body=b"something else")
    hooks.answer("CopyObject", refusal(403, "AccessDenied"), times=2)
    limits = ("--max-errors", "2", "--concurrency", "1", "--processes", processes)
    ran = frogmove("move", "--all", *limits, "-o", "json")
    assert ran.code == 1
    assert ran.summary["counts"]["failed"] == 2
    assert ran.summary["interrupted"]
    assert "Stopped, because 2 objects have failed (--max-errors 2)." in ran.err
    assert f"frogmove resume {ran.summary['run']}" in ran.err
    assert len(buckets.here()) > len(KEYS) / 2
    again = frogmove("resume", "-o", "json")
    assert again.code == 1
    assert list(buckets.here()) == [KEYS[0]]


def test_max_errors_does_not_count_conflicts(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put(*KEYS)
    buckets.put_there(*KEYS[:3], body=b"something else")
    ran = frogmove("move", "--all", "--max-errors", "1")
    assert ran.code == 1
    assert list(buckets.here()) == KEYS[:3]
