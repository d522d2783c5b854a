"""Passwords in the URLs of endpoints and proxies: never told, never kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from frogmove.core.run_spec import RunSpec
from tests.buckets import Buckets
from tests.canned_server import canned_server, error, nobody_listening
from tests.cli.cli_runner import FrogmoveRunner, Ran
from tests.fault_fixture import ENGINES, limits_of_few_retries

if TYPE_CHECKING:
    from tests.servers import Server

SECRET = "hidden"


@pytest.fixture(params=ENGINES)
def runner(
    request: pytest.FixtureRequest, moto: Server, monkeypatch: pytest.MonkeyPatch
) -> FrogmoveRunner:
    monkeypatch.setenv("FROGMOVE_ENGINE", request.param)
    buckets = Buckets.make(moto)
    buckets.put("a")
    return FrogmoveRunner(buckets)


def untold(ran: Ran) -> None:
    assert SECRET not in ran.out + ran.err
    kept = Path(os.environ["HOME"]).rglob("*")
    assert not [path for path in kept if path.is_file() and SECRET in path.read_text()]


def with_user(url: str) -> str:
    return url.replace("://", f"://user:{SECRET}@")


@pytest.mark.parametrize(
    "variable", ["--endpoint-url", "FROGMOVE_ENDPOINT_URL", "AWS_ENDPOINT_URL"]
)
def test_endpoint_with_a_password_is_never_told_in_a_run(
    runner: FrogmoveRunner, variable: str
) -> None:
    url = with_user(runner.buckets.server.endpoint_url)
    given = [variable, url] if variable.startswith("--") else []
    environment = {} if given else {variable: url}
    cleared = {"AWS_ENDPOINT_URL": None} | environment
    for command in (["ls", "-v"], ["move", "--all", "-v"], ["runs", "-o", "json"], ["report"]):
        options = given if command[0] in {"ls", "move"} else []
        ran = runner(*command, *options, **cleared)
        assert ran.code == 0, ran
        untold(ran)
    assert runner.buckets.there() == {"a": b"a"}


@pytest.mark.parametrize("answer", [(403, error("AccessDenied")), (500, ""), (301, ""), (200, "?")])
def test_endpoint_with_a_password_is_never_told_in_refusals(
    runner: FrogmoveRunner, answer: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunSpec, "limits", limits_of_few_retries)
    with canned_server(answer) as script:
        ran = runner("ls", "-v", "--endpoint-url", with_user(script.endpoint_url))
    assert ran.code == 2
    untold(ran)


@pytest.mark.parametrize("more", ["/?x=hidden", "?x=hidden", "/#hidden"])
def test_endpoint_with_a_query_is_asked_without(runner: FrogmoveRunner, more: str) -> None:
    url = runner.buckets.server.endpoint_url + more
    ran = runner("move", "--all", "-v", "--endpoint-url", url)
    assert ran.code == 0, ran
    untold(ran)


@pytest.mark.parametrize(
    "user", ["u:a/hidden", "u:a#hidden", "u:a?hidden", "u:a hidden", "hidden:x y"]
)
def test_password_that_should_have_been_escaped_is_never_told(
    runner: FrogmoveRunner, user: str
) -> None:
    ran = runner("ls", "-v", "--endpoint-url", f"http://{user}@127.0.0.1:9000")
    assert ran.code == 2
    untold(ran)


PROXIES = ["http://u:a#hidden@127.0.0.1:1", "socks5://u:hidden@127.0.0.1:1", "u:hidden@host:x"]


@pytest.mark.parametrize("proxy", PROXIES)
def test_proxy_that_cannot_be_used_is_refused_without_its_password(
    runner: FrogmoveRunner, proxy: str
) -> None:
    aim = "http://s3.example.test"
    ran = runner("ls", "-v", "--endpoint-url", aim, HTTP_PROXY=proxy)
    assert ran.code == 2
    assert "The proxy '" in ran.err
    assert "HTTP_PROXY" in ran.err
    untold(ran)


def test_endpoint_and_proxy_that_nobody_serves_are_named_without_their_password(
    runner: FrogmoveRunner,
) -> None:
    with nobody_listening() as url:
        ran = runner("ls", "-v", "--endpoint-url", with_user(url))
        assert (ran.code, url in ran.err) == (2, True), ran
        untold(ran)
        aim = "http://s3.example.test"
        ran = runner("ls", "-v", "--endpoint-url", aim, HTTP_PROXY=with_user(url))
        assert (ran.code, url.removeprefix("http://") in ran.err) == (2, True), ran
        assert "proxy" in ran.err
        untold(ran)
