"""How other tools lost data: what was taken for done, or for known, and was not.

Each test names where it happened to others; see test_lost_data.py and test_lost_on_the_way.py too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from frogmove.core.plan import plan_move, plan_sync
from frogmove.core.result import Outcome
from frogmove.core.terms import Terms
from frogmove.core.transfer import run
from frogmove.s3 import S3Error
from frogmove.s3.boto import BotoS3
from frogmove.s3.conditions import ALL
from frogmove.s3.listing import list_prefix
from tests.buckets import Buckets
from tests.cli.operator import Operator
from tests.model import ModelS3, World
from tests.objects import ROUTE
from tests.rights import denied
from tests.scripted import XML
from tests.wire import ALWAYS, Reply, refusal

if TYPE_CHECKING:
    from tests.servers import Server
    from tests.wire import Request, Wire

MIB = 1024 * 1024
IN_PARTS = ["--multipart-threshold", "5MiB"]


@pytest.fixture
def sea(seaweedfs: Server) -> Buckets:
    """On the one server that honours every condition."""
    return Buckets.make(seaweedfs)


@pytest.fixture
def mini(ministack: Server) -> Buckets:
    """On the one server that keeps every key, and knows users and rights."""
    return Buckets.make(ministack)


# 11. s5cmd#720, mc#2474: a delete that failed is only printed, and the exit code is 0.


@pytest.mark.parametrize("keys", [["a"], ["a", "b"]], ids=["alone", "in-a-batch"])
def test_a_delete_that_fails_fails_the_run_and_says_where_the_bytes_are(
    mini: Buckets, keys: list[str]
) -> None:
    mini.put(*keys)
    ran = denied(mini, "s3:DeleteObject")("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(keys, "failed"))
    for result in ran.of("result"):
        assert f"Copied to s3://{mini.destination}/{result['key']}" in result["reason"]
        assert "permission" in result["reason"]
    assert mini.here() == mini.there() == {key: key.encode() for key in keys}
    again = Operator(mini)("move", "--all", "-o", "json")
    assert (again.code, again.outcomes) == (0, dict.fromkeys(keys, "moved"))


def test_one_key_of_a_batch_that_is_not_deleted_is_the_one_that_fails(
    mini: Buckets, wire: Wire
) -> None:
    mini.put("a", "b")
    answer = f"""{XML}<DeleteResult><Deleted><Key>a</Key></Deleted>
      <Error><Key>b</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>"""
    wire.answer("DeleteObjects", Reply(200, answer))
    ran = Operator(mini)("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"a": "moved", "b": "failed"})


# 12. aws-cli#6709, s5cmd#678: credentials that expire in a long run fail all that is left.


def test_credentials_that_expire_are_read_anew_once_and_the_run_goes_on(
    sea: Buckets, wire: Wire
) -> None:
    keys = [f"{number:02}" for number in range(20)]
    sea.put(*keys)
    served = iter(range(ALWAYS))

    def expire(request: Request) -> Reply | None:
        expired = request.client == 0 and request.operation != "HeadObject" and next(served) > 6
        return refusal(400, "ExpiredToken") if expired else None

    wire.serve(expire)
    ran = Operator(sea)("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "moved"))
    assert wire.clients == 2
    assert (sea.here(), sorted(sea.there())) == ({}, keys)


def test_credentials_that_cannot_be_renewed_end_the_run_and_nothing_is_lost(
    sea: Buckets, wire: Wire
) -> None:
    keys = [f"{number:02}" for number in range(20)]
    sea.put(*keys)
    wire.answer("CopyObject", refusal(400, "ExpiredToken"), skip=3, times=ALWAYS)
    ran = Operator(sea)("move", "--all", "-o", "json", "--concurrency", "2")
    assert ran.code == 1
    assert "ended early" in ran.err
    assert len(wire.of("CopyObject")) < 12
    here, there = sea.here(), sea.there()
    assert sorted(here | there) == keys
    assert all(body == key.encode() for key, body in (here | there).items())


class _Client:
    """Answers as its credentials let it."""

    def __init__(self, code: str = "") -> None:
        self.code = code
        self.meta = MagicMock(endpoint_url="http://127.0.0.1:9")

    def put_object(self, **_: object) -> dict[str, str]:
        if self.code:
            answer: Any = {"Error": {"Code": self.code}, "ResponseMetadata": {}}
            raise ClientError(answer, "PutObject")
        return {"ETag": '"e"'}


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"])
def test_each_way_of_saying_expired_is_understood(code: str) -> None:
    made: list[_Client] = []

    def renew() -> Any:
        made.append(_Client())
        return made[-1]

    s3 = BotoS3(_Client(code), 4, renew)  # type: ignore[arg-type]
    answers = [s3.put("bucket", "key", b"") for _ in range(8)]
    assert {answer.result().etag for answer in answers} == {"e"}
    assert len(made) == 1
    s3.close()


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "AccessDenied"])
def test_what_new_credentials_would_not_cure_is_not_renewed(code: str) -> None:
    def renew() -> Any:
        raise AssertionError

    s3 = BotoS3(_Client(code), 1, renew)  # type: ignore[arg-type]
    with pytest.raises(S3Error):
        s3.put("bucket", "key", b"").result()
    s3.close()


# 13. s5cmd#695, mc#2048: an error while listing the source empties the destination.


@pytest.mark.parametrize(
    ("side", "page"), [("source", 1), ("source", 3), ("destination", 1), ("destination", 2)]
)
@pytest.mark.parametrize("code", ["AccessDenied", "MalformedXML"])
def test_a_listing_that_breaks_deletes_and_overwrites_nothing(
    mini: Buckets, wire: Wire, side: str, page: int, code: str
) -> None:
    """There is no `--delete` yet: whatever comes, what only the destination has stays."""
    mini.put("a", "b", "c", "d", "e")
    mini.put_there("b", "c", "d", "e", "kept", body=b"theirs")
    before = mini.there()
    wire.page = 2
    bucket = getattr(mini, side)
    # The first question, before anything is touched, is only whether the bucket is there.
    wire.answer("ListObjectsV2", refusal(403, code), match=bucket, skip=page, times=ALWAYS)
    ran = Operator(mini)("sync", "-o", "json")
    assert ran.code == 1
    assert "ended early" in ran.err
    assert wire.of("DeleteObject", "DeleteObjects") == []
    assert sorted(mini.here()) == ["a", "b", "c", "d", "e"]
    there = mini.there()
    assert there["kept"] == b"theirs"
    assert set(before) <= set(there)
    # What was replaced had been listed on both sides.
    for key in set(there) & {"a", "b", "c", "d", "e"}:
        assert there[key] in {key.encode(), b"theirs"}


def test_a_sync_leaves_what_only_the_destination_has(mini: Buckets) -> None:
    mini.put_there("kept")
    assert Operator(mini)("sync").code == 0
    assert mini.there() == {"kept": b"kept"}


# 14. aws-cli#3273: same size, other bytes: skipped. s5cmd: newer than the local clock: skipped.


def test_the_same_size_does_not_pass_for_the_same_bytes(mini: Buckets) -> None:
    mini.put("a", body=b"new!")
    mini.put_there("a", body=b"old!")
    ran = Operator(mini)("sync", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "copied"})
    assert mini.there() == {"a": b"new!"}


@pytest.mark.parametrize("year", [1970, 2026, 2099])
def test_the_time_of_an_object_is_no_reason_to_skip_it(year: int) -> None:
    """In memory, as no server lets one choose an object's time."""
    world = World({"external": {}, "internal": {}})
    s3 = ModelS3(world)
    old = world.put("internal", "a", b"old!")
    new = world.put("external", "a", b"new!")
    then = datetime(year, 1, 1, tzinfo=UTC)
    world.buckets["internal"]["a"] = replace(old, modified=datetime(2026, 6, 1, tzinfo=UTC))
    world.buckets["external"]["a"] = replace(new, modified=then)
    actions = plan_sync(list_prefix(s3, "external", ""), list_prefix(s3, "internal", ""), ROUTE)
    (action,) = actions
    assert action.verb == "compare"
    moves = plan_move(list_prefix(s3, "external", ""), ROUTE)
    (result,) = run(moves, s3, ROUTE, Terms(ALL), Event())
    assert result.outcome is Outcome.CONFLICT
