"""How other tools lost data: what was taken for done, or for known, and was not.

Each test names where it happened to others; see test_prior_art_overwrites.py and
test_prior_art_metadata.py too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from frogmove.core.models import Outcome
from frogmove.core.options import TransferOptions
from frogmove.core.plan import plan_move, plan_sync
from frogmove.core.transfer import run
from frogmove.quoting import in_quotes
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.errors import S3Error
from frogmove.s3.listing import list_prefix
from tests.canned_server import XML
from tests.cli.cli_runner import FrogmoveRunner
from tests.factories import ROUTE
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.iam_users import denied
from tests.request_hooks import ALWAYS, Reply, refusal

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.request_hooks import Request, RequestHooks

MIB = 1024 * 1024
IN_PARTS = ["--multipart-threshold", "5MiB"]


# 11. s5cmd#720, mc#2474: a delete that failed is only printed, and the exit code is 0.


@pytest.mark.parametrize("keys", [["a"], ["a", "b"]], ids=["alone", "in-a-batch"])
def test_a_delete_that_fails_fails_the_run_and_says_where_the_bytes_are(
    ministack_buckets: Buckets, keys: list[str]
) -> None:
    ministack_buckets.put(*keys)
    ran = denied(ministack_buckets, "s3:DeleteObject")("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(keys, "failed"))
    for result in ran.of("result"):
        place = in_quotes(f"s3://{ministack_buckets.destination}/{result['key']}")
        assert f"Copied to {place}" in result["reason"]
        assert "permission" in result["reason"]
    assert (
        ministack_buckets.here() == ministack_buckets.there() == {key: key.encode() for key in keys}
    )
    again = FrogmoveRunner(ministack_buckets)("move", "--all", "-o", "json")
    assert (again.code, again.outcomes) == (0, dict.fromkeys(keys, "moved"))


def test_one_key_of_a_batch_that_is_not_deleted_is_the_one_that_fails(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    ministack_buckets.put("a", "b")
    answer = f"""{XML}<DeleteResult><Deleted><Key>a</Key></Deleted>
      <Error><Key>b</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>"""
    hooks.answer("DeleteObjects", Reply(200, answer))
    ran = FrogmoveRunner(ministack_buckets)("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"a": "moved", "b": "failed"})


# 12. aws-cli#6709, s5cmd#678: credentials that expire in a long run fail all that is left.


def test_credentials_that_expire_are_read_anew_once_and_the_run_goes_on(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    keys = [f"{number:02}" for number in range(20)]
    seaweedfs_buckets.put(*keys)
    served = iter(range(ALWAYS))

    def expire(request: Request) -> Reply | None:
        expired = request.client == 0 and request.operation != "HeadObject" and next(served) > 6
        return refusal(400, "ExpiredToken") if expired else None

    hooks.serve(expire)
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "moved"))
    assert hooks.clients == 2
    assert (seaweedfs_buckets.here(), sorted(seaweedfs_buckets.there())) == ({}, keys)


def test_credentials_that_cannot_be_renewed_end_the_run_and_nothing_is_lost(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    keys = [f"{number:02}" for number in range(20)]
    seaweedfs_buckets.put(*keys)
    hooks.answer("CopyObject", refusal(400, "ExpiredToken"), skip=3, times=ALWAYS)
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "--all", "-o", "json", "--concurrency", "2")
    assert ran.code == 1
    assert "ended early" in ran.err
    assert len(hooks.of("CopyObject")) < 12
    here, there = seaweedfs_buckets.here(), seaweedfs_buckets.there()
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

    def close(self) -> None:
        """Have no connections to end."""


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
    ministack_buckets: Buckets, hooks: RequestHooks, side: str, page: int, code: str
) -> None:
    """There is no `--delete` yet: whatever comes, what only the destination has stays."""
    ministack_buckets.put("a", "b", "c", "d", "e")
    ministack_buckets.put_there("b", "c", "d", "e", "kept", body=b"theirs")
    before = ministack_buckets.there()
    hooks.page = 2
    bucket = getattr(ministack_buckets, side)
    # The first question, before anything is touched, is only whether the bucket is there.
    hooks.answer("ListObjectsV2", refusal(403, code), match=bucket, skip=page, times=ALWAYS)
    ran = FrogmoveRunner(ministack_buckets)("sync", "-o", "json")
    assert ran.code == 1
    assert "ended early" in ran.err
    assert hooks.of("DeleteObject", "DeleteObjects") == []
    assert sorted(ministack_buckets.here()) == ["a", "b", "c", "d", "e"]
    there = ministack_buckets.there()
    assert there["kept"] == b"theirs"
    assert set(before) <= set(there)
    # What was replaced had been listed on both sides.
    for key in set(there) & {"a", "b", "c", "d", "e"}:
        assert there[key] in {key.encode(), b"theirs"}


def test_a_sync_leaves_what_only_the_destination_has(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("a")
    ministack_buckets.put_there("kept")
    assert FrogmoveRunner(ministack_buckets)("sync").code == 0
    assert ministack_buckets.there() == {"a": b"a", "kept": b"kept"}


# 14. aws-cli#3273: same size, other bytes: skipped. s5cmd: newer than the local clock: skipped.


def test_the_same_size_does_not_pass_for_the_same_bytes(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("a", body=b"new!")
    ministack_buckets.put_there("a", body=b"old!")
    ran = FrogmoveRunner(ministack_buckets)("sync", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "copied"})
    assert ministack_buckets.there() == {"a": b"new!"}


@pytest.mark.parametrize("year", [1970, 2026, 2099])
def test_the_time_of_an_object_is_no_reason_to_skip_it(year: int) -> None:
    """In memory, as no server lets one choose an object's time."""
    state = FakeS3State({"external": {}, "internal": {}})
    s3 = FakeS3(state)
    old = state.put("internal", "a", b"old!")
    new = state.put("external", "a", b"new!")
    then = datetime(year, 1, 1, tzinfo=UTC)
    state.buckets["internal"]["a"] = replace(old, modified=datetime(2026, 6, 1, tzinfo=UTC))
    state.buckets["external"]["a"] = replace(new, modified=then)
    actions = plan_sync(list_prefix(s3, "external", ""), list_prefix(s3, "internal", ""), ROUTE)
    (action,) = actions
    assert action.verb == "compare"
    moves = plan_move(list_prefix(s3, "external", ""), ROUTE)
    (result,) = run(moves, s3, ROUTE, TransferOptions(ALL_SUPPORTED), Event())
    assert result.outcome is Outcome.CONFLICT
