"""Reproducible zip files for Lambda."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from frogmove.errors import RunError

# Lambda's limits for a directly uploaded zip, and for function and layers unzipped together.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ZIPPED_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024

# The earliest date of a zip entry (PKWARE's APPNOTE 4.4.6: MS-DOS dates start in 1980).
_DATE = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE_READABLE_BY_ALL = 0o100644 << 16
_MADE_ON_UNIX = 3


@dataclass(frozen=True)
class Archive:
    """A zip file in memory.

    Attributes:
        name: its file name.
        content: its bytes.
        unzipped: the total size of its files in bytes.
    """

    name: str
    content: bytes
    unzipped: int

    @cached_property
    def sha256(self) -> str:
        """Its SHA-256 in hexadecimal, as in ``sha256sum``."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def code_sha256(self) -> str:
        """Its SHA-256 in base64, as in Lambda's CodeSha256 and Terraform's source_code_hash.

        https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
        """
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


def make_archive(name: str, files: Mapping[str, bytes]) -> Archive:
    """Create a zip with sorted names, one date and one mode.

    Archives of equal files are equal if the same zlib creates them.

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
    """Check Lambda's limits.

    Raises:
        RunError: when a zip, or its unzipped content, is too large for Lambda.
    """
    for archive in (function, layer):
        if len(archive.content) > MAX_ZIPPED_BYTES:
            raise RunError(
                f"{archive.name} has {len(archive.content):,} bytes; Lambda's limit is "
                f"{MAX_ZIPPED_BYTES:,}."
            )
    unzipped = function.unzipped + layer.unzipped
    if unzipped > MAX_UNZIPPED_BYTES:
        raise RunError(
            f"{function.name} and {layer.name} have {unzipped:,} bytes when unzipped; Lambda's "
            f"limit is {MAX_UNZIPPED_BYTES:,}."
        )


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, date_time=_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _MADE_ON_UNIX
    entry.external_attr = _REGULAR_FILE_READABLE_BY_ALL
    return entry
