"""``frogmove lambda package``: zips that are the same wherever they are built, or none."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.packaging import zip_archive
from frogmove.packaging.bytecode import find_compiler
from frogmove.packaging.function_zip import NAME
from tests.cli.cli_runner import COMMAND, ROOT, run
from tests.packaging.wheels import Wheels
from tests.zips import LAYER, PYTHON, zips

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = ["frogmove-layer-arm64.zip", LAYER]


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheels:
    wheels = Wheels.make(tmp_path, monkeypatch)
    wheels.add("frog", {"frog.py": "x = 1\n"})
    return wheels


def _package(*arguments: str) -> Any:
    return run("lambda", "package", *arguments)


@pytest.mark.long
def test_zips_are_the_same_from_another_folder_with_another_umask(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    first = zips(tmp_path_factory)
    command = [*COMMAND, "lambda", "package", "-q", "--architecture", "x86_64", "--python", PYTHON]
    subprocess.run(
        ["sh", "-c", 'umask 077; exec "$@"', "sh", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "5", "TZ": "Asia/Tokyo"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    for name in (NAME, LAYER):
        assert (tmp_path / "dist" / name).read_bytes() == (first / name).read_bytes()


@pytest.mark.matrix
@pytest.mark.usefixtures("wheels")
def test_lambda_package_makes_a_function_and_a_layer_for_each_architecture(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "dist"
    ran = _package("-d", str(directory))
    assert ran.code == 0, ran
    assert sorted(path.name for path in directory.iterdir()) == [NAME, *LAYERS]
    head, *lines = ran.out.splitlines()
    assert head.split() == ["file", "zipped", "unzipped", "SHA-256", "in", "base64"]
    assert [line.split()[0] for line in lines] == [
        str(directory / each) for each in (NAME, *LAYERS)
    ]


@pytest.mark.matrix
@pytest.mark.usefixtures("wheels")
def test_lambda_package_json_tells_what_terraform_and_lambda_compare(tmp_path: Path) -> None:
    ran = _package("-d", str(tmp_path), "--architecture", "arm64", "-o", "json")
    compiled = find_compiler(PYTHON) is not None
    for record in ran.of("archive"):
        content = (tmp_path / record["path"]).read_bytes()
        assert record["bytes"] == len(content)
        assert record["sha256"] == hashlib.sha256(content).hexdigest()
        assert (record["python"], record["bytecode"]) == (PYTHON, compiled)
    assert len(ran.records) == 2


@pytest.mark.usefixtures("wheels")
def test_lambda_package_without_an_interpreter_says_what_that_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    other = "3.14" if sys.version_info[:2] != (3, 14) else "3.13"
    ran = _package(
        "-d", str(tmp_path / "dist"), "--architecture", "arm64", "--python", other, "-o", "json"
    )
    assert ran.code == 0
    assert "cold start" in ran.err
    assert "--compile-with" in ran.err
    assert not any(record["bytecode"] for record in ran.records)


@pytest.mark.matrix
def test_lambda_package_that_cannot_make_a_layer_replaces_nothing(
    wheels: Wheels, tmp_path: Path
) -> None:
    wheels.pin("newt", "0" * 64)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / NAME).write_bytes(b"of yesterday")
    ran = _package("-d", str(tmp_path / "dist"))
    assert ran.code == 1
    assert "newt==1.0" in ran.err
    assert "Traceback" not in ran.err
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [NAME]
    assert (tmp_path / "dist" / NAME).read_bytes() == b"of yesterday"


@pytest.mark.matrix
@pytest.mark.usefixtures("wheels")
def test_lambda_package_does_not_write_what_lambda_would_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_archive, "MAX_ZIPPED_BYTES", 1000)
    ran = _package("-d", str(tmp_path / "dist"), "--architecture", "arm64")
    assert ran.code == 1
    assert "Lambda's limit is 1,000" in ran.err
    assert list((tmp_path / "dist").iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--architecture", "sparc"],
        ["--python", "2.7"],
        ["--python", "3.13", "--compile-with", "/bin/false"],
        ["-d", "/dev/null/dist"],
        ["-d", "/dev/null"],
    ],
    ids=" ".join,
)
def test_lambda_package_refuses_bad_options_before_anything_is_fetched(
    wheels: Wheels, arguments: list[str]
) -> None:
    wheels.pin("newt", "0" * 64)
    ran = _package(*arguments)
    assert ran.code == 2
    assert "Traceback" not in ran.err
