"""The first and the last line of a run: what goes where, its id, and what can be done next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.cli.run_description import identity_words
from frogmove.core.run_spec import Command, RunSpec

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner

SERVER = "ministack"

ID = r"\d{8}-\d{6}-[0-9a-f]{4}"


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        (["move", "--all"], "everything"),
        (["copy", "--prefix", "in"], "prefix in"),
        (["move", "in/b"], "key in/b"),
        (["copy", "a", "in/b", "in/c"], "keys a, in/b and 1 more"),
        (["sync"], "everything"),
    ],
    ids=["all", "prefix", "key", "keys", "sync"],
)
def test_run_begins_with_what_goes_where(
    buckets: Buckets, frogmove: FrogmoveRunner, arguments: list[str], selected: str
) -> None:
    buckets.put("a", "in/b", "in/c")
    route = f"s3://{buckets.source}/ -> s3://{buckets.destination}/"
    command = arguments[0]
    dry = frogmove(*arguments, "-n")
    assert dry.err.startswith(f"Dry run: {command} {route}; {selected} (")
    ran = frogmove(*arguments, "-o", "json")
    first, *_ = ran.err.splitlines()
    assert first.startswith(f"{command.capitalize()} {route}; {selected} (")
    assert buckets.server.endpoint_url in first
    every = ["--all"] if command != "sync" else []
    quiet = frogmove(command, *every, "-q", "--allow-empty")
    assert (quiet.code, quiet.err) == (0, "")


def test_run_ends_with_its_id_and_the_way_back(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a", "b")
    ran = frogmove("move", "--all", "-o", "json")
    run = ran.summary["run"]
    *_, last = ran.err.splitlines()
    assert last == f"Run {run}. To undo it: frogmove undo {run}"
    back = frogmove("undo", run)
    first, *_, last = back.err.splitlines()
    ends = f"s3://{buckets.destination}/ -> s3://{buckets.source}/"
    assert first.startswith(f"Undo {run} {ends}; source and destination are exchanged (")
    assert re.fullmatch(rf"Run ({ID})\. To see it again: frogmove report \1", last)
    assert sorted(buckets.here()) == ["a", "b"]


def test_run_that_failed_in_part_ends_with_how_to_try_that_again(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    buckets.put_there("a", body=b"something else")
    ran = frogmove("move", "--all", "-o", "json")
    run = ran.summary["run"]
    assert ran.err.splitlines()[-1] == f"Run {run}. To undo it: frogmove undo {run}"
    again = frogmove("move", "--all", "-o", "json")
    run = again.summary["run"]
    assert again.err.splitlines()[-1] == f"Run {run}. To see it again: frogmove report {run}"


def test_run_that_did_nothing_says_so(frogmove: FrogmoveRunner) -> None:
    ran = frogmove("move", "--all")
    assert re.fullmatch(rf"Run {ID} changed nothing\.", ran.err.splitlines()[-1])


def test_journal_that_is_named_is_named_in_what_comes_next(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: object
) -> None:
    buckets.put("a")
    path = f"{tmp_path}/my run.jsonl"
    ran = frogmove("move", "--all", "--journal", path)
    assert ran.err.splitlines()[-1].endswith(f"To undo it: frogmove undo '{path}'")
    assert frogmove("undo", path).code == 0
    assert list(buckets.here()) == ["a"]


@pytest.mark.parametrize(
    ("settings", "environment", "words"),
    [
        ({}, {}, "default credentials, Region eu-central-1"),
        ({"profile": "a"}, {"AWS_ACCESS_KEY_ID": "x"}, "profile a, Region eu-central-1"),
        ({}, {"AWS_PROFILE": "b"}, "profile b, Region eu-central-1"),
        (
            {},
            {"AWS_PROFILE": "b", "AWS_ACCESS_KEY_ID": "x"},
            "credentials of the environment, Region eu-central-1",
        ),
        ({"no_sign_request": "yes", "profile": "a"}, {}, "unsigned, Region eu-central-1"),
        ({"endpoint_url": "http://x"}, {}, "default credentials, http://x"),
    ],
)
def test_identity_words_show_the_identity_and_the_endpoint(
    settings: dict[str, Any], environment: dict[str, str], words: str
) -> None:
    spec = RunSpec(
        id="run",
        started="",
        command=Command.MOVE,
        source="s3://a1b",
        destination="s3://c1d",
        **settings,
    )
    assert identity_words(spec, "eu-central-1", environment) == words
