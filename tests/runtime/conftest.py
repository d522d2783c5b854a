"""The packaged function in the real runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.runtime.emulator import Kit, find_kit

if TYPE_CHECKING:
    from tests.servers import Server


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return find_kit(tmp_path_factory)


@pytest.fixture
def buckets(ministack: Server) -> Buckets:
    """An empty source and an empty destination that no other test knows."""
    return Buckets.make(ministack)
