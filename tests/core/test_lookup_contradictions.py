"""Servers whose HEAD says otherwise than their listing: no run may take that for work done."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import pytest

from tests.fault_fixture import ENGINES, FaultFixture
from tests.fault_proxy import Answer, Request, proxied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.cli_runner import Ran
    from tests.servers import Server

    Spelling = Callable[[str], str]

COMMANDS = [["move", "--all"], ["sync"]]


@pytest.fixture(params=["seaweedfs"])
def fault_fixture(request: pytest.FixtureRequest) -> Iterator[FaultFixture]:
    server: Server = request.getfixturevalue(request.param)
    with proxied(server) as proxy:
        yield FaultFixture.make(server, proxy)


def listing(change: Callable[[str], str]) -> Callable[[Request, Answer], Answer]:
    """Change the listings of a server."""

    def rewrite(request: Request, answer: Answer) -> Answer:
        status, headers, content = answer
        if request.operation == "ListObjectsV2" and status == 200:
            content = change(content.decode()).encode()
        return status, headers, content

    return rewrite


def raw_but_called_encoded(body: str) -> str:
    """Write keys as they are, and say that they are encoded."""
    if "<EncodingType>url</EncodingType>" in body:
        return re.sub("<Key>(.*?)</Key>", lambda key: f"<Key>{unquote_plus(key[1])}</Key>", body)
    return body.replace("<KeyCount>", "<EncodingType>url</EncodingType><KeyCount>")


def etags(spell: Spelling) -> Callable[[str], str]:
    """Spell the ETags of a listing in another way."""
    pattern = '<ETag>(?:&quot;|&#34;|")?([^<&"]+)(?:&quot;|&#34;|")?</ETag>'
    return lambda body: re.sub(pattern, lambda etag: f"<ETag>{spell(etag[1])}</ETag>", body)


def run(fault_fixture: FaultFixture, engine: str, *arguments: str) -> Ran:
    return fault_fixture.frogmove(*arguments, "-o", "json", FROGMOVE_ENGINE=engine)


KEYS = ["a+b", "c%20d", "e%2Ff", "g%41", "100%25"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key", KEYS)
def test_listing_with_raw_keys_that_are_called_encoded_is_refused_and_nothing_is_touched(
    fault_fixture: FaultFixture, engine: str, key: str
) -> None:
    fault_fixture.buckets.put("plain", key)
    fault_fixture.proxy.rewrite = listing(raw_but_called_encoded)
    ran = run(fault_fixture, engine, "move", "--all")
    assert ran.code in {1, 2}, ran
    assert key in ran.err
    assert (sorted(fault_fixture.buckets.here()), fault_fixture.buckets.there()) == (
        sorted([key, "plain"]),
        {},
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", [["ls"], ["sync"], ["sync", "-n"], ["move", "--all", "-n"]])
def test_listing_with_raw_keys_that_are_called_encoded_is_refused_by_every_command(
    fault_fixture: FaultFixture, engine: str, command: list[str]
) -> None:
    fault_fixture.buckets.put("100%25", *KEYS)
    fault_fixture.proxy.rewrite = listing(raw_but_called_encoded)
    ran = run(fault_fixture, engine, *command)
    assert ran.code in {1, 2}, ran
    assert "a+b" in ran.err or "100%25" in ran.err
    assert fault_fixture.buckets.there() == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_keys_that_are_truly_encoded_are_moved(fault_fixture: FaultFixture, engine: str) -> None:
    keys = [*KEYS, "a b", "\N{FROG FACE}", "plain"]
    fault_fixture.buckets.put(*keys)
    ran = run(fault_fixture, engine, "move", "--all")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "moved"))


SPELLINGS: dict[str, Spelling] = {
    "without-quotes": str,
    "upper-case": lambda etag: f"&quot;{etag.upper()}&quot;",
    "weak": lambda etag: f"W/&quot;{etag}&quot;",
    "weak-and-upper-case": lambda etag: f"W/&quot;{etag.upper()}&quot;",
}


@pytest.mark.parametrize("fault_fixture", ["moto", "seaweedfs"], indirect=True)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_etags_that_a_listing_spells_in_another_way_are_the_same(
    fault_fixture: FaultFixture, engine: str, command: list[str], spelling: str
) -> None:
    fault_fixture.buckets.put("a", "b")
    fault_fixture.buckets.put("differs", body=b"new!")
    fault_fixture.buckets.put_there("differs", body=b"old!")
    expected = fault_fixture.buckets.here()
    fault_fixture.proxy.rewrite = listing(etags(SPELLINGS[spelling]))
    policy = ["--on-conflict", "overwrite"]
    ran = run(fault_fixture, engine, *command, *policy)
    outcome = "moved" if command[0] == "move" else "copied"
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(expected, outcome)), ran
    assert fault_fixture.buckets.there() == expected
    assert fault_fixture.buckets.here() == ({} if outcome == "moved" else expected)
    again = run(fault_fixture, engine, *command, *policy, "--allow-empty")
    assert (again.code, set(again.outcomes.values())) == (
        0,
        set() if outcome == "moved" else {"skipped"},
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_etags_that_a_listing_makes_up_are_a_failure_that_says_so(
    fault_fixture: FaultFixture, engine: str, command: list[str]
) -> None:
    fault_fixture.buckets.put("a", "b")
    before = fault_fixture.buckets.here()
    fault_fixture.proxy.rewrite = listing(etags(lambda etag: f"&quot;{etag[::-1]}&quot;"))
    ran = run(fault_fixture, engine, *command)
    assert (ran.code, ran.outcomes) == (1, {"a": "failed", "b": "failed"}), ran
    for record in ran.of("result"):
        assert "listing" in record["reason"]
        assert "source is kept" in record["reason"].lower() or "source kept" in record["reason"]
    assert fault_fixture.buckets.here() == before
