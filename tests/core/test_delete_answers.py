"""Deletes that S3 refuses, and deletes that something else answers, such as a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.quoting import in_quotes
from tests.canned_server import XML
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_proxy import PASS, Fault, Request
from tests.iam_users import denied
from tests.request_hooks import Reply, RequestHooks

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.fault_fixture import FaultFixture
    from tests.fault_proxy import Answer

PAGE = b"<html><body>Sign in to the network</body></html>"
ERROR = b"<Error><Code>InternalError</Code><Message>So it is.</Message></Error>"


@pytest.mark.parametrize("reaches", ["now", "never"])
@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b""), (404, PAGE), (200, PAGE), (200, ERROR)],
    ids=["404", "404 of a gateway", "page of a gateway", "error in a 200"],
)
def test_delete_that_was_not_answered_by_s3_is_looked_after(
    fault_fixture: FaultFixture, few_retries: str, status: int, body: bytes, reaches: str
) -> None:
    fault_fixture.buckets.put("a")
    deletes: set[int] = set()

    def hold_back(request: Request) -> Fault:
        if request.operation == "DeleteObject" and not request.is_probe:
            deletes.add(request.number)
            if reaches == "never":
                request.method = "GET"
        return PASS

    def answer(request: Request, answered: Answer) -> Answer:
        return (status, [], body) if request.number in deletes else answered

    fault_fixture.proxy.reset(hold_back)
    fault_fixture.proxy.rewrite = answer
    ran = fault_fixture.frogmove("move", "a", "-o", "json")
    assert deletes
    is_left = fault_fixture.buckets.keys_here() == ["a"]
    assert is_left == (reaches == "never")
    # What S3 itself calls a failure is one, and may have been done.
    expected = (1, "failed") if is_left or body == ERROR else (0, "moved")
    assert (ran.code, ran.outcomes["a"]) == expected, ran
    assert fault_fixture.buckets.there() == {"a": b"a"}
    fault_fixture.proxy.reset()
    if ran.code:
        assert fault_fixture.frogmove("resume").code == 0
        assert fault_fixture.buckets.here() == {}


# s5cmd#720, mc#2474: a delete that failed is only printed, and the exit code is 0.
@pytest.mark.parametrize("keys", [["a"], ["a", "b"]], ids=["alone", "in-a-batch"])
def test_delete_that_fails_fails_the_run_and_says_where_the_bytes_are(
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


@pytest.mark.usefixtures("whole_batches")
def test_delete_that_fails_for_one_key_of_a_batch_fails_that_key_only(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    ministack_buckets.put("a", "b")
    answer = f"""{XML}<DeleteResult><Deleted><Key>a</Key></Deleted>
      <Error><Key>b</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>"""
    hooks.answer("DeleteObjects", Reply(200, answer))
    ran = FrogmoveRunner(ministack_buckets)("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"a": "moved", "b": "failed"})
