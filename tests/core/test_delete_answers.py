"""Deletes that are answered by somebody else than S3, such as a gateway: was it done, or not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fault_proxy import PASS, Fault, Request

if TYPE_CHECKING:
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
def test_a_delete_that_was_not_answered_by_s3_is_looked_after(
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
