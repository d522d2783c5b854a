"""The benchmarks run and write their tables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import publish
from tests.benchmarks.measurement import Sample
from tests.benchmarks.results import Entry, Report, RowResult
from tests.benchmarks.tools import FROGMOVE, S5CMD

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_benchmarks_measure_how_long_it_takes_to_start(tmp_path: Path) -> None:
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


def test_figures_replace_the_earlier_ones_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("README", "RESULTS"):
        copy = tmp_path / name
        copy.write_text(getattr(publish, name).read_text("utf-8"), "utf-8")
        monkeypatch.setattr(publish, name, copy)
    monkeypatch.setattr(publish, "PLOT", tmp_path / "plot.svg")
    entries = [
        Entry(tool, "1", objects=1000, samples=[Sample(wall, 0.3, 10**8)])
        for tool, wall in ((FROGMOVE, 0.5), (S5CMD, 1.0))
    ]
    report = Report("2026-01-01", "a machine", {})
    report.rows = [RowResult("move", "move 1,000", "a server", 1000, 1024, entries=entries)]

    publish.publish(report)
    first = publish.README.read_text("utf-8")
    publish.publish(report)

    assert publish.README.read_text("utf-8") == first
    assert "2,000 small objects per second on two cores, 2.0 times as many as s5cmd" in first
    assert "| move 1,000 | 2,000 (0.30 ms) | 1,000 (0.30 ms) | – | – |" in first
    assert "[targets](tests/benchmarks/RESULTS.md#targets) are met." in first
    results = publish.RESULTS.read_text("utf-8")
    assert "### move 1,000" in results
    assert "| move 1,000: 2.5× the rate of s5cmd | 2.00× | MISSED |" in results
    original = (ROOT / "README.md").read_text("utf-8")
    assert first.startswith(original.partition("<!-- rate")[0])
    assert first.endswith(original.rpartition("end of figures")[2])
