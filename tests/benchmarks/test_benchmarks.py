"""The benchmarks run and write their tables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_the_benchmarks_measure_how_long_it_takes_to_start(tmp_path: Path) -> None:
    json_file, svg_file, page = (tmp_path / name for name in ("a.json", "a.svg", "a.md"))
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--only", "start"]
    files = ["--json", str(json_file), "--svg", str(svg_file), "--markdown", str(page)]

    done = subprocess.run(
        [*command, "--program", "frogmove", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(json_file.read_text())["rows"]}
    assert rows.keys() == {"start-help", "start-version"}
    frogmove = rows["start-help"]["entries"][0]
    assert frogmove["tool"] == "frogmove"
    assert len(frogmove["samples"]) == 5
    assert all(sample["wall"] > 0 for sample in frogmove["samples"])
    assert "start: --help" in done.stdout
    assert "### start: --help" in page.read_text()
    assert svg_file.read_text().startswith("<svg")
