"""Precompiles Python files, so that a cold start does not compile them.

Lambda's directories are read-only, so files without bytecode are compiled at every cold start.
Bytecode works only with the minor version of Python that compiled it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from frogmove.errors import RunError, UsageError

_TIMEOUT_SECONDS = 30.0

# Prints an interpreter's implementation, version and path.
_VERSION_SCRIPT = (
    "import sys\n"
    "this = sys.version_info\n"
    "print(sys.implementation.name, f'{this[0]}.{this[1]}', this.releaselevel)\n"
    "print(sys.executable)"
)

# compileall's messages about a file that it skips, and one that it cannot write.
_NOT_COMPILED = "*** Error compiling "
_NOT_WRITTEN = re.compile(r"^\w+: (\[Errno .+)$", re.MULTILINE)


@dataclass(frozen=True)
class Compiler:
    """A Python interpreter that can compile for a runtime.

    Attributes:
        path: its executable.
        version: its minor version, ``3.13``.
    """

    path: str
    version: str

    def compile(self, files: Mapping[str, bytes], install_path: str) -> dict[str, bytes]:
        """Compile Python files.

        The result is reproducible. A file that this Python cannot compile is skipped, as Python
        does when it imports a module.

        Args:
            files: the content of files by path; only ``*.py`` is compiled.
            install_path: the directory where the files will be, for tracebacks.

        Returns:
            the bytecode by path, in ``__pycache__`` directories.

        Raises:
            RunError: when the interpreter failed.
        """
        with TemporaryDirectory(prefix="frogmove-") as name:
            folder = Path(name)
            for path, content in files.items():
                if path.endswith(".py"):
                    (folder / path).parent.mkdir(parents=True, exist_ok=True)
                    (folder / path).write_bytes(content)
            self._run(folder, install_path)
            return {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*.pyc")
            }

    def _run(self, folder: Path, install_path: str) -> None:
        done = subprocess.run(
            [
                # Isolated from the user's environment, which could change the bytecode.
                *(self.path, "-I", "-S", "-X", "utf8", "-W", "ignore"),
                *("-m", "compileall", "-q", "-o", "0", "-s", str(folder), "-p", install_path),
                # Unchecked hashes (PEP 552): the source cannot change, and timestamps would make
                # builds differ.
                *("--invalidation-mode", "unchecked-hash", str(folder)),
            ],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        not_written = _NOT_WRITTEN.search(done.stdout)
        if done.returncode == 0 or (_NOT_COMPILED in done.stdout and not not_written):
            return
        messages = done.stderr.strip().splitlines() or [
            not_written[1] if not_written else "no message"
        ]
        raise RunError(f"{self.path} could not compile the packages: {messages[-1]}.")


def find_compiler(version: str, given: Path | None = None) -> Compiler | None:
    """Find an interpreter of a minor version.

    Args:
        version: the minor version, ``3.13``.
        given: the executable to use; None to search for one.

    Returns:
        this interpreter, or one on the PATH; None if there is none.

    Raises:
        UsageError: when the given one has another version or is not a released CPython.
    """
    if given is None:
        return next(filter(None, (_compiler_at(path, version) for path in _paths(version))), None)
    found = _compiler_at(str(given), version)
    if found is None:
        raise UsageError(
            f"{given} is not a released CPython {version}, which is the function's runtime.",
            f"Give the path of a Python {version}, or another --python.",
        )
    return found


def _paths(version: str) -> Iterator[str]:
    if sys.executable:
        yield sys.executable
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path


def _compiler_at(path: str, version: str) -> Compiler | None:
    """Return the interpreter at a path, if it is a released CPython of this version."""
    try:
        lines = subprocess.run(
            [path, "-I", "-S", "-c", _VERSION_SCRIPT],
            # pyenv puts a shim for every version on the PATH, but it runs only the selected one.
            env={**os.environ, "PYENV_VERSION": version},
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT_SECONDS,
        ).stdout.splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if len(lines) != 2 or lines[0] != f"cpython {version} final":
        return None
    return Compiler(lines[1], version)
