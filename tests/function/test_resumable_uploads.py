"""What is remembered of uploads in S3 itself; whole invocations: tests/function/test_resume.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from frogmove.function.resumable_uploads import FOLDER, ResumableUploads
from frogmove.s3.models import Copy, Head, S3Object
from frogmove.s3.uri import Location
from tests.factories import ROUTE, an_object
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

ITEM = an_object("a", b"bytes")


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3(FakeS3State({"external": {}, "internal": {}}))


def begun(s3: FakeS3, item: S3Object, to_key: str = "a", part_size: int = 5) -> str:
    """Begin an upload, have it remembered, and return its id."""
    copy = Copy("external", item, "internal", to_key)
    upload_id = s3.create_upload(copy, Head(item), {}, None).result()
    ResumableUploads(s3, ROUTE).upload_begun(item, to_key, upload_id, part_size)
    return upload_id


def found(s3: FakeS3, item: S3Object, to_key: str = "a", part_size: int = 5) -> str | None:
    return ResumableUploads(s3, ROUTE).upload_to_resume(item, to_key, part_size)


def left(s3: FakeS3) -> list[str]:
    """Return the keys of all uploads, those of markers shortened."""
    listed = s3.list_uploads("internal", "").result()
    return sorted("marker" if FOLDER in each.key else each.key for each in listed)


def test_upload_is_found_again(s3: FakeS3) -> None:
    upload_id = begun(s3, ITEM)
    assert found(s3, ITEM) == found(s3, ITEM) == upload_id
    assert left(s3) == ["a", "marker"]


@pytest.mark.parametrize(
    "other",
    [ITEM._replace(etag="f" * 32), ITEM._replace(size=6)],
    ids=["etag", "size"],
)
def test_upload_of_other_content_is_aborted(s3: FakeS3, other: S3Object) -> None:
    begun(s3, ITEM)
    assert found(s3, other) is None
    assert left(s3) == []


def test_upload_with_parts_of_another_size_is_aborted(s3: FakeS3) -> None:
    begun(s3, ITEM)
    assert found(s3, ITEM, part_size=6) is None
    assert left(s3) == []


@pytest.mark.parametrize(
    ("other", "to_key"),
    [(ITEM._replace(version_id="1"), "a"), (ITEM._replace(key="b"), "a"), (ITEM, "b")],
    ids=["version", "source", "destination"],
)
def test_uploads_of_another_move_are_left_alone(s3: FakeS3, other: S3Object, to_key: str) -> None:
    upload_id = begun(s3, ITEM)
    assert found(s3, other, to_key) is None
    assert found(s3, ITEM) == upload_id


def test_upload_that_ended_is_forgotten(s3: FakeS3) -> None:
    upload_id = begun(s3, ITEM)
    markers = ResumableUploads(s3, ROUTE)
    markers.upload_to_resume(ITEM, "a", 5)
    markers.upload_ended(upload_id)
    markers.upload_ended(upload_id)
    assert left(s3) == ["a"]


def test_markers_are_under_the_destinations_prefix(s3: FakeS3) -> None:
    """The function may be allowed nothing else."""
    route = replace(ROUTE, destination=Location("internal", "in/"))
    ResumableUploads(s3, route).upload_begun(ITEM, "in/a", "id", 5)
    (marker,) = s3.list_uploads("internal", "").result()
    assert marker.key.startswith("in/" + FOLDER)


@pytest.mark.parametrize("upload_id", ["a/b", "a b", "%2F", "é", "2~AbC_.-+"])
def test_upload_id_comes_back_as_it_was(s3: FakeS3, upload_id: str) -> None:
    ResumableUploads(s3, ROUTE).upload_begun(ITEM, "a", upload_id, 5)
    assert found(s3, ITEM) == upload_id
