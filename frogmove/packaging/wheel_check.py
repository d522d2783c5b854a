"""Checks the packages that pip installed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from frogmove.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_LIBRARY = re.compile(r"\.(so|dylib|dll|pyd|a|exe)(\.[0-9.]+)?$")

# e_machine, two bytes at 18 of the header.
# https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "aarch64"}
_MAGIC = b"\x7fELF"
_HEADER_BYTES = 20


def check_built(folder: Path, pins: str, machine: str) -> None:
    """Check that a directory has all pinned packages, and binaries for the right machine only.

    Args:
        folder: the directory.
        pins: the requirements.
        machine: the machine type, as in the names of wheels.

    Raises:
        RunError: when the check fails.
    """
    there = {_name(path.name.removesuffix(".dist-info")) for path in folder.glob("*.dist-info")}
    wanted = [f"{name}-{version}" for name, version in _PIN.findall(pins)]
    lacking = [each for each in wanted if _name(each) not in there]
    if lacking:
        raise _wrong(f"lacks {', '.join(lacking)}")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
        is_elf = head.startswith(_MAGIC)
        if not is_elf and not _LIBRARY.search(path.name):
            continue
        found = _MACHINES.get(head[18:20], "another machine") if is_elf else "another system"
        if found != machine:
            name = path.relative_to(folder).as_posix()
            raise _wrong(f"holds {name}, which is for {found}, not for {machine}")


def _name(text: str) -> str:
    """Normalize the name of a package."""
    return re.sub(r"[-_.]+", "-", text).lower()


def _wrong(what: str) -> RunError:
    return RunError(
        f"pip installed a directory that {what}. No layer was built.",
        "Check pip's configuration with `pip config list`, and its package index.",
    )
