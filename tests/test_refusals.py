"""Servers that refuse exactly one thing: what can be done without it is done."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from frogmove import connection
from frogmove.cli.policy import Policy
from tests.proxy import PASS, Fate, Proxy, Request, proxied
from tests.refusals import BROKEN, HARMLESS, Refuses, header, refuse
from tests.scene import ENGINES, Scene, impatient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.operator import Ran
    from tests.servers import Server

KEYS = [f"{number:02}" for number in range(3)]
BODIES = {key: key.encode() for key in KEYS}

ALL_CASES = {**HARMLESS, **BROKEN}

# What a sync asks for, and what only its probe does.
SYNCED = [
    *("no batches (GCS)", "Content-MD5 (OVH)", "tagging (R2)", "checksums in HEAD", "tags"),
    *("source condition", "if-none-match on copies", "if-match on copies", "batches fail"),
    *("probe's copies denied", "batches hang up", "if-none-match never holds"),
    *("source condition never holds", "if-match on copies never holds"),
]


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


def there(scene: Scene) -> dict[str, bytes]:
    """Return what the destination holds, but for throw-away keys that could not be deleted."""
    found = scene.buckets.there()
    return {key: body for key, body in found.items() if "frogmove-probe" not in key}


def assert_ran(ran: Ran, outcomes: dict[str, str]) -> None:
    assert (ran.code, ran.outcomes) == (0, outcomes), ran


@pytest.mark.parametrize("refuses", ALL_CASES.values(), ids=ALL_CASES)
def test_move_and_undo_do_without_what_is_refused(scene: Scene, refuses: Refuses) -> None:
    refuse(scene.proxy, refuses)
    moved = scene.frogmove("move", "--all", "-o", "json")
    assert_ran(moved, dict.fromkeys(KEYS, "moved"))
    assert (scene.buckets.here(), there(scene)) == ({}, BODIES)
    (run,) = scene.frogmove("runs", "-o", "json").of("run")
    undone = scene.frogmove("undo", run["id"], "-o", "json")
    assert_ran(undone, dict.fromkeys(KEYS, "moved"))
    assert (scene.buckets.here(), there(scene)) == (BODIES, {})


@pytest.mark.parametrize("case", SYNCED)
def test_sync_does_without_what_is_refused(scene: Scene, case: str) -> None:
    scene.buckets.put_there("00", body=b"older and longer")
    refuse(scene.proxy, ALL_CASES[case])
    ran = scene.frogmove("sync", "--on-conflict", "overwrite", "-o", "json")
    assert_ran(ran, dict.fromkeys(KEYS, "copied"))
    assert (scene.buckets.here(), there(scene)) == (BODIES, BODIES)


@pytest.mark.parametrize("scene", ["boto3"], indirect=True)
@pytest.mark.parametrize("case", ["encoding", "checksums in HEAD"])
def test_a_dry_run_and_ls_do_without_it_too(scene: Scene, case: str) -> None:
    refuse(scene.proxy, HARMLESS[case])
    before = scene.buckets.state()
    assert scene.frogmove("ls").code == 0
    assert scene.frogmove("move", "--all", "-n").code == 0
    assert scene.frogmove("sync", "-n").code == 0
    assert scene.buckets.state() == before


def test_batches_are_sent_with_their_md5_where_that_is_wanted(scene: Scene) -> None:
    refuse(scene.proxy, HARMLESS["Content-MD5 (OVH)"])
    assert scene.frogmove("move", "--all").code == 0
    (batch,) = scene.proxy.of("DeleteObjects", "DeleteObject")
    assert "content-md5" in batch.headers
    assert "x-amz-checksum-crc32" not in batch.headers


def test_what_is_refused_is_said_once(scene: Scene) -> None:
    refuse(scene.proxy, HARMLESS["tagging (R2)"])
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
        ("probe's deletes denied", "does not tell about copy-source-if-match"),
    ],
)
def test_a_strict_operator_is_told_what_is_missing(scene: Scene, case: str, words: str) -> None:
    refuse(scene.proxy, ALL_CASES[case])
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
    refuse(scene.proxy, (header(name), 501, "NotImplemented"))
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


LARGE: dict[str, Refuses] = {
    "checksums": (header("x-amz-checksum-algorithm"), 400, "InvalidArgument"),
    "size": (header("x-amz-mp-object-size"), 501, "NotImplemented"),
    "size, 400": (header("x-amz-mp-object-size"), 400, "NotImplemented"),
    "tags": HARMLESS["tags"],
    "source condition": HARMLESS["source condition"],
}


@pytest.mark.parametrize("refuses", LARGE.values(), ids=LARGE)
def test_copies_in_parts_do_without_what_is_refused(scene: Scene, refuses: Refuses) -> None:
    body = b"sixteen bytes and" * (6 * 1024 * 1024 // 17)
    scene.buckets.put("large", body=body, ChecksumAlgorithm="CRC32", ContentType="text/csv")
    refuse(scene.proxy, refuses)
    ran = scene.frogmove("move", "large", "-o", "json", "--multipart-threshold", "5MiB")
    assert_ran(ran, {"large": "moved"})
    assert "large" not in scene.buckets.here()
    assert there(scene) == {"large": body}


def test_a_size_that_does_not_fit_is_no_header_that_is_not_known(scene: Scene) -> None:
    scene.buckets.put("large", body=bytes(6 * 1024 * 1024))
    refuse(scene.proxy, (header("x-amz-mp-object-size"), 400, "InvalidRequest"))
    ran = scene.frogmove("move", "large", "-o", "json", "--multipart-threshold", "5MiB")
    assert (ran.code, ran.outcomes) == (1, {"large": "failed"})
    assert "large" in scene.buckets.here()
    assert there(scene) == {}
