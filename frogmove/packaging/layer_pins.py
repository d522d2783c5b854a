"""Pins what the layer is made of.

Run it with ``python -m frogmove.packaging.layer_pins > frogmove/packaging/layer.txt``.

It has pip work out ``layer.in`` for every runtime and architecture, and writes one version of
each package with the hashes of all the wheels that any of them takes.
"""

import json
import sys
from collections import defaultdict
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from frogmove.errors import RunError
from frogmove.packaging.layer_zip import PYTHONS, Architecture, pip_command, run_pip

_HEAD = """\
# The wheels that the Lambda's layer is made of, for every runtime and architecture.
# Made from layer.in, not by hand:
# python -m frogmove.packaging.layer_pins > frogmove/packaging/layer.txt
"""


def pins() -> str:
    """Return the newest versions that ``layer.in`` allows, pinned by hashes.

    Raises:
        FrogmoveError: there is no pip.
        RunError: pip failed, or gives one runtime another version than the next.
    """
    hashes: dict[str, set[str]] = defaultdict(set)
    versions: dict[str, str] = {}
    for architecture in Architecture:
        for python in PYTHONS:
            for name, version, digest in _resolved(architecture, python):
                if versions.setdefault(name, version) != version:
                    raise RunError(f"{name} {versions[name]} is not for {architecture} {python}.")
                hashes[name].add(digest)
    lines = [_HEAD]
    for name in sorted(versions):
        digests = " \\\n".join(f"    --hash=sha256:{digest}" for digest in sorted(hashes[name]))
        lines.append(f"{name}=={versions[name]} \\\n{digests}\n")
    return "".join(lines)


def _resolved(architecture: Architecture, python: str) -> list[tuple[str, str, str]]:
    with (
        TemporaryDirectory() as folder,
        as_file(files("frogmove.packaging") / "layer.in") as wanted,
    ):
        command = pip_command(architecture, python, Path(folder))
        report = [*command, "--dry-run", "--quiet", "--report", "-", "--requirement", str(wanted)]
        told = json.loads(run_pip(report))
    return [
        (
            item["metadata"]["name"].lower().replace("_", "-"),
            item["metadata"]["version"],
            item["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for item in told["install"]
    ]


if __name__ == "__main__":
    sys.stdout.write(pins())
