"""What awscrt alone shows, or only an endpoint that answers as it is told."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.session import Session as CoreSession

from frogmove.boto_session import make_boto_client
from frogmove.config import Config
from frogmove.core.models import Outcome
from frogmove.core.options import TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.transfer import run
from frogmove.s3 import request_template, timeouts
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.crt import CrtS3
from frogmove.s3.errors import Kind
from frogmove.s3.listing import list_prefix
from frogmove.s3.models import Copy, Deletion
from frogmove.s3.transport import Transport
from tests.buckets import Buckets
from tests.canned_server import XML, canned_server, error, nobody_listening
from tests.factories import an_object, md5
from tests.s3.contract_cases import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server


def engine(client: Any, connections: int = 4) -> CrtS3:
    transport = Transport(connections, 2, verify=True, proxies={})
    return CrtS3(BotoS3(client, 2), transport)


@contextmanager
def speaking_to(endpoint_url: str, **more: Any) -> Iterator[CrtS3]:
    made = engine(make_boto_client(Config(endpoint_url=endpoint_url), 2), **more)
    try:
        yield made
    finally:
        made.close()


COPY = Copy("external", an_object("a"), "internal", "a")

COPIED = f'{XML}<CopyObjectResult><ETag>"{md5(b"x")}"</ETag></CopyObjectResult>'


# Answers


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
def test_copy_answered_200_with_an_error_is_no_copy(code: str) -> None:
    with canned_server((200, error(code))) as script, speaking_to(script.endpoint_url) as s3:
        problem = refusal(s3.copy(COPY).exception())
    assert problem.retrying_helps
    assert problem.code == code


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "body", ["", XML, f"{XML}<CopyObjectResult></CopyObjectResult>", "<html>", "\x00"], ids=ascii
)
def test_copy_answered_200_with_nothing_is_no_copy(body: str) -> None:
    with canned_server((200, body)) as script, speaking_to(script.endpoint_url) as s3:
        problem = refusal(s3.copy(COPY).exception())
    assert (problem.code, problem.status) == ("MalformedResponse", 500)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "body", ["", error("InternalError"), f"{XML}<Other/>", "<ListBucketResult"]
)
def test_listing_answered_200_with_no_listing_is_refused(body: str) -> None:
    with canned_server((200, body)) as script, speaking_to(script.endpoint_url) as s3:
        refusal(s3.list_page("external", "").exception())


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "SlowDown"),
        (500, "InternalError"),
        (403, "InvalidObjectState"),
        (403, "AccessDenied"),
        (409, "ConditionalRequestConflict"),
        (412, "PreconditionFailed"),
        (400, "ExpiredToken"),
        (501, "NotImplemented"),
        (404, "NoSuchBucket"),
        (429, ""),
        (503, ""),
        (418, ""),
    ],
)
def test_engines_tell_refusals_alike(status: int, code: str) -> None:
    body = error(code, "Said so.") if code else "Busy"
    with canned_server((status, body)) as script, speaking_to(script.endpoint_url) as s3:
        boto = BotoS3(make_boto_client(Config(endpoint_url=script.endpoint_url), 2), 2)
        for mine, theirs in (
            (s3.copy(COPY), boto.copy(COPY)),
            (s3.head("external", "a"), boto.head("external", "a")),
            (s3.list_page("external", ""), boto.list_page("external", "")),
            (
                s3.delete_many("external", [Deletion("a", None)]),
                boto.delete_many("external", [Deletion("a", None)]),
            ),
        ):
            ours, expected = refusal(mine.exception()), refusal(theirs.exception())
            assert (ours.operation, ours.kind, ours.code, ours.status, ours.message) == (
                expected.operation,
                expected.kind,
                expected.code,
                expected.status,
                expected.message,
            )
        boto.close()


@pytest.mark.usefixtures("credentials")
def test_batch_fails_the_keys_that_its_answer_lists_as_errors_or_leaves_out() -> None:
    answer = f"""{XML}<DeleteResult>
      <Deleted><Key>a</Key></Deleted>
      <Error><Key>b</Key><Code>AccessDenied</Code><Message>No.</Message></Error>
      <Error><Key>c</Key><Code>PreconditionFailed</Code><Message>No.</Message></Error>
    </DeleteResult>"""
    deletions = [Deletion(key, md5(b"x")) for key in "abcd"]
    with canned_server((200, answer)) as script, speaking_to(script.endpoint_url) as s3:
        results = s3.delete_many("external", deletions).result()
    assert results["a"] is None
    assert refusal(results["b"]).kind is Kind.DENIED
    assert refusal(results["c"]).kind is Kind.CHANGED
    assert refusal(results["d"]).retrying_helps


@pytest.mark.usefixtures("credentials")
def test_slow_down_is_reported_at_once_and_once() -> None:
    with canned_server((503, error("SlowDown"))) as script, speaking_to(script.endpoint_url) as s3:
        began = time.monotonic()
        assert refusal(s3.copy(COPY).exception()).kind is Kind.THROTTLED
        assert time.monotonic() - began < 5
        assert len(script.requests) == 1


# No answers


@pytest.mark.usefixtures("credentials")
def test_port_where_nobody_listens_is_unreachable() -> None:
    with nobody_listening() as endpoint_url, speaking_to(endpoint_url) as s3:
        problem = refusal(s3.head("external", "a").exception())
    assert (problem.kind, problem.status) == (Kind.UNREACHABLE, None)
    assert endpoint_url in problem.message


@contextmanager
def mute(greeting: bytes = b"", *, hang_up: bool = False) -> Iterator[str]:
    """Serve the beginning of an answer, then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                    connection.recv(65536)
                    connection.sendall(greeting)
                except OSError:
                    return
                if hang_up:
                    connection.close()
                held.append(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for connection in held:
            connection.close()


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<CopyObjectResult>"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("said", [b"", HALF, b"HTTP/1.1 200"], ids=["nothing", "half", "a word"])
def test_answer_that_does_not_come_is_not_waited_for(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "QUICK", 0.5)
    with mute(said) as endpoint_url, speaking_to(endpoint_url) as s3:
        problem = refusal(s3.copy(COPY).exception(20))
    assert (problem.kind, problem.status) == (Kind.UNREACHABLE, None)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("said", [b"", HALF, b"what?\r\n\r\n"], ids=["nothing", "half", "no HTTP"])
def test_answer_that_breaks_off_is_no_answer(said: bytes) -> None:
    with mute(said, hang_up=True) as endpoint_url, speaking_to(endpoint_url) as s3:
        problem = refusal(s3.copy(COPY).exception(20))
    assert (problem.kind, problem.status) == (Kind.UNREACHABLE, None)


@pytest.mark.usefixtures("credentials")
def test_requests_beyond_the_connections_wait_for_their_turn() -> None:
    with (
        canned_server((200, COPIED)) as script,
        speaking_to(script.endpoint_url, connections=2) as s3,
    ):
        copies = [s3.copy(COPY) for _ in range(40)]
        assert {copy.result().etag for copy in copies} == {md5(b"x")}
    with nobody_listening() as endpoint_url, speaking_to(endpoint_url, connections=2) as s3:
        copies = [s3.copy(COPY) for _ in range(40)]
        assert {refusal(copy.exception()).kind for copy in copies} == {Kind.UNREACHABLE}


# Who asks


def test_request_without_credentials_is_not_sent(server: Server) -> None:
    with speaking_to(server.endpoint_url) as s3:
        problem = refusal(s3.head("external", "a").exception())
    assert problem.kind is Kind.CREDENTIALS
    assert "credentials" in problem.message.lower()


@pytest.mark.parametrize(
    ("keys", "kind"),
    [(("AKADMIN", "wrong"), Kind.CREDENTIALS), (("AKBOB", "SKBOB"), Kind.DENIED)],
    ids=["wrong-secret", "no-rights"],
)
def test_credentials_that_are_refused_are_distinguished_from_missing_permission(
    seaweedfs: Server, keys: tuple[str, str], kind: Kind
) -> None:
    buckets = Buckets.make(seaweedfs)
    s3 = engine(seaweedfs.spoken_to_as(*keys).client())
    assert refusal(s3.list_page(buckets.source, "").exception()).kind is kind
    s3.close()


def test_credentials_that_are_renewed_are_taken_up(
    seaweedfs: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = Buckets.make(seaweedfs)
    buckets.put("a")
    secrets = ["wrong", "SKADMIN"]

    def renew() -> dict[str, str]:
        later = datetime.now(UTC) + timedelta(hours=1)
        return {
            "access_key": "AKADMIN",
            "secret_key": secrets.pop(0),
            "token": "",
            "expiry_time": later.isoformat(),
        }

    monkeypatch.setattr(request_template, "_CREDENTIALS_SECONDS", 0)
    core = CoreSession()
    credentials = RefreshableCredentials.create_from_metadata(
        renew(), renew, "test", advisory_timeout=0, mandatory_timeout=0
    )
    core._credentials = credentials  # type: ignore[attr-defined]
    client = core.create_client("s3", region_name="us-east-1", endpoint_url=seaweedfs.endpoint_url)
    s3 = engine(client)
    assert refusal(s3.list_page(buckets.source, "").exception()).kind is Kind.CREDENTIALS
    credentials._expiry_time = datetime.now(UTC)  # type: ignore[attr-defined]
    assert [item.key for item in s3.list_page(buckets.source, "").result().objects] == ["a"]
    s3.close()


@pytest.mark.usefixtures("credentials")
def test_client_with_new_keys_takes_over_where_the_old_ones_have_expired() -> None:
    refused = (400, error("ExpiredToken"))
    with canned_server(refused, refused, (200, COPIED)) as script:
        config = Config(endpoint_url=script.endpoint_url)
        boto = BotoS3(make_boto_client(config, 2), 2, lambda: make_boto_client(config, 2))
        s3 = CrtS3(boto, Transport(2, 2, verify=True, proxies={}))
        first = boto.client
        assert s3.copy(COPY).result().etag == md5(b"x")
        assert boto.client is not first
        assert len(script.requests) == 3
        assert s3.copy(COPY).result().etag == md5(b"x")
        assert len(script.requests) == 4
        s3.close()


def test_anonymous_client_signs_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore import UNSIGNED
    from botocore.config import Config

    client = server.session().client(
        "s3", endpoint_url=server.endpoint_url, config=Config(signature_version=UNSIGNED)
    )
    s3 = engine(client)
    assert refusal(s3.head("external-nowhere", "a").exception()).kind in {Kind.MISSING, Kind.DENIED}
    s3.close()


# The end


@pytest.mark.usefixtures("credentials")
def test_crt_s3_takes_no_more_once_closed() -> None:
    with speaking_to("http://127.0.0.1:9") as s3:
        pass
    with pytest.raises(RuntimeError):
        s3.head("external", "a")


# Safety


def test_overwrites_during_a_move_are_never_lost(seaweedfs: Server) -> None:
    buckets = Buckets.make(seaweedfs)
    keys = [f"k{number:03}" for number in range(200)]
    buckets.put(*keys)
    s3 = engine(buckets.client, 16)
    objects = sorted(list_prefix(s3, buckets.source, ""), key=lambda item: item.key)
    newer = {key: f"newer {key}".encode() for key in keys[::7]}
    results = run(
        plan_move(iter(objects), buckets.route),
        s3,
        buckets.route,
        # SeaweedFS checks the ETags of a batch and deletes afterwards: what is written in between
        # goes (measured: of 3,400 such races, 538). A single delete it holds to its condition.
        TransferOptions(replace(ALL_SUPPORTED, delete_many=False)),
        Event(),
    )
    outcomes = {}
    for number, result in enumerate(results):
        outcomes[result.action.object.key] = result.outcome
        if number == 0:
            # What has not been deleted yet is overwritten under the run's feet.
            for key, body in newer.items():
                buckets.put(key, body=body)
    here, there = buckets.here(), buckets.there()
    s3.close()
    for key in keys:
        if outcomes[key] is Outcome.MOVED:
            assert there[key] == key.encode()
            assert here.get(key) == newer.get(key) or key not in here
        else:
            # While a key is overwritten, SeaweedFS may answer that there is none, too.
            assert outcomes[key] in {Outcome.SUPERSEDED, Outcome.FAILED}
            assert here[key] == newer[key]
    for key, body in newer.items():
        assert here[key] == body
