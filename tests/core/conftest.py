"""S3 over real HTTP for what of the core needs no more than a few requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.s3.boto import BotoS3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.buckets import Buckets


@pytest.fixture
def s3(buckets: Buckets) -> Iterator[BotoS3]:
    """The S3 that the test's buckets are on."""
    made = BotoS3(buckets.client, 8)
    yield made
    made.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is to be, in a folder that is not there yet."""
    return tmp_path / "state" / "runs" / "run.jsonl"
