"""The Lambda's deployment package: a zip of the installed frogmove, made in memory.

The package holds what the handler imports and nothing else. boto3 is not in it: the runtime, or
a layer, brings that.
"""

import io
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from frogmove.errors import FrogmoveError

HANDLER = "frogmove.lambda_handler.handler"

# The operator's face needs click and rich, which the function does not have, and the function
# never builds an AWS around itself.
_LEFT_OUT = frozenset({"cli", "cloud", "__pycache__", "__main__.py"})

# A zip entry has no earlier date (PKWARE's APPNOTE 4.4.6: an MS-DOS date starts in 1980).
_DATE = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE_READABLE_BY_ALL = 0o100644 << 16
_MADE_ON_UNIX = 3


def build_package() -> bytes:
    """Build the function's zip from the frogmove that is running.

    Two builds of the same sources are equal byte for byte, so that an unchanged function is seen
    to be unchanged.

    Returns:
        the zip file's bytes, its entries sorted by name.

    Raises:
        FrogmoveError: frogmove's own source files cannot be read.
    """
    package = io.BytesIO()
    try:
        sources = sorted(_sources(files("frogmove"), "frogmove"))
    except OSError as error:
        raise FrogmoveError(
            f"The source files of frogmove cannot be read to package the function: {error}.",
            "Install frogmove again.",
        ) from error
    with zipfile.ZipFile(package, "w") as archive:
        for name, source in sources:
            archive.writestr(_entry(name), source)
    return package.getvalue()


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for child in folder.iterdir():
        if child.name in _LEFT_OUT:
            continue
        child_path = f"{path}/{child.name}"
        if child.is_dir():
            yield from _sources(child, child_path)
        elif child.name.endswith(".py"):
            yield child_path, child.read_bytes()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _MADE_ON_UNIX
    entry.external_attr = _REGULAR_FILE_READABLE_BY_ALL
    return entry
