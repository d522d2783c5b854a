"""The zips that the Lambda is deployed from, as ``frogmove lambda package`` makes them."""

from __future__ import annotations

import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from frogmove.errors import RunError
from frogmove.packaging.bytecode import find_compiler
from frogmove.packaging.function_zip import package
from frogmove.packaging.layer_zip import Architecture, layer
from tests.shared_artifact import shared_artifact

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.packaging.zip_archive import Archive

PYTHON = "3.13"
LAYER = "frogmove-layer-x86_64.zip"


def make_zips(folder: Path) -> None:
    """Put both zips into a folder, with bytecode where a Python 3.13 is there to make it."""
    compiler = find_compiler(PYTHON)
    for archive in (package(compiler), fetched_layer(Architecture.X86_64)):
        (folder / archive.name).write_bytes(archive.content)


def fetched_layer(architecture: Architecture) -> Archive:
    """Make a layer; skip the test when no package index can be reached."""
    try:
        return layer(architecture, PYTHON, find_compiler(PYTHON))
    except RunError as error:
        skip_without_index()
        raise AssertionError(str(error)) from error


def skip_without_index() -> None:
    """Skip the test unless pip can fetch something small."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--retries", "0", "six"]
    with TemporaryDirectory() as folder:
        if subprocess.run([*command, "--dest", folder], capture_output=True).returncode != 0:
            pytest.skip("no package index can be reached")


def zips(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of both zips; a run of the tests makes them once."""
    return shared_artifact(factory, "zips", make_zips)
