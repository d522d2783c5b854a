"""Whether what pip built is what was asked for."""

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
_SHORTEST = 20


def check_built(folder: Path, pins: str, machine: str) -> None:
    """Refuse a folder that lacks a pinned package, or holds what another machine runs.

    Args:
        folder: what pip built.
        pins: the requirements that it was built of.
        machine: the machine that everything in it is for, as wheels name it.

    Raises:
        RunError: when it is not what was asked for.
    """
    there = {_name(path.name.removesuffix(".dist-info")) for path in folder.glob("*.dist-info")}
    wanted = [f"{name}-{version}" for name, version in _PIN.findall(pins)]
    lacking = [each for each in wanted if _name(each) not in there]
    if lacking:
        raise _wrong(f"lacks {', '.join(lacking)}")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            head = file.read(_SHORTEST)
        is_elf = head.startswith(_MAGIC)
        if not is_elf and not _LIBRARY.search(path.name):
            continue
        found = _MACHINES.get(head[18:20], "another machine") if is_elf else "another system"
        if found != machine:
            name = path.relative_to(folder).as_posix()
            raise _wrong(f"holds {name}, which is for {found} and not for {machine}")


def _name(text: str) -> str:
    """Return a name that is compared without regard to case and to how words are parted."""
    return re.sub(r"[-_.]+", "-", text).lower()


def _wrong(what: str) -> RunError:
    return RunError(
        f"What pip built {what}. No layer was made.",
        "Check what pip is set up for: pip config list, and the index that it names.",
    )
