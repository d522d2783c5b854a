"""Builds the function's zip from the installed frogmove.

It contains only what the handler imports. boto3 is in a layer; see
:mod:`frogmove.packaging.layer_zip`.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from frogmove.errors import FrogmoveError
from frogmove.packaging.bytecode import Compiler
from frogmove.packaging.zip_archive import Archive, make_archive

HANDLER = "frogmove.lambda_handler.handler"
NAME = "frogmove-function.zip"

# The command line needs click and rich, which the function does not have, and the function does not
# need the embedded AWS.
_EXCLUDED = frozenset(
    {"cli", "local_aws", "ops", "packaging", "processes", "worker.py", "__pycache__", "__main__.py"}
)

# The directory where Lambda unpacks a function's zip.
_INSTALL_PATH = "/var/task"


def build_package() -> bytes:
    """Build the function's zip, without bytecode, from the running frogmove.

    Returns:
        the zip file's content.

    Raises:
        FrogmoveError: when frogmove's source files cannot be read.
    """
    return package().content


def package(compiler: Compiler | None = None) -> Archive:
    """Build the function's zip from the running frogmove.

    The build is reproducible, so that an unchanged function is not deployed again.

    Args:
        compiler: an interpreter of the runtime's version, to add bytecode.

    Raises:
        FrogmoveError: when frogmove's source files cannot be read.
        RunError: when they cannot be compiled.
    """
    try:
        sources = dict(_sources(files("frogmove"), "frogmove"))
    except OSError as error:
        raise FrogmoveError(
            f"The source files of frogmove cannot be read to package the function: {error}.",
            "Reinstall frogmove.",
        ) from error
    if compiler is not None:
        sources |= compiler.compile(sources, _INSTALL_PATH)
    return make_archive(NAME, sources)


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for child in folder.iterdir():
        if child.name in _EXCLUDED:
            continue
        child_path = f"{path}/{child.name}"
        if child.is_dir():
            yield from _sources(child, child_path)
        elif child.name.endswith(".py"):
            yield child_path, child.read_bytes()
