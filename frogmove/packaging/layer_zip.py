"""Builds the layer's zip: boto3 and aws-lambda-powertools with dependencies, pinned and trimmed.

The version of the runtime's own boto3 differs by Region and over time, and may not support the
conditional requests that frogmove needs; see "Working with layers for Python",
https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
"""

import errno
import importlib.util
import os
import re
import subprocess
import sys
from enum import StrEnum
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from frogmove.errors import FrogmoveError, RunError
from frogmove.packaging.bytecode import Compiler
from frogmove.packaging.pip_settings import pip_environment
from frogmove.packaging.wheel_check import check_built
from frogmove.packaging.zip_archive import Archive, make_archive

PINS = "layer.txt"

# The runtimes of the pinned wheels.
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# Lambda unpacks layers in /opt, and adds /opt/python to sys.path.
_FOLDER = "python"
_INSTALL_PATH = "/opt"

# The services whose data botocore needs: S3, SQS, and those for credentials.
_SERVICES = frozenset({"s3", "signin", "sqs", "sso", "sso-oidc", "sts"})

# Files that pip writes and that differ between machines.
_PIP_FILES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})

# Paths in the layer that a function does not need.
_UNUSED = re.compile(
    r"bin/"
    r"|boto3/examples/"
    r"|botocore/data/[^/]+/[^/]+/examples-1\.json"
    # A page for REST APIs.
    r"|aws_lambda_powertools/event_handler/openapi/swagger_ui/.*\.(js|css)"
    r"|(.*/)?__pycache__/"
)
_DISK_FULL = os.strerror(errno.ENOSPC)
_SPACE_REMEDY = "Set TMPDIR to a directory with 200 MB of free space."

_DESCRIPTION = re.compile(r"(?:boto3|botocore)/data/([^/]+)/")


class Architecture(StrEnum):
    """An instruction set, as Lambda names it."""

    ARM64 = "arm64"
    X86_64 = "x86_64"

    @property
    def machine(self) -> str:
        """Its name in the tags of wheels."""
        return "aarch64" if self is Architecture.ARM64 else "x86_64"


def layer(architecture: Architecture, python: str, compiler: Compiler | None = None) -> Archive:
    """Build the layer's zip from wheels that pip downloads from its configured index.

    The build is reproducible: the wheels are pinned by hash.

    Args:
        architecture: the function's architecture.
        python: the minor version of its runtime, one of PYTHONS.
        compiler: an interpreter of that version, to add bytecode.

    Raises:
        FrogmoveError: when pip is not installed.
        RunError: when pip could not download everything.
    """
    try:
        with TemporaryDirectory(prefix="frogmove-") as name:
            folder = Path(name, "built")
            folder.mkdir()
            _install(folder, architecture, python)
            kept = {
                f"{_FOLDER}/{path}": (folder / path).read_bytes()
                for path in _relative(folder)
                if _is_kept(path)
            }
        if compiler is not None:
            kept |= compiler.compile(kept, _INSTALL_PATH)
    except OSError as error:
        raise RunError(
            f"The layer cannot be built in the temporary directory: {error.strerror or error}.",
            _SPACE_REMEDY,
        ) from error
    return make_archive(f"frogmove-layer-{architecture}.zip", kept)


def pip_command(architecture: Architecture, python: str, folder: Path) -> list[str]:
    """Return the pip command that installs wheels for a function, without the requirements.

    manylinux2014 means glibc 2.17, which is in every runtime's Amazon Linux:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html

    Raises:
        FrogmoveError: when pip is not installed.
    """
    if importlib.util.find_spec("pip") is None:
        raise FrogmoveError(
            f"Building the layer needs pip, which is not installed in {sys.executable}.",
            "Install it with: python -m ensurepip",
        )
    machine = architecture.machine
    return [
        *(sys.executable, "-m", "pip", "install"),
        *("--disable-pip-version-check", "--no-input", "--no-compile", "--no-user"),
        *("--ignore-installed", "--target", str(folder), "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", python),
        *("--platform", f"manylinux2014_{machine}", "--platform", f"manylinux_2_17_{machine}"),
    ]


def run_pip(command: list[str]) -> str:
    """Run pip with the user's settings for downloads.

    Returns:
        its output.

    Raises:
        RunError: when it failed.
    """
    # The directory is removed, including what pip leaves behind when it is killed.
    with TemporaryDirectory(prefix="frogmove-pip-") as scratch:
        environment = pip_environment(os.environ, scratch)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if _DISK_FULL in done.stderr:
        raise RunError(f"pip could not unpack the layer's packages: {_DISK_FULL}.", _SPACE_REMEDY)
    if done.returncode != 0:
        raise RunError(
            f"pip could not download the layer's packages: {_error_message(done.stderr)}.",
            "Check the network, and the package index in pip's configuration: pip config list",
        )
    return done.stdout


def _install(folder: Path, architecture: Architecture, python: str) -> None:
    with as_file(files("frogmove.packaging") / PINS) as pins:
        command = pip_command(architecture, python, folder)
        run_pip([*command, "--no-deps", "--require-hashes", "--requirement", str(pins)])
        check_built(folder, pins.read_text("utf-8"), architecture.machine)


def _error_message(stderr: str) -> str:
    """Return pip's error message, which names the requirement, on one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if not line.startswith(("WARNING: ", "[notice]"))]
    first = next((n for n, line in enumerate(errors) if line.startswith("ERROR: ")), -1)
    words = " ".join(line.removeprefix("ERROR: ") for line in errors[first:])
    return words.rstrip(".") or "no reason given"


def _relative(folder: Path) -> list[str]:
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(paths)


def _is_kept(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if folder.endswith(".dist-info") and name in _PIP_FILES:
        return False
    description = _DESCRIPTION.match(path)
    if description and description[1] not in _SERVICES:
        return False
    return not _UNUSED.match(path)
