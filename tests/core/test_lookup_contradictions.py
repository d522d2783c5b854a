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
def scene(request: pytest.FixtureRequest) -> Iterator[FaultFixture]:
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


def run(scene: FaultFixture, engine: str, *arguments: str) -> Ran:
    return scene.frogmove(*arguments, "-o", "json", FROGMOVE_ENGINE=engine)


KEYS = ["a+b", "c%20d", "e%2Ff", "g%41", "100%25"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key", KEYS)
def test_raw_keys_that_are_called_encoded_are_refused_and_nothing_is_touched(
    scene: FaultFixture, engine: str, key: str
) -> None:
    scene.buckets.put("plain", key)
    scene.proxy.rewrite = listing(raw_but_called_encoded)
    ran = run(scene, engine, "move", "--all")
    assert ran.code in {1, 2}, ran
    assert key in ran.err
    assert (sorted(scene.buckets.here()), scene.buckets.there()) == (sorted([key, "plain"]), {})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", [["ls"], ["sync"], ["sync", "-n"], ["move", "--all", "-n"]])
def test_every_command_refuses_them(scene: FaultFixture, engine: str, command: list[str]) -> None:
    scene.buckets.put("100%25", *KEYS)
    scene.proxy.rewrite = listing(raw_but_called_encoded)
    ran = run(scene, engine, *command)
    assert ran.code in {1, 2}, ran
    assert "a+b" in ran.err or "100%25" in ran.err
    assert scene.buckets.there() == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_keys_that_are_truly_encoded_are_moved(scene: FaultFixture, engine: str) -> None:
    keys = [*KEYS, "a b", "\N{FROG FACE}", "plain"]
    scene.buckets.put(*keys)
    ran = run(scene, engine, "move", "--all")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "moved"))


SPELLINGS: dict[str, Spelling] = {
    "without-quotes": str,
    "upper-case": lambda etag: f"&quot;{etag.upper()}&quot;",
    "weak": lambda etag: f"W/&quot;{etag}&quot;",
    "weak-and-upper-case": lambda etag: f"W/&quot;{etag.upper()}&quot;",
}


@pytest.mark.parametrize("scene", ["moto", "seaweedfs"], indirect=True)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_etags_that_a_listing_spells_in_another_way_are_the_same(
    scene: FaultFixture, engine: str, command: list[str], spelling: str
) -> None:
    scene.buckets.put("a", "b")
    scene.buckets.put("differs", body=b"new!")
    scene.buckets.put_there("differs", body=b"old!")
    expected = scene.buckets.here()
    scene.proxy.rewrite = listing(etags(SPELLINGS[spelling]))
    policy = ["--on-conflict", "overwrite"]
    ran = run(scene, engine, *command, *policy)
    outcome = "moved" if command[0] == "move" else "copied"
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(expected, outcome)), ran
    assert scene.buckets.there() == expected
    assert scene.buckets.here() == ({} if outcome == "moved" else expected)
    again = run(scene, engine, *command, *policy, "--allow-empty")
    assert (again.code, set(again.outcomes.values())) == (
        0,
        set() if outcome == "moved" else {"skipped"},
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_etags_that_a_listing_makes_up_are_a_failure_that_says_so(
    scene: FaultFixture, engine: str, command: list[str]
) -> None:
    scene.buckets.put("a", "b")
    before = scene.buckets.here()
    scene.proxy.rewrite = listing(etags(lambda etag: f"&quot;{etag[::-1]}&quot;"))
    ran = run(scene, engine, *command)
    assert (ran.code, ran.outcomes) == (1, {"a": "failed", "b": "failed"}), ran
    for record in ran.of("result"):
        assert "listing" in record["reason"]
        assert "source is kept" in record["reason"].lower() or "source kept" in record["reason"]
    assert scene.buckets.here() == before
