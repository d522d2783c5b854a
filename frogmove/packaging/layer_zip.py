"""The Lambda's layer: boto3 and all it needs, and aws-lambda-powertools, pinned and trimmed.

The runtime's own boto3 is of another version in every Region and every month, and may not know
the conditional requests that frogmove relies on; see "Working with layers for Python",
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

# The runtimes that the pinned wheels are for.
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# Lambda puts /opt/python on the path, and unpacks layers below /opt.
_FOLDER = "python"
_PLACE = "/opt"

# The services whose descriptions botocore needs: S3, the queue's, and those it gets credentials
# from.
_SERVICES = frozenset({"s3", "signin", "sqs", "sso", "sso-oidc", "sts"})

# Left behind by pip, and different from one machine to the next.
_BY_PIP = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})

# Paths within the layer that nothing in a function can use.
_UNUSED = re.compile(
    r"bin/"
    r"|boto3/examples/"
    r"|botocore/data/[^/]+/[^/]+/examples-1\.json"
    # The page that shows a REST API.
    r"|aws_lambda_powertools/event_handler/openapi/swagger_ui/.*\.(js|css)"
    r"|(.*/)?__pycache__/"
)
_NO_ROOM = os.strerror(errno.ENOSPC)
_ROOM = "Set TMPDIR to a folder with 200 MB of room."

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
    """Build the layer's zip out of wheels that pip fetches from where it is set up to.

    Two builds are equal byte for byte: the wheels are pinned by their hashes.

    Args:
        architecture: what the function runs on.
        python: the minor version of its runtime, one of PYTHONS.
        compiler: an interpreter of that version, to put bytecode beside the sources.

    Raises:
        FrogmoveError: there is no pip.
        RunError: pip could not fetch all of it.
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
            kept |= compiler.compile(kept, _PLACE)
    except OSError as error:
        raise RunError(
            f"There is no room to put the layer together: {error.strerror or error}.", _ROOM
        ) from error
    return make_archive(f"frogmove-layer-{architecture}.zip", kept)


def pip_command(architecture: Architecture, python: str, folder: Path) -> list[str]:
    """Return the command that installs wheels for a function into a folder, requirements to come.

    manylinux2014 is glibc 2.17, which every runtime's Amazon Linux has:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html

    Raises:
        FrogmoveError: there is no pip.
    """
    if importlib.util.find_spec("pip") is None:
        raise FrogmoveError(
            f"The layer is put together by pip, which {sys.executable} does not have.",
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
    """Run pip, which fetches from where the user's own configuration of it says.

    Returns:
        what it printed.

    Raises:
        RunError: it failed.
    """
    # What pip leaves behind when it is killed goes with the folder.
    with TemporaryDirectory(prefix="frogmove-pip-") as scratch:
        environment = pip_environment(os.environ, scratch)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if _NO_ROOM in done.stderr:
        raise RunError(f"pip could not unpack what the layer needs: {_NO_ROOM}.", _ROOM)
    if done.returncode != 0:
        raise RunError(
            f"pip could not fetch what the layer needs: {_complaint(done.stderr)}.",
            "Check the network, and the package index that pip is set up for: pip config list",
        )
    return done.stdout


def _install(folder: Path, architecture: Architecture, python: str) -> None:
    with as_file(files("frogmove.packaging") / PINS) as pins:
        command = pip_command(architecture, python, folder)
        run_pip([*command, "--no-deps", "--require-hashes", "--requirement", str(pins)])
        check_built(folder, pins.read_text("utf-8"), architecture.machine)


def _complaint(told: str) -> str:
    """Return what pip says went wrong, which names the requirement, on one line."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("WARNING: ", "[notice]"))]
    first = next((n for n, line in enumerate(said) if line.startswith("ERROR: ")), -1)
    words = " ".join(line.removeprefix("ERROR: ") for line in said[first:])
    return words.rstrip(".") or "it does not say why"


def _relative(folder: Path) -> list[str]:
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(paths)


def _is_kept(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if folder.endswith(".dist-info") and name in _BY_PIP:
        return False
    description = _DESCRIPTION.match(path)
    if description and description[1] not in _SERVICES:
        return False
    return not _UNUSED.match(path)
