from typing import Any

import pytest

from frogmove.function.batch_operations import Code, Job, Task
from frogmove.function.events import EventError, Upload, read_event
from tests.aws_events import job, task
from tests.function.test_events import KEYS


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("version_id", [None, "1"])
def test_task_names_an_object(version: str, key: str, version_id: str | None) -> None:
    event = job(task("external", key, version_id), version=version)
    wanted = Task("dGFza2lkZ29lc2hlcmUK", Upload("external", key), version_id)
    assert read_event(event) == Job(version, event["invocationId"], (wanted,))


def test_task_bucket_is_the_last_part_of_its_arn() -> None:
    """The user guide's own sample has an account and a Region in it."""
    arn = "arn:aws:s3:us-east-1:0123456788:examplebucket"
    read = read_event(job(task("x", "a") | {"s3BucketArn": arn}))
    assert isinstance(read, Job)
    assert read.tasks[0].upload == Upload("examplebucket", "a")


@pytest.mark.parametrize(
    ("written", "key", "alternative_key"),
    [
        ("a+b", "a b", "a+b"),
        ("%C3%A9+b", "é b", "é+b"),
        ("a+b%2Bc", "a b+c", None),
        ("a+b%2bc", "a b+c", None),
        ("a+b%20c", "a+b c", None),
        ("a%2Bb%20c", "a+b c", None),
        ("a%20b", "a b", None),
        ("ab", "ab", None),
    ],
)
def test_plus_sign_is_read_as_the_rest_of_the_key_is_written(
    written: str, key: str, alternative_key: str | None
) -> None:
    read = read_event(job(task("external", "a") | {"s3Key": written}))
    assert isinstance(read, Job)
    assert (read.tasks[0].upload, read.tasks[0].alternative_key) == (
        Upload("external", key),
        alternative_key,
    )


@pytest.mark.parametrize(
    "change",
    [{"s3Key": None}, {"s3Key": "%ff"}, {"s3BucketArn": None}, {"s3VersionId": 7}],
    ids=repr,
)
def test_task_that_is_broken_is_an_error_of_that_task_alone(change: dict[str, Any]) -> None:
    good = task("external", "a", identity="good")
    read = read_event(job(good, task("external", "b", identity="bad") | change, good))
    assert isinstance(read, Job)
    before, bad, after = read.tasks
    assert before == after
    assert (bad.id, bad.upload, before.error) == ("bad", None, None)
    assert isinstance(bad.error, EventError)


@pytest.mark.parametrize(
    "event",
    [
        job(version="3.0"),
        job() | {"invocationSchemaVersion": None},
        job() | {"invocationId": 3},
        job() | {"tasks": None},
        job() | {"tasks": [{}]},
        job() | {"tasks": ["a"]},
        job(task("external", "a") | {"taskId": None}),
    ],
    ids=lambda event: ascii(event)[:60],
)
def test_job_that_cannot_be_answered_is_refused(event: Any) -> None:
    with pytest.raises(EventError):
        read_event(event)


def test_job_is_answered_task_by_task_in_plain_words() -> None:
    made = Job("2.0", "invocation", (Task("one"), Task("two")))
    assert made.response(
        [(Code.SUCCEEDED, "moved"), (Code.PERMANENT, "n\x1bo\n" + "é" * 2000)]
    ) == {
        "invocationSchemaVersion": "2.0",
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": "invocation",
        "results": [
            {"taskId": "one", "resultCode": "Succeeded", "resultString": "moved"},
            {
                "taskId": "two",
                "resultCode": "PermanentFailure",
                "resultString": "n\\x1bo\\n" + "\\xe9" * 254,
            },
        ],
    }
