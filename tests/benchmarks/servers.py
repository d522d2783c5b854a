"""The servers that the benchmarks run against, started by them and gone with them."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import boto3
import pytest
from boto3.s3.transfer import TransferConfig

from tests import fault_proxy as proxies
from tests import servers as tested
from tests.benchmarks import load, requests
from tests.benchmarks.keys import key_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence

_SOURCE = Path(__file__).parent / "server" / "server.c"
HOST = "127.0.0.1"
BUCKETS = ("bench-a", "bench-b")

SECONDS_TO_START = 30.0
SECONDS_TO_OBEY = 600.0
PAGE = 1000

# Larger objects are written in parts, of this size.
LARGEST_PUT = 64 << 20

# SeaweedFS keeps a bucket's objects in files of at most this size. While it begins another one,
# copies wait for a second: so one takes all that a row writes to a bucket.
VOLUME_BYTES = 6 << 30
VOLUMES = 4


class UnavailableError(Exception):
    """Something that a row needs cannot be had here; the row is left out and says so."""


@dataclass(frozen=True)
class Server:
    """A server that answers, with both buckets.

    Attributes:
        name: as people know it.
        host: where it is.
        port: its TCP port.
        access_key: the access key of its user.
        secret_key: the same one's.
        counts_itself: whether to count requests costs it nothing.
        group: the id of the group of its processes.
        latency: seconds that each response is held back.
    """

    name: str
    host: str
    port: int
    access_key: str
    secret_key: str
    counts_itself: bool = False
    group: int = 0
    latency: float = 0.0

    @property
    def endpoint_url(self) -> str:
        """Its URL."""
        return f"http://{self.host}:{self.port}"

    def make_buckets(self) -> None:
        """Make both buckets."""
        signer = requests.Signer(self)
        load.send(self, [signer.hooks(requests.Request("PUT", f"/{name}")) for name in BUCKETS])

    def fill(self, bucket: str, prefix: str, count: int, size: int) -> None:
        """Write objects of one content, with the keys of :mod:`tests.benchmarks.keys`."""
        if size > LARGEST_PUT:
            for number in range(count):
                self._upload(bucket, prefix + key_of(number), size)
            return
        body = b"x" * size
        signer = requests.Signer(self)
        keys = (prefix + key_of(number) for number in range(count))
        # Large bodies one by one: each is held several times on its way.
        connections = load.CONNECTIONS if size < 1 << 20 else 2
        load.send(
            self, (signer.hooks(requests.put(bucket, key, body)) for key in keys), connections
        )

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """List the keys under a prefix."""
        found: list[str] = []
        while True:
            page = requests.list_page(bucket, prefix, found[-1] if found else "")
            _, answer = self._ask(page)
            keys = [unquote(key) for key in re.findall(r"<Key>(.*?)</Key>", answer.decode())]
            found += keys
            if len(keys) < PAGE:
                return found

    def count(self, bucket: str, prefix: str) -> int:
        """Count the objects under a prefix."""
        return len(self.keys(bucket, prefix))

    def empty(self, bucket: str, prefix: str) -> None:
        """Remove the objects under a prefix."""
        keys = self.keys(bucket, prefix)
        signer = requests.Signer(self)
        batches = (keys[place : place + PAGE] for place in range(0, len(keys), PAGE))
        load.send(self, (signer.hooks(requests.delete_many(bucket, batch)) for batch in batches))

    def free_disk(self, bucket: str) -> None:
        """Free what an empty bucket's deleted objects take on its disk, if there is one."""

    def etag(self, bucket: str, key: str) -> str:
        """Return an object's ETag."""
        headers, _ = self._ask(requests.Request("HEAD", f"/{bucket}/{key}"))
        return headers["etag"].strip('"')

    @contextmanager
    def watched(self, counts: Counter[str]) -> Iterator[Server]:
        """Count the requests sent to a stand-in of this server, until the context ends."""
        # Its patience is made for tests; a copy of gigabytes takes longer.
        proxies.SECONDS_TO_WAIT = SECONDS_TO_OBEY
        with proxies.proxied(self) as proxy:  # type: ignore[arg-type]
            port = urlsplit(proxy.endpoint_url).port or 0
            yield Server(self.name, HOST, port, self.access_key, self.secret_key)
            counts.update(request.operation for request in proxy.requests)

    def cpu(self) -> float:
        """Return the seconds of CPU time that its processes have taken."""
        taken = 0
        for each in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = _fields(each)
                if int(fields[2]) == self.group:
                    taken += int(fields[11]) + int(fields[12])
        return taken / os.sysconf("SC_CLK_TCK")

    def _upload(self, bucket: str, key: str, size: int) -> None:
        """Write a large object, in parts."""
        session = boto3.Session(self.access_key, self.secret_key, region_name=requests.REGION)
        client = session.client("s3", endpoint_url=self.endpoint_url)
        # More at once would time out on a busy machine, and be sent again, without end.
        parts = TransferConfig(multipart_chunksize=LARGEST_PUT, max_concurrency=2)
        client.upload_fileobj(_Zeros(size), bucket, key, Config=parts)  # type: ignore[arg-type]

    def _ask(self, request: requests.Request) -> tuple[http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS_TO_OBEY)
        try:
            head = requests.Signer(self).hooks(request).decode().split("\r\n")
            fields = dict(line.split(": ", 1) for line in head[1:-2])
            connection.request(request.method, head[0].split(" ")[1], headers=fields)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise load.LoadError(f"{request.method} {request.path}: {content.decode()}")
        return response.headers, content


class _Zeros(io.RawIOBase):
    """A file of so many zeros."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read some of it."""
        taken = self._left if size < 0 else min(size, self._left)
        self._left -= taken
        return bytes(taken)


class SeaweedServer(Server):
    """SeaweedFS, which keeps what is deleted until its bucket is deleted."""

    def make_buckets(self) -> None:
        """See :class:`Server`."""
        super().make_buckets()
        for bucket in BUCKETS:
            self._prepare(bucket)

    def free_disk(self, bucket: str) -> None:
        """See :class:`Server`."""
        if not self.keys(bucket, ""):
            self._send(requests.Request("DELETE", f"/{bucket}"))
            self._send(requests.Request("PUT", f"/{bucket}"))
            self._prepare(bucket)

    def _prepare(self, bucket: str) -> None:
        """Let it create the file for the bucket's objects: the first copy would wait for that."""
        # Smaller ones are kept elsewhere.
        self._send(requests.put(bucket, "first", bytes(1 << 16)))
        self._send(requests.Request("DELETE", f"/{bucket}/first"))

    def _send(self, request: requests.Request) -> None:
        load.send(self, [requests.Signer(self).hooks(request)])


@dataclass(frozen=True)
class MemoryServer(Server):
    """The server in ``server/``, which keeps objects in memory.

    Attributes:
        process: its process id.
    """

    process: int = 0

    def fill(self, bucket: str, prefix: str, count: int, size: int) -> None:
        """See :class:`Server`."""
        self.control("fill", bucket=bucket, prefix=prefix, count=count, size=size)

    def count(self, bucket: str, prefix: str) -> int:
        """See :class:`Server`."""
        return int(self.control("count", bucket=bucket, prefix=prefix))

    def empty(self, bucket: str, prefix: str) -> None:
        """See :class:`Server`."""
        self.control("empty", bucket=bucket, prefix=prefix)

    def cpu(self) -> float:
        """See :class:`Server`."""
        fields = _fields(Path(f"/proc/{self.process}/stat"))
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def watched(self, counts: Counter[str]) -> Iterator[Server]:
        """See :class:`Server`; the server itself counts."""
        self.control("requests")
        yield self
        counts.update(self.control("requests"))

    def control(self, name: str, **options: object) -> Any:
        """Send a request that S3 does not have."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS_TO_OBEY)
        try:
            connection.request("GET", f"/-/{name}?{urlencode(options, quote_via=quote)}")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def _fields(stat: Path) -> list[str]:
    """Read what the kernel tells of a process, from its state on."""
    # The name, which may contain spaces, is in brackets.
    return stat.read_text("utf-8").rpartition(")")[2].split()


@contextmanager
def in_memory(latency: float, cpus: Sequence[int]) -> Iterator[MemoryServer]:
    """Build the server in ``server/`` and run it.

    Args:
        latency: seconds that each response is held back.
        cpus: the processors that it may use; empty for all.

    Raises:
        UnavailableError: when it cannot be built or started.
    """
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="frogmove-server-") as folder:
        program = Path(folder) / "server"
        command = ["cc", "-O2", "-o", str(program), str(_SOURCE)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as problem:
            words = getattr(problem, "stderr", None) or str(problem)
            raise UnavailableError(f"the server could not be built: {words.strip()}") from problem
        # It ends when its standard input is closed: with this process, however that ends.
        with subprocess.Popen([program, str(port)], stdin=subprocess.PIPE) as process:
            try:
                if cpus:
                    os.sched_setaffinity(process.pid, cpus)
                keys = "test", "test"
                server = MemoryServer(
                    "in memory",
                    HOST,
                    port,
                    *keys,
                    counts_itself=True,
                    latency=latency,
                    process=process.pid,
                )
                _wait(lambda: server.control("requests"), process)
                server.make_buckets()
                server.control("latency", seconds=latency)
                yield server
            finally:
                process.kill()


@contextmanager
def seaweedfs() -> Iterator[Server]:
    """Run SeaweedFS as it is.

    Raises:
        UnavailableError: when it is not installed.
    """
    try:
        with tested.seaweedfs(volume_megabytes=VOLUME_BYTES >> 20) as running:
            place = urlsplit(running.endpoint_url)
            keys = running.access_key, running.secret_key
            server = SeaweedServer(
                "SeaweedFS", place.hostname or HOST, place.port or 0, *keys, group=running.group
            )
            server.make_buckets()
            yield server
    except pytest.skip.Exception as missing:
        raise UnavailableError(str(missing)) from missing


def _wait(ask: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            ask()
            return
        time.sleep(0.05)
    raise UnavailableError("The server did not start; its words are above.")
