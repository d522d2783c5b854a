"""Directory buckets have no order and no tags; keys move from and to them all the same."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from frogmove.client import Client
from frogmove.config import Config
from frogmove.s3.capabilities import ALL_SUPPORTED, AWS
from frogmove.s3.limits import Limits
from frogmove.s3.uri import Location
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES
from tests.fault_proxy import PASS, Fault, FaultProxy, Request, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

KEYS = ["a/1", "a/2", "b"]


@pytest.fixture(scope="module")
def proxy(moto: Server) -> Iterator[FaultProxy]:
    def decide(request: Request) -> Fault:
        prefix = request.query.get("prefix", "")
        unknown = (
            "start-after" in request.query
            or request.query.get("delimiter", "/") != "/"
            or (prefix and not prefix.endswith("/"))
            or "x-amz-tagging-directive" in request.headers
            or "tagging" in request.query
        )
        if unknown and ("--x-s3" in request.bucket):
            return Fault("not here", "never", (501, "NotImplemented"))
        return PASS

    with proxied(moto, decide) as made:
        yield made


@pytest.fixture(params=["source", "destination", "both"])
def buckets(
    request: pytest.FixtureRequest, moto: Server, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> Buckets:
    # No server here makes sessions.
    monkeypatch.setenv("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true")
    client = moto.session().client("s3", endpoint_url=moto.endpoint_url)
    made = replace(Buckets.make(moto), client=client)
    unique = uuid.uuid4().hex[:8]
    names = {end: f"{end}-{unique}--usw2-az1--x-s3" for end in ("source", "destination")}
    chosen = names if request.param == "both" else {request.param: names[request.param]}
    for name in chosen.values():
        made.client.create_bucket(Bucket=name)
    return replace(made, **chosen, server=replace(moto, endpoint_url=proxy.endpoint_url))


@pytest.mark.parametrize("engine", ENGINES)
def test_keys_move_from_and_to_directory_buckets(
    monkeypatch: pytest.MonkeyPatch, buckets: Buckets, engine: str
) -> None:
    monkeypatch.setenv("FROGMOVE_ENGINE", engine)
    buckets.put(*KEYS)
    frogmove = FrogmoveRunner(buckets)
    for folder, listed in (("", KEYS), ("a", ["1", "2"])):
        ran = frogmove("ls", *([folder] if folder else []), "-o", "json")
        assert ran.code == 0, ran
        assert len(ran.of("object")) == len(listed), ran
    ran = frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(KEYS, "moved")), ran
    assert (buckets.keys_here(), sorted(buckets.there())) == ([], KEYS)
    (run,) = frogmove("runs", "-o", "json").of("run")
    assert frogmove("undo", run["id"]).code == 0
    assert buckets.keys_here() == KEYS


def test_sync_of_directory_buckets_is_refused_in_one_sentence(buckets: Buckets) -> None:
    buckets.put(*KEYS)
    ran = FrogmoveRunner(buckets)("sync")
    assert ran.code == 2
    assert "is a directory bucket. Both sides cannot be compared" in " ".join(ran.err.split())
    assert buckets.there() == {}


def test_directory_bucket_is_probed_even_on_aws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = replace(ALL_SUPPORTED, delete=False)
    monkeypatch.setattr("frogmove.connection.probe", lambda *_: asked)
    connection = Client(Config(region="us-west-2"), Limits(1))
    connection.close()
    assert connection.capabilities(Location("fast--usw2-az1--x-s3")) is asked
    assert connection.capabilities(Location("internal")) is AWS
