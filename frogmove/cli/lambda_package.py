"""``frogmove lambda package``: builds the zip files for deploying the function."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from frogmove.cli import crash_handler, options
from frogmove.cli.output import Console
from frogmove.cli.parameter_types import choice
from frogmove.cli.quantities import size
from frogmove.cli.signals import raise_interrupts
from frogmove.errors import RunError, UsageError
from frogmove.packaging import function_zip
from frogmove.packaging.bytecode import find_compiler
from frogmove.packaging.layer_zip import PYTHONS, Architecture, layer
from frogmove.packaging.zip_archive import check_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frogmove.packaging.zip_archive import Archive


@click.command()
@click.option(
    "-d",
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default="dist",
    show_default=True,
    help="Where to write the zips; created if missing.",
)
@click.option(
    "--architecture",
    "architectures",
    type=choice(Architecture),
    multiple=True,
    help="The layer's architecture; may be repeated.  [default: both]",
)
@click.option(
    "--python",
    type=click.Choice(PYTHONS),
    default="3.13",
    show_default=True,
    help="The function's runtime.",
)
@click.option(
    "--compile-with",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A Python of that version; by default this one, or the one on the PATH.",
)
@options.output
@options.quiet
def package(
    directory: Path,
    architectures: tuple[str, ...],
    python: str,
    compile_with: Path | None,
    output: str,
    quiet: bool,
) -> None:
    """Build the zip files for deploying the Lambda.

    \b
    frogmove-function.zip        frogmove alone
    frogmove-layer-arm64.zip     boto3 and its dependencies, for Graviton
    frogmove-layer-x86_64.zip    the same for Intel and AMD

    The same version of frogmove always builds the same bytes. The layers contain wheels that pip
    downloads, pinned by hash. Existing zips are replaced after all new ones are built.
    """
    # Temporary files are removed on exit.
    raise_interrupts()
    console = Console(json_lines=output == "json", quiet=quiet)
    crash_handler.begin("The package")
    compiler = find_compiler(python, compile_with)
    _make_directory(directory)
    archives = [function_zip.package(compiler)]
    for architecture in dict.fromkeys(architectures or tuple(Architecture)):
        console.note(f"Downloading the packages of the layer for {architecture}.")
        archives.append(layer(Architecture(architecture), python, compiler))
        check_limits(archives[0], archives[-1])
    _write(directory, archives)
    _show(console, directory, archives, python, compiled=compiler is not None)
    if compiler is None:
        console.warn(
            f"Python {python} was not found, so the zips contain no bytecode. They work, but a "
            "cold start takes two to three times as long. Give the path of that Python with "
            "--compile-with."
        )


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{directory} cannot be created: {error.strerror}.", "Choose another --directory."
        ) from error


def _write(directory: Path, archives: Sequence[Archive]) -> None:
    """Write all zips to temporary files, then rename them."""
    try:
        with TemporaryDirectory(prefix=".frogmove-", dir=directory) as name:
            written = [Path(name) / archive.name for archive in archives]
            for path, archive in zip(written, archives, strict=True):
                path.write_bytes(archive.content)
            for path in written:
                path.replace(directory / path.name)
    except OSError as error:
        raise RunError(
            f"The zips cannot be written to {directory}: {error.strerror}.",
            "Choose another --directory.",
        ) from error


def _show(
    console: Console, directory: Path, archives: Sequence[Archive], python: str, *, compiled: bool
) -> None:
    if not console.json_lines:
        paths = [str(directory / archive.name) for archive in archives]
        width = max(map(len, paths))
        console.say(f"{'file':<{width}}  {'zipped':>9}  {'unzipped':>9}  SHA-256 in base64")
        for path, archive in zip(paths, archives, strict=True):
            sizes = f"{size(len(archive.content)):>9}  {size(archive.unzipped):>9}"
            console.say(f"{path:<{width}}  {sizes}  {archive.code_sha256}")
        return
    for archive in archives:
        record = {
            "type": "archive",
            "path": str(directory / archive.name),
            "bytes": len(archive.content),
            "unzipped_bytes": archive.unzipped,
            "sha256": archive.sha256,
            "code_sha256": archive.code_sha256,
            "python": python,
            "bytecode": compiled,
        }
        sys.stdout.write(json.dumps(record) + "\n")
