"""A package index of the tests' own: a folder of wheels, and pins for them."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from frogmove.packaging.zip_archive import Archive


@dataclass(frozen=True, slots=True)
class Wheels:
    """A folder that pip looks into, and into nothing else.

    Attributes:
        folder: the wheels.
        pins: the requirements file that names them.
    """

    folder: Path
    pins: Path

    @classmethod
    def make(cls, folder: Path, patch: pytest.MonkeyPatch) -> Wheels:
        """Have pip and the layer use an empty folder."""
        wheels = cls(folder / "wheels", folder / "layer.txt")
        wheels.folder.mkdir()
        wheels.pins.write_text("")
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            patch.delenv(name)
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(wheels.folder))
        patch.setattr("frogmove.packaging.layer_zip.files", lambda _: folder)
        return wheels

    def add(self, name: str, files: Mapping[str, str], digest: str | None = None) -> None:
        """Put a wheel into the folder and pin it, by another digest if one is given."""
        about = f"{name}-1.0.dist-info"
        reported = {
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{about}/LICENSE": "Free as a frog.\n",
        }
        record = "".join(f"{path},,\n" for path in (*files, *reported, f"{about}/RECORD"))
        path = self.folder / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for each, content in {**files, **reported, f"{about}/RECORD": record}.items():
                archive.writestr(each, content)
        self.pin(name, digest or hashlib.sha256(path.read_bytes()).hexdigest())

    def pin(self, name: str, digest: str) -> None:
        """Ask for a wheel."""
        line = f"{name}==1.0 --hash=sha256:{digest}\n"
        self.pins.write_text(self.pins.read_text() + line)


def names_in(archive: Archive) -> list[str]:
    """Return the paths in a zip."""
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        return opened.namelist()
