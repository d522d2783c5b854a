"""``frogmove demo``: it shows the whole mission, and fails when a step has no effect."""

import importlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from click.testing import CliRunner

from frogmove.cli import main
from frogmove.cli.demo import DemoRun, Step, sample_files
from frogmove.cli.output import Console
from frogmove.errors import RunError
from frogmove.local_aws.clients import clients_for
from frogmove.local_aws.environment import EmbeddedAws
from frogmove.local_aws.server import Server, running_server
from frogmove.local_aws.stack import StackConfig, build_stack
from frogmove.packaging.function_zip import build_package
from tests.cli.leak_checks import living_processes, private_environment

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="the embedded AWS needs POSIX"),
    pytest.mark.skipif(
        importlib.util.find_spec("ministack") is None, reason="ministack is not installed"
    ),
]

# The package's attribute of this name is the command.
module = importlib.import_module("frogmove.cli.demo")

DEMO = [sys.executable, "-m", "frogmove", "demo"]
NOTHING = (sys.executable, "-c", "pass")


@pytest.fixture(scope="module")
def aws_server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def aws(aws_server: Server) -> EmbeddedAws:
    """A stack of the test's own."""
    clients = clients_for(aws_server.endpoint_url)
    unique = uuid.uuid4().hex[:12]
    config = StackConfig(f"external-{unique}", f"internal-{unique}", f"frogmove-{unique}")
    stack = build_stack(clients, build_package(), config)
    return EmbeddedAws(aws_server, clients, stack, "", SimpleQueue())


@pytest.fixture
def show(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> DemoRun:
    """A demo whose every command line does nothing at all, successfully."""
    monkeypatch.setattr(module, "_FROGMOVE", NOTHING)
    show = DemoRun(Console(), aws)
    show.upload({"a b": b"1", "c": b"2"})
    return show


def test_demo_shows_the_whole_mission_and_leaves_no_trace(tmp_path: Path) -> None:
    # A user's own settings must neither be used nor stand in the way.
    foreign = {
        "AWS_PROFILE": "not-there",
        "FROGMOVE_SOURCE": "s3://the-real-bucket",
        "FROGMOVE_ROUTE": "not-there",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    started = time.monotonic()
    done = subprocess.run(
        DEMO, env=private_environment(tmp_path) | foreign, capture_output=True, text=True
    )
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    commands = [line for line in done.stdout.splitlines() if line.startswith("$ frogmove")]
    assert commands == [
        "$ frogmove ls",
        "$ frogmove move --prefix reports --dry-run",
        "$ frogmove move 'reports/2026 été+1%.csv'",
        "$ frogmove sync --dry-run",
        "$ frogmove sync",
    ]
    assert "The Lambda moved it within" in done.stdout
    assert f"All {len(sample_files()) + 1} files were verified" in done.stdout
    # Keys that carry terminal escapes or markup are shown, not obeyed.
    assert "\x1b[31m" not in done.stdout
    assert "[bold]x[/bold].txt" in done.stdout
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert living_processes(tmp_path) == []
    assert seconds < 20 * _patience()


def _patience() -> float:
    """How much longer things may take here than on a machine that does nothing else."""
    return 6 if "PYTEST_XDIST_WORKER" in os.environ else 1


@pytest.mark.matrix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_ends_on_a_signal_without_a_trace(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        DEMO,
        env=private_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("$ frogmove ls"):
                break
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
    assert living_processes(tmp_path) == []


def test_demo_fails_if_a_command_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FROGMOVE", NOTHING)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert "`frogmove move 'reports/2026 été+1%.csv'` did not have" in result.stderr


def test_demo_names_a_move_without_effect(show: DemoRun) -> None:
    show.run_step(Step("Nothing", ("ls",)))
    with pytest.raises(
        RunError, match=r"step `frogmove move 'a b'` did not have the expected effect"
    ) as e:
        show.run_step(Step("Move", ("move", "a b"), moves=("a b",)))
    assert "wrongly holds 'a b'" in str(e.value)


def test_demo_names_a_sync_without_effect(show: DemoRun) -> None:
    with pytest.raises(RunError, match="lacks 'a b', 'c'"):
        show.run_step(Step("Sync", ("sync",), copies_all=True))


def test_demo_names_a_dry_run_with_an_effect(show: DemoRun, aws: EmbeddedAws) -> None:
    aws.clients.s3.delete_object(Bucket=aws.stack.config.source_bucket, Key="c")
    with pytest.raises(RunError, match=f"s3://{aws.stack.config.source_bucket} lacks 'c'"):
        show.run_step(Step("Dry run", ("sync", "--dry-run")))


def test_demo_names_other_bytes(show: DemoRun, aws: EmbeddedAws) -> None:
    aws.clients.s3.put_object(Bucket=aws.stack.config.source_bucket, Key="c", Body=b"3")
    with pytest.raises(RunError, match="holds other bytes in 'c'"):
        show.run_step(Step("Dry run", ("sync", "--dry-run")))


def test_demo_names_a_command_that_fails(show: DemoRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FROGMOVE", (sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(RunError, match="`frogmove ls` failed with exit code 3"):
        show.run_step(Step("List", ("ls",)))


def test_demo_names_a_lambda_without_effect(
    show: DemoRun, aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS_FOR_LAMBDA", 0.2)
    aws.clients.functions.delete_function(FunctionName=aws.stack.config.name)
    with pytest.raises(RunError, match="the move by the Lambda did not have the expected effect"):
        show.automatic_move()


def test_demo_reports_a_server_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_it(show: DemoRun, step: Step) -> None:
        server = show._aws.server.process
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        run_step(show, step)

    run_step = DemoRun.run_step
    monkeypatch.setattr(module, "_FROGMOVE", NOTHING)
    monkeypatch.setattr(DemoRun, "run_step", lose_it)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert "Error: The embedded AWS failed while running the demo" in result.stderr
