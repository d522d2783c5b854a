"""A client's requests, each met just before it is sent: where a test acts between two of them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from frogmove.s3.boto import BotoS3
from tests.canned_server import error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers import Server

# Requests that only find out what a server is like are nobody's move.
PROBE = "frogmove-probe"

ALWAYS = 1_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes out.

    Attributes:
        client: how many clients were made before the one that sends it.
        operation: ``CopyObject`` …
        method: ``PUT`` …
        url: all of it.
        headers: by their names in lower case.
        body: the content.
    """

    client: int
    operation: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer given in the server's place; the request is then not sent."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, code: str, message: str = "So it is.") -> Reply:
    """Return a refusal as S3 words it."""
    return Reply(status, error(code, message))


@dataclass
class _Rule:
    operation: str
    skip: int
    times: int
    deed: Callable[[Request], Reply | None]
    match: str


class RequestHooks:
    """Every request of the clients it is attached to, probes left out.

    Attributes:
        requests: those that were to be sent so far.
        clients: how many clients there are.
        page: the most keys a listing is asked for at once; None for what the client asks.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.clients = 0
        self.page: int | None = None
        self._rules: list[_Rule] = []
        self._lock = Lock()

    def attach(self, client: Any) -> None:
        """Meet the requests of a client."""
        client.meta.events.register("before-send.s3", partial(self._meet, self.clients))
        client.meta.events.register("provide-client-params.s3.ListObjectsV2", self._limit)
        self.clients += 1

    def s3(self, server: Server) -> BotoS3:
        """Speak to a server past the commands; what fails is not tried again."""
        config = Config(retries={"mode": "standard", "total_max_attempts": 1})
        client = server.session().client("s3", endpoint_url=server.endpoint_url, config=config)
        self.attach(client)
        return BotoS3(client, 4)

    def before(
        self,
        operation: str,
        deed: Callable[[], object],
        *,
        skip: int = 0,
        times: int = 1,
        match: str = "",
    ) -> None:
        """Do something just before a request is sent.

        Args:
            operation: ``CopyObject`` …
            deed: what to do.
            skip: how many such requests pass before.
            times: how many are met.
            match: only requests whose URL or body has this in it.
        """

        def deed_without_answer(_: Request) -> None:
            deed()

        self._rules.append(_Rule(operation, skip, times, deed_without_answer, match))

    def answer(
        self, operation: str, reply: Reply, *, skip: int = 0, times: int = 1, match: str = ""
    ) -> None:
        """Answer a request in the server's place; see :meth:`before`."""
        self._rules.append(_Rule(operation, skip, times, lambda _: reply, match))

    def serve(self, serve: Callable[[Request], Reply | None]) -> None:
        """Answer every request in the server's place; None lets one pass."""
        self._rules.append(_Rule("", 0, ALWAYS, serve, ""))

    def of(self, *operations: str) -> list[Request]:
        """Return the requests of some operations so far."""
        return [request for request in self.requests if request.operation in operations]

    def operations(self) -> list[str]:
        """Return what was asked so far, in order."""
        return [request.operation for request in self.requests]

    def _limit(self, params: dict[str, Any], **_: object) -> None:
        params["MaxKeys"] = min(params["MaxKeys"], self.page or params["MaxKeys"])

    def _meet(self, client: int, request: Any, event_name: str, **_: object) -> AWSResponse | None:
        met = _read(client, request, event_name.rpartition(".")[2])
        if PROBE in met.url or PROBE.encode() in met.body:
            return None
        with self._lock:
            self.requests.append(met)
            due = [rule for rule in self._rules if _is_due(rule, met)]
        for rule in due:
            reply = rule.deed(met)
            if reply is not None:
                return _response(met, reply)
        return None


def _is_due(rule: _Rule, met: Request) -> bool:
    if rule.operation not in {"", met.operation}:
        return False
    if rule.match not in met.url and rule.match.encode() not in met.body:
        return False
    if rule.skip > 0:
        rule.skip -= 1
        return False
    rule.times -= 1
    return rule.times >= 0


def _read(client: int, request: Any, operation: str) -> Request:
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    body = request.body or b""
    if isinstance(body, io.BytesIO):
        body = body.getvalue()
    content = body if isinstance(body, bytes) else body.encode()
    return Request(client, operation, request.method, request.url, headers, content)


class _Raw(io.BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def _response(met: Request, reply: Reply) -> AWSResponse:
    content = b"" if met.method == "HEAD" else reply.body.encode()
    return AWSResponse(met.url, reply.status, HTTPHeaders.from_dict(reply.headers), _Raw(content))
