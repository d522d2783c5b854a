"""What the destination held already is taken for the copy only where it is proven to be one."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws_events import batch, job, message, notification, task
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES
from tests.forgery import forge
from tests.iam_users import denied

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.cli_runner import Ran
    from tests.function.invoke import Invoke
    from tests.servers import Server

DRAFT = b"the draft, which nobody has signed: pay 100 to the frog"
SIGNED = b"signed by both parties: pay 9,999 to the toad"


@dataclass(frozen=True)
class Forged:
    """A source and a destination of the same size and CRC32, and of other bytes.

    Attributes:
        buckets: where they are.
        mine: the source's bytes.
        theirs: the destination's.
    """

    buckets: Buckets
    mine: bytes
    theirs: bytes

    @classmethod
    def make(cls, buckets: Buckets) -> Forged:
        mine = DRAFT
        theirs = SIGNED.ljust(len(mine) - 4, b".")
        theirs += forge(theirs, zlib.crc32(mine))
        assert (len(theirs), zlib.crc32(theirs)) == (len(mine), zlib.crc32(mine))
        made = cls(buckets, mine, theirs)
        made.put()
        return made

    def put(self) -> None:
        """Write both, each with its CRC32."""
        self.buckets.put("k", body=self.mine, ChecksumAlgorithm="CRC32")
        self.buckets.put_there("k", body=self.theirs, ChecksumAlgorithm="CRC32")

    def assert_both_are_kept(self) -> None:
        assert self.buckets.here() == {"k": self.mine}
        assert self.buckets.there() == {"k": self.theirs}


@pytest.fixture
def forged(buckets: Buckets) -> Forged:
    return Forged.make(buckets)


def run(buckets: Buckets, engine: str, *arguments: str) -> Ran:
    return FrogmoveRunner(buckets)(*arguments, "-o", "json", FROGMOVE_ENGINE=engine)


# A forged CRC.


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("verify", ["auto", "strict"])
@pytest.mark.parametrize("selection", [["k"], ["--all"]], ids=["key", "all"])
def test_move_takes_no_forged_object_for_its_copy(
    forged: Forged, engine: str, verify: str, selection: list[str]
) -> None:
    ran = run(forged.buckets, engine, "move", *selection, "--verify", verify)
    assert (ran.code, ran.outcomes) == (1, {"k": "conflict"})
    forged.assert_both_are_kept()


@pytest.mark.parametrize("engine", ENGINES)
def test_move_that_skips_keeps_both_where_they_are(forged: Forged, engine: str) -> None:
    ran = run(forged.buckets, engine, "move", "k", "--on-conflict", "skip")
    assert (ran.code, ran.outcomes) == (0, {"k": "skipped"})
    forged.assert_both_are_kept()


@pytest.mark.parametrize("engine", ENGINES)
def test_keep_both_keeps_both_and_is_not_deceived_at_the_second_key_either(
    forged: Forged, engine: str
) -> None:
    buckets = forged.buckets
    ran = run(buckets, engine, "move", "k", "--on-conflict", "keep-both")
    assert (ran.code, ran.outcomes) == (0, {"k": "moved"})
    (beside,) = set(buckets.there()) - {"k"}
    assert (buckets.here(), buckets.there()) == ({}, {"k": forged.theirs, beside: forged.mine})
    buckets.put("k", body=forged.mine, ChecksumAlgorithm="CRC32")
    buckets.put_there(beside, body=forged.theirs, ChecksumAlgorithm="CRC32")
    ran = run(buckets, engine, "move", "k", "--on-conflict", "keep-both")
    assert (ran.code, ran.outcomes) == (1, {"k": "conflict"})
    assert buckets.here() == {"k": forged.mine}
    assert buckets.there() == {"k": forged.theirs, beside: forged.theirs}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("compare", ["auto", "checksum", "content"])
def test_sync_replaces_a_forged_object(forged: Forged, engine: str, compare: str) -> None:
    ran = run(forged.buckets, engine, "sync", "--compare", compare, "--on-conflict", "overwrite")
    assert (ran.code, ran.outcomes) == (0, {"k": "copied"})
    assert forged.buckets.here() == forged.buckets.there() == {"k": forged.mine}


@pytest.mark.parametrize("engine", ENGINES)
def test_resume_takes_no_forged_object_for_its_copy(forged: Forged, engine: str) -> None:
    assert run(forged.buckets, engine, "move", "--all").code == 1
    ran = run(forged.buckets, engine, "resume")
    assert "k" not in ran.outcomes or ran.outcomes["k"] == "conflict"
    forged.assert_both_are_kept()


@pytest.mark.parametrize("engine", ENGINES)
def test_undo_takes_no_forged_object_for_its_copy(buckets: Buckets, engine: str) -> None:
    forged = Forged.make(buckets)
    buckets.client.delete_object(Bucket=buckets.destination, Key="k")
    moved = run(buckets, engine, "move", "k")
    assert moved.outcomes == {"k": "moved"}
    # Somebody uploads other bytes in place of what left.
    buckets.put("k", body=forged.theirs, ChecksumAlgorithm="CRC32")
    (last,) = run(buckets, engine, "runs").of("run")
    ran = run(buckets, engine, "undo", last["id"])
    assert ran.code == 1
    assert (buckets.here(), buckets.there()) == ({"k": forged.theirs}, {"k": forged.mine})


EVENTS: dict[str, Any] = {
    "move": {"action": "move", "keys": ["k"]},
    "sweep": {"action": "sweep", "age": 0},
}


@pytest.mark.parametrize("name", EVENTS)
def test_function_replaces_a_forged_object_by_default_and_never_takes_it_for_the_copy(
    forged: Forged, invoke: Invoke, name: str
) -> None:
    invoke(forged.buckets, EVENTS[name])
    assert (forged.buckets.here(), forged.buckets.there()) == ({}, {"k": forged.mine})


def queue(buckets: Buckets) -> Any:
    return batch(message("1", notification(buckets.source, "k")))


def tasks(buckets: Buckets) -> Any:
    return job(task(buckets.source, "k"))


@pytest.mark.parametrize("event", [queue, tasks])
def test_function_reports_a_forged_object_as_a_conflict_where_nothing_may_be_overwritten(
    forged: Forged, invoke: Invoke, event: Callable[[Buckets], Any]
) -> None:
    answer = invoke(forged.buckets, event(forged.buckets), FROGMOVE_ON_CONFLICT="fail")
    forged.assert_both_are_kept()
    if event is queue:
        assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    else:
        (result,) = answer["results"]
        assert result["resultCode"] == "PermanentFailure"
        assert "something else" in result["resultString"]


@pytest.mark.parametrize("event", [queue, tasks])
def test_function_puts_a_version_over_a_forged_object(
    forged: Forged, invoke: Invoke, event: Callable[[Buckets], Any]
) -> None:
    invoke(forged.buckets, event(forged.buckets))
    assert (forged.buckets.here(), forged.buckets.there()) == ({}, {"k": forged.mine})


def test_function_sync_replaces_a_forged_object(forged: Forged, invoke: Invoke) -> None:
    answer = invoke(forged.buckets, {"action": "sync"})
    assert answer["counts"] == {"copied": 1}
    assert forged.buckets.here() == forged.buckets.there() == {"k": forged.mine}


# The same bytes, and something else.


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tagging", ["", "team=toad", "team=pond&more=1"])
def test_destination_with_the_same_bytes_and_other_tags_is_a_conflict(
    buckets: Buckets, engine: str, tagging: str
) -> None:
    buckets.put("k", Tagging="team=pond")
    buckets.put_there("k", Tagging=tagging)
    ran = run(buckets, engine, "move", "k")
    assert (ran.code, ran.outcomes) == (1, {"k": "conflict"})
    assert "other tags" in ran.of("result")[0]["reason"]
    assert run(buckets, engine, "move", "k", "--on-conflict", "overwrite").code == 0
    where = {"Bucket": buckets.destination, "Key": "k"}
    tags = buckets.client.get_object_tagging(**where)["TagSet"]
    assert buckets.here() == {}
    # moto leaves the tags of what was there before.
    assert {"Key": "team", "Value": "pond"} in tags


KEY = "arn:aws:kms:us-east-1:123456789012:key/"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("there", [None, "toad"], ids=["unencrypted", "another-key"])
def test_destination_with_the_same_bytes_under_another_kms_key_is_a_conflict(
    moto: Server, engine: str, there: str | None
) -> None:
    buckets = Buckets.make(moto)
    buckets.put("k")
    kms: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": f"{KEY}{there}"}
    buckets.put_there("k", **(kms if there else {}))
    asked = ("move", "k", "--kms-key-id", f"{KEY}frog")
    ran = run(buckets, engine, *asked)
    assert (ran.code, ran.outcomes) == (1, {"k": "conflict"})
    assert "KMS key" in ran.of("result")[0]["reason"]
    assert run(buckets, engine, *asked, "--on-conflict", "overwrite").code == 0
    head = buckets.client.head_object(Bucket=buckets.destination, Key="k")
    assert (buckets.here(), head["SSEKMSKeyId"]) == ({}, f"{KEY}frog")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("named", [f"{KEY}frog", "frog"])
def test_destination_with_the_same_bytes_under_the_kms_key_asked_for_is_the_copy(
    moto: Server, engine: str, named: str
) -> None:
    buckets = Buckets.make(moto)
    buckets.put("k")
    kms: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": f"{KEY}frog"}
    buckets.put_there("k", **kms)
    ran = run(buckets, engine, "move", "k", "--kms-key-id", named)
    assert (ran.code, ran.outcomes) == (0, {"k": "moved"})
    assert buckets.here() == {}


# Tags that may not be read.


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [
        ("", "", "moved"),
        ("team=pond", "team=pond", "conflict"),
        ("team=pond", "", "conflict"),
    ],
)
def test_tags_that_may_not_be_read_are_a_conflict_unless_there_are_none(
    ministack: Server, engine: str, mine: str, theirs: str, outcome: str
) -> None:
    buckets = Buckets.make(ministack)
    buckets.put("k", Tagging=mine)
    buckets.put_there("k", Tagging=theirs)
    rights = ("s3:GetObjectTagging", "s3:GetObjectVersionTagging")
    runner = denied(buckets, *rights, bucket=buckets.destination)
    ran = runner("move", "k", "-o", "json", FROGMOVE_ENGINE=engine)
    assert (ran.code, ran.outcomes) == (int(outcome != "moved"), {"k": outcome})
    assert list(buckets.here()) == ([] if outcome == "moved" else ["k"])
    if outcome == "conflict":
        assert "s3:GetObjectTagging at the destination" in ran.of("result")[0]["reason"]
