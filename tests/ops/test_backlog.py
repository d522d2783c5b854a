"""What waits at the source is counted in one listing, by folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.ops import backlog
from frogmove.s3.uri import parse_location
from tests.fake_s3 import FakeS3
from tests.function.fake_lambda import state_of

if TYPE_CHECKING:
    import pytest


def test_backlog_counts_objects_by_folder_below_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "PROGRESS_SECONDS", 0.0)
    many = (f"in/many/{number}" for number in range(2500))
    state = state_of("in/top", "in/a/b/c", "outside", *many)
    progress: list[int] = []
    found = backlog.count(FakeS3(state), parse_location("s3://external/in"), progress.append)
    assert found.objects == 2502
    assert found.folders == {"": 1, "a/": 1, "many/": 2500}
    assert progress == [1000, 2000]
    assert found.oldest is not None


def test_backlog_of_nothing_has_no_oldest_object() -> None:
    found = backlog.count(FakeS3(state_of()), parse_location("s3://external"), print)
    assert (found.objects, found.record()["oldest_key"]) == (0, None)
