"""What S3 Batch Operations is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frogmove.s3.errors import S3Error
from tests.aws_events import job, task
from tests.function.fake_lambda import CONTEXT, lambda_app, state_of, stopping
from tests.interceptors import RequestHook
from tests.keys import KEYS

if TYPE_CHECKING:
    from threading import Event

    from tests.buckets import Buckets
    from tests.function.invoke import Invoke


def ends(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(result["resultCode"], result["resultString"]) for result in answer["results"]]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_task_is_moved_and_answered(buckets: Buckets, invoke: Invoke, version: str) -> None:
    buckets.put("a b/é+%")
    event = job(task(buckets.source, "a b/é+%"), version=version)
    answer = invoke(buckets, event)
    results = answer.pop("results")
    assert answer == {
        "invocationSchemaVersion": version,
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": event["invocationId"],
    }
    (result,) = results
    assert result["taskId"] == event["tasks"][0]["taskId"]
    assert result["resultCode"] == "Succeeded"
    assert result["resultString"].startswith("moved")
    assert (buckets.here(), buckets.there()) == ({}, {"a b/é+%": "a b/é+%".encode()})


def test_job_moves_every_key_unchanged(buckets: Buckets, invoke: Invoke) -> None:
    keys = [key for name, key in KEYS.items() if name not in buckets.server.lacks]
    buckets.put(*keys)
    event = job(*(task(buckets.source, key, identity=str(n)) for n, key in enumerate(keys)))
    assert {code for code, _ in ends(invoke(buckets, event))} == {"Succeeded"}
    assert buckets.there() == {key: key.encode() for key in keys}


def test_task_has_its_own_end(buckets: Buckets, invoke: Invoke) -> None:
    buckets.put("in/a", "in/refused", "out", body=b"mine")
    buckets.put_there("in/refused", body=b"theirs")
    source = buckets.source
    event = job(
        task(source, "in/a"),
        task(source, "in/gone"),
        task(source, "in/refused"),
        task(source, "out"),
        task("another-bucket", "in/a"),
        task(source, "x") | {"s3Key": "%ff"},
        task(source, "x") | {"s3Key": "in/may+be"},
    )
    answer = invoke(
        buckets,
        event,
        FROGMOVE_SOURCE=f"s3://{source}/in",
        FROGMOVE_DESTINATION=f"s3://{buckets.destination}/in",
        FROGMOVE_ON_CONFLICT="fail",
    )
    codes, words = zip(*ends(answer), strict=True)
    assert codes == (
        "Succeeded",
        "Succeeded",
        "PermanentFailure",
        "PermanentFailure",
        "PermanentFailure",
        "PermanentFailure",
        "Succeeded",
    )
    assert words[1] == "gone: no longer at the source"
    assert words[2].startswith("conflict: the destination holds something else")
    assert "not under" in words[3]
    assert "another-bucket" in words[4]
    assert words[6] == "gone: no longer at the source"
    assert buckets.here() == {"in/refused": b"mine", "out": b"mine"}
    assert buckets.there() == {"in/a": b"mine", "in/refused": b"theirs"}


def test_task_moves_exactly_the_version_that_is_named(buckets: Buckets, invoke: Invoke) -> None:
    buckets.version()
    buckets.put("a", body=b"old")
    version_id = buckets.client.head_object(Bucket=buckets.source, Key="a")["VersionId"]
    buckets.put("a", body=b"new")
    answer = invoke(buckets, job(task(buckets.source, "a", version_id)))
    assert ends(answer)[0][0] == "Succeeded"
    assert (buckets.here(), buckets.there()) == ({"a": b"new"}, {"a": b"old"})


def fail(code: str, status: int) -> Any:
    def deed() -> None:
        raise S3Error("CopyObject", code, status, "As the test says")

    return deed


@pytest.mark.parametrize(
    ("code", "status", "answered"),
    [
        ("SlowDown", 503, "TemporaryFailure"),
        ("InternalError", 500, "TemporaryFailure"),
        ("RequestTimeout", 400, "TemporaryFailure"),
        ("AccessDenied", 403, "PermanentFailure"),
        ("ExpiredToken", 400, "TemporaryFailure"),
        ("RequestExpired", 400, "TemporaryFailure"),
        ("InvalidAccessKeyId", 403, "PermanentFailure"),
        ("InvalidObjectState", 403, "PermanentFailure"),
    ],
)
def test_task_that_may_pass_is_distinguished_from_one_that_will_not(
    code: str, status: int, answered: str
) -> None:
    state = state_of("a")
    answer = lambda_app(state, RequestHook({0: fail(code, status)}, only="CopyObject")).handle(
        job(task("external", "a")), CONTEXT
    )
    assert ends(answer)[0][0] == answered
    assert state.bodies("external") == {"a": b"a"}


def test_task_whose_object_was_overwritten_meanwhile_comes_again() -> None:
    state = state_of("a")
    interceptor = RequestHook({0: lambda: state.put("external", "a", b"new")}, only="CopyObject")
    event = job(task("external", "a"))
    assert ends(lambda_app(state, interceptor).handle(event, CONTEXT))[0][0] == "TemporaryFailure"
    assert ends(lambda_app(state).handle(event, CONTEXT))[0][0] == "Succeeded"
    assert (state.bodies("external"), state.bodies("internal")) == ({}, {"a": b"new"})


def test_tasks_without_time_come_again(flags: list[Event]) -> None:
    """A timeout would count as a permanent failure."""
    # More than are in flight at the same time.
    keys = [f"k{number}" for number in range(40)]
    state = state_of(*keys)
    event = job(*(task("external", key) for key in keys))
    interceptor = RequestHook({2: stopping(flags)}, only="CopyObject")
    app = lambda_app(state, interceptor, FROGMOVE_CONCURRENCY="4")
    found = ends(app.handle(event, CONTEXT))
    temporary = [words for code, words in found if code == "TemporaryFailure"]
    assert temporary == ["failed: not reached in time"] * len(state.bodies("external"))
    assert 0 < len(temporary) < 40


def test_operators_move_without_time_for_all_returns_what_is_left(flags: list[Event]) -> None:
    keys = [f"k{number}" for number in range(40)]
    state = state_of(*keys)
    interceptor = RequestHook({2: stopping(flags)}, only="CopyObject")
    app = lambda_app(state, interceptor, FROGMOVE_CONCURRENCY="4")
    event = {"action": "move", "keys": keys, "return_failures": True}
    response = app.handle(event, CONTEXT)
    left = [each["key"] for each in response["results"] if each["reason"] == "not reached in time"]
    assert (response["finished"], sorted(left)) == (False, sorted(state.bodies("external")))
    assert 0 < len(left) < 40


def plus(key: str = "a") -> dict[str, Any]:
    return task("external", "x") | {"s3Key": f"{key}+b"}


def test_plus_sign_that_may_mean_another_key_that_is_there_is_refused() -> None:
    for keys in (["a b", "a+b"], ["a+b"]):
        state = state_of(*keys)
        ((code, words),) = ends(lambda_app(state).handle(job(plus()), CONTEXT))
        assert code == "PermanentFailure"
        assert "%20" in words
        assert "%2B" in words
        assert sorted(state.bodies("external")) == sorted(keys)
        assert state.bodies("internal") == {}


def test_plus_sign_is_a_space_where_no_other_key_is_there() -> None:
    state = state_of("a b")
    ((code, _),) = ends(lambda_app(state).handle(job(plus()), CONTEXT))
    assert (code, list(state.bodies("internal"))) == ("Succeeded", ["a b"])


def test_versions_of_one_key_are_moved_one_after_the_other_the_oldest_first(
    buckets: Buckets, invoke: Invoke
) -> None:
    """Manifests list the newest first, and in that order the oldest would end as the current."""
    buckets.version()
    versions = []
    for number in range(5):
        put = buckets.client.put_object(Bucket=buckets.source, Key="a", Body=b"%d" % number)
        versions.append(put["VersionId"])
    event = job(
        *(task(buckets.source, "a", each, identity=each) for each in reversed(versions)),
        task(buckets.source, "other"),
    )
    answer = invoke(buckets, event)
    assert {code for code, _ in ends(answer)} == {"Succeeded"}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"4"})


def test_destination_that_cannot_be_used_is_the_reason_in_each_task(
    buckets: Buckets, invoke: Invoke
) -> None:
    buckets.put("a", "b")
    event = job(task(buckets.source, "a"), task(buckets.source, "b"))
    answer = invoke(buckets, event, FROGMOVE_DESTINATION="s3://frogmove-nobodys-bucket")
    for code, words in ends(answer):
        assert code == "PermanentFailure"
        assert "frogmove-nobodys-bucket" in words
        assert "source" in words
    assert sorted(buckets.here()) == ["a", "b"]


@pytest.mark.parametrize(("status", "code"), [(403, "PermanentFailure"), (503, "TemporaryFailure")])
def test_key_that_cannot_be_looked_at_says_what_to_do(status: int, code: str) -> None:
    def deed() -> None:
        raise S3Error("HeadObject", str(status), status, "Forbidden")

    state = state_of("a")
    interceptor = RequestHook({0: deed}, only="HeadObject")
    ((answered, words),) = ends(
        lambda_app(state, interceptor).handle(job(task("external", "a")), CONTEXT)
    )
    assert answered == code
    assert "It was not changed" in words
    assert ("s3:GetObject" in words) == (status == 403)
    assert "rerun" in words
