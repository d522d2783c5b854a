"""What an operator or a schedule asks of the function: move, sweep, sync, ping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frogmove import __version__
from frogmove.errors import FrogmoveError, RunError
from frogmove.function.events import EventError
from frogmove.s3.errors import S3Error
from tests.aws_events import SCHEDULED, batch, message, notification
from tests.buckets import Buckets
from tests.function.fake_lambda import CONTEXT, lambda_app, state_of, stopping
from tests.interceptors import RequestHook

if TYPE_CHECKING:
    from threading import Event

    from tests.fake_s3_state import FakeS3State
    from tests.function.invoke import Invoke
    from tests.servers import Server

NOW: dict[str, Any] = {"action": "sweep", "age": 0}


# Move.


def test_move_takes_the_keys_that_are_named(buckets: Buckets, invoke: Invoke) -> None:
    buckets.put("a", "b/é", "not named")
    answer = invoke(buckets, {"action": "move", "keys": ["a", "b/é", "gone", "a"]})
    assert {result["key"]: result["outcome"] for result in answer.pop("results")} == {
        "a": "moved",
        "b/é": "moved",
        "gone": "gone",
    }
    assert answer == {
        "action": "move",
        "dry_run": False,
        "finished": True,
        "counts": {"moved": 2, "gone": 1},
        "bytes": 5,
    }
    assert (buckets.here(), set(buckets.there())) == (
        {"not named": b"not named"},
        {"a", "b/é"},
    )


def test_dry_run_shows_what_would_be_moved_and_changes_nothing(
    buckets: Buckets, invoke: Invoke
) -> None:
    buckets.put("a", "b")
    before = buckets.state()
    event = {"action": "move", "keys": ["a", "b", "gone"], "dry_run": True}
    answer = invoke(buckets, event)
    actions = answer.pop("actions")
    assert sorted((action["action"], action["key"]) for action in actions) == [
        ("move", "a"),
        ("move", "b"),
    ]
    assert answer == {
        "action": "move",
        "dry_run": True,
        "finished": True,
        "counts": {"move": 2, "gone": 1},
        "bytes": 2,
        "on_conflict": "overwrite",
    }
    assert buckets.state() == before


def test_key_outside_the_source_is_refused_before_anything_is_touched(
    buckets: Buckets, invoke: Invoke
) -> None:
    buckets.put("in/a", "out")
    before = buckets.state()
    with pytest.raises(EventError, match="'out' is not under"):
        invoke(
            buckets,
            {"action": "move", "keys": ["in/a", "out"]},
            FROGMOVE_SOURCE=f"s3://{buckets.source}/in",
        )
    assert buckets.state() == before


def test_move_that_fails_raises_and_names_keys_in_plain_words(
    buckets: Buckets, invoke: Invoke
) -> None:
    keys = ["good", *(f"bad {number} \x1b[31m" for number in range(5))]
    buckets.put(*keys, body=b"mine")
    buckets.put_there(*keys[1:], body=b"theirs")
    with pytest.raises(RunError) as caught:
        invoke(buckets, {"action": "move", "keys": keys}, FROGMOVE_ON_CONFLICT="fail")
    assert "and 2 more" in str(caught.value)
    assert str(caught.value).isprintable()
    assert sorted(buckets.here()) == keys[1:]


def test_return_failures_gives_failures_to_an_operator(buckets: Buckets, invoke: Invoke) -> None:
    keys = ["good", *(f"bad {number}" for number in range(5))]
    buckets.put(*keys, body=b"mine")
    buckets.put_there(*keys[1:], body=b"theirs")
    event = {"action": "move", "keys": keys, "return_failures": True}
    answer = invoke(buckets, event, FROGMOVE_ON_CONFLICT="fail")
    assert (answer["counts"], answer["finished"]) == ({"moved": 1, "conflict": 5}, True)
    outcomes = {result["key"]: result["outcome"] for result in answer["results"]}
    assert outcomes == {"good": "moved"} | dict.fromkeys(keys[1:], "conflict")


# Sweep.


def test_sweep_moves_what_is_still_at_the_source(buckets: Buckets, invoke: Invoke) -> None:
    keys = [f"k{number}" for number in range(30)]
    buckets.put(*keys)
    assert invoke(buckets, NOW) == {
        "action": "sweep",
        "dry_run": False,
        "finished": True,
        "counts": {"moved": 30},
        "bytes": sum(map(len, keys)),
        "young": 0,
    }
    assert (buckets.here(), sorted(buckets.there())) == ({}, sorted(keys))


@pytest.mark.parametrize("event", [SCHEDULED, {"action": "sweep"}, {"action": "sweep", "age": 60}])
def test_sweep_leaves_what_is_young_to_its_own_event(
    buckets: Buckets, invoke: Invoke, event: dict[str, Any]
) -> None:
    buckets.put("a")
    answer = invoke(buckets, event)
    assert (answer["counts"], answer["young"], answer["finished"]) == ({}, 1, True)
    assert list(buckets.here()) == ["a"]


def test_sweep_age_can_be_set(buckets: Buckets, invoke: Invoke) -> None:
    buckets.put("a")
    assert invoke(buckets, SCHEDULED, FROGMOVE_SWEEP_AGE="0")["counts"] == {"moved": 1}


def test_sweep_dry_run_shows_at_most_a_hundred_actions(invoke: Invoke) -> None:
    state = state_of(*(f"k{number:03}" for number in range(250)))
    answer = lambda_app(state).handle(NOW | {"dry_run": True}, CONTEXT)
    assert len(answer["actions"]) == 100
    assert (answer["counts"], answer["finished"]) == ({"move": 250}, True)
    assert len(state.bodies("external")) == 250


def test_sweep_takes_only_what_is_under_the_prefix(buckets: Buckets, invoke: Invoke) -> None:
    buckets.put("in/a", "in2/b", "c")
    ends = {
        "FROGMOVE_SOURCE": f"s3://{buckets.source}/in",
        "FROGMOVE_DESTINATION": f"s3://{buckets.destination}",
    }
    assert invoke(buckets, NOW, **ends)["counts"] == {"moved": 1}
    assert (sorted(buckets.here()), list(buckets.there())) == (["c", "in2/b"], ["a"])


def test_sweep_that_runs_out_of_time_is_gone_on_with_by_the_next(flags: list[Event]) -> None:
    keys = [f"k{number:02}" for number in range(40)]
    state = state_of(*keys, page=10)
    interceptor = RequestHook({5: stopping(flags)}, only="CopyObject")
    first = lambda_app(state, interceptor).handle(NOW, CONTEXT)
    assert first["finished"] is False
    assert 0 < first["counts"]["moved"] < 40
    second = lambda_app(state).handle(NOW, CONTEXT)
    assert second["finished"] is True
    assert first["counts"]["moved"] + second["counts"]["moved"] == 40
    assert sorted(state.bodies("internal")) == keys
    assert state.bodies("external") == {}


def test_sweep_and_the_events_of_what_it_sweeps_do_each_other_no_harm() -> None:
    keys = [f"k{number}" for number in range(4)]
    moments = 12
    for moment in range(moments):
        state = state_of(*keys, page=10)

        def meanwhile(state: FakeS3State = state) -> None:
            event = batch(*(message(key, notification("external", key)) for key in keys))
            assert lambda_app(state).handle(event, CONTEXT) == {"batchItemFailures": []}

        answer = lambda_app(state, RequestHook({moment: meanwhile})).handle(NOW, CONTEXT)
        assert "failed" not in answer["counts"]
        assert "conflict" not in answer["counts"]
        assert state.bodies("external") == {}
        assert state.bodies("internal") == {key: key.encode() for key in keys}


def test_source_that_cannot_be_listed_raises() -> None:
    def fail() -> None:
        raise S3Error("ListObjectsV2", "AccessDenied", 403, "No")

    state = state_of("a")
    for event in (NOW, NOW | {"dry_run": True}, {"action": "sync"}):
        with pytest.raises(FrogmoveError, match=r"s3:ListBucket"):
            lambda_app(state, RequestHook({0: fail}, only="ListObjectsV2")).handle(event, CONTEXT)
    assert state.bodies("external") == {"a": b"a"}


# Sync.


def test_sync_copies_what_the_destination_lacks(buckets: Buckets, invoke: Invoke) -> None:
    buckets.put("same", "new", "other")
    buckets.put_there("same", "extra")
    buckets.put_there("other", body=b"longer than before")
    before = buckets.here()
    dry = invoke(buckets, {"action": "sync", "dry_run": True})
    assert dry["counts"] == {"copy": 2, "skip": 1}
    answer = invoke(buckets, {"action": "sync"})
    assert answer == {
        "action": "sync",
        "dry_run": False,
        "finished": True,
        "counts": {"copied": 2, "skipped": 1},
        "bytes": 8,
    }
    assert buckets.here() == before
    assert buckets.there() == before | {"extra": b"extra"}


# Ping.


@pytest.mark.parametrize(("compare", "copied"), [("size", 0), ("checksum", 2), ("content", 1)])
def test_sync_compares_what_its_event_names(
    buckets: Buckets, invoke: Invoke, compare: str, copied: int
) -> None:
    for key, there in {"same": b"frog", "other": b"toad"}.items():
        buckets.put_in_parts(buckets.source, key, b"frog")
        buckets.put_in_parts(buckets.destination, key, there)
    answer = invoke(buckets, {"action": "sync", "compare": compare})
    assert answer["counts"].get("copied", 0) == copied
    assert buckets.there()["other"] == (b"frog" if copied else b"toad")


def test_ping_tells_how_the_function_is_set(
    seaweedfs: Server, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    seaweedfs_buckets = Buckets(seaweedfs, None, "external", "internal")
    answer = invoke(
        seaweedfs_buckets,
        {"action": "ping"},
        FROGMOVE_ENDPOINT_URL="http://somebody:s3cret@127.0.0.1:9",
        FROGMOVE_KMS_KEY_ID="alias/pond",
        FROGMOVE_EXPECTED_BUCKET_OWNER="123456789012",
    )
    assert (answer["action"], answer["version"]) == ("ping", __version__)
    assert answer["settings"] == {
        "source": "s3://external/",
        "destination": "s3://internal/",
        "on_conflict": "overwrite",
        "concurrency": 16,
        "bulk_concurrency": 64,
        "sweep_age": 900.0,
        "multipart_threshold": 512 * 2**20,
        "part_size": 128 * 2**20,
        "max_compare_size": 2**30,
        "carry": [],
        "margin": 15.0,
        "key_prefixes": [],
        "key_suffixes": [],
        "include": None,
        "exclude": None,
        "newer_than": None,
        "older_than": None,
        "min_size": None,
        "max_size": None,
        "storage_class": None,
        "require_tag": None,
        "scan_plan": None,
        "quarantine": None,
        "quarantine_role": None,
        "endpoint_url": "http://127.0.0.1:9",
        "kms_key_id": "alias/pond",
        "expected_bucket_owner": "123456789012",
    }
    printed = str(answer) + capsys.readouterr().out
    assert "s3cret" not in printed
    assert seaweedfs.secret_key not in printed
