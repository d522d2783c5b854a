"""What is printed where: pipes, terminals, colours, and names that try to act on either."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.cli.escaping import printable
from frogmove.cli.key_argument import key_argument
from frogmove.cli.output import Console
from frogmove.cli.quantities import size
from frogmove.core.models import Outcome, Verb
from frogmove.core.records import Summary
from frogmove.s3.uri import Location
from tests.blocking_proxy import blocking_proxy
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.cli.terminal import terminal
from tests.factories import a_result, an_action, an_object
from tests.fault_proxy import SECONDS_TO_WAIT
from tests.keys import KEYS

if TYPE_CHECKING:
    from tests.servers import Server

Capture = pytest.CaptureFixture[str]

COLOUR = re.compile(r"\x1b\[[\d;]*(3[0-8]|9\d)(;[\d;]*)?m")
ESCAPE = "\x1b"
SIDE = Location("external")

keys = pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)


def inert(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


@keys
def test_key_is_inert_in_every_line_of_data(capsys: Capture, key: str) -> None:
    console = Console(verbose=True)
    console.source = console.destination = SIDE
    console.listed(an_object(key), console.listing_format(SIDE))
    console.planned(an_action(Verb.COPY, key, reason=key))
    console.done(a_result(Outcome.CONFLICT, key, reason=key))
    console.say(key)
    out, err = capsys.readouterr()
    assert inert(out)
    assert err == ""
    assert out.count(f"  {key_argument(key, SIDE)}") == 3
    assert out.count(f"({printable(key)})") == 2
    assert len(out.splitlines()) == 4


@keys
def test_key_is_inert_in_every_line_of_commentary(capsys: Capture, key: str) -> None:
    console = Console(verbose=True)
    console.note(key)
    console.detail(key)
    console.warn(key)
    console.error(key, key)
    out, err = capsys.readouterr()
    assert out == ""
    assert inert(err)
    assert err.count(printable(key)) == 5


@keys
def test_key_comes_back_out_of_its_json_line(capsys: Capture, key: str) -> None:
    console = Console(json_lines=True)
    console.listed(an_object(key), console.listing_format(SIDE))
    console.planned(an_action(Verb.SKIP, key))
    console.done(a_result(Outcome.SKIPPED, key))
    out, err = capsys.readouterr()
    assert err == ""
    assert [json.loads(line)["key"] for line in out.splitlines()] == [key] * 3
    assert out.isascii()
    assert inert(out)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, {outcome.value for outcome in Outcome} - {"skipped"}),
        ({"verbose": True}, {outcome.value for outcome in Outcome}),
        ({"quiet": True}, {"not-found", "conflict", "failed"}),
    ],
    ids=["text", "verbose", "quiet"],
)
def test_results_are_shown_as_far_as_was_asked(
    capsys: Capture, options: dict[str, Any], shown: set[str]
) -> None:
    console = Console(**options)
    for outcome in Outcome:
        console.done(a_result(outcome))
    out = capsys.readouterr().out
    assert {line.split()[0] for line in out.splitlines()} == shown


def test_json_lines_are_complete_even_when_quiet(capsys: Capture) -> None:
    console = Console(json_lines=True, quiet=True)
    for outcome in Outcome:
        console.done(a_result(outcome))
    console.summary(Summary(), "run-1", is_unfinished=False)
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == len(Outcome) + 1
    assert err == ""


def test_summary_names_what_there_was(capsys: Capture) -> None:
    summary = Summary()
    for outcome in (Outcome.MOVED, Outcome.MOVED, Outcome.FAILED):
        summary.add(a_result(outcome))
    Console().summary(summary, "run-1", is_unfinished=False)
    assert capsys.readouterr().err.startswith("2 moved, 1 failed; 8 bytes in ")


@pytest.mark.parametrize("text", ["gone", "much " * 40 + "more", "漢字 \N{SNOWMAN} [bold]x[/]", ""])
def test_messages_in_a_pipe_are_those_on_a_terminal_without_colours(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    Console().error(text, text)
    plain = capsys.readouterr().err
    monkeypatch.setenv("FORCE_COLOR", "1")
    Console().error(text, text)
    coloured = capsys.readouterr().err
    assert ESCAPE in coloured
    assert re.sub(ESCAPE + r"\[[0-9;]*m", "", coloured) == plain


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1500, "1.5 kB")]
)
def test_size_is_shown_in_units(count: int, text: str) -> None:
    assert size(count) == text


# On a terminal, as a process of its own.


@pytest.fixture
def runner(ministack: Server) -> FrogmoveRunner:
    buckets = Buckets.make(ministack)
    buckets.put("plain", KEYS["escape sequence"], KEYS["markup"], KEYS["right-to-left override"])
    return FrogmoveRunner(buckets)


def on_terminal(runner: FrogmoveRunner, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command wholly on a terminal."""
    with terminal() as screen:
        process = runner.process(
            *arguments,
            env={"TERM": "xterm-256color", "COLUMNS": "200"} | environment,
            stdin=screen.end,
            stdout=screen.end,
            stderr=screen.end,
        )
        code = process.wait(SECONDS_TO_WAIT)
    return code, screen.text


@pytest.mark.parametrize(
    "command", [["ls"], ["move", "--all", "-n"], ["verify"], ["move", "--all"]], ids=" ".join
)
def test_totals_come_after_the_data_in_a_log_of_both_streams(
    runner: FrogmoveRunner, command: list[str]
) -> None:
    process = runner.process(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    log = process.communicate(timeout=SECONDS_TO_WAIT)[0].decode()
    (data,) = re.finditer(r"^.*\bplain\b.*$", log, re.MULTILINE)
    (totals,) = re.finditer("^4 (objects|moved|missing)", log, re.MULTILINE)
    assert data.end() < totals.start()


def test_pipe_gets_no_escape_sequences(runner: FrogmoveRunner) -> None:
    for command in (["ls"], ["move", "--all", "-n"], ["move", "--all", "-v"], ["ls", "s3://x"]):
        ran = runner(*command, TERM="xterm-256color")
        assert inert(ran.out)
        assert inert(ran.err)


@pytest.mark.parametrize(
    "command", [["ls"], ["move", "--all", "--yes"], ["sync", "-n"]], ids=" ".join
)
def test_terminal_gets_colours_and_keys_that_are_inert(
    runner: FrogmoveRunner, command: list[str]
) -> None:
    code, screen = on_terminal(runner, *command)
    assert code == 0
    assert COLOUR.search(screen)
    for name in ("escape sequence", "right-to-left override"):
        assert KEYS[name] not in screen
        assert key_argument(KEYS[name], Location(runner.buckets.source)) in screen
    assert KEYS["markup"] in screen


@pytest.mark.parametrize(
    "command", [["ls"], ["move", "--all", "-y"], ["ls", "s3://x"]], ids=" ".join
)
def test_no_color_means_no_colour(runner: FrogmoveRunner, command: list[str]) -> None:
    _, screen = on_terminal(runner, *command, NO_COLOR="1")
    assert not COLOUR.search(screen)


def test_bar_follows_a_run_on_a_terminal(runner: FrogmoveRunner) -> None:
    with blocking_proxy(runner.buckets.server) as door, terminal() as screen:
        process = runner.process(
            "move",
            "--all",
            env={"TERM": "xterm-256color", "FROGMOVE_ENDPOINT_URL": door.endpoint_url},
            stdout=subprocess.PIPE,
            stderr=screen.end,
        )
        door.wait_for_copies(1)
        door.opened.set()
        out, _ = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 0
    assert "━" in screen.text
    assert "in flight" in screen.text
    assert "4 moved" in screen.text
    # Only lines of data on stdout, and the bar is wiped off the screen again.
    assert len(out.decode().splitlines()) == 4
    assert inert(out.decode())
    assert screen.text.rindex("in flight") < screen.text.rindex("\x1b[2K")


@pytest.mark.parametrize(
    "columns", [40, *(pytest.param(columns, marks=pytest.mark.matrix) for columns in (60, 80, 200))]
)
def test_bar_takes_one_line_of_any_terminal(runner: FrogmoveRunner, columns: int) -> None:
    with blocking_proxy(runner.buckets.server) as door, terminal(columns) as screen:
        process = runner.process(
            *("move", "--all", "--concurrency", "2"),
            env={
                "COLUMNS": None,
                "TERM": "xterm-256color",
                "FROGMOVE_ENDPOINT_URL": door.endpoint_url,
            },
            stdout=subprocess.PIPE,
            stderr=screen.end,
        )
        door.wait_for_copies(1)
        door.opened.set()
        process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 0
    lines = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", screen.text).replace("\r", "\n").splitlines()
    bars = [line for line in lines if " objects · " in line]
    assert bars
    assert [line for line in bars if len(line.rstrip()) > columns] == []
    assert all(" failed" in line for line in bars)
    assert ("━" in "".join(bars)) == (columns >= 60)
    # Only at its end a line before is gone up to, to wipe the bar.
    assert screen.text.count("\x1b[1A") == 1


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"])
def test_bar_is_not_written_to_a_file(runner: FrogmoveRunner, name: str) -> None:
    ran = runner("move", "--all", **{"TERM": "xterm-256color", name: "1"})
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 4
    assert "in flight" not in ran.err
    assert "\x1b[?25" not in ran.err
    assert "\x1b[2K" not in ran.err


def test_data_stays_on_stdout_whatever_is_forced(runner: FrogmoveRunner) -> None:
    with terminal() as screen:
        process = runner.process(
            *("move", "--all"),
            env={"TERM": "xterm-256color", "FORCE_COLOR": "1"},
            stdout=screen.end,
            stderr=subprocess.PIPE,
        )
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 0
    assert "plain" in screen.text
    assert b"plain" not in err


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "unknown"}], ids=str)
def test_bar_is_not_shown_on_a_dumb_terminal(
    runner: FrogmoveRunner, environment: dict[str, str]
) -> None:
    code, screen = on_terminal(runner, "move", "--all", "--yes", **environment)
    assert (code, "in flight" in screen, ESCAPE in screen) == (0, False, False)
    assert "4 moved" in screen


def test_bar_is_not_shown_when_quiet(runner: FrogmoveRunner) -> None:
    code, screen = on_terminal(runner, "move", "--all", "--yes", "-q")
    assert (code, "in flight" in screen, "moved" in screen) == (0, False, False)
