"""A server that sends its callers elsewhere without saying where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.canned_server import canned_server, error
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES

if TYPE_CHECKING:
    from tests.servers import Server


REGION = "<Region>eu-west-1</Region>"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_wrong_region_leads_to_the_right_one(engine: str, moto: Server) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    wrong = error(
        "AuthorizationHeaderMalformed", f"The region is wrong.</Message>{REGION}<Message>"
    )
    with canned_server((400, wrong)) as script:
        ran = runner("ls", "--endpoint-url", script.endpoint_url, FROGMOVE_ENGINE=engine)
    assert (ran.code, "--region eu-west-1" in ran.err) == (2, True), ran


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("status", "words"), [(403, "Forbidden (403)"), (404, "Not Found (404)")])
def test_a_refusal_that_is_not_s3s_keeps_its_status(
    engine: str, status: int, words: str, moto: Server
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with canned_server((status, "<html>A gateway</html>")) as script:
        ran = runner("move", "--all", "--endpoint-url", script.endpoint_url, FROGMOVE_ENGINE=engine)
    assert (ran.code, words in ran.err) == (2, True), ran


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("status", [301, 302, 307])
@pytest.mark.parametrize("body", ["", error("PermanentRedirect", "Use another endpoint.")])
def test_a_redirect_without_a_region_is_one_sentence(
    engine: str, status: int, body: str, moto: Server
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with canned_server((status, body)) as script:
        ran = runner("ls", "--endpoint-url", script.endpoint_url, FROGMOVE_ENGINE=engine)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 2, ran.err
    assert "--region" in ran.err
    assert len(script.requests) < 8
    if body:
        assert "Use another endpoint (PermanentRedirect)" in ran.err
