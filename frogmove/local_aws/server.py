"""The embedded AWS: one private ministack process on the loopback interface.

ministack (https://github.com/ministackorg/ministack) answers S3, SQS, IAM, STS, Lambda and
CloudWatch Logs in one process and runs functions as subprocesses of its own interpreter.
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

from frogmove.errors import FrogmoveError, RunError
from frogmove.local_aws import guard

REGION = "us-east-1"
# The one credential that is an administrator of an AUTH=true ministack from the start.
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - opens nothing but a throw-away server on loopback

_HOST = "127.0.0.1"
_SERVICES = ("s3", "sqs", "iam", "sts", "lambda", "logs", "scheduler")
_SECONDS_TO_ANSWER = 30.0
_SECONDS_BETWEEN_LOOKS = 0.02
_PORTS_TRIED = 5
_LOG_LINES_SHOWN = 5

# All a Python process needs of the user's environment. Anything else could change what ministack
# does (its settings are variables with ordinary names) or lead a function to a real account.
_INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "LD_LIBRARY_PATH"),
)

# frogmove is installed from its repository.
INSTALL = "python -m pip install '.[local]' (in a clone of frogmove)"


@dataclass(frozen=True)
class Server:
    """A ministack that answers.

    Attributes:
        port: its TCP port on 127.0.0.1.
        folder: its private folder, which goes with it.
        process: the process, the leader of its own process group.
    """

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def endpoint_url(self) -> str:
        """The URL that every AWS client of this server is given."""
        return f"http://{_HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file it writes its warnings and errors to."""
        return _log(self.folder)

    def client_environment(self) -> dict[str, str]:
        """Return the environment variables that lead any AWS SDK to this server."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }

    def log_tail(self) -> str:
        """Return the end of its log on one line, or nothing when it is empty."""
        return _log_tail(self.log)

    def wait(self) -> None:
        """Wait for the process to end by itself, which it never should.

        Raises:
            RunError: it ended; with the last lines of its log.
        """
        self.process.wait()
        raise _ended(self.process, self.log)


class _PortLostError(Exception):
    """Another process took the port between our choosing and ministack's binding it."""


@contextmanager
def running_server(port: int | None = None) -> Iterator[Server]:
    """Run a ministack for as long as the context lasts.

    On leaving, its process group is ended and reaped and its folder is removed. Should this
    process be killed outright, the guard that ministack runs under does the same.

    Args:
        port: the TCP port to listen on; a free one when not given.

    Yields:
        the server, once it answers.

    Raises:
        FrogmoveError: ministack is not installed or the port is taken.
        RunError: it did not start.
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
            "The embedded AWS runs on Linux and macOS only.", "On Windows, use it inside WSL."
        )
    if importlib.util.find_spec("ministack") is None:
        raise FrogmoveError(
            "The embedded AWS needs ministack, which is not installed here.",
            f"Install it with: {INSTALL}",
        )


def _require_free(port: int) -> None:
    try:
        _bind(port)
    except PermissionError as error:
        raise FrogmoveError(
            f"Port {port} may not be used by this user.", "Choose a port above 1023."
        ) from error
    except OSError as error:
        raise _taken(port) from error


def _taken(port: int) -> FrogmoveError:
    return FrogmoveError(
        f"Port {port} on {_HOST} is already in use.",
        "Choose another port, or name none to get a free one.",
    )


def _bind(port: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As ministack's server does: connections of an earlier server that are still closing
        # do not stand in the way.
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
        "Name one with --port.",
    )


def _start_on(folder: Path, port: int) -> Server:
    # Health answers repeat it, so that another ministack on this port is not taken for ours.
    token = secrets.token_hex(8)
    process = _spawn(folder, _environment(folder, port, token))
    try:
        _wait_until_it_answers(process, port, token, _log(folder))
    except BaseException:
        _end(process)
        raise
    return Server(port, folder, process)


def _log(folder: Path) -> Path:
    return folder / "ministack.log"


def _spawn(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with _log(folder).open("wb") as output:
        return subprocess.Popen(
            # -P: the guard's own folder, which is frogmove/local_aws, stays off ministack's path.
            [sys.executable, "-P", guard.__file__, str(folder)],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Its own session: Ctrl-C on the terminal is ours to answer, and one signal to the
            # group reaches the Lambda workers too.
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
        # ministack listens on further fixed ports and removes containers of other ministacks
        # unless told not to.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/there-is-no-docker.sock",
        # Functions inherit these: nothing may lead them to a real account.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _wait_until_it_answers(
    process: subprocess.Popen[bytes], port: int, token: str, log: Path
) -> None:
    deadline = time.monotonic() + _SECONDS_TO_ANSWER
    while time.monotonic() < deadline:
        if process.poll() is not None:
            if _is_in_use(port):
                raise _PortLostError
            raise _ended(process, log)
        if _edition(port) == token:
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    raise RunError(
        f"ministack did not answer on port {port} within {_SECONDS_TO_ANSWER:.0f} seconds.",
        _log_tail(log),
    )


def _is_in_use(port: int) -> bool:
    try:
        _bind(port)
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def _edition(port: int) -> str | None:
    # http.client and not urllib: a proxy in the user's environment must not be asked.
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
        f"ministack ended by itself (exit code {process.returncode}).",
        _log_tail(log),
    )


def _log_tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    words = " / ".join(line.strip() for line in lines[-_LOG_LINES_SHOWN:] if line.strip())
    return f"The end of its log: {words}" if words else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and its workers.

    SIGKILL at once: all they hold is in memory or in the folder that is removed next, and
    ministack leaves its workers running when it is asked to end politely.
    """
    # macOS refuses to signal a group of which only the dead are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
