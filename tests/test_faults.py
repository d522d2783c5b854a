"""Single faults on the wire, by name: what an operator gets to see and where the bytes are."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from frogmove import connection
from frogmove.cli.policy import Policy
from frogmove.s3 import timeouts
from frogmove.s3.patience import PatientS3
from frogmove.s3.pressure import Pressure
from tests import proxy as fates
from tests.proxy import PASS, Fate, Proxy, Request, proxied
from tests.scene import ENGINES, Scene, impatient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.operator import Ran
    from tests.servers import Server

MIB = 1024 * 1024
KEYS = [f"{number:02}" for number in range(6)]
DELETES = ("DeleteObject", "DeleteObjects")
BODIES = {key: key.encode() for key in KEYS}

# The server has done it, and nobody is told.
LOST_ANSWERS = [fates.DROP_AFTER, fates.TRUNCATE, fates.ERROR_IN_200_AFTER]
NOT_DONE = [fates.DROP_BEFORE, fates.SLOW_DOWN, fates.ERROR_IN_200]


def by_name(value: object) -> str | None:
    return value.name if isinstance(value, Fate) else None


@pytest.fixture(scope="module")
def wire(seaweedfs: Server) -> Iterator[Proxy]:
    with proxied(seaweedfs) as proxy:
        yield proxy


# To make a client takes longer than most of these runs.
_make_client_once = cache(connection.make_client)


@pytest.fixture(params=ENGINES)
def scene(
    request: pytest.FixtureRequest,
    seaweedfs: Server,
    wire: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    """A scene with six small objects at the source and an operator of little patience."""
    monkeypatch.setenv("FROGMOVE_ENGINE", request.param)
    monkeypatch.setattr(Policy, "limits", impatient)
    monkeypatch.setattr(connection, "make_client", _make_client_once)
    scene = Scene.make(seaweedfs, wire)
    scene.buckets.put(*KEYS)
    return scene


def assert_moved(scene: Scene, ran: Ran, bodies: dict[str, bytes] = BODIES) -> None:
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(bodies, "moved")), ran
    assert scene.buckets.here() == {}
    assert scene.buckets.there() == bodies


@pytest.mark.parametrize("fate", [*LOST_ANSWERS, *NOT_DONE], ids=by_name)
def test_a_copy_that_failed_on_the_way_is_tried_again_and_recognised(
    scene: Scene, fate: Fate
) -> None:
    scene.fail(fate, "CopyObject")
    assert_moved(scene, scene.frogmove("move", "--all", "-o", "json"))
    assert scene.sent("CopyObject") == len(KEYS) + 1


@pytest.mark.parametrize("fate", [*LOST_ANSWERS, *NOT_DONE], ids=by_name)
def test_a_batch_of_deletes_that_failed_on_the_way_is_recognised(scene: Scene, fate: Fate) -> None:
    scene.fail(fate, "DeleteObjects")
    assert_moved(scene, scene.frogmove("move", "--all", "-o", "json"))
    assert len(scene.proxy.of(*DELETES)) >= 2


@pytest.mark.parametrize("fate", [*LOST_ANSWERS, *NOT_DONE], ids=by_name)
def test_a_single_delete_that_failed_on_the_way_is_recognised(scene: Scene, fate: Fate) -> None:
    scene.fail(fate, "DeleteObject")
    ran = scene.frogmove("move", "03", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"03": "moved"})
    assert "03" not in scene.buckets.here()
    assert scene.buckets.there() == {"03": b"03"}


@pytest.mark.parametrize("scene", ["boto3"], indirect=True)
@pytest.mark.parametrize("fate", [fates.DROP_AFTER, fates.ERROR_IN_200], ids=by_name)
@pytest.mark.parametrize(
    "operation",
    [
        *("HeadObject", "GetObjectTagging", "CreateMultipartUpload", "UploadPartCopy"),
        *("CompleteMultipartUpload", "DeleteObject"),
    ],
)
def test_no_step_of_a_copy_in_parts_is_lost_on_the_way(
    scene: Scene, operation: str, fate: Fate
) -> None:
    body = b"sixteen bytes and" * (6 * MIB // 17)
    own = {"ContentType": "text/csv", "Metadata": {"owner": "frog", "zone": "pond"}}
    scene.buckets.put("large", body=body, Tagging="team=pond", **own)
    scene.fail(fate, operation)
    ran = scene.frogmove("move", "large", "-o", "json", "--multipart-threshold", "5MiB")
    assert (ran.code, ran.outcomes) == (0, {"large": "moved"}), ran
    assert "large" not in scene.buckets.here()
    where = {"Bucket": scene.buckets.destination, "Key": "large"}
    there = scene.buckets.client.get_object(**where)
    assert there["Body"].read() == body
    assert {name: there[name] for name in own} == own
    tags = scene.buckets.client.get_object_tagging(**where)["TagSet"]
    assert tags == [{"Key": "team", "Value": "pond"}]


@pytest.mark.parametrize(
    "fate", [fates.ERROR_IN_200, fates.ERROR_IN_200_AFTER, fates.DROP_AFTER], ids=by_name
)
def test_a_copy_that_is_never_confirmed_keeps_its_source(scene: Scene, fate: Fate) -> None:
    scene.proxy.schedule = lambda request: (
        fate if request.operation in {"CopyObject", "HeadObject"} and not request.is_probe else PASS
    )
    ran = scene.frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(KEYS, "failed"))
    assert scene.buckets.here() == BODIES
    assert scene.proxy.of(*DELETES) == []


def test_deletes_that_are_never_confirmed_are_told_with_both_places(scene: Scene) -> None:
    scene.fail(fates.ERROR_IN_200, *DELETES, times=1000)
    ran = scene.frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(KEYS, "failed"))
    assert scene.buckets.here() == scene.buckets.there() == BODIES
    for record in ran.of("result"):
        place = f"s3://{scene.buckets.destination}/{record['key']}"
        assert place in record["reason"]
        assert "source may still be there" in record["reason"]
    scene.proxy.forget()
    assert_moved(scene, scene.frogmove("move", "--all", "-o", "json"))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operations", [("CopyObject",), DELETES], ids=["copy", "delete"])
def test_what_somebody_uploads_meanwhile_stays_and_the_next_run_moves_it(
    scene: Scene, operations: tuple[str, ...], when: str
) -> None:
    def upload(request: Request) -> Fate:
        is_about_it = request.key == "03" or b"<Key>03</Key>" in request.body
        if request.operation in operations and is_about_it:
            scene.buckets.put("03", body=b"newer")
        return PASS

    if when == "before":
        scene.proxy.schedule = upload
    else:
        scene.proxy.passed = upload
    ran = scene.frogmove("move", "--all", "-o", "json")
    rest = {key: body for key, body in BODIES.items() if key != "03"}
    # After the delete it is a new object, and the earlier one was moved.
    outcome = "moved" if (operations, when) == (DELETES, "after") else "superseded"
    assert ran.outcomes == dict.fromkeys(rest, "moved") | {"03": outcome}
    assert (ran.code, scene.buckets.here()) == (0, {"03": b"newer"})
    scene.proxy.forget()
    assert scene.frogmove("move", "--all", "--on-conflict", "overwrite").code == 0
    assert (scene.buckets.here(), scene.buckets.there()) == ({}, rest | {"03": b"newer"})


def test_what_somebody_puts_at_the_destination_just_before_a_copy_stays(scene: Scene) -> None:
    def put(request: Request) -> Fate:
        if request.operation == "CopyObject" and request.key == "03":
            scene.buckets.put_there("03", body=b"theirs")
        return PASS

    scene.proxy.schedule = put
    ran = scene.frogmove("move", "--all", "-o", "json")
    rest = {key: body for key, body in BODIES.items() if key != "03"}
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(rest, "moved") | {"03": "conflict"})
    assert scene.buckets.here() == {"03": b"03"}
    assert scene.buckets.there() == rest | {"03": b"theirs"}


def test_a_storm_of_slow_down_is_given_way_to_and_lived_through(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [f"more/{number:02}" for number in range(90)]
    scene.buckets.put(*more)
    pressures = _watch(monkeypatch)
    seen: list[int] = []

    def decide(request: Request) -> Fate:
        if request.operation != "CopyObject" or request.is_probe:
            return PASS
        seen.append(pressures[-1].limit)
        return fates.SLOW_DOWN if 10 < len(seen) <= 22 else PASS

    scene.proxy.schedule = decide
    ran = scene.frogmove("move", "--all", "-o", "json", "--concurrency", "8")
    assert_moved(scene, ran, BODIES | {key: key.encode() for key in more})
    assert seen[0] == 8
    assert min(seen) <= 2
    assert seen[-1] == 8


def _watch(monkeypatch: pytest.MonkeyPatch) -> list[Pressure]:
    """Return a list that will hold the pressure of each connection."""
    pressures: list[Pressure] = []
    make = Pressure.__init__

    def remember(self: Pressure, most: int) -> None:
        make(self, most)
        pressures.append(self)

    monkeypatch.setattr(Pressure, "__init__", remember)
    return pressures


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every page of a listing hold two objects, so that six make three pages."""
    page = PatientS3.list_page

    def short(
        self: PatientS3,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = 1000,
        **more: Any,
    ) -> Any:
        return page(self, bucket, prefix, token, min(limit, 2), **more)

    monkeypatch.setattr(PatientS3, "list_page", short)


def _on_page_two(bucket: str, fate: Fate, times: int) -> Callable[[Request], Fate]:
    met: list[Request] = []

    def decide(request: Request) -> Fate:
        if request.bucket == bucket and "continuation-token" in request.query:
            met.append(request)
            return fate if len(met) <= times else PASS
        return PASS

    return decide


BROKEN = [fates.TRUNCATE, fates.FAIL]


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("fate", BROKEN, ids=by_name)
def test_what_was_seen_is_moved_when_the_listing_breaks(scene: Scene, fate: Fate) -> None:
    scene.proxy.schedule = _on_page_two(scene.buckets.source, fate, 1000)
    ran = scene.frogmove("move", "--all")
    assert ran.code == 1
    assert "the rest could not be listed" in ran.err
    assert "run the same command again" in ran.err
    assert "Traceback" not in ran.err
    assert sorted(scene.buckets.there()) == KEYS[:2]
    assert sorted(scene.buckets.here()) == KEYS[2:]
    scene.proxy.forget()
    assert scene.frogmove("resume").code == 0
    assert (scene.buckets.here(), scene.buckets.there()) == ({}, BODIES)


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("fate", BROKEN, ids=by_name)
@pytest.mark.parametrize("command", ["move", "sync"])
def test_a_page_that_comes_at_the_second_attempt_is_no_trouble(
    scene: Scene, fate: Fate, command: str
) -> None:
    scene.proxy.schedule = _on_page_two(scene.buckets.source, fate, 1)
    assert scene.frogmove(command, *(["--all"] if command == "move" else [])).code == 0
    assert scene.buckets.there() == BODIES


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("fate", BROKEN, ids=by_name)
@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_sync_whose_listing_breaks_overwrites_and_loses_nothing(
    scene: Scene, fate: Fate, side: str
) -> None:
    there = dict.fromkeys(KEYS[1:], b"theirs")
    scene.buckets.put_there(*there, body=b"theirs")
    scene.proxy.schedule = _on_page_two(getattr(scene.buckets, side), fate, 1000)
    ran = scene.frogmove("sync")
    assert ran.code == 1
    assert "the rest could not be listed" in ran.err
    assert scene.buckets.here() == BODIES
    # What was not seen on both sides stands as it was.
    unseen = KEYS[2:] if side == "source" else KEYS[3:]
    after = scene.buckets.there()
    assert {key: after[key] for key in unseen} == dict.fromkeys(unseen, b"theirs")
    scene.proxy.forget()
    assert scene.frogmove("sync").code == 0
    assert scene.buckets.there() == BODIES


def _wait_no_longer_than(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "QUICK", seconds)


def test_a_server_that_never_answers_is_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait_no_longer_than(0.1, monkeypatch)
    scene.proxy.schedule = lambda _: fates.SILENCE
    ran = scene.frogmove("move", "--all")
    assert ran.code == 2
    assert "cannot be reached" in ran.err
    assert "Traceback" not in ran.err
    assert scene.buckets.here() == BODIES


def test_a_server_that_falls_silent_in_the_middle_loses_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait_no_longer_than(1.0, monkeypatch)
    monkeypatch.setattr(Policy, "limits", lambda policy: replace(impatient(policy), attempts=2))
    scene.proxy.schedule = lambda request: (
        fates.SILENCE if scene.sent("CopyObject") > 3 and not request.is_probe else PASS
    )
    ran = scene.frogmove("move", "--all", "-o", "json")
    assert ran.code == 1
    assert set(ran.outcomes.values()) <= {"failed", "moved"}
    assert {**scene.buckets.here(), **scene.buckets.there()} == BODIES
    scene.proxy.forget()
    _wait_no_longer_than(30.0, monkeypatch)
    assert scene.frogmove("resume").code == 0
    assert (scene.buckets.here(), scene.buckets.there()) == ({}, BODIES)


def test_a_single_silence_is_waited_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _wait_no_longer_than(1.0, monkeypatch)
    scene.fail(fates.SILENCE, "CopyObject")
    assert_moved(scene, scene.frogmove("move", "--all", "-o", "json"))
