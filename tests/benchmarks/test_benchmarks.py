"""The benchmarks run and write their tables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import publish, table
from tests.benchmarks.measurement import Sample
from tests.benchmarks.results import Entry, Report, RowResult
from tests.benchmarks.servers import Server
from tests.benchmarks.tools import FROGMOVE, RCLONE, RCLONE_CHECK, S5CMD, CheckedRclone, Place

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


def test_large_copy_that_was_read_is_compared_with_a_peer_that_reads_it_as_well() -> None:
    entries = [
        Entry(tool, "1", "", 1, [Sample(wall, 1.0, 10**8, server_cpu=1.5)], requests)
        for tool, wall, requests in (
            (FROGMOVE, 4.0, {"UploadPartCopy": 80, "GetObject": 80}),
            (RCLONE, 2.0, {"UploadPartCopy": 2}),
            (RCLONE_CHECK, 8.0, {"UploadPartCopy": 2, "GetObject": 2}),
        )
    ]
    report = Report("2026-01-01", "a machine", {})
    report.rows = [RowResult("copy-large", "copy", "SeaweedFS", 1, 10**9, entries=entries)]

    page = table.markdown(report)

    assert "frogmove reads the copy (80 requests)" in page
    assert "| copy: 1× the rate of rclone | 0.50× | MISSED |" in page
    assert f"| copy: 1× the rate of {RCLONE_CHECK} | 2.00× | met |" in page
    assert f"{RCLONE}: the server took 75% of a core." in page
    entries[0].requests.pop("GetObject")
    assert "reads the copy" not in table.markdown(report)


def test_rclone_that_checks_compares_the_bytes_of_the_same_places() -> None:
    tool = CheckedRclone(RCLONE_CHECK, ("rclone",), "1")
    server = Server("a server", "127.0.0.1", 80, "key", "secret")
    shell, option, words = tool.command("copy", server, Place("a", "b/"), Place("c", "d/"))
    assert (shell, option) == ("sh", "-c")
    copy, _, check = words.partition(" && ")
    assert copy.startswith("rclone copy ")
    assert copy.endswith(":s3:a/b/ :s3:c/d/")
    assert check == "rclone check --download :s3:a/b/ :s3:c/d/"


def test_row_of_large_objects_shows_what_is_left_without_the_start_of_a_run() -> None:
    def row(name: str, objects: int, size: int, walls: tuple[float, float]) -> RowResult:
        entries = [
            Entry(tool, "1", "", objects, [Sample(wall, 0.1, 10**8)])
            for tool, wall in zip((FROGMOVE, S5CMD), walls, strict=True)
        ]
        return RowResult(name, name, "a server", objects, size, entries=entries)

    report = Report("2026-01-01", "a machine", {})
    report.rows = [row("move-1", 1, 1024, (0.5, 0.1)), row("move-8mib", 9, 1 << 23, (1.8, 1.5))]

    page = table.markdown(report)

    assert f"Less the time of “move-1”: {FROGMOVE} 1.30 s, {S5CMD} 1.40 s." in page
    assert "MB/s" not in page
    del report.rows[0]
    assert "Less the time" not in table.markdown(report)
