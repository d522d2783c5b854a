"""The ministack process: it is private, it answers, and nothing of it stays behind."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import boto3
import pytest
from botocore.exceptions import ClientError

from frogmove.errors import FrogmoveError
from frogmove.local_aws import guard
from frogmove.local_aws import server as module
from frogmove.local_aws.clients import Clients, clients_for
from frogmove.local_aws.server import Server, running_server
from tests.local_aws.conftest import Eventually
from tests.servers import free_ports

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="the embedded AWS needs POSIX"),
    pytest.mark.skipif(
        importlib.util.find_spec("ministack") is None, reason="ministack is not installed"
    ),
]


@pytest.fixture
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have temporary folders made where only this test makes any."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def _refuses_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _group_is_gone(process_group: int) -> bool:
    """Whether no process of a group is left; one that is dead but not yet reaped is not counted."""
    listing = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True)
    rows = (line.split() for line in listing.stdout.splitlines())
    return not any(int(row[0]) == process_group and row[1][0] != "Z" for row in rows)


def test_server_answers_while_the_context_lasts(own_temp: Path) -> None:
    with running_server() as server:
        assert clients_for(server.endpoint_url).s3.list_buckets()["Buckets"] == []
        assert list(own_temp.iterdir()) == [server.folder]
    assert _refuses_connections(server.port)
    assert _group_is_gone(server.process.pid)
    assert list(own_temp.iterdir()) == []


def test_server_ends_with_an_exception_too(own_temp: Path) -> None:
    with pytest.raises(ZeroDivisionError), running_server() as server:
        raise ZeroDivisionError
    assert _refuses_connections(server.port)
    assert list(own_temp.iterdir()) == []


def test_server_listens_on_the_port_asked_for() -> None:
    (port,) = free_ports(1)
    with running_server(port) as server:
        assert server.endpoint_url == f"http://127.0.0.1:{port}"
        assert clients_for(server.endpoint_url).s3.list_buckets()["Buckets"] == []


def test_servers_run_side_by_side(server: Server, clients: Clients) -> None:
    with running_server() as other:
        assert other.port != server.port
        clients_for(other.endpoint_url).s3.create_bucket(Bucket="only-in-the-other")
        names = [bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]]
        assert "only-in-the-other" not in names


def test_access_key_that_is_wrong_is_refused(server: Server) -> None:
    stranger = boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="stranger",
        aws_secret_access_key="wrong",
    )
    with pytest.raises(ClientError, match=r"InvalidAccessKeyId|SignatureDoesNotMatch"):
        stranger.list_buckets()


def test_port_that_is_taken_is_reported(taken_port: int, own_temp: Path) -> None:
    with (
        pytest.raises(FrogmoveError, match=f"{taken_port}.* already in use") as caught,
        running_server(taken_port),
    ):
        pass
    assert "another port" in caught.value.remedy
    assert list(own_temp.iterdir()) == []


def test_port_lost_while_starting_is_reported(
    taken_port: int, own_temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_require_free", lambda _: None)
    with (
        pytest.raises(FrogmoveError, match=f"{taken_port}.* already in use"),
        running_server(taken_port),
    ):
        pass
    assert list(own_temp.iterdir()) == []


def test_port_that_is_lost_is_replaced_by_another(
    taken_port: int, own_temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices = iter([taken_port])
    bind = module._bind
    monkeypatch.setattr(
        module, "_bind", lambda port: next(choices, bind(0)) if port == 0 else bind(port)
    )
    with running_server() as server:
        assert server.port != taken_port
        assert clients_for(server.endpoint_url).s3.list_buckets()["Buckets"] == []
    assert list(own_temp.iterdir()) == []


def test_port_of_another_ministack_is_not_taken_for_ours(
    server: Server, own_temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_require_free", lambda _: None)
    with (
        pytest.raises(FrogmoveError, match=f"{server.port}.* already in use"),
        running_server(server.port),
    ):
        pass


def test_port_that_needs_privileges_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_port: int) -> int:
        raise PermissionError

    monkeypatch.setattr(module, "_bind", refuse)
    with (
        pytest.raises(FrogmoveError, match="Port 80 needs root") as caught,
        running_server(80),
    ):
        pass
    assert "1023" in caught.value.remedy


def test_ministack_that_is_missing_is_reported(
    own_temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(FrogmoveError, match="not installed") as caught, running_server():
        pass
    assert "python -m pip install '.[local]'" in caught.value.remedy
    assert list(own_temp.iterdir()) == []


def test_ministack_that_ends_at_once_is_reported_with_its_last_output(
    own_temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = own_temp / "broken.py"
    broken.write_text("raise SystemExit('the pond is dry')")
    monkeypatch.setattr(guard, "__file__", str(broken))
    with (
        pytest.raises(FrogmoveError, match=r"exited unexpectedly \(exit code 1\)") as caught,
        running_server(),
    ):
        pass
    assert "the pond is dry" in caught.value.remedy
    assert list(own_temp.iterdir()) == [broken]


def test_ministack_that_does_not_answer_is_reported_and_ended(
    own_temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = own_temp / "silent.py"
    silent.write_text("import signal; print('still waiting', flush=True); signal.pause()")
    monkeypatch.setattr(guard, "__file__", str(silent))
    monkeypatch.setattr(module, "_START_SECONDS", 0.5)
    with pytest.raises(FrogmoveError, match="did not respond"), running_server():
        pass
    assert list(own_temp.iterdir()) == [silent]


def test_wait_tells_that_the_server_ended(own_temp: Path) -> None:
    with running_server() as server:
        os.killpg(server.process.pid, signal.SIGKILL)
        with pytest.raises(FrogmoveError, match="exited unexpectedly"):
            server.wait(SimpleQueue())
    assert list(own_temp.iterdir()) == []


def test_environment_has_nothing_of_the_users_settings(
    own_temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-real-account")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-real-key")
    monkeypatch.setenv("FROGMOVE_SOURCE", "s3://the-real-bucket")
    monkeypatch.setenv("SERVICES", "dynamodb")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    environment = module._environment(own_temp, 4566, "token")
    assert "the-real-account" not in environment.values()
    assert "a-real-key" not in environment.values()
    assert not [name for name in environment if name.startswith("FROGMOVE_")]
    with running_server() as server:
        assert clients_for(server.endpoint_url).s3.list_buckets()["Buckets"] == []


_STARTER = """
import sys, time
from frogmove.local_aws.server import running_server
with running_server() as server:
    print(server.process.pid, flush=True)
    time.sleep(600)
"""


def test_server_does_not_outlive_a_starter_that_is_killed(
    tmp_path: Path, eventually: Eventually
) -> None:
    root = str(Path(module.__file__).parents[2])
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": root}
    with subprocess.Popen(
        [sys.executable, "-c", _STARTER], env=environment, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        process_group = int(starter.stdout.readline())
        assert not _group_is_gone(process_group)
        starter.kill()
    eventually(lambda: _group_is_gone(process_group) and list(tmp_path.iterdir()) == [])


def test_folder_being_written_to_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "busy"
    folder.mkdir()
    tries = iter([lambda: None])
    really: Callable[..., None] = shutil.rmtree

    def first_fails(path: str, *, ignore_errors: bool) -> None:
        next(tries, lambda: really(path, ignore_errors=ignore_errors))()

    monkeypatch.setattr(shutil, "rmtree", first_fails)
    guard.remove(str(folder))
    assert not folder.exists()
