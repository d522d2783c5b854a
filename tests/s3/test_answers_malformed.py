"""Answers that no S3 should give: both engines make the same of them, and never a silent loss."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.client import Client
from frogmove.config import Config
from frogmove.core.models import Outcome
from frogmove.core.options import TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.transfer import run
from frogmove.engine import Engine
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.errors import MALFORMED, S3Error
from frogmove.s3.limits import Limits
from frogmove.s3.listing import list_prefix
from frogmove.s3.models import Copied, Copy, Deletion
from tests.buckets import Buckets
from tests.canned_server import XML, CannedServer, canned_server
from tests.cli.cli_runner import FrogmoveRunner
from tests.factories import an_object, md5
from tests.fault_fixture import ENGINES
from tests.request_hooks import ALWAYS, Reply, RequestHooks, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.s3.interface import S3
    from tests.servers import Server

ETAG = f"<ETag>&quot;{md5(b'x')}&quot;</ETag>"
DATE = "<LastModified>2026-01-02T03:04:05.000Z</LastModified>"
SIZE = "<Size>1</Size>"


def page(contents: str, *, url: bool = True, more: str = "") -> str:
    encoding = "<EncodingType>url</EncodingType>" if url else ""
    cut = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
    token = more if more.startswith("<") else ""
    return f"{XML}<ListBucketResult>{encoding}{cut}{token}{contents}</ListBucketResult>"


def entry(key: str = "a", etag: str = ETAG, date: str = DATE, size: str = SIZE) -> str:
    return f"<Contents><Key>{key}</Key>{date}{etag}{size}</Contents>"


def rfc(text: str) -> str:
    return f"<LastModified>{text}</LastModified>"


# What is read, or the code of the refusal.
LISTINGS: dict[str, tuple[str, Any]] = {
    "rfc-1123": (page(entry(date=rfc("Fri, 02 Jan 2026 03:04:05 GMT"))), ["a"]),
    "no-zone": (page(entry(date=rfc("2026-01-02T03:04:05"))), ["a"]),
    "no-date": (page(entry(date=rfc("yesterday"))), MALFORMED),
    "date-left-out": (page(entry(date="")), MALFORMED),
    "no-etag": (page(entry(etag="")), MALFORMED),
    "empty-etag": (page(entry(etag="<ETag></ETag>")), MALFORMED),
    "quoted-nothing": (page(entry(etag="<ETag>&quot;&quot;</ETag>")), MALFORMED),
    "no-size": (page(entry(size="")), MALFORMED),
    "size-in-words": (page(entry(size="<Size>one</Size>")), MALFORMED),
    "no-key": (page(f"<Contents>{DATE}{ETAG}{SIZE}</Contents>"), MALFORMED),
    "no-token": (page(entry(), more="without"), MALFORMED),
    "empty-token": (
        page(entry(), more="<NextContinuationToken></NextContinuationToken>"),
        MALFORMED,
    ),
    "nothing-about-the-end": (f"{XML}<ListBucketResult>{entry()}</ListBucketResult>", MALFORMED),
    "another-root": (f"{XML}<Html><IsTruncated>false</IsTruncated></Html>", MALFORMED),
    "no-xml": ("hello", MALFORMED),
    "empty": ("", MALFORMED),
    "cut": (page(entry())[:-30], MALFORMED),
    "not-utf-8": (page(entry("in/%FF")), "InvalidKey"),
    "raw-space": (page(entry("in/a b")), "InvalidKey"),
    "raw-accent": (page(entry("in/é")), "InvalidKey"),
    "raw-percent": (page(entry("in/100%")), "InvalidKey"),
    "raw-and-said-so": (page(entry("in/100% é+"), url=False), ["in/100% é+"]),
    "encoded": (page(entry("in/100%25+%C3%A9%2B")), ["in/100% é+"]),
    "upper-etag": (page(entry(etag=f"<ETag>{md5(b'x').upper()}</ETag>")), ["a"]),
}

COPY = Copy("external", an_object("a"), "internal", "a")
COPIES: dict[str, tuple[str, Any]] = {
    "no-etag": (f"{XML}<CopyObjectResult>{DATE}</CopyObjectResult>", MALFORMED),
    "empty-etag": (f"{XML}<CopyObjectResult><ETag/></CopyObjectResult>", MALFORMED),
    "rfc-1123": (
        f"{XML}<CopyObjectResult>{rfc('Fri, 02 Jan 2026 03:04:05 GMT')}{ETAG}</CopyObjectResult>",
        Copied(md5(b"x")),
    ),
    "another-root": (f"{XML}<Html>{ETAG}</Html>", MALFORMED),
    "no-xml": ("hello", MALFORMED),
    "empty": ("", MALFORMED),
}


def made_of(engine: str, answer: str, ask: Callable[[S3], object]) -> object:
    """Return what an engine makes of an answer: a value, or the refusal's code."""
    with canned_server((200, answer)) as script:
        return asked(engine, script, ask)


def asked(engine: str, script: CannedServer, ask: Callable[[S3], object]) -> object:
    limits = Limits(attempts=1)
    connection = Client(Config(endpoint_url=script.endpoint_url), limits, Engine(engine))
    try:
        return ask(connection.s3)
    except S3Error as error:
        return error.code
    finally:
        connection.close()


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", LISTINGS)
def test_listing_is_read_alike_or_refused(name: str, engine: str) -> None:
    answer, expected = LISTINGS[name]

    def ask(s3: S3) -> object:
        return [item.key for item in list_prefix(s3, "external", "")]

    assert made_of(engine, answer, ask) == expected


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("name", COPIES)
def test_copy_answer_is_read_alike_or_refused(name: str) -> None:
    answer, expected = COPIES[name]
    found = [
        made_of(engine, answer, lambda s3: s3.copy(COPY).result()) for engine in ("boto3", "crt")
    ]
    assert found == [expected, expected]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("engine", ENGINES)
def test_batch_that_is_answered_with_nonsense_deletes_nothing_for_certain(engine: str) -> None:
    def ask(s3: S3) -> object:
        results = s3.delete_many("external", [Deletion("a", md5(b"x"))]).result()
        assert results["a"] is not None
        return results["a"].code

    assert made_of(engine, f"{XML}<DeleteResult></DeleteResult>", ask) == "NotMentioned"


def token(text: str) -> str:
    return f"<NextContinuationToken>{text}</NextContinuationToken>"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ways", [1, 8])
@pytest.mark.parametrize("circle", [1, 2, 3, 7])
def test_token_that_comes_again_ends_the_listing_with_an_error(
    engine: str, ways: int, circle: int
) -> None:
    start = [page(entry("0"), more=token("start"))]
    around = [page(entry(str(1 + turn)), more=token(f"t{turn}")) for turn in range(circle)]

    def ask(s3: S3) -> object:
        return list(list_prefix(s3, "external", "", ways))

    with canned_server(*((200, answer) for answer in start + around * 40)) as script:
        assert asked(engine, script, ask) == MALFORMED
    assert len(script.requests) < 40


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", [["ls"], ["move", "--all"], ["sync"], ["sync", "-n"]])
@pytest.mark.parametrize(
    ("name", "named"), [("no-token", "NextContinuationToken"), ("not-utf-8", "in/%FF")]
)
def test_listing_that_is_malformed_is_refused_by_name_by_every_command(
    engine: str, command: list[str], name: str, named: str, moto: Server
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with canned_server((200, LISTINGS[name][0])) as script:
        ran = runner(*command, "--endpoint-url", script.endpoint_url, FROGMOVE_ENGINE=engine)
    assert ran.code == 2, ran
    assert named in ran.err
    assert "Traceback" not in ran.err


# minio-go#2305: a 200 answer that carries an error, taken for success.
@pytest.mark.parametrize(
    "reply",
    [refusal(200, "AccessDenied"), Reply(200), Reply(200, "<CopyObjectResult/>")],
    ids=["refusal", "empty", "no-etag"],
)
def test_copy_answered_200_with_an_error_is_no_copy(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, reply: Reply
) -> None:
    seaweedfs_buckets.put("a", body=b"x")
    s3 = hooks.s3(seaweedfs_buckets.server)
    hooks.answer("CopyObject", reply, times=ALWAYS)
    (result,) = run(
        plan_move([seaweedfs_buckets.seen("a")], seaweedfs_buckets.route),
        s3,
        seaweedfs_buckets.route,
        TransferOptions(ALL_SUPPORTED),
        Event(),
    )
    assert result.outcome is Outcome.FAILED
    assert "source is kept" in result.reason
    assert hooks.of("DeleteObject", "DeleteObjects") == []
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({"a": b"x"}, {})


@pytest.mark.parametrize("operation", ["CopyObject", "DeleteObject"])
def test_request_answered_200_with_a_passing_error_is_sent_again(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, operation: str
) -> None:
    seaweedfs_buckets.put("a", body=b"x")
    hooks.answer(operation, refusal(200, "InternalError"))
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert len(hooks.of(operation)) == 2
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({}, {"a": b"x"})
