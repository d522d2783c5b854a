"""What a shell completes: from this machine, and from S3 by one short listing; in real shells."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
import time
from select import select
from shutil import which
from typing import TYPE_CHECKING

import pytest

from frogmove.cli import main
from frogmove.cli.bash_completion import LineComplete
from frogmove.cli.zsh_completion import FolderComplete
from tests.buckets import Buckets
from tests.cli.cli_runner import ROOT, FrogmoveRunner, run
from tests.fault_proxy import SECONDS_TO_WAIT
from tests.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers import Server

# On a busy machine, imports alone take longer than a keystroke should.
PATIENT = {"FROGMOVE_COMPLETION_SECONDS": "25"}
SECONDS = 15

SHELLS = {"bash": LineComplete, "zsh": FolderComplete}


@pytest.fixture(scope="module")
def runner(ministack: Server) -> FrogmoveRunner:
    buckets = Buckets.make(ministack)
    buckets.put("in/a.csv", "in/b.csv", "in/deep/c.csv", "index", "out/$(id).csv", "out/x y")
    buckets.put(*(f"out/{key}" for key in KEYS.values() if key.isprintable()))
    return FrogmoveRunner(buckets)


def complete(
    runner: FrogmoveRunner, line: str, shell: str = "bash", **environment: str
) -> list[str]:
    """Return what a shell is answered for a line that ends in the word to complete."""
    words = len(line.split()) - (not line.endswith(" "))
    asked = {"COMP_LINE": line, "COMP_WORDBREAKS": " :="}
    if shell != "bash":
        asked = {"COMP_WORDS": line, "COMP_CWORD": str(words)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (runner.environment() | PATIENT | asked | environment).items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        made = SHELLS[shell](main, {}, "frogmove", "_FROGMOVE_COMPLETE")
        return made.complete().splitlines()


@pytest.mark.parametrize("asked", ["tcsh_source", "bash", "zsh_complet"])
def test_unknown_shell_is_refused(asked: str) -> None:
    ran = run(environment={"_FROGMOVE_COMPLETE": asked})
    assert (ran.code, ran.out) == (2, "")
    assert "It is one of bash_source, fish_source, zsh_source." in ran.err


def test_completion_offers_folders_and_keys_of_the_source(runner: FrogmoveRunner) -> None:
    assert complete(runner, "frogmove move in") == ["open,in/", "plain,index"]
    assert complete(runner, "frogmove ls in/") == [
        "open,in/deep/",
        "plain,in/a.csv",
        "plain,in/b.csv",
    ]
    assert complete(runner, "frogmove copy --prefix in") == ["open,in/"]
    assert complete(runner, "frogmove move no-such") == []


def test_completion_offers_buckets_and_folders_of_a_uri(runner: FrogmoveRunner) -> None:
    bucket = runner.buckets.source
    assert f"open,s3://{bucket}/" in complete(runner, "frogmove ls --source s")
    # Bash has taken "s3:" for a word of its own.
    assert complete(runner, f"frogmove ls --source s3://{bucket[:-1]}") == [f"open,//{bucket}/"]
    assert complete(runner, f"frogmove ls --source=s3://{bucket}/i") == [f"open,//{bucket}/in/"]
    assert complete(runner, f"frogmove move s3://{bucket}/ind") == [f"plain,//{bucket}/index"]


def test_completion_tells_other_shells_the_type_of_each(runner: FrogmoveRunner) -> None:
    kind, value, about = complete(runner, "frogmove move inde", "zsh")
    assert (kind, value) == ("plain", "index")
    assert re.fullmatch(r"5 bytes, \d{4}-\d\d-\d\d \d\d:\d\d", about)
    assert complete(runner, "frogmove move in/dee", "zsh") == ["open", "in/deep/", "folder"]


def test_completion_offers_no_key_that_acts_on_the_shell(runner: FrogmoveRunner) -> None:
    offered = [line.partition(",")[2] for line in complete(runner, "frogmove move out/")]
    assert offered
    assert [name for name in offered if not re.fullmatch(r"[\w./,:%@+=-]+", name)] == []


def test_completion_describes_runs_and_routes(runner: FrogmoveRunner, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[routes.fast]\nsource = "s3://a1b"\ndestination = "s3://c1d"\n')
    state = {"FROGMOVE_STATE": str(tmp_path / "state"), "FROGMOVE_CONFIG": str(config)}
    runner.buckets.put("once")
    assert runner("move", "once", **state).code == 0
    (run,) = (path.stem for path in (tmp_path / "state").iterdir())
    ends = f"s3://{runner.buckets.source}/ -> s3://{runner.buckets.destination}/"
    reported = complete(runner, "frogmove undo 20", "zsh", **state)
    assert reported == ["plain", run, f"move {ends}, key once"]
    assert complete(runner, "frogmove report la", **state) == ["plain,last"]
    reported = complete(runner, "frogmove ls --route f", "zsh", **state)
    assert reported == ["plain", "fast", "s3://a1b -> s3://c1d"]


@pytest.mark.parametrize("problem", ["silent", "refused", "no-route", "profile"])
def test_completion_never_reports_and_never_waits_for_what_is_wrong(
    runner: FrogmoveRunner, problem: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {
            "silent": {"FROGMOVE_ENDPOINT_URL": silent, "FROGMOVE_COMPLETION_SECONDS": "0.8"},
            "refused": {"FROGMOVE_ENDPOINT_URL": "http://127.0.0.1:9"},
            "no-route": {"FROGMOVE_SOURCE": ""},
            "profile": {"AWS_PROFILE": "nobody"},
        }[problem]
        before = time.monotonic()
        assert complete(runner, "frogmove move in", **environment) == []
        assert time.monotonic() - before < SECONDS
    assert capfd.readouterr() == ("", "")


# How each shell is started without settings, and what it is told first.
INTERACTIVE = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        'eval "$(_FROGMOVE_COMPLETE=bash_source frogmove)"; PS1="re""ady> "\n',
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        """autoload -U compinit; compinit -D
        eval "$(_FROGMOVE_COMPLETE=zsh_source frogmove)"; PS1="re""ady> "\n""",
    ),
    "fish": (
        # It needs a controlling terminal.
        ["setsid", "--ctty", "fish", "--no-config", "-i"],
        """_FROGMOVE_COMPLETE=fish_source frogmove | source
        function fish_prompt; echo -n re'ady> '; end\n""",
    ),
}


def installed(name: str) -> object:
    """Return a shell as a parameter that is skipped where the shell is not installed."""
    missing = next((each for each in (INTERACTIVE[name][0][0], name) if not which(each)), None)
    reason = f"there is no {missing}"
    return pytest.param(name, marks=pytest.mark.skipif(missing is not None, reason=reason))


@pytest.fixture
def type_in(runner: FrogmoveRunner, tmp_path: Path) -> Callable[[str, str, str], str]:
    """Type into an interactive shell on a terminal, until it has shown something."""
    command = tmp_path / "bin" / "frogmove"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m frogmove "$@"\n')
    command.chmod(0o755)
    environment = runner.full_environment(
        PATH=f"{command.parent}:{os.environ['PATH']}",
        PYTHONPATH=str(ROOT),
        TERM="xterm",
        HOME=str(tmp_path),
        **PATIENT,
    )

    def typed(shell: str, text: str, awaited: str) -> str:
        arguments, first = INTERACTIVE[shell]
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            arguments,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            # setsid creates no session but its own.
            start_new_session=arguments[0] == shell,
        )
        os.close(theirs)
        try:
            os.write(ours, first.encode())
            # From its prompt on, the shell reads what is typed itself.
            shown = read_until(ours, "ready> ")
            os.write(ours, text.encode())
            return shown + read_until(ours, awaited)
        finally:
            process.kill()
            process.wait()
            os.close(ours)

    return typed


def read_until(terminal: int, awaited: str) -> str:
    shown = ""
    until = time.monotonic() + SECONDS_TO_WAIT
    while not re.search(awaited, shown):
        left = until - time.monotonic()
        assert left > 0, shown
        if select([terminal], [], [], left)[0]:
            shown += os.read(terminal, 65536).decode("utf-8", "replace")
    return shown


@pytest.mark.parametrize("shell", [installed(name) for name in INTERACTIVE])
def test_shell_completes_a_key_folder_by_folder(
    type_in: Callable[[str, str, str], str], shell: str
) -> None:
    # After a folder, typing continues: no blank is added.
    type_in(shell, "frogmove ls in/d\tc\t\n", r"1 object, 13 bytes")


@pytest.mark.parametrize("shell", [installed(name) for name in INTERACTIVE])
def test_shell_completes_a_uri(
    type_in: Callable[[str, str, str], str], runner: FrogmoveRunner, shell: str
) -> None:
    bucket = runner.buckets.source
    type_in(shell, f"frogmove ls s3://{bucket[:-1]}\tin/de\t\n", r"1 object, 13 bytes")
