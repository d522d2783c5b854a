"""No setting of pip changes what is in a layer, only where its packages come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.errors import FrogmoveError
from frogmove.packaging.layer_zip import Architecture, layer
from tests.packaging.wheels import Wheels, names_in
from tests.zips import PYTHON

if TYPE_CHECKING:
    from pathlib import Path

X86_64 = Architecture.X86_64


def test_pip_settings_of_the_user_do_not_stand_in_the_way(
    wheels: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels.add("frog", {"frog.py": ""})
    for name in ("PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_COMPILE", "PIP_QUIET"):
        monkeypatch.setenv(name, "1")
    assert "python/frog.py" in names_in(layer(X86_64, PYTHON))


def test_pip_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(FrogmoveError, match="ensurepip"):
        layer(X86_64, PYTHON)


PIP_SETTINGS = {
    "PIP_PLATFORM": "win_amd64",
    "PIP_DRY_RUN": "1",
    "PIP_ROOT": "ROOT",
    "PIP_TARGET": "ROOT",
    "PIP_PREFIX": "ROOT",
    "PIP_NO_BINARY": ":all:",
    "PIP_CONSTRAINT": "ROOT",
    "PIP_REPORT": "ROOT/report",
    "PIP_PYTHON_VERSION": "2.7",
    "PIP_ABI": "none",
    "PIP_PYTHON": "/nowhere/python",
    "PIP_ISOLATED": "1",
    "PIP_LOG": "ROOT/log",
}


@pytest.mark.parametrize(
    "names",
    [[*PIP_SETTINGS], *(pytest.param([name], marks=pytest.mark.long) for name in PIP_SETTINGS)],
)
@pytest.mark.parametrize("by", ["variable", pytest.param("file", marks=pytest.mark.matrix)])
def test_pip_settings_never_change_what_is_built(
    wheels: Wheels, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: list[str], by: str
) -> None:
    """All at once, and in the long form each alone."""
    wheels.add("frog", {"frog.py": ""})
    lines = ["[global]", "quiet = 1"]
    for name in names:
        value = PIP_SETTINGS[name].replace("ROOT", str(tmp_path / "root"))
        if by == "variable":
            monkeypatch.setenv(name, value)
        lines.append(f"{name.removeprefix('PIP_').lower().replace('_', '-')} = {value}")
    if by == "file":
        (tmp_path / "pip.conf").write_text("\n".join([*lines, ""]))
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert "python/frog.py" in names_in(layer(X86_64, PYTHON))
    assert not (tmp_path / "root").exists()


@pytest.mark.matrix
def test_pip_settings_say_where_packages_come_from(
    wheels: Wheels, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheels.add("frog", {"frog.py": ""})
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    config = "[global]\nfind-links = /nowhere\nquiet = 2\nno-index = true\n"
    (tmp_path / "pip.conf").write_text(f"{config}[install]\nfind-links = {wheels.folder}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert "python/frog.py" in names_in(layer(X86_64, PYTHON))
