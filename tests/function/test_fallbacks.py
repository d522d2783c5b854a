"""The function does without what a server refuses, as the commands do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.refusals import HARMLESS, refuse

if TYPE_CHECKING:
    from tests.fault_proxy import FaultProxy
    from tests.function.invoke import Invoke
    from tests.servers import Server

CASES = ["no batches (GCS)", "Content-MD5 (OVH)", "tagging (R2)", "if-match on deletes"]
BODIES = {key: key.encode() for key in ("a", "b", "c")}


@pytest.fixture
def buckets(ministack: Server, ministack_proxy: FaultProxy) -> Buckets:
    ministack_proxy.reset()
    made = Buckets.make(ministack)
    made.put(*BODIES)
    return replace(made, server=replace(ministack, endpoint_url=ministack_proxy.endpoint_url))


@pytest.mark.parametrize("event", [{"action": "move", "keys": [*BODIES]}, {"action": "sweep"}])
@pytest.mark.parametrize("case", CASES)
def test_function_moves_without_what_a_server_refuses(
    buckets: Buckets,
    ministack_proxy: FaultProxy,
    invoke: Invoke,
    event: dict[str, object],
    case: str,
) -> None:
    refuse(ministack_proxy, HARMLESS[case])
    answer = invoke(buckets, {"age": 0, **event} if event["action"] == "sweep" else event)
    assert answer["counts"] == {"moved": 3}, answer
    assert (buckets.here(), buckets.there()) == ({}, BODIES)


def test_log_says_once_what_is_refused(
    buckets: Buckets,
    ministack_proxy: FaultProxy,
    invoke: Invoke,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refuse(ministack_proxy, HARMLESS["tagging (R2)"])
    invoke(buckets, {"action": "move", "keys": [*BODIES]})
    assert capsys.readouterr().out.count("x-amz-tagging-directive") == 1


def test_function_syncs_without_what_a_server_refuses(
    buckets: Buckets, ministack_proxy: FaultProxy, invoke: Invoke
) -> None:
    refuse(ministack_proxy, HARMLESS["no batches (GCS)"])
    assert invoke(buckets, {"action": "sync"})["counts"] == {"copied": 3}
    assert (buckets.here(), buckets.there()) == (BODIES, BODIES)
