"""``--no-sign-request``: by nobody in particular, from the listing to the undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES

if TYPE_CHECKING:
    from tests.servers import Server

NOBODY: dict[str, str | None] = {
    "AWS_ACCESS_KEY_ID": None,
    "AWS_SECRET_ACCESS_KEY": None,
    "AWS_PROFILE": None,
}


@pytest.mark.parametrize("engine", ENGINES)
def test_unsigned_runs_need_no_credentials(moto: Server, engine: str) -> None:
    buckets = Buckets.make(moto)
    buckets.put("a", "b", ACL="public-read")
    nobody = NOBODY | {"FROGMOVE_ENGINE": engine}
    frogmove = FrogmoveRunner(buckets)
    assert frogmove("ls", **nobody).code != 0
    assert frogmove("ls", "--no-sign-request", **nobody).code == 0
    ran = frogmove("move", "--all", "--no-sign-request", "-o", "json", **nobody)
    assert (ran.code, ran.outcomes) == (0, {"a": "moved", "b": "moved"}), ran
    for key in ("a", "b"):
        buckets.client.put_object_acl(Bucket=buckets.destination, Key=key, ACL="public-read")
    # The run remembers that it was unsigned.
    (run,) = frogmove("runs", "-o", "json").of("run")
    undone = frogmove("undo", run["id"], "-o", "json", **nobody)
    assert (undone.code, undone.outcomes) == (0, {"a": "moved", "b": "moved"}), undone
    assert buckets.keys_here() == ["a", "b"]


def test_no_sign_request_without_permission_is_refused_before_anything_is_touched(
    seaweedfs: Server,
) -> None:
    buckets = Buckets.make(seaweedfs)
    buckets.put("a")
    ran = FrogmoveRunner(buckets)("move", "--all", "--no-sign-request", **NOBODY)
    assert ran.code == 2
    assert buckets.source in ran.err or buckets.destination in ran.err
    assert "Traceback" not in ran.err
    assert (buckets.keys_here(), buckets.there()) == (["a"], {})
