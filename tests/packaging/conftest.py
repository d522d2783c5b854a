"""The package index of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packaging.wheels import Wheels

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheels:
    """Return an index without wheels, which pip uses."""
    return Wheels.make(tmp_path, monkeypatch)
