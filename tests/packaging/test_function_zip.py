"""The function's package: what is in it, that it is reproducible, and that it runs alone."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from frogmove.errors import FrogmoveError
from frogmove.packaging.bytecode import find_compiler
from frogmove.packaging.function_zip import HANDLER, build_package, package


def _entries() -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(build_package())) as archive:
        assert archive.testzip() is None
        return archive.infolist()


def test_function_zip_holds_what_the_handler_needs() -> None:
    names = {entry.filename for entry in _entries()}
    assert {
        "frogmove/__init__.py",
        "frogmove/errors.py",
        "frogmove/lambda_handler.py",
        "frogmove/core/__init__.py",
        "frogmove/s3/__init__.py",
    } <= names


def test_function_zip_holds_nothing_else() -> None:
    for entry in _entries():
        assert entry.filename.endswith(".py")
        assert not {"cli", "local_aws", "ops", "packaging", "__pycache__", "__main__.py"} & set(
            entry.filename.split("/")
        )


def test_function_zip_is_equal_in_two_builds() -> None:
    assert build_package() == build_package()


def test_function_zip_holds_each_file_compiled_for_where_lambda_unpacks_it() -> None:
    compiler = find_compiler(f"{sys.version_info[0]}.{sys.version_info[1]}")
    archive = package(compiler)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        names = opened.namelist()
        place = opened.read(next(name for name in names if "/errors." in name and "pyc" in name))
    assert len([name for name in names if name.endswith(".pyc")]) * 2 == len(names)
    assert b"/var/task/frogmove/errors.py" in place
    assert archive == package(compiler)


def test_function_zip_is_small() -> None:
    assert len(build_package()) < 300_000
    assert (
        package(find_compiler(f"{sys.version_info[0]}.{sys.version_info[1]}")).unzipped < 2_300_000
    )


def test_function_zip_does_not_depend_on_when_and_where_it_was_built() -> None:
    entries = _entries()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.create_system for entry in entries} == {3}


def test_handler_can_be_imported_from_the_zip_without_the_command_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(build_package())) as archive:
        archive.extractall(tmp_path)
    module, _, function = HANDLER.rpartition(".")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "sys.modules['click'] = sys.modules['rich'] = None\n"
        f"import {module}\n"
        f"assert callable({module}.{function})\n"
        f"assert {module}.__file__.startswith({str(tmp_path)!r})\n"
        "left_out = ('frogmove.cli.', 'frogmove.local_aws', 'frogmove.ops', 'frogmove.packaging')\n"
        "assert not [name for name in sys.modules if name.startswith(left_out)]\n"
    )
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "FROGMOVE_SOURCE": "s3://external-bucket",
        "FROGMOVE_DESTINATION": "s3://internal-bucket",
    }
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=tmp_path, check=True)


def test_sources_that_cannot_be_read_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("frogmove.packaging.function_zip.files", lambda _: tmp_path / "not there")
    with pytest.raises(FrogmoveError, match="cannot be read"):
        build_package()
