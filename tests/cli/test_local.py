"""``frogmove local``: usable from another terminal, and without a trace after it."""

import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from frogmove.cli import main
from frogmove.local_aws.clients import clients_for
from frogmove.local_aws.scanner import TEST_THREAT
from tests.cli.leak_checks import living_processes, private_environment
from tests.servers import free_ports

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="the embedded AWS needs POSIX"),
    pytest.mark.skipif(
        importlib.util.find_spec("ministack") is None, reason="ministack is not installed"
    ),
]

LAST_LINE = "frogmove ls --side destination"
KEY = "reports/2026 été+1%.csv"


@contextmanager
def _running(temporary: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the command; yields its process and what it printed until it was ready."""
    with subprocess.Popen(
        [sys.executable, "-m", "frogmove", "local", *options],
        env=private_environment(temporary),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # So that a signal to its group, as a terminal sends it, does not reach the tests.
        start_new_session=True,
    ) as process:
        try:
            yield process, _until_ready(process)
        finally:
            process.kill()


def _until_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.rstrip().endswith(LAST_LINE):
            return lines
    assert process.stderr is not None
    pytest.fail(f"it ended early: {process.stderr.read()}")


def _exported(lines: list[str], name: str) -> str:
    (value,) = [line.partition("=")[2] for line in lines if line.startswith(f"export {name}=")]
    return value


def _eventually_no_processes(temporary: Path) -> bool:
    deadline = time.monotonic() + 30
    while living_processes(temporary) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not living_processes(temporary)


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.matrix),
        pytest.param(signal.SIGHUP, marks=pytest.mark.matrix),
    ],
)
def test_local_ends_on_a_signal_without_a_trace(tmp_path: Path, number: signal.Signals) -> None:
    (port,) = free_ports(1)
    with _running(tmp_path, "--port", str(port)) as (process, printed):
        assert _exported(printed, "FROGMOVE_ENDPOINT_URL") == f"http://127.0.0.1:{port}"
        assert living_processes(tmp_path)
        # As Ctrl-C in a terminal does: to the whole foreground group, impatiently.
        for _ in range(3):
            os.killpg(process.pid, number)
        output, errors = process.communicate(timeout=30)
        # The last signal may come when its work has ended.
        assert process.returncode in {0, 130}
        assert output == ""
        assert "Traceback" not in errors
    assert _eventually_no_processes(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_local_ends_on_a_signal_while_it_starts_without_a_trace(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "frogmove", "local"],
        env=private_environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("*/ministack.log")):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        # 0 once it waits for Ctrl-C; until then it is a command that was interrupted.
        assert process.returncode in {0, 130}
        assert output == ""
    assert _eventually_no_processes(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_local_that_is_killed_leaves_no_trace(tmp_path: Path) -> None:
    with _running(tmp_path) as (process, _):
        process.kill()
    assert _eventually_no_processes(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.matrix
def test_local_prints_what_another_terminal_can_use(tmp_path: Path) -> None:
    with _running(tmp_path, "--no-trigger") as (_, lines):
        (upload,) = [line.lstrip("# ") for line in lines if "put_object" in line]
        # Uploads stay until a command moves them.
        s3 = clients_for(_exported(lines, "AWS_ENDPOINT_URL")).s3
        source = _exported(lines, "FROGMOVE_SOURCE").removeprefix("s3://")
        connected = set(s3.get_bucket_notification_configuration(Bucket=source))
        assert "QueueConfigurations" not in connected
        route = tmp_path / "config.toml"
        route.write_text('route = "own"\n[routes.own]\nprofile = "not-there"\n')
        moved = subprocess.run(
            ["sh", "-e", "-c", "\n".join([*lines, upload, "frogmove move --all", "frogmove runs"])],
            # A profile that is not there would fail every command if it were not unset.
            env=private_environment(tmp_path)
            | {"AWS_PROFILE": "not-there", "FROGMOVE_CONFIG": str(route), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
        route.unlink()
        assert moved.returncode == 0, moved.stderr
        assert KEY in moved.stdout
        assert "1 moved" in moved.stdout
    assert _eventually_no_processes(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.matrix
def test_local_lambda_moves_uploads(tmp_path: Path) -> None:
    with _running(tmp_path) as (_, lines):
        s3 = clients_for(_exported(lines, "AWS_ENDPOINT_URL")).s3
        source = _exported(lines, "FROGMOVE_SOURCE").removeprefix("s3://")
        destination = _exported(lines, "FROGMOVE_DESTINATION").removeprefix("s3://")
        s3.put_object(Bucket=source, Key=KEY, Body=b"frogs")
        deadline = time.monotonic() + 30
        while s3.list_objects_v2(Bucket=source)["KeyCount"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert s3.get_object(Bucket=destination, Key=KEY)["Body"].read() == b"frogs"


def _contents(s3: Any, bucket: str) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    # Not those that test which conditions a server other than AWS honours.
    keys = [each["Key"] for each in listed if ".frogmove-probe-" not in each["Key"]]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _eventually(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_local_scan_lets_nothing_in_that_was_not_found_clean(tmp_path: Path) -> None:
    """While the function is broken, one upload is infected, and two are replaced when scanned."""
    with _running(tmp_path, "--scan") as (_, lines):
        clients = clients_for(_exported(lines, "AWS_ENDPOINT_URL"))
        s3, sqs, functions = clients.s3, clients.sqs, clients.functions
        source = _exported(lines, "FROGMOVE_SOURCE").removeprefix("s3://")
        destination = _exported(lines, "FROGMOVE_DESTINATION").removeprefix("s3://")
        name = _exported(lines, "FROGMOVE_FUNCTION")
        queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        # Or what fails would come back only after three minutes.
        sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"VisibilityTimeout": "1", "RedrivePolicy": ""}
        )
        configured = functions.get_function_configuration(FunctionName=name)["Environment"]

        def configure(**variables: str) -> dict[str, Any]:
            changed: Any = {"Variables": configured["Variables"] | variables}
            functions.update_function_configuration(FunctionName=name, Environment=changed)
            ping = functions.invoke(FunctionName=name, Payload=b'{"action": "ping"}')
            return dict(ping)

        def upload(**files: bytes) -> None:
            """Upload files, and wait until they are scanned."""
            for key, body in files.items():
                s3.put_object(Bucket=source, Key=key, Body=body)
            tags = s3.get_object_tagging
            _eventually(lambda: all(tags(Bucket=source, Key=key)["TagSet"] for key in files))

        assert "FunctionError" in configure(FROGMOVE_QUARANTINE="nowhere")
        upload(good=b"good", infected=TEST_THREAT, replaced=b"first", exchanged=b"harmless")
        upload(replaced=b"second", exchanged=b"%" + TEST_THREAT)
        assert (len(_contents(s3, source)), _contents(s3, destination)) == (4, {})
        assert "FunctionError" not in configure()
        _eventually(lambda: not s3.list_objects_v2(Bucket=source)["KeyCount"])
        assert _contents(s3, destination) == {"good": b"good", "replaced": b"second"}
        threats = {"infected": TEST_THREAT, "exchanged": b"%" + TEST_THREAT}
        assert _contents(s3, "frogtech-sharara-quarantine") == threats
        versions = s3.list_object_versions(Bucket=destination, Prefix="replaced")["Versions"]
        assert [version["IsLatest"] for version in versions] == [True]


def test_local_says_that_the_server_ended(tmp_path: Path) -> None:
    with _running(tmp_path) as (process, _):
        (server,) = tmp_path.glob("*/ministack-*.pid")
        os.kill(int(server.read_text()), signal.SIGKILL)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert re.search(r"Error: ministack exited unexpectedly", errors)
    assert list(tmp_path.iterdir()) == []


def test_local_reports_a_taken_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = CliRunner().invoke(main, ["local", "--port", str(port)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"Port {port} on 127.0.0.1 is already in use" in result.stderr


@pytest.mark.parametrize("port", ["0", "65536", "pond"])
def test_local_refuses_an_impossible_port(port: str) -> None:
    result = CliRunner().invoke(main, ["local", "--port", port])
    assert result.exit_code == 2
    assert "--port" in result.stderr


@pytest.mark.parametrize("command", ["local", "demo"])
def test_local_and_demo_report_a_missing_ministack(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    result = CliRunner().invoke(main, [command])
    assert result.exit_code == 2
    assert "python -m pip install '.[local]'" in result.stderr
