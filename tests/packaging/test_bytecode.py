"""Bytecode: it is used without a look at its source, and is the same in every build."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from frogmove.errors import RunError, UsageError
from frogmove.packaging.bytecode import Compiler, find_compiler

if TYPE_CHECKING:
    from pathlib import Path

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
SOURCE = b"NAMES = {'a', 'b', 'c'}\ndef leap(far=1.5): return 'frog' in {'toad', 'frog'}\n"


@pytest.fixture
def compiler() -> Compiler:
    found = find_compiler(HERE)
    assert found is not None
    return found


def test_compiler_makes_bytecode_beside_each_python_file(compiler: Compiler) -> None:
    made = compiler.compile({"a/b.py": SOURCE, "c.py": b"", "data.json": b"{}"}, "/opt")
    tag = sys.implementation.cache_tag
    assert sorted(made) == [f"__pycache__/c.{tag}.pyc", f"a/__pycache__/b.{tag}.pyc"]


def test_bytecode_is_loaded_without_a_look_at_the_source_and_shows_the_place(
    compiler: Compiler, tmp_path: Path
) -> None:
    ((path, content),) = compiler.compile({"pond.py": SOURCE}, "/opt").items()
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_bytes(content)
    (tmp_path / "pond.py").write_text("raise ImportError('compiled again')\n")
    script = "import pond; pond.leap()"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # PEP 552: the flags after the magic number; 0b01 is "by hash, unchecked".
    assert content[4:8] == b"\x01\0\0\0"
    assert b"/opt/pond.py" in content


def test_compilations_of_the_same_files_are_equal(
    compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.py": SOURCE, "b.py": SOURCE + b"leap()\n"}
    first = compiler.compile(files, "/opt")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    umask = os.umask(0o077)
    try:
        again = compiler.compile(dict(reversed(files.items())), "/opt")
    finally:
        os.umask(umask)
    assert again == first
    assert compiler.compile({"b.py": files["b.py"]}, "/opt").items() <= first.items()


def test_file_that_cannot_be_compiled_is_left_out(compiler: Compiler) -> None:
    made = compiler.compile({"good.py": b"x = 1", "bad.py": b"x = (", "odd.py": b"\0"}, "/opt")
    assert [path.split("/")[1].split(".")[0] for path in made] == ["good"]


def test_interpreter_that_fails_is_reported() -> None:
    with pytest.raises(RunError, match="could not compile"):
        Compiler("/bin/false", HERE).compile({"a.py": b""}, "/opt")


def test_bytecode_that_cannot_be_written_is_reported_and_not_left_out(compiler: Compiler) -> None:
    # With the interpreter's tag, the name is longer than a file's may be.
    with pytest.raises(RunError, match=r"could not compile the packages: \[Errno \d+\]"):
        compiler.compile({f"{'a' * 250}.py": b"x = 1", "b.py": b"x = ("}, "/opt")


def test_interpreter_that_runs_this_is_found_first(compiler: Compiler) -> None:
    assert compiler.path == sys.executable


def test_interpreter_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = _interpreter(tmp_path / "python3.99", "cpython 3.99 final")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_compiler("3.99") == Compiler(str(other), "3.99")


@pytest.mark.parametrize("who", ["cpython 3.99 candidate", "pypy 3.99 final", "", "cpython"])
def test_interpreter_whose_bytecode_the_runtime_would_not_load_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    given = _interpreter(tmp_path / "python3.99", who)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_compiler("3.99") is None
    with pytest.raises(UsageError, match=r"not a released CPython 3\.99"):
        find_compiler("3.99", given)


@pytest.mark.parametrize("name", ["not-there", "", "/bin/false", "/etc/hostname"])
def test_interpreter_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a released CPython"):
        find_compiler(HERE, tmp_path / name)


def _interpreter(path: Path, who: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{who}'\necho '{path}'\n")
    path.chmod(0o755)
    return path
