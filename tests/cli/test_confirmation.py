"""On a terminal, a run that moves much or replaces something is asked for first."""

from __future__ import annotations

import signal
import subprocess
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.cli import confirmation, runner
from frogmove.cli.output import Console
from frogmove.run_store import journals
from tests.cli.cli_runner import run
from tests.cli.terminal import terminal
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, Request, proxied

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner, Ran

SERVER = "ministack"

QUESTION = "Continue? [y/N] "


def on_terminal(frogmove: FrogmoveRunner, typed: str, *arguments: str) -> tuple[int, str]:
    """Run a command wholly on a terminal, and answer its question."""
    with terminal(200) as screen:
        process = frogmove.process(
            *arguments, stdin=screen.end, stdout=screen.end, stderr=screen.end
        )
        screen.wait_for(QUESTION)
        screen.type(typed)
        code = process.wait(SECONDS_TO_WAIT)
    return code, screen.text


@pytest.mark.parametrize("typed", ["\n", "n\n", "\x04", "yess\n", "y\n", "YES\n"])
def test_confirmation_moves_only_after_yes(
    buckets: Buckets, frogmove: FrogmoveRunner, typed: str
) -> None:
    buckets.version()
    buckets.put("a", "b")
    before = buckets.state()
    code, screen = on_terminal(frogmove, typed, "move", "--all")
    reported = f"This would move 2 objects (2 bytes) from s3://{buckets.source}/ to s3://"
    assert f"{reported}{buckets.destination}/." in screen
    assert screen.count(QUESTION) == 1
    if typed.strip().lower() in {"y", "yes"}:
        assert (code, sorted(buckets.there()), buckets.here()) == (0, ["a", "b"], {})
    else:
        assert (code, buckets.state(), journals()) == (2, before, [])
        assert "Nothing was changed." in screen


def test_confirmation_is_ended_by_ctrl_c(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a")
    with terminal() as screen:
        process = frogmove.process(
            *("move", "--all"), stdin=screen.end, stdout=screen.end, stderr=screen.end
        )
        screen.wait_for(QUESTION)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS_TO_WAIT) == 130
    assert "Stopped: nothing was changed." in screen.text
    assert list(buckets.here()) == ["a"]


@pytest.mark.parametrize("piped", ["stdin", pytest.param("stderr", marks=pytest.mark.matrix)])
def test_confirmation_is_not_asked_for_without_a_terminal(
    buckets: Buckets, frogmove: FrogmoveRunner, piped: str
) -> None:
    buckets.put("a")
    with terminal() as screen:
        ends: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), screen.end)
        ends[piped] = subprocess.DEVNULL
        process = frogmove.process("move", "--all", **ends)
        assert process.wait(SECONDS_TO_WAIT) == 0
    assert QUESTION not in screen.text
    assert list(buckets.there()) == ["a"]


@pytest.fixture
def _asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands in this process ask for confirmation."""
    monkeypatch.setattr(runner, "can_ask", lambda: True)


def is_asked(ran: Ran) -> bool:
    assert ran.code in {0, 1, 2}
    assert (ran.code == 2) == (QUESTION in ran.err)
    return QUESTION in ran.err


@pytest.mark.usefixtures("_asked")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("move --all", True),
        ("move --all --yes", False),
        ("move --all -n", False),
        ("move --all --include b", False),
        ("move --prefix in", False),
        ("move in/a b", False),
        ("move taken --on-conflict overwrite", True),
        ("move taken --on-conflict overwrite -y", False),
        ("move in/a b --on-conflict overwrite", False),
        ("move taken --on-conflict keep-both", False),
        ("copy --all", False),
        ("copy --all --on-conflict overwrite", True),
        ("sync", True),
        ("sync --on-conflict skip", False),
        ("sync --prefix in", False),
        ("sync --prefix taken --on-conflict skip --delete", False),
        ("sync --prefix gone --prefix in --on-conflict skip --delete", True),
    ],
)
def test_confirmation_is_asked_for_what_moves_much_or_replaces(
    buckets: Buckets, frogmove: FrogmoveRunner, arguments: str, expected: bool
) -> None:
    buckets.put("in/a", "b", "taken")
    buckets.put("gone/kept")
    buckets.put_there("taken", body=b"theirs")
    buckets.put_there("gone/old")
    before = buckets.there()
    ran = frogmove(*arguments.split())
    assert is_asked(ran) == expected
    if expected:
        assert buckets.there() == before
    if "--delete" in arguments and expected:
        assert "1 would be deleted there (8 bytes)." in ran.err
        assert ran.err.count("keeps no versions") == 1
    if "overwrite" in arguments and expected:
        assert "1 would replace what is there (6 bytes)." in ran.err


@pytest.mark.usefixtures("_asked")
def test_confirmation_is_asked_for_many_however_they_are_chosen(
    buckets: Buckets, frogmove: FrogmoveRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation, "MAX_UNCONFIRMED", 2)
    buckets.put("in/a", "in/b", "in/c")
    for chosen in (["--prefix", "in"], ["in/a", "in/b", "in/c"]):
        ran = frogmove("copy", *chosen)
        assert is_asked(ran)
        assert "This would copy 3 objects (12 bytes)" in ran.err
    assert not is_asked(frogmove("copy", "in/a", "in/b"))
    monkeypatch.setattr(confirmation, "MAX_COUNTED", 2)
    assert "This would copy at least 2 objects" in frogmove("copy", "--prefix", "in").err


@pytest.mark.usefixtures("_asked")
def test_confirmation_announces_counting_even_if_the_server_is_slow(
    buckets: Buckets, frogmove: FrogmoveRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.put("a", "b")
    buckets.put_there("a", body=b"theirs")
    noted = Event()
    note = Console.note

    def note_counting(console: Console, text: str) -> None:
        note(console, text)
        if "Counting" in text:
            noted.set()

    def hold(request: Request) -> Fault:
        if "list-type" in request.target:
            noted.wait(5)
        return PASS

    monkeypatch.setattr(Console, "note", note_counting)
    monkeypatch.setattr(confirmation, "NOTICE_SECONDS", 0.5)
    monkeypatch.setattr(confirmation, "MAX_COUNT_SECONDS", 0)
    with proxied(buckets.server, hold) as proxy:
        ran = frogmove("move", "--all", "--endpoint-url", proxy.endpoint_url)
    assert is_asked(ran)
    assert ran.err.index("Counting what this would do") < ran.err.index("How many objects")
    assert "is not known yet." in ran.err
    assert "at least 0" not in ran.err


@pytest.mark.usefixtures("_asked")
def test_confirmation_is_asked_for_an_undo_that_restores_and_not_for_a_plan(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: object
) -> None:
    buckets.version()
    buckets.put("a")
    buckets.put_there("a", body=b"theirs")
    overwrite = ("--on-conflict", "overwrite")
    assert frogmove("move", "a", *overwrite, "--plan", f"{tmp_path}/plan").code == 0
    ran = frogmove("apply", f"{tmp_path}/plan", "-o", "json")
    assert ran.outcomes == {"a": "moved"}
    undone = frogmove("undo", ran.summary["run"])
    assert is_asked(undone)
    assert "1 would be restored to what was there before." in undone.err
    assert frogmove("undo", ran.summary["run"], "--yes").code == 0
    assert (buckets.here(), buckets.there()) == ({"a": b"a"}, {"a": b"theirs"})
    assert "undone by" in run("runs").out
