"""The embedded AWS: one private ministack process on the loopback interface.

ministack (https://github.com/ministackorg/ministack) implements S3, SQS, IAM, STS, Lambda and
CloudWatch Logs in one process and runs functions as subprocesses with its own interpreter.
"""

import errno
import http.client
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from frogmove.errors import FrogmoveError, RunError
from frogmove.local_aws import guard

REGION = "us-east-1"
# The initial administrator's credentials of ministack with AUTH=true.
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - opens nothing but a throw-away server on loopback

_HOST = "127.0.0.1"
_SERVICES = ("s3", "sqs", "iam", "sts", "lambda", "logs", "scheduler")
_START_SECONDS = 30.0
_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.2
_PORTS_TRIED = 5
_LOG_LINES_SHOWN = 5

# The only variables of the user's environment that are passed on. Others could change ministack's
# settings, which have ordinary names, or let a function use a real account.
_INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "LD_LIBRARY_PATH"),
)

# frogmove is installed from its repository.
INSTALL = "python -m pip install '.[local]' (in a clone of frogmove)"


@dataclass(frozen=True)
class Server:
    """A running ministack.

    Attributes:
        port: its TCP port on 127.0.0.1.
        folder: its directory, removed with it.
        process: the process, leader of its own process group.
    """

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def endpoint_url(self) -> str:
        """The server's URL."""
        return f"http://{_HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file of its warnings and errors."""
        return _log(self.folder)

    def client_environment(self) -> dict[str, str]:
        """Return the environment variables for any AWS SDK to use this server."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }

    def log_tail(self) -> str:
        """Return the end of its log on one line; empty if there is none."""
        return _log_tail(self.log)

    def wait(self, interrupted: SimpleQueue[int]) -> None:
        """Wait until the process ends unexpectedly.

        Raises:
            RunError: when it has ended; with the end of its log.
            KeyboardInterrupt: when a signal has been put into the queue.
        """
        while self.process.poll() is None:
            if not interrupted.empty():
                raise KeyboardInterrupt
            time.sleep(_WATCH_SECONDS)
        raise _ended(self.process, self.log)


class _PortLostError(Exception):
    """Another process took the port before ministack could bind it."""


@contextmanager
def running_server(port: int | None = None) -> Iterator[Server]:
    """Run ministack during the context.

    On exit, its process group is killed and its directory is removed. If this process is killed,
    the guard does the same.

    Args:
        port: the TCP port to listen on; by default a free one.

    Yields:
        the server, when it is ready.

    Raises:
        FrogmoveError: when ministack is not installed or the port is in use.
        RunError: when it did not start.
    """
    _require_ministack()
    if port is not None:
        _require_free(port)
    folder = tempfile.mkdtemp(prefix="frogmove-aws-")
    try:
        server = _start(Path(folder), port)
        try:
            yield server
        finally:
            _end(server.process)
    finally:
        guard.remove(folder)


def _require_ministack() -> None:
    if os.name != "posix":
        raise FrogmoveError(
            "The embedded AWS runs on Linux and macOS only.", "On Windows, use WSL."
        )
    if importlib.util.find_spec("ministack") is None:
        raise FrogmoveError(
            "The embedded AWS needs ministack, which is not installed.",
            f"Install it with: {INSTALL}",
        )


def _require_free(port: int) -> None:
    try:
        _bind(port)
    except PermissionError as error:
        raise FrogmoveError(
            f"Port {port} needs root permissions.", "Choose a port above 1023."
        ) from error
    except OSError as error:
        raise _taken(port) from error


def _taken(port: int) -> FrogmoveError:
    return FrogmoveError(
        f"Port {port} on {_HOST} is already in use.",
        "Choose another port, or omit --port to get a free one.",
    )


def _bind(port: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Like ministack's server: ignore closing connections of an earlier server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((_HOST, port))
        chosen: int = probe.getsockname()[1]
        return chosen


def _start(folder: Path, port: int | None) -> Server:
    for _ in range(_PORTS_TRIED):
        chosen = _bind(0) if port is None else port
        try:
            return _start_on(folder, chosen)
        except _PortLostError as error:
            if port is not None:
                raise _taken(port) from error
    raise RunError(
        f"{_PORTS_TRIED} free ports in a row were taken before ministack could use them.",
        "Choose one with --port.",
    )


def _start_on(folder: Path, port: int) -> Server:
    # The health response contains it, so that another ministack on this port is not mistaken for
    # this one.
    token = secrets.token_hex(8)
    process = _spawn(folder, _environment(folder, port, token))
    try:
        _wait_until_ready(process, port, token, _log(folder))
    except BaseException:
        _end(process)
        raise
    return Server(port, folder, process)


def _log(folder: Path) -> Path:
    return folder / "ministack.log"


def _spawn(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with _log(folder).open("wb") as output:
        return subprocess.Popen(
            # -P: keeps the guard's directory, frogmove/local_aws, out of ministack's sys.path.
            [sys.executable, "-P", guard.__file__, str(folder)],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Its own session: Ctrl-C must reach only this process, and one signal to the group ends
            # the Lambda workers as well.
            start_new_session=True,
        )


def _environment(folder: Path, port: int, token: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {
        "AUTH": "true",
        "BIND_HOST": _HOST,
        "GATEWAY_PORT": str(port),
        "SERVICES": ",".join(_SERVICES),
        "LOG_LEVEL": "WARNING",
        "MINISTACK_EDITION": token,
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(folder),
        # By default, ministack also listens on fixed ports and removes containers of other
        # ministacks.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/there-is-no-docker.sock",
        # Functions inherit these and must not use a real account.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, token: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            if _is_in_use(port):
                raise _PortLostError
            raise _ended(process, log)
        if _edition(port) == token:
            return
        time.sleep(_POLL_SECONDS)
    raise RunError(
        f"ministack did not respond on port {port} within {_START_SECONDS:.0f} seconds.",
        _log_tail(log),
    )


def _is_in_use(port: int) -> bool:
    try:
        _bind(port)
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def _edition(port: int) -> str | None:
    # http.client instead of urllib, which would use the proxy of the user's environment.
    connection = http.client.HTTPConnection(_HOST, port, timeout=1)
    try:
        connection.request("GET", "/_ministack/health")
        health = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return str(health.get("edition")) if isinstance(health, dict) else None


def _ended(process: subprocess.Popen[bytes], log: Path) -> RunError:
    return RunError(
        f"ministack exited unexpectedly (exit code {process.returncode}).",
        _log_tail(log),
    )


def _log_tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    words = " / ".join(line.strip() for line in lines[-_LOG_LINES_SHOWN:] if line.strip())
    return f"The end of its log: {words}" if words else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a server and its workers.

    With SIGKILL: all their data is in memory or in the directory that is removed next, and on
    SIGTERM ministack leaves its workers running.
    """
    # macOS refuses to signal a group of zombies.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
