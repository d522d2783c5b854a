"""Draws the README's picture from a real run: ``python -m tests.picture``."""

import contextlib
import os
import pty
import shlex
import sys
from itertools import groupby
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from frogmove.cli.demo import sample_files
from frogmove.local_aws.environment import embedded_aws

PICTURE = Path(__file__).parent.parent / ".github" / "frogmove.svg"
KEYS = (
    "invoices/0001.pdf",
    "invoices/\x1b[31mred.pdf",
    "photos/🐸 frog.jpg",
    "reports/2026 été+1%.csv",
    "reports/2026-06.csv",
    "reports2/not in reports.csv",
)
COMMANDS = (
    "frogmove ls",
    "frogmove move --prefix reports --dry-run",
    "frogmove move --prefix reports",
    "frogmove sync",
    "frogmove ls --side destination",
)
WIDTH, HEIGHT = 80, 60


def main() -> None:
    """Run the commands on the embedded AWS and write the picture."""
    with embedded_aws() as aws:
        files = sample_files()
        for key in KEYS:
            bucket = aws.stack.source.removeprefix("s3://").rstrip("/")
            body = files[key]
            aws.clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
        folder = str(aws.server.folder)
        os.environ.update(aws.environment(), FROGMOVE_STATE=folder, TERM="xterm-256color")
        PICTURE.write_text(_draw(_play()), "utf-8")


def _play() -> pyte.Screen:
    """Run the commands in a terminal of our own."""
    frogmove = f"{shlex.quote(sys.executable)} -m frogmove"
    script = "".join(
        f"printf '\\033[1m$ %s\\033[0m\\n' {shlex.quote(command)}\n"
        f"{command.replace('frogmove', frogmove, 1)}\n"
        for command in COMMANDS
    )
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(screen)

    os.environ.update(COLUMNS=str(WIDTH), LINES=str(HEIGHT))
    process, terminal = pty.fork()
    if process == 0:
        os.execvp("sh", ["sh", "-c", script])
    # Linux ends the reading of a terminal that nobody holds any more with EIO.
    with contextlib.suppress(OSError):
        while output := os.read(terminal, 65536):
            stream.feed(output)
    os.waitpid(process, 0)
    return screen


def _draw(screen: pyte.Screen) -> str:
    lines = [_line(screen, row) for row in range(HEIGHT)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text("\n").join(lines))
        return console.export_svg(title="frogmove")


def _line(screen: pyte.Screen, row: int) -> Text:
    cells = [screen.buffer[row][column] for column in range(WIDTH)]
    line = Text()
    for (color, bold), run in groupby(cells, lambda cell: (cell.fg, cell.bold)):
        known = None if color == "default" else color.replace("brown", "yellow")
        line.append("".join(cell.data for cell in run), Style(color=known, bold=bold))
    line.rstrip()
    return line


if __name__ == "__main__":
    main()
