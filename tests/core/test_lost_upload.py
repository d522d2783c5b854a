"""An upload whose beginning was not heard of: it costs its place until somebody ends it."""

from __future__ import annotations

import os
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.action import Action, Verb
from frogmove.core.result import Outcome, Result
from frogmove.core.terms import SMALLEST_PART, Multipart, Terms
from frogmove.core.transfer import run
from frogmove.s3.conditions import ALL
from tests.buckets import Buckets
from tests.proxy import DROP_AFTER, PASS, Fate, Request, proxied
from tests.scene import ENGINES, Scene
from tests.wire import ALWAYS, refusal

if TYPE_CHECKING:
    from tests.servers import Server
    from tests.wire import Wire

PART = SMALLEST_PART


@pytest.fixture
def sea(seaweedfs: Server) -> Buckets:
    return Buckets.make(seaweedfs)


def put(sea: Buckets) -> bytes:
    body = os.urandom(PART + 1)
    sea.put("a", body=body)
    return body


def uploads(sea: Buckets) -> list[str]:
    answer = sea.client.list_multipart_uploads(Bucket=sea.destination)
    return [upload["UploadId"] for upload in answer.get("Uploads", [])]


def move(sea: Buckets, wire: Wire) -> Result:
    s3 = wire.s3(sea.server)
    terms = Terms(ALL, multipart=Multipart(PART, PART, 1))
    (result,) = run([Action(Verb.MOVE, sea.seen("a"), "a")], s3, sea.route, terms, Event())
    s3.close()
    return result


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ends", ["well", "badly"])
def test_an_upload_whose_answer_was_lost_does_not_stay(
    seaweedfs: Server, engine: str, ends: str
) -> None:
    """Whoever pays for its place never hears of it. What others have begun there stays."""
    with proxied(seaweedfs) as proxy:
        scene = Scene.make(seaweedfs, proxy)
        body = os.urandom(PART + 1)
        scene.buckets.put("a", body=body)
        there = {"Bucket": scene.buckets.destination, "Key": "a"}
        theirs = scene.buckets.client.create_multipart_upload(**there)["UploadId"]
        lost = iter([DROP_AFTER, DROP_AFTER])

        def decide(request: Request) -> Fate:
            if request.operation == "UploadPartCopy" and ends == "badly":
                return Fate("denied", "never", (403, "AccessDenied"))
            return next(lost, PASS) if request.operation == "CreateMultipartUpload" else PASS

        proxy.schedule = decide
        ran = scene.frogmove(
            "move", "a", "-o", "json", "--multipart-threshold", "5MiB", FROGMOVE_ENGINE=engine
        )
        left = uploads(scene.buckets)
    assert ran.outcomes == {"a": "moved" if ends == "well" else "failed"}
    assert left == [theirs]
    assert scene.buckets.there() == ({"a": body} if ends == "well" else {})


def test_an_upload_that_others_began_meanwhile_and_fill_stays(sea: Buckets, wire: Wire) -> None:
    body = put(sea)
    there: Any = {"Bucket": sea.destination, "Key": "a"}
    theirs: list[str] = []

    def begin() -> None:
        theirs.append(sea.client.create_multipart_upload(**there)["UploadId"])
        sea.client.upload_part(**there, UploadId=theirs[0], PartNumber=1, Body=b"theirs")

    wire.before("CreateMultipartUpload", begin)
    assert move(sea, wire).outcome is Outcome.MOVED
    assert uploads(sea) == theirs
    assert sea.there() == {"a": body}


@pytest.mark.parametrize("times", [1, ALWAYS])
def test_where_uploads_cannot_be_listed_none_is_touched(
    sea: Buckets, wire: Wire, times: int
) -> None:
    body = put(sea)
    theirs = sea.client.create_multipart_upload(Bucket=sea.destination, Key="a")["UploadId"]
    wire.answer("ListMultipartUploads", refusal(403, "AccessDenied"), times=times)
    assert move(sea, wire).outcome is Outcome.MOVED
    assert sea.there() == {"a": body}
    assert uploads(sea) == [theirs]
