"""Versions that somebody names: no older bytes win, and what can be replaced needs its ETag."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.models import Outcome
from frogmove.core.options import TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.transfer import run
from frogmove.s3.capabilities import ALL_SUPPORTED
from tests.aws_events import job, task
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.factories import md5

if TYPE_CHECKING:
    from tests.function.invoke import Invoke
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

OVERWRITE = ("--on-conflict", "overwrite", "-o", "json")


@pytest.fixture
def buckets(ministack: Server) -> Buckets:
    """On the one server that keeps versions."""
    return Buckets.make(ministack)


def suspend(buckets: Buckets) -> None:
    """Have the source replace its version ``null`` from now on."""
    buckets.client.put_bucket_versioning(
        Bucket=buckets.source, VersioningConfiguration={"Status": "Suspended"}
    )


def put(buckets: Buckets, body: bytes, key: str = "a") -> str:
    """Write a version to the source and return its id."""
    answer = buckets.client.put_object(Bucket=buckets.source, Key=key, Body=body)
    version_id: str = answer["VersionId"]
    return version_id


def versions_here(buckets: Buckets) -> list[str]:
    return [
        row[3]  # type: ignore[misc]
        for row in buckets.state()
        if row[:2] == (buckets.source, "Versions")
    ]


def results(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["resultCode"], each["resultString"]) for each in answer["results"]]


# The version `null`, which can be replaced.


@pytest.mark.parametrize("state", ["never", "suspended", "enabled"])
def test_null_version_is_moved_like_any_current_object(buckets: Buckets, state: str) -> None:
    buckets.put("a", body=b"mine")
    if state != "never":
        buckets.version()
    if state == "suspended":
        suspend(buckets)
    ran = FrogmoveRunner(buckets)("move", "a", "--version-id", "null", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"}), ran
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"mine"})


@pytest.mark.parametrize("looked_at", [False, True], ids=["if-match", "looked-at"])
def test_null_version_is_deleted_only_as_it_was_seen(
    buckets: Buckets,
    hooks: RequestHooks,
    monkeypatch: pytest.MonkeyPatch,
    looked_at: bool,
) -> None:
    honours = replace(ALL_SUPPORTED, copy_destination=False, copy_replace=False)
    if looked_at:
        honours = replace(honours, delete=False, delete_many=False)
    buckets.version()
    suspend(buckets)
    buckets.put("a", body=b"seen")
    s3 = hooks.s3(buckets.server)
    original = s3.copy

    (action,) = plan_move([s3.head(buckets.source, "a", "null").result().object], buckets.route)

    def copy_and_be_replaced(copy: Any) -> Any:
        copied = original(copy)
        copied.result()
        buckets.put("a", body=b"newer")
        return copied

    monkeypatch.setattr(s3, "copy", copy_and_be_replaced)
    (result,) = run([action], s3, buckets.route, TransferOptions(honours), Event())
    assert result.outcome is Outcome.SUPERSEDED
    assert (buckets.here(), buckets.there()) == ({"a": b"newer"}, {"a": b"seen"})


@pytest.mark.parametrize("over", ["a version", "a delete marker"])
def test_null_version_under_something_newer_is_left_alone(
    buckets: Buckets,
    invoke: Invoke,
    over: str,
) -> None:
    """S3 could delete it only by its id, whatever it holds by then."""
    buckets.put("a", body=b"old")
    buckets.version()
    if over == "a version":
        put(buckets, b"new")
    else:
        buckets.client.delete_object(Bucket=buckets.source, Key="a")
    before = buckets.state()
    ran = FrogmoveRunner(buckets)("move", "a", "--version-id", "null", *OVERWRITE)
    assert (ran.code, ran.outcomes) == (1, {"a": "failed"})
    assert "not the current one" in ran.out
    ((code, words),) = results(invoke(buckets, job(task(buckets.source, "a", "null"))))
    assert code == "PermanentFailure"
    assert "not the current one" in words
    assert buckets.state() == before


def test_null_version_is_moved_by_a_job_under_its_etag(
    buckets: Buckets,
    invoke: Invoke,
) -> None:
    buckets.put("a", body=b"mine")
    buckets.version()
    suspend(buckets)
    ((code, _),) = results(invoke(buckets, job(task(buckets.source, "a", "null"))))
    assert code == "Succeeded"
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"mine"})


# Older versions.


def test_version_that_is_older_does_not_replace_what_is_newer(buckets: Buckets) -> None:
    buckets.version()
    old, new = put(buckets, b"old"), put(buckets, b"new")
    frogmove = FrogmoveRunner(buckets)
    assert frogmove("move", "a", "--version-id", new, *OVERWRITE).outcomes == {"a": "moved"}
    ran = frogmove("move", "a", "--version-id", old, *OVERWRITE)
    assert (ran.code, ran.outcomes) == (1, {"a": "conflict"})
    assert "a named version does not replace a newer object" in ran.out
    assert buckets.there() == {"a": b"new"}
    assert versions_here(buckets) == [old]


@pytest.mark.parametrize(
    ("policy", "code", "there"),
    [
        ("fail", 1, {"a": b"new"}),
        ("skip", 0, {"a": b"new"}),
        ("keep-both", 0, {"a": b"new", f"a.{md5(b'old')[:8]}": b"old"}),
    ],
)
def test_versions_follow_every_other_conflict_policy(
    buckets: Buckets, policy: str, code: int, there: dict[str, bytes]
) -> None:
    buckets.version()
    old = put(buckets, b"old")
    buckets.put_there("a", body=b"new")
    ran = FrogmoveRunner(buckets)("move", "a", "--version-id", old, "--on-conflict", policy)
    assert (ran.code, buckets.there()) == (code, there)


def test_version_replaces_what_is_older(buckets: Buckets) -> None:
    buckets.version()
    buckets.put_there("a", body=b"older still")
    time.sleep(1.1)
    version_id = put(buckets, b"mine")
    ran = FrogmoveRunner(buckets)("move", "a", "--version-id", version_id, *OVERWRITE)
    assert (ran.code, ran.outcomes, buckets.there()) == (0, {"a": "moved"}, {"a": b"mine"})


def test_versions_of_one_key_in_several_tasks_leave_the_newest_in_whatever_order(
    buckets: Buckets,
    invoke: Invoke,
) -> None:
    """Each in an invocation of its own, as manifests list them: the newest first."""
    buckets.version()
    versions = [put(buckets, b"%d" % number) for number in range(3)]
    codes = [
        results(invoke(buckets, job(task(buckets.source, "a", each))))[0][0]
        for each in reversed(versions)
    ]
    assert codes == ["Succeeded", "PermanentFailure", "PermanentFailure"]
    assert buckets.there() == {"a": b"2"}
    assert sorted(versions_here(buckets)) == sorted(versions[:2])


def test_versions_in_tasks_of_one_invocation_do_not_replace_what_is_newer(
    buckets: Buckets,
    invoke: Invoke,
) -> None:
    """What somebody else wrote after all of them stays."""
    buckets.version()
    versions = [put(buckets, b"%d" % number) for number in range(3)]
    buckets.put_there("a", body=b"theirs")
    tasks = (task(buckets.source, "a", each, identity=each) for each in versions)
    assert {code for code, _ in results(invoke(buckets, job(*tasks)))} == {"PermanentFailure"}
    assert buckets.there() == {"a": b"theirs"}
    assert sorted(versions_here(buckets)) == sorted(versions)


@pytest.mark.parametrize("command", ["move", "copy"])
def test_version_id_that_is_empty_is_refused_and_not_taken_for_the_current_one(
    ministack_buckets: Buckets, command: str
) -> None:
    ministack_buckets.put("a")
    before = ministack_buckets.state()
    ran = FrogmoveRunner(ministack_buckets)(command, "a", "--version-id", "")
    assert ran.code == 2
    assert "An empty --version-id names no version" in ran.err
    assert ministack_buckets.state() == before


# `mv --version-id` copies a version and puts a delete marker on the current one.
def test_version_that_is_moved_is_the_one_that_is_deleted(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    ministack_buckets.version()
    ministack_buckets.put("a", body=b"old")
    old = ministack_buckets.client.head_object(Bucket=ministack_buckets.source, Key="a")[
        "VersionId"
    ]
    ministack_buckets.put("a", body=b"current")
    ran = FrogmoveRunner(ministack_buckets)("move", "a", "--version-id", old, "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert (ministack_buckets.here(), ministack_buckets.there()) == (
        {"a": b"current"},
        {"a": b"old"},
    )
    at_source = [row for row in ministack_buckets.state() if row[0] == ministack_buckets.source]
    assert [row[1] for row in at_source] == ["Versions"]
    assert old not in {row[3] for row in at_source}


@pytest.mark.parametrize("engine", ["crt", "boto3"])
def test_delete_marker_is_refused_by_that_name(
    ministack_buckets: Buckets, invoke: Invoke, engine: str
) -> None:
    buckets = ministack_buckets
    buckets.version()
    buckets.put("a")
    deleted = buckets.client.delete_object(Bucket=buckets.source, Key="a")
    before = buckets.state()
    marker = deleted["VersionId"]
    ran = FrogmoveRunner(buckets)("move", "a", "--version-id", marker, "--engine", engine)
    assert ran.code == 2
    assert f"The version '{marker}' of the key 'a' is a delete marker" in ran.err
    ((code, words),) = results(invoke(buckets, job(task(buckets.source, "a", marker))))
    assert code == "PermanentFailure"
    assert "delete marker" in words
    assert buckets.state() == before


def test_version_that_is_not_there_is_refused_and_nothing_is_touched(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    ministack_buckets.version()
    ministack_buckets.put("a", body=b"current")
    before = ministack_buckets.state()
    missing = "00000000-0000-4000-8000-000000000000"
    assert FrogmoveRunner(ministack_buckets)("move", "a", "--version-id", missing).code == 2
    assert ministack_buckets.state() == before
