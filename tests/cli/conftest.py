"""Somebody at a terminal of a pair of buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.cli_runner import FrogmoveRunner

if TYPE_CHECKING:
    from tests.buckets import Buckets


@pytest.fixture
def frogmove(buckets: Buckets) -> FrogmoveRunner:
    """Run commands on the test's buckets."""
    return FrogmoveRunner(buckets)
