"""Draws the documents' pictures of a terminal from real runs: ``python -m tests.picture``.

Each picture is drawn twice, for light and for dark pages.
"""

import contextlib
import os
import pty
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

from frogmove.cli.demo import sample_files
from frogmove.local_aws.environment import EmbeddedAws, embedded_aws

FOLDER = Path(__file__).parent.parent / ".github"
KEYS = (
    "invoices/0001.pdf",
    "invoices/\x1b[31mred.pdf",
    "photos/🐸 frog.jpg",
    "reports/2026 été+1%.csv",
    "reports/2026-06.csv",
    "reports2/not in reports.csv",
)
WIDTH = 88
THEMES = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture.

    Attributes:
        name: of its files.
        commands: what is run in the terminal, in this order.
        moment: the picture shows the screen when this pattern is first on it; None: at the end.
        upload: how many further small objects are uploaded first.
        height: rows of the terminal.
    """

    name: str
    commands: tuple[str, ...]
    moment: str | None = None
    upload: int = 0
    height: int = 60


# In this order: each finds what the earlier ones left.
SCENES = (
    Scene(
        "frogmove",
        (
            "frogmove ls",
            "frogmove move --prefix reports --dry-run",
            "frogmove move --prefix reports",
            "frogmove verify last",
        ),
    ),
    Scene("report", ("frogmove report last",)),
    Scene("trace", ("frogmove trace reports/2026-06.csv",)),
    Scene(
        "progress",
        ("frogmove move --prefix scans --max-rate 40",),
        moment=r" [2-7]\d of 100 objects",
        upload=100,
        height=14,
    ),
)


def main() -> None:
    """Run the commands on the embedded AWS and write the pictures."""
    with embedded_aws() as aws:
        files = sample_files()
        for key in KEYS:
            put(aws, key, files[key])
        folder = str(aws.server.folder)
        os.environ.update(aws.environment(), FROGMOVE_STATE=folder, TERM="xterm-256color")
        for scene in SCENES:
            for number in range(scene.upload):
                put(aws, f"scans/{number:03}.tif", b"frog")
            lines = play(scene)
            for theme in THEMES:
                (FOLDER / f"{scene.name}-{theme}.svg").write_text(draw(lines, theme), "utf-8")


def put(aws: EmbeddedAws, key: str, body: bytes) -> None:
    """Upload a file to the source."""
    bucket = aws.stack.source.removeprefix("s3://").rstrip("/")
    aws.clients.s3.put_object(Bucket=bucket, Key=key, Body=body)


def play(scene: Scene) -> list[Text]:
    """Run a scene's commands in a terminal of our own, and return the lines of its screen."""
    screen = pyte.Screen(WIDTH, scene.height)
    stream = pyte.ByteStream(screen)
    shown: list[Text] = []
    for output in run(scene.commands, scene.height):
        stream.feed(output)
        if scene.moment and not shown and re.search(scene.moment, "\n".join(screen.display)):
            shown = read(screen)
    if scene.moment and not shown:
        raise RuntimeError(f"{scene.name}: {scene.moment!r} was never on the screen.")
    return shown or read(screen)


def run(commands: tuple[str, ...], height: int) -> Iterator[bytes]:
    """Run commands in a pseudo-terminal; yield their output."""
    frogmove = f"{shlex.quote(sys.executable)} -m frogmove"
    script = "".join(
        f"printf '\\033[1m$ %s\\033[0m\\n' {shlex.quote(command)}\n"
        f"{command.replace('frogmove', frogmove, 1)}\n"
        for command in commands
    )
    os.environ.update(COLUMNS=str(WIDTH), LINES=str(height))
    process, terminal = pty.fork()
    if process == 0:
        os.execvp("sh", ["sh", "-c", script])
    # On Linux, reading from a terminal that nothing holds any more ends with EIO.
    with contextlib.suppress(OSError):
        while output := os.read(terminal, 65536):
            yield output
    os.waitpid(process, 0)


def read(screen: pyte.Screen) -> list[Text]:
    """Return the lines of a screen, without the empty ones at its end."""
    lines = [_line(screen, row) for row in range(screen.lines)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return lines


def draw(lines: list[Text], theme: str) -> str:
    """Draw lines as SVG."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text("\n").join(lines))
        return console.export_svg(title="frogmove", theme=THEMES[theme], unique_id=f"f-{theme}")


def _line(screen: pyte.Screen, row: int) -> Text:
    cells = [screen.buffer[row][column] for column in range(WIDTH)]
    line = Text()
    for (color, bold), run_of_cells in groupby(cells, _look):
        line.append("".join(cell.data for cell in run_of_cells), Style(color=color, bold=bold))
    line.rstrip()
    return line


def _look(cell: Any) -> tuple[str | None, bool]:
    color = {"default": None, "brown": "yellow"}.get(cell.fg, cell.fg)
    if color and re.fullmatch("[0-9a-f]{6}", color):
        color = f"#{color}"
    return color, cell.bold


if __name__ == "__main__":
    main()
