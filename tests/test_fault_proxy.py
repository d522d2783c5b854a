"""The fault proxy itself: what it lets through is what was sent, and its faults are those it names.

A proxy that broke requests unasked, or none, would make every test that uses it meaningless.
"""

from __future__ import annotations

import http.client
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
)

from tests import fault_proxy as faults
from tests.buckets import Buckets
from tests.fault_proxy import PASS, Fault, FaultProxy, Request, nothing_happens, proxied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers import Server


@pytest.fixture
def behind(ministack: Server) -> Iterator[tuple[FaultProxy, Buckets, Any]]:
    """A proxy, a pair of buckets behind it, and an few_retries client of the proxy."""
    buckets = Buckets.make(ministack)
    with proxied(ministack) as proxy:
        yield proxy, buckets, _client(ministack, proxy)


def _client(server: Server, proxy: FaultProxy, **more: Any) -> Any:
    config = Config(retries={"total_max_attempts": 1}, **more)
    session = replace(server, endpoint_url=proxy.endpoint_url).session()
    return session.client("s3", endpoint_url=proxy.endpoint_url, config=config)


def _once(operation: str, fault: Fault) -> Callable[[Request], Fault]:
    return lambda request: fault if request.operation == operation else PASS


@pytest.mark.parametrize("name", ["ministack", "seaweedfs", "moto"])
def test_fault_proxy_passes_signed_requests_of_every_kind(
    name: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(name)
    buckets = Buckets.make(server)
    where = {"Bucket": buckets.source, "Key": "a+b/100%25 é=&?"}
    with proxied(server) as proxy:
        client = _client(server, proxy)
        body = bytes(range(256)) * 4096
        client.put_object(**where, Body=body, Metadata={"owner": "frog"}, ContentType="text/csv")
        head = client.head_object(**where)
        assert (head["ContentLength"], head["Metadata"]) == (len(body), {"owner": "frog"})
        assert client.get_object(**where)["Body"].read() == body
        client.copy_object(Bucket=buckets.destination, Key="copy", CopySource=where)
        (listed,) = client.list_objects_v2(Bucket=buckets.source)["Contents"]
        assert listed["Key"] == where["Key"]
        client.delete_objects(Bucket=buckets.source, Delete={"Objects": [{"Key": where["Key"]}]})
        client.delete_object(Bucket=buckets.destination, Key="copy")
        with pytest.raises(ClientError) as caught:
            client.head_object(**where)
        assert caught.value.response["Error"]["Code"] == "404"
        assert [each.operation for each in proxy.requests] == [
            *("PutObject", "HeadObject", "GetObject", "CopyObject", "ListObjectsV2"),
            *("DeleteObjects", "DeleteObject", "HeadObject"),
        ]
        assert proxy.requests[0].key == where["Key"]
        # One after the other, all over one connection.
        assert len({each.connection for each in proxy.requests}) == 1


def test_fault_proxy_passes_a_body_in_chunks(moto: Server) -> None:
    buckets = Buckets.make(moto)
    with proxied(moto) as proxy:
        connection = http.client.HTTPConnection(urlsplit(proxy.endpoint_url).netloc)
        chunks = iter([b"in ", b"several ", b"pieces"])
        connection.request("PUT", f"/{buckets.source}/a", chunks, encode_chunked=True)
        assert connection.getresponse().status == 200
        connection.close()
    assert buckets.here() == {"a": b"in several pieces"}


@pytest.mark.parametrize(
    ("fault", "is_done"),
    [
        (faults.DROP_BEFORE, False),
        (faults.DROP_AFTER, True),
        (faults.TRUNCATE, True),
        (faults.LATE, False),
        (faults.FAIL, False),
        (faults.FAIL_AFTER, True),
        (faults.SLOW_DOWN, False),
        (faults.EXPIRED, False),
        (faults.ERROR_IN_200, False),
        (faults.ERROR_IN_200_AFTER, True),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_fault_fails_the_request_and_the_server_did_it_or_not(
    behind: tuple[FaultProxy, Buckets, Any], fault: Fault, *, is_done: bool
) -> None:
    proxy, buckets, client = behind
    buckets.put("a")
    proxy.schedule = _once("CopyObject", fault)
    with pytest.raises((ClientError, HTTPClientError)) as caught:
        client.copy_object(Bucket=buckets.destination, Key="a", CopySource=f"{buckets.source}/a")
    assert (buckets.there() == {"a": b"a"}) is is_done
    (request,) = proxy.requests
    assert (request.fault, request.status) == (fault, 200 if is_done else None)
    if isinstance(fault.answer, tuple):
        assert isinstance(caught.value, ClientError)
        assert caught.value.response["Error"]["Code"] == fault.answer[1]


def test_late_request_takes_place_when_it_is_let_go(
    behind: tuple[FaultProxy, Buckets, Any],
) -> None:
    proxy, buckets, client = behind
    proxy.schedule = _once("PutObject", faults.LATE)
    with pytest.raises(ConnectionClosedError):
        client.put_object(Bucket=buckets.source, Key="a", Body=b"late")
    assert buckets.here() == {}
    (delivered,) = proxy.deliver_late()
    assert delivered.status == 200
    assert buckets.here() == {"a": b"late"}
    assert proxy.deliver_late() == []


def test_batch_of_deletes_is_refused_key_by_key(behind: tuple[FaultProxy, Buckets, Any]) -> None:
    proxy, buckets, client = behind
    buckets.put("a&b", "c")
    keys = [{"Key": "a&b"}, {"Key": "c"}]
    proxy.schedule = _once("DeleteObjects", faults.ERROR_IN_200)
    answer = client.delete_objects(Bucket=buckets.source, Delete={"Objects": keys})
    assert [entry["Key"] for entry in answer["Errors"]] == ["a&b", "c"]
    assert sorted(buckets.here()) == ["a&b", "c"]


@pytest.mark.parametrize("fault", [faults.TRUNCATE, faults.FAIL], ids=lambda fault: fault.name)
def test_listing_can_be_spoilt(behind: tuple[FaultProxy, Buckets, Any], fault: Fault) -> None:
    proxy, buckets, client = behind
    proxy.schedule = _once("ListObjectsV2", fault)
    with pytest.raises((ClientError, HTTPClientError)):
        client.list_objects_v2(Bucket=buckets.source)
    proxy.reset()
    assert client.list_objects_v2(Bucket=buckets.source)["KeyCount"] == 0
    assert len(proxy.requests) == 1


def test_silence_lasts_longer_than_anyone_waits(ministack: Server) -> None:
    with proxied(ministack, lambda _: faults.SILENCE) as proxy:
        client = _client(ministack, proxy, read_timeout=0.1)
        with pytest.raises(ReadTimeoutError):
            client.list_buckets()


def test_schedule_that_waits_delays_the_request(behind: tuple[FaultProxy, Buckets, Any]) -> None:
    proxy, buckets, client = behind
    go = Event()

    def hold(_: Request) -> Fault:
        assert go.wait(faults.SECONDS_TO_WAIT)
        return PASS

    proxy.schedule = hold
    put = {"Bucket": buckets.source, "Key": "a", "Body": b"a"}
    sender = Thread(target=client.put_object, kwargs=put)
    sender.start()
    proxy.wait_for(lambda: len(proxy.requests) == 1)
    assert buckets.here() == {}
    go.set()
    sender.join()
    assert buckets.here() == {"a": b"a"}


def test_fault_proxy_passes_everything_without_faults() -> None:
    assert nothing_happens(Request(1, "GET", "/", {}, b"", 1)) is PASS
