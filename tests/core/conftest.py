"""S3 over real HTTP where a few requests do, runs on the fake S3, and a journal's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.s3.boto import BotoS3
from tests.core.runs import Runs
from tests.fake_s3_state import FakeS3State

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


@pytest.fixture
def state() -> FakeS3State:
    """Two buckets, with three objects at the source."""
    made = FakeS3State({"external": {}, "internal": {}})
    for key in ("a", "b", "c\n"):
        made.put("external", key, key.encode())
    return made


@pytest.fixture
def runs(state: FakeS3State, tmp_path: Path) -> Runs:
    """Runs on those buckets."""
    return Runs(state, tmp_path)
