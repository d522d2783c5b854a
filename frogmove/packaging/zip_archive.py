"""Zip files for Lambda that are equal byte for byte whenever what is in them is."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from frogmove.errors import RunError

# What Lambda takes: a zip that is uploaded directly, and function and layers unzipped together.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_ZIPPED = 50 * 1024 * 1024
LARGEST_UNZIPPED = 250 * 1024 * 1024

# A zip entry has no earlier date (PKWARE's APPNOTE 4.4.6: an MS-DOS date starts in 1980).
_DATE = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE_READABLE_BY_ALL = 0o100644 << 16
_MADE_ON_UNIX = 3


@dataclass(frozen=True)
class Archive:
    """A zip file in memory.

    Attributes:
        name: its file name.
        content: its bytes.
        unzipped: how many bytes its files have.
    """

    name: str
    content: bytes
    unzipped: int

    @cached_property
    def sha256(self) -> str:
        """Its SHA-256 in hexadecimal digits, as ``sha256sum`` prints it."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def code_sha256(self) -> str:
        """Its SHA-256 in base64, as Lambda (CodeSha256) and Terraform (source_code_hash) have it.

        https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
        """
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


def make_archive(name: str, files: Mapping[str, bytes]) -> Archive:
    """Zip files, sorted by name, with one date and one mode.

    Two archives of equal files are equal wherever the same zlib makes them.

    Args:
        name: the zip's file name.
        files: the content of each file by its path inside the zip.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(files):
            archive.writestr(_entry(path), files[path])
    return Archive(name, content.getvalue(), sum(map(len, files.values())))


def check_limits(function: Archive, layer: Archive) -> None:
    """Refuse what Lambda would refuse.

    Raises:
        RunError: when a zip, or all of it unzipped, is larger than Lambda takes.
    """
    for archive in (function, layer):
        if len(archive.content) > LARGEST_ZIPPED:
            raise RunError(
                f"{archive.name} has {len(archive.content):,} bytes; "
                f"Lambda takes {LARGEST_ZIPPED:,} at most."
            )
    unzipped = function.unzipped + layer.unzipped
    if unzipped > LARGEST_UNZIPPED:
        raise RunError(
            f"{function.name} and {layer.name} have {unzipped:,} bytes when unzipped; "
            f"Lambda takes {LARGEST_UNZIPPED:,} at most."
        )


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, date_time=_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _MADE_ON_UNIX
    entry.external_attr = _REGULAR_FILE_READABLE_BY_ALL
    return entry
