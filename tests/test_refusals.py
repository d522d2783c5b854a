"""Servers that refuse exactly one thing: what can be done without it is done."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from frogmove import connection
from frogmove.cli.policy import Policy
from tests.proxy import PASS, Fate, Proxy, Request, proxied
from tests.scene import ENGINES, Scene, impatient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.operator import Ran
    from tests.servers import Server

KEYS = [f"{number:02}" for number in range(5)]
BODIES = {key: key.encode() for key in KEYS}

Refuses = tuple["Callable[[Request], bool]", int, str]


def operation(*names: str) -> Callable[[Request], bool]:
    return lambda request: request.operation in names


def header(name: str, *operations: str) -> Callable[[Request], bool]:
    return lambda request: (
        name in request.headers and (not operations or request.operation in operations)
    )


def parameter(name: str) -> Callable[[Request], bool]:
    return lambda request: name in request.query


def batch_without_md5(request: Request) -> bool:
    return request.operation == "DeleteObjects" and "content-md5" not in request.headers


# Nothing that was asked for has to be missed.
HARMLESS: dict[str, Refuses] = {
    "no batches (GCS)": (operation("DeleteObjects"), 501, "NotImplemented"),
    "no batches, 405": (operation("DeleteObjects"), 405, "MethodNotAllowed"),
    "no batches, 404": (operation("DeleteObjects"), 404, "NotFound"),
    "no batches, 400": (operation("DeleteObjects"), 400, "MalformedXML"),
    "Content-MD5 (OVH)": (batch_without_md5, 400, "InvalidRequest"),
    "Content-MD5, named": (batch_without_md5, 400, "MissingContentMD5"),
    "tagging (R2)": (header("x-amz-tagging-directive"), 501, "NotImplemented"),
    "tagging, 400": (header("x-amz-tagging-directive"), 400, "InvalidArgument"),
    "metadata": (header("x-amz-metadata-directive"), 400, "InvalidArgument"),
    "both directives": (
        lambda request: any(name.endswith("-directive") for name in request.headers),
        *(501, "NotImplemented"),
    ),
    "checksums in HEAD": (header("x-amz-checksum-mode"), 400, "InvalidArgument"),
    "encoding": (parameter("encoding-type"), 400, "InvalidArgument"),
    "tags": (
        lambda request: "tagging" in request.query or "x-amz-tagging-directive" in request.headers,
        *(501, "NotImplemented"),
    ),
    "source condition": (
        header("x-amz-copy-source-if-match"),
        *(501, "NotImplemented"),
    ),
    "if-none-match on copies": (header("if-none-match"), 501, "NotImplemented"),
    "if-match on copies": (header("if-match", "CopyObject"), 400, "InvalidArgument"),
    "if-match on deletes": (header("if-match", "DeleteObject"), 501, "NotImplemented"),
    "ETags in batches": (
        lambda request: b"<ETag>" in request.body and request.operation == "DeleteObjects",
        *(400, "MalformedXML"),
    ),
    "expect": (header("expect"), 417, "ExpectationFailed"),
}

# What a server fails at for ever tells nothing, and nothing is relied upon.
BROKEN: dict[str, Refuses] = {
    "batches fail": (operation("DeleteObjects"), 500, "InternalError"),
    "probe's deletes denied": (
        lambda request: request.is_probe and request.operation == "DeleteObject",
        *(403, "AccessDenied"),
    ),
    "probe's copies denied": (
        lambda request: request.is_probe and request.operation == "CopyObject",
        *(403, "AccessDenied"),
    ),
}

ALL_CASES = {**HARMLESS, **BROKEN}


@pytest.fixture(scope="module")
def wire(seaweedfs: Server) -> Iterator[Proxy]:
    with proxied(seaweedfs) as proxy:
        yield proxy


# To make a client takes longer than most of these runs.
_make_client_once = cache(connection.make_client)


@pytest.fixture(params=ENGINES)
def scene(
    request: pytest.FixtureRequest, seaweedfs: Server, wire: Proxy, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    monkeypatch.setenv("FROGMOVE_ENGINE", request.param)
    monkeypatch.setattr(Policy, "limits", impatient)
    monkeypatch.setattr(connection, "make_client", _make_client_once)
    scene = Scene.make(seaweedfs, wire)
    scene.buckets.put(*KEYS)
    return scene


def refuse(scene: Scene, refuses: Refuses) -> None:
    matches, status, code = refuses
    fate = Fate(code, "never", (status, code))
    scene.proxy.schedule = lambda request: fate if matches(request) else PASS


def there(scene: Scene) -> dict[str, bytes]:
    """Return what the destination holds, but for throw-away keys that could not be deleted."""
    found = scene.buckets.there()
    return {key: body for key, body in found.items() if "frogmove-probe" not in key}


def assert_ran(ran: Ran, outcomes: dict[str, str]) -> None:
    assert (ran.code, ran.outcomes) == (0, outcomes), ran


@pytest.mark.parametrize("refuses", ALL_CASES.values(), ids=ALL_CASES)
def test_move_and_undo_do_without_what_is_refused(scene: Scene, refuses: Refuses) -> None:
    refuse(scene, refuses)
    moved = scene.frogmove("move", "--all", "-o", "json")
    assert_ran(moved, dict.fromkeys(KEYS, "moved"))
    assert (scene.buckets.here(), there(scene)) == ({}, BODIES)
    (run,) = scene.frogmove("runs", "-o", "json").of("run")
    undone = scene.frogmove("undo", run["id"], "-o", "json")
    assert_ran(undone, dict.fromkeys(KEYS, "moved"))
    assert (scene.buckets.here(), there(scene)) == (BODIES, {})


@pytest.mark.parametrize("refuses", ALL_CASES.values(), ids=ALL_CASES)
def test_sync_does_without_what_is_refused(scene: Scene, refuses: Refuses) -> None:
    scene.buckets.put_there("00", body=b"older and longer")
    refuse(scene, refuses)
    ran = scene.frogmove("sync", "--on-conflict", "overwrite", "-o", "json")
    assert_ran(ran, dict.fromkeys(KEYS, "copied"))
    assert (scene.buckets.here(), there(scene)) == (BODIES, BODIES)


@pytest.mark.parametrize("scene", ["boto3"], indirect=True)
@pytest.mark.parametrize("case", ["encoding", "checksums in HEAD"])
def test_a_dry_run_and_ls_do_without_it_too(scene: Scene, case: str) -> None:
    refuse(scene, HARMLESS[case])
    before = scene.buckets.state()
    assert scene.frogmove("ls").code == 0
    assert scene.frogmove("move", "--all", "-n").code == 0
    assert scene.frogmove("sync", "-n").code == 0
    assert scene.buckets.state() == before


def test_what_is_refused_is_said_once(scene: Scene) -> None:
    refuse(scene, HARMLESS["tagging (R2)"])
    ran = scene.frogmove("move", "--all")
    assert ran.code == 0
    assert ran.err.count("x-amz-tagging-directive") == 1
    assert len(scene.proxy.of("CopyObject")) == len(KEYS)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("if-match on deletes", "refuses if-match on deletes"),
        ("if-none-match on copies", "refuses if-none-match on copies"),
        ("if-match on copies", "refuses if-match on copies"),
        ("source condition", "refuses copy-source-if-match"),
        ("no batches (GCS)", "refuses ETags in batched deletes"),
        ("probe's deletes denied", "does not tell about if-match on deletes"),
    ],
)
def test_a_strict_operator_is_told_what_is_missing(scene: Scene, case: str, words: str) -> None:
    refuse(scene, ALL_CASES[case])
    ran = scene.frogmove("move", "--all", "--require-conditional")
    assert ran.code == 2
    assert words in " ".join(ran.err.split()), ran.err
    assert "ignores" not in ran.err
    assert scene.buckets.here() == BODIES


@pytest.mark.parametrize(
    "name", ["x-amz-tagging-directive", "x-amz-copy-source-if-match", "if-none-match"]
)
def test_what_is_honoured_stays_in_use_when_something_else_is_refused(
    scene: Scene, name: str
) -> None:
    refuse(scene, (header(name), 501, "NotImplemented"))
    assert scene.frogmove("move", "--all").code == 0
    for request in scene.proxy.of("CopyObject")[-len(KEYS) :]:
        others = {"x-amz-copy-source-if-match", "if-none-match"} - {name}
        assert others <= request.headers.keys()
    assert [request for request in scene.proxy.of("DeleteObjects") if b"<ETag>" in request.body]


@pytest.mark.parametrize("verify", ["auto", "strict"])
def test_tags_that_were_not_carried_are_said(scene: Scene, verify: str) -> None:
    scene.buckets.put("tagged", Tagging="scan=clean")
    matches = header("x-amz-tagging-directive")

    def decide(request: Request) -> Fate:
        return Fate("refused", "never", (501, "NotImplemented")) if matches(request) else PASS

    def lose_tags(request: Request) -> None:
        if request.operation == "CopyObject" and not request.is_probe:
            where = {"Bucket": scene.buckets.destination, "Key": "tagged"}
            scene.buckets.client.delete_object_tagging(**where)

    scene.proxy.schedule, scene.proxy.passed = decide, lose_tags
    ran = scene.frogmove("move", "tagged", "-o", "json", "--verify", verify)
    (result,) = ran.of("result")
    assert "tags" in result["reason"], result
    expected = {"auto": (0, "moved"), "strict": (1, "failed")}[verify]
    assert (ran.code, result["outcome"]) == expected
    assert ("tagged" in scene.buckets.here()) is (verify == "strict")


def test_a_new_upload_survives_where_conditional_deletes_are_refused(scene: Scene) -> None:
    matches, *_ = HARMLESS["if-match on deletes"]

    def decide(request: Request) -> Fate:
        if matches(request):
            return Fate("refused", "never", (501, "NotImplemented"))
        if request.operation == "HeadObject" and scene.proxy.of("CopyObject"):
            scene.buckets.put("00", body=b"newer")
        return PASS

    scene.proxy.schedule = decide
    ran = scene.frogmove("move", "00", "-o", "json")
    assert ran.outcomes == {"00": "superseded"}, ran
    assert scene.buckets.here()["00"] == b"newer"
