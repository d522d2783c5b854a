"""How far a run is: on a terminal, without one, and under a rate, by one process and by several."""

from __future__ import annotations

import re
import signal
import subprocess
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.cli import progress
from frogmove.cli.progress import Figure, Snapshot, VerifyFigures, duration, fitting
from frogmove.s3.limits import Limits
from frogmove.s3.models import Copy
from frogmove.s3.retry import RetryingS3
from tests.cli.terminal import terminal
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, Request, proxied

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner

SERVER = "ministack"

KEYS = [f"{number:03}" for number in range(40)]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_results_are_printed_soon_under_a_rate_and_an_interrupt_drops_the_rest(
    buckets: Buckets, frogmove: FrogmoveRunner, processes: str
) -> None:
    buckets.put(*KEYS)
    process = frogmove.process(
        *("move", "--all", "--max-rate", "8", "--processes", processes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"moved")
        # At 8 a second: an object is moved and told within a second of its copy, not at the end.
        assert len(buckets.keys_here()) > len(KEYS) / 3
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130, err
    assert buckets.keys_here()
    assert len(out.splitlines()) + 1 == len(KEYS) - len(buckets.keys_here())
    assert b"To finish this run: frogmove resume" in err
    assert frogmove("resume").code == 0
    assert (buckets.keys_here(), sorted(buckets.there())) == ([], KEYS)


@pytest.mark.parametrize(
    ("arguments", "is_shown"),
    [
        ([], True),
        (["--progress", "always", "-q"], True),
        (["-q"], False),
        (["--progress", "never"], False),
    ],
    ids=["auto", "quiet-always", "quiet", "never"],
)
def test_progress_line_is_printed_now_and_then_without_a_terminal(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    is_shown: bool,
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.1)
    buckets.put(*KEYS[:6])
    buckets.put_there(KEYS[0], body=b"something else")
    ran = frogmove("move", *KEYS[:6], "--max-rate", "10", *arguments)
    assert ran.code == 1
    lines = [line for line in ran.err.splitlines() if re.match(r"\d+ of 6 objects, ", line)]
    assert bool(lines) == is_shown
    if is_shown:
        assert ", 1 conflict, 0 failed" in lines[-1]
        assert all(" in flight" in line for line in lines)
    assert "objects, " not in ran.out


@pytest.mark.parametrize("columns", [40, 200])
def test_bar_moves_under_a_rate_and_fits(
    buckets: Buckets, frogmove: FrogmoveRunner, columns: int
) -> None:
    buckets.put(*KEYS[:12])
    buckets.put_there(KEYS[0], body=b"something else")
    with terminal(columns) as screen:
        process = frogmove.process(
            *("move", "--all", "--max-rate", "10", "-q", "--progress", "always"),
            env={"COLUMNS": None, "TERM": "xterm-256color"},
            stdout=subprocess.PIPE,
            stderr=screen.end,
        )
        process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 1
    text = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", screen.text).replace("\r", "\n")
    bars = [line for line in text.splitlines() if " objects · " in line]
    assert [bar for bar in bars if len(bar.rstrip()) > columns] == []
    counted = {int(found[1]) for bar in bars if (found := re.search(r"(\d+) of 12 objects", bar))}
    # It takes more than a second, and is not shown at its beginning and its end alone.
    assert len(counted - {0, 12}) >= 2
    assert any("1 conflict · " in bar for bar in bars)
    assert all("0 failed" in bar for bar in bars)
    if columns == 200:
        assert any(" waiting · " in bar and "/s · " in bar for bar in bars)


@pytest.mark.parametrize("arguments", [[], ["-q"], ["--progress", "never"]], ids=" ".join)
def test_verification_prints_a_line_now_and_then(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    buckets.put(*KEYS[:4])
    assert frogmove("copy", "--all").code == 0
    buckets.put(KEYS[0], body=b"something else")
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.05)
    printed = Event()
    snapshot = VerifyFigures.snapshot

    def snapshot_and_pass(figures: VerifyFigures) -> Snapshot:
        taken = snapshot(figures)
        if taken.done:
            printed.set()
        return taken

    def hold(request: Request) -> Fault:
        if request.target.partition("?")[0].endswith(KEYS[3]) and not arguments:
            printed.wait(SECONDS_TO_WAIT)
        return PASS

    monkeypatch.setattr(VerifyFigures, "snapshot", snapshot_and_pass)
    with proxied(buckets.server, hold) as proxy:
        ends = ("--endpoint-url", proxy.endpoint_url)
        ran = frogmove("verify", "--compare", "content", *ends, *arguments)
        assert ran.code == 1
        lines = [line for line in ran.err.splitlines() if re.match(r"\d+ objects?, ", line)]
        assert bool(lines) == (not arguments)
        assert all(re.search(r" in flight, \d listed, \d not the same$", line) for line in lines)
        assert frogmove("verify", "last", "--progress", "always", *ends).code == 0


@pytest.mark.parametrize("columns", [40, 200])
def test_verification_has_a_bar_that_fits(
    buckets: Buckets, frogmove: FrogmoveRunner, columns: int
) -> None:
    for key in KEYS[:3]:
        buckets.put(key, body=b"one")
        buckets.put_there(key, body=b"two" if key == KEYS[2] else b"three")
    shown = Event()

    def hold(request: Request) -> Fault:
        if request.target.partition("?")[0].endswith(KEYS[2]):
            shown.wait(SECONDS_TO_WAIT)
        return PASS

    with proxied(buckets.server, hold) as proxy, terminal(columns) as screen:
        process = frogmove.process(
            *("verify", "--compare", "content", "--endpoint-url", proxy.endpoint_url),
            env={"COLUMNS": None, "TERM": "xterm-256color"},
            stdout=subprocess.PIPE,
            stderr=screen.end,
        )
        screen.wait_for("2 not the same")
        shown.set()
        process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 1
    text = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", screen.text).replace("\r", "\n")
    bars = [line for line in text.splitlines() if " objects · " in line]
    assert [bar for bar in bars if len(bar.rstrip()) > columns] == []
    assert any("2 objects · 6 bytes · " in bar for bar in bars) == (columns == 200)


def test_verification_that_is_interrupted_leaves_the_terminal_in_order(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    buckets.put_there("a", body=b"b")
    is_over = Event()

    def hold(request: Request) -> Fault:
        if request.target.partition("?")[0].endswith("/a"):
            is_over.wait(SECONDS_TO_WAIT)
        return PASS

    with proxied(buckets.server, hold) as proxy, terminal() as screen:
        process = frogmove.process(
            *("verify", "--compare", "content", "--endpoint-url", proxy.endpoint_url),
            env={"COLUMNS": None, "TERM": "xterm-256color"},
            stdout=subprocess.PIPE,
            stderr=screen.end,
        )
        with process:
            screen.wait_for("0 not the same")
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS_TO_WAIT) == 130
        is_over.set()
    hidden, shown = (screen.text.rindex(f"\x1b[?25{each}") for each in "lh")
    assert hidden < shown
    assert screen.text.endswith("Stopped: not everything was compared.\r\n")


def test_fitting_leaves_out_first_what_matters_least() -> None:
    figures = [Figure("7 objects", 0), Figure("1 kB", 2), Figure("3 in flight", 1)]
    assert fitting(figures, 80) == "7 objects · 1 kB · 3 in flight"
    assert fitting(figures, 25) == "7 objects · 3 in flight"
    assert fitting(figures, 9) == "7 objects"
    assert fitting(figures, 1) == "7 objects"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3700, "1 h 01 min"),
        (9e6, "2,500 h 00 min"),
    ],
)
def test_duration_is_shown_in_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_parts_of_a_large_object_count_before_it_is_complete() -> None:
    state = FakeS3State(buckets={"a": {}, "b": {}})
    state.put("a", "large", b"x" * 12)
    s3 = RetryingS3(FakeS3(state), Limits())
    head = s3.head("a", "large").result()
    copy = Copy("a", head.object, "b", "large")
    upload = s3.create_upload(copy, head, {}, None).result()
    parts = [
        s3.copy_part(copy, upload, number, 6 * number - 6, 6 * number - 1).result()
        for number in (1, 2)
    ]
    assert s3.activity == (0, 0, 12, 0)
    s3.complete_upload(copy, upload, parts, None).result()
    assert s3.activity == (0, 0, 0, 0)


def test_listed_objects_are_reported_where_a_filter_leaves_most_out(
    buckets: Buckets, frogmove: FrogmoveRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.1)
    buckets.put(*KEYS)
    ran = frogmove("move", "--include", "*1", "--max-rate", "10")
    assert ran.code == 0
    assert re.search(r", 4\d listed, ", ran.err)
