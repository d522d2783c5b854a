"""Somebody at a terminal of a pair of buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.operator import Operator

if TYPE_CHECKING:
    from tests.buckets import Buckets


@pytest.fixture
def frogmove(buckets: Buckets) -> Operator:
    """Run commands on the test's buckets."""
    return Operator(buckets)
