"""Creates files that are either complete or do not exist."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Bytes that are written at once.
_BUFFER = 1 << 16


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Create a file and write it in the context; after an error or an interrupt it is removed.

    Args:
        path: a file that does not exist yet, in a directory that does.

    Raises:
        OSError: when the file exists or cannot be written.
    """
    # Readable only by this user: keys may be confidential.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb", _BUFFER) as file:
            yield file
            # Durable before anything is changed, like the journal that refers to it.
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
