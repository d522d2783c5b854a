"""Both engines send the same request, whatever the key and whatever the configuration."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from frogmove.boto_session import make_boto_client
from frogmove.client import Client
from frogmove.config import Config
from frogmove.core.batch_delete import fits_xml
from frogmove.engine import Engine
from frogmove.s3.boto import BotoS3
from frogmove.s3.boto_shapes import quoted, unquoted
from frogmove.s3.crt import CrtS3
from frogmove.s3.errors import Kind
from frogmove.s3.in_flight import HttpResponse
from frogmove.s3.limits import Limits
from frogmove.s3.models import Copy, Deletion
from tests.factories import an_object, md5
from tests.keys import KEYS
from tests.request_hooks import Reply, RequestHooks
from tests.s3.contract_cases import refusal
from tests.s3.recorder import ETAG, INCIDENTAL, Recorder, Sent, recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3
    from frogmove.s3.request_template import Request
    from frogmove.s3.transport import Transport


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with recording() as made:
        yield made


@dataclass
class Engines:
    """Both engines of one run's settings, and what they sent to a recorder."""

    boto: Client
    crt: Client
    recorder: Recorder

    def ask(self, ask: Callable[[S3], Future[Any]]) -> tuple[Sent, Sent]:
        """Have each engine send one request."""
        self.recorder.sent.clear()
        for engine in (self.boto, self.crt):
            error = ask(engine.s3).exception()
            assert error is None, error
        boto, crt = self.recorder.sent
        return boto, crt


@contextmanager
def both(recorder: Recorder, config: Config) -> Iterator[Engines]:
    boto, crt = (
        Client(config, Limits(2, attempts=1), engine) for engine in (Engine.BOTO3, Engine.CRT)
    )
    yield Engines(boto, crt, recorder)
    boto.close()
    crt.close()


@pytest.fixture(scope="module", autouse=True)
def _keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        patch.setenv("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEXAMPLE//////////wEa+/=")
        yield


@pytest.fixture(scope="module")
def engines(recorder: Recorder, _keys: None) -> Iterator[Engines]:
    """Both engines, with every standing term."""
    config = Config(
        endpoint_url=f"http://{recorder.address}",
        region="eu-west-1",
        expected_bucket_owner="123456789012",
        requester_pays="yes",
        kms_key_id="arn:aws:kms:eu-west-1:123456789012:key/abc",
    )
    with both(recorder, config) as made:
        yield made


def everything(key: str) -> Iterator[tuple[str, Callable[[S3], Future[Any]]]]:
    """Yield every hot operation on a key, in every form that it has."""
    item = an_object(key, etag=ETAG)
    frozen = item._replace(storage_class="GLACIER_IR", version_id="v/1+2=")
    copy = Copy("external", item, "internal", key)
    yield "head", lambda s3: s3.head("external", key)
    yield "head of a version", lambda s3: s3.head("external", key, "v/1+2=")
    yield "copy to nothing", lambda s3: s3.copy(copy)
    yield "copy over", lambda s3: s3.copy(replace(copy, replaces=md5(b"old")))
    yield "copy blindly", lambda s3: s3.copy(replace(copy, guard_destination=False))
    yield "copy of a version", lambda s3: s3.copy(replace(copy, source=frozen))
    yield "delete as seen", lambda s3: s3.delete("external", Deletion(key, ETAG))
    yield "delete anything", lambda s3: s3.delete("external", Deletion(key, None))
    yield "delete a version", lambda s3: s3.delete("external", Deletion(key, ETAG, "v/1+2="))
    yield "list", lambda s3: s3.list_page("external", key)
    yield "list on", lambda s3: s3.list_page("external", "p", key, 7)
    yield (
        "list behind",
        lambda s3: s3.list_page("external", "p", start_after=key, delimiter=key[:1]),
    )
    deletions = [Deletion(key, ETAG), Deletion(f"{key}2", None), Deletion(f"{key}3", None, "v<1")]
    if fits_xml(key):
        yield "delete many", lambda s3: s3.delete_many("external", deletions)


@pytest.mark.parametrize("name", KEYS)
def test_engines_send_the_same_request(engines: Engines, name: str) -> None:
    for form, ask in everything(KEYS[name]):
        boto, crt = engines.ask(ask)
        assert crt.same() == boto.same(), form
        assert crt.headers["user-agent"].startswith("Botocore/")
        assert "frogmove/" in crt.headers["user-agent"]


@pytest.mark.parametrize("etag", [ETAG.upper(), f'W/"{ETAG}"', "a-<&>-5"])
def test_conditions_name_an_etag_as_the_server_wrote_it(engines: Engines, etag: str) -> None:
    shown = quoted(etag)
    assert unquoted(shown) == etag
    copy = Copy("external", an_object("a", etag=etag), "internal", "a", replaces=etag)
    _, sent = engines.ask(lambda s3: s3.copy(copy))
    assert sent.headers["x-amz-copy-source-if-match"] == sent.headers["if-match"] == shown
    _, sent = engines.ask(lambda s3: s3.delete("external", Deletion("a", etag)))
    assert sent.headers["if-match"] == shown
    for sent in engines.ask(lambda s3: s3.delete_many("external", [Deletion("a", etag)])):
        written = ElementTree.fromstring(sent.body)
        assert [each.text for each in written.iter() if each.tag.endswith("ETag")] == [shown]


@pytest.mark.parametrize("name", ["markup", "query", "NFD", "double slash", "leading slash"])
def test_signature_is_the_one_that_botocore_would_make(engines: Engines, name: str) -> None:
    for form, ask in everything(KEYS[name]):
        _, crt = engines.ask(ask)
        names = re.search(r"SignedHeaders=([^,]*),", crt.headers["authorization"])
        assert names is not None
        assert crt.headers["authorization"] == signature(crt, names[1].split(";")), form
        assert "x-amz-security-token" in names[1]


def signature(sent: Sent, names: list[str]) -> str:
    """Sign a request as botocore does, at the moment at which it was signed."""
    credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    request = AWSRequest(
        sent.method,
        f"http://{sent.headers['host']}{sent.target}",
        {name: sent.headers[name] for name in names},
        sent.body,
    )
    request.context["timestamp"] = sent.headers["x-amz-date"]
    auth = S3SigV4Auth(credentials, "s3", "eu-west-1")
    text = auth.string_to_sign(request, auth.canonical_request(request))
    made = auth.signature(text, request)
    return (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, "
        f"SignedHeaders={';'.join(names)}, Signature={made}"
    )


def test_engines_send_the_same_request_through_a_proxy(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config_file = tmp_path / "config"
    config_file.write_text("[default]\ns3 =\n  addressing_style = virtual\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config_file))
    monkeypatch.setenv("HTTP_PROXY", f"http://us%20er:pass@{recorder.address}")
    config = Config(endpoint_url="http://s3.eu-west-1.amazonaws.com", region="eu-west-1")
    with both(recorder, config) as engines:
        for form, ask in everything("a b//c+d"):
            boto, crt = engines.ask(ask)
            assert re.match("http://(ex|in)ternal.s3.eu-west-1.amazonaws.com/", boto.target)
            assert crt.same() == boto.same(), form


def test_proxy_is_passed_by_where_botocore_passes_it_by(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with both(recorder, Config(endpoint_url=f"http://{recorder.address}")) as engines:
        boto, crt = engines.ask(lambda s3: s3.head("external", "a"))
        assert crt.same() == boto.same()


# Where nothing can be sent to: what would be sent.

ARN = "arn:aws:s3:us-west-2:123456789012:accesspoint/pond"

PLACES = {
    "virtual host": ("external", {}),
    "dots in the name": ("external.example.com", {}),
    "old name": ("Old_Bucket", {}),
    "long name": ("b" * 255, {}),
    "path": ("external", {"AWS_ENDPOINT_URL_S3": "https://s3.example.com:8443/base"}),
    "IPv6": ("external", {"AWS_ENDPOINT_URL_S3": "https://[::1]:8443"}),
    "dual-stack": ("external", {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    "FIPS": ("external", {"AWS_USE_FIPS_ENDPOINT": "true"}),
    "access point elsewhere": (ARN, {"AWS_S3_USE_ARN_REGION": "true"}),
    "access point elsewhere, unasked": (ARN, {}),
    "access point here": (ARN.replace("us-west-2", "eu-west-1"), {}),
    "access point behind an endpoint": (
        ARN,
        {"AWS_ENDPOINT_URL_S3": "https://vpce-1-2.s3.us-west-2.vpce.amazonaws.com"},
    ),
    "China": ("external", {"AWS_DEFAULT_REGION": "cn-north-1"}),
}


class Held:
    """A transport that sends nothing."""

    def __init__(self) -> None:
        self.held: list[tuple[Request, dict[str, str]]] = []

    def send(
        self,
        request: Request,
        headers: list[tuple[str, str]],
        done: Callable[[HttpResponse], None],
        seconds: float,
    ) -> None:
        self.held.append((request, {name.lower(): value for name, value in headers}))
        done(HttpResponse(403, [], b""))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("place", PLACES)
def test_engines_go_to_the_same_place(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    bucket, environment = PLACES[place]
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    hooks, client = RequestHooks(), make_boto_client(Config(), 1)
    hooks.attach(client)
    hooks.serve(lambda _: Reply(403))
    boto, transport = BotoS3(client, 1), Held()
    crt = CrtS3(BotoS3(make_boto_client(Config(), 1), 1), cast("Transport", transport))
    item = an_object("a b//c", etag=ETAG)
    asked: list[Callable[[S3], Future[Any]]] = [
        lambda s3: s3.head(bucket, "a b//c"),
        lambda s3: s3.copy(Copy(bucket, item, bucket, "a/../ü")),
        lambda s3: s3.delete(bucket, Deletion("a", ETAG)),
        lambda s3: s3.delete_many(bucket, [Deletion("a", ETAG), Deletion("b", None)]),
        lambda s3: s3.list_page(bucket, "p"),
    ]
    for ask in asked:
        for engine in (boto, crt):
            refusal(ask(engine).exception())
        request, headers = transport.held[-1]
        theirs = hooks.requests[-1]
        url = f"{request.origin.scheme}://{headers['host']}{request.target}"
        # urllib3 sends a path of its own where there is none.
        assert url == re.sub(r"(//[^/?]*)\?", r"\1/?", theirs.url)
        assert urlsplit(url).port == urlsplit(theirs.url).port
        assert scope(headers) == scope(theirs.headers)
        apart = INCIDENTAL | {"host", "accept-encoding"}
        assert headers.keys() - apart == theirs.headers.keys() - apart
        for name in headers.keys() - apart:
            assert headers[name] == theirs.headers[name]
        assert (request.body or b"") == theirs.body
    crt.close()
    boto.close()


class Elsewhere(Held):
    """A transport on which a bucket is served only in its own Region."""

    def send(
        self,
        request: Request,
        headers: list[tuple[str, str]],
        done: Callable[[HttpResponse], None],
        seconds: float,
    ) -> None:
        self.held.append((request, {name.lower(): value for name, value in headers}))
        is_here = ".s3.eu-west-1." in request.origin.host
        done(HttpResponse(204 if is_here else 301, [], b""))


def test_bucket_in_another_region_is_asked_there_from_the_second_request_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    hooks, client = RequestHooks(), make_boto_client(Config(), 1)
    hooks.attach(client)
    hooks.serve(
        lambda request: Reply(204 if ".s3.eu-west-1." in request.url else 301, "", IN_IRELAND)
    )
    transport = Elsewhere()
    crt = CrtS3(BotoS3(client, 1), cast("Transport", transport))
    for key in ("a", "b"):
        assert crt.delete("external", Deletion(key, ETAG)).exception() is None
    asked = [(request.origin.host, scope(headers)) for request, headers in transport.held]
    assert asked == [
        ("external.s3.us-east-2.amazonaws.com", "us-east-2/s3/aws4_request"),
        ("external.s3.eu-west-1.amazonaws.com", "eu-west-1/s3/aws4_request"),
    ]
    crt.close()


IN_IRELAND = {"x-amz-bucket-region": "eu-west-1"}


def scope(headers: dict[str, str]) -> str:
    """Return the Region and service that a request is signed for."""
    found = re.search(r"Credential=[^/]*/\d+/([^,]*),", headers["authorization"])
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "bucket",
    ["external--use1-az4--x-s3", "arn:aws:s3::123456789012:accesspoint/pond.mrap"],
    ids=["directory bucket", "multi-Region access point"],
)
def test_bucket_that_is_signed_in_a_way_of_its_own_goes_through_boto3(
    monkeypatch: pytest.MonkeyPatch, bucket: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    hooks, client, transport = RequestHooks(), make_boto_client(Config(), 1), Held()
    hooks.attach(client)
    hooks.serve(lambda _: Reply(403))
    engine = CrtS3(BotoS3(client, 1), cast("Transport", transport))
    assert refusal(engine.head(bucket, "a").exception()).kind is Kind.DENIED
    assert transport.held == []
    engine.close()


def test_unsigned_requests_need_no_credentials_and_both_engines_send_them(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    config = Config(endpoint_url=f"http://{recorder.address}", no_sign_request="yes")
    with both(recorder, config) as engines:
        for form, ask in everything("a b//c+d"):
            boto, crt = engines.ask(ask)
            assert crt.same() == boto.same(), form
            assert "authorization" not in boto.headers.keys() | crt.headers.keys(), form
