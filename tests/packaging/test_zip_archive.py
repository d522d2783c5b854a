"""Zips: what is in them is theirs alone, and what Lambda would refuse is refused."""

import base64
import hashlib
import io
import zipfile

import pytest

from frogmove.errors import RunError
from frogmove.packaging.zip_archive import Archive, check_limits, make_archive

FILES = {"b/two.py": b"2" * 1000, "a.py": b"1", "b/été 🐸.txt": b""}


def test_archive_holds_the_files_in_order() -> None:
    archive = make_archive("x.zip", FILES)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert opened.namelist() == sorted(FILES)
        assert {name: opened.read(name) for name in FILES} == FILES
    assert archive.unzipped == 1001


def test_archive_is_the_same_in_whatever_order_files_come() -> None:
    assert make_archive("x.zip", FILES) == make_archive("x.zip", dict(reversed(FILES.items())))


def test_archive_digests_are_those_of_its_bytes() -> None:
    archive = make_archive("x.zip", FILES)
    digest = hashlib.sha256(archive.content)
    assert archive.sha256 == digest.hexdigest()
    assert archive.code_sha256 == base64.b64encode(digest.digest()).decode()


MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("zipped", "unzipped", "named"),
    [(50 * MEBIBYTE + 1, 1, "layer.zip"), (1, 249 * MEBIBYTE + 1, "function.zip and layer.zip")],
)
def test_archive_that_lambda_would_refuse_is_refused(
    zipped: int, unzipped: int, named: str
) -> None:
    function = Archive("function.zip", b"", MEBIBYTE)
    check_limits(function, Archive("layer.zip", bytes(zipped - 1), unzipped - 1))
    with pytest.raises(RunError, match=named):
        check_limits(function, Archive("layer.zip", bytes(zipped), unzipped))
