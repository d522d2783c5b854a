from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from frogmove.cli.key_argument import key_argument
from frogmove.s3.uri import Location
from tests.cli.cli_runner import FrogmoveRunner
from tests.factories import md5
from tests.keys import KEYS, UNSEEN

if TYPE_CHECKING:
    from tests.buckets import Buckets

LINE = re.compile(r" *(\d+)  (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)  (.*)")


def names(out: str) -> list[str]:
    """Return the third column, where a key may have any characters but line ends."""
    lines = out.split("\n")[:-1]
    return [match[3] for line in lines if (match := LINE.fullmatch(line))]


def test_ls_lists_keys_with_size_and_time_and_totals_apart(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("b", body=b"12345")
    buckets.put("a/été.csv", body=b"")
    ran = frogmove("ls")
    lines = [LINE.fullmatch(line) for line in ran.out.splitlines()]
    assert [line and (line[1], line[3]) for line in lines] == [("0", "a/été.csv"), ("5", "b")]
    assert ran.err == "2 objects, 5 bytes\n"
    assert ran.code == 0


def test_list_is_ls(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a")
    assert frogmove("list") == frogmove("ls")


def test_ls_of_an_empty_source_is_no_error(frogmove: FrogmoveRunner) -> None:
    ran = frogmove("ls")
    assert (ran.code, ran.out, ran.err) == (0, "", "0 objects, 0 bytes\n")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["nothere"], ""),
        (["-d", "nothere"], ""),
        (["rep*"], "A folder is not a pattern: use --include."),
        (["/reports"], "A folder that begins with '/'"),
        (["s3:/bucket/reports"], "A URI begins with s3://."),
        (["reports", "--include", "*.csv"], "'*' does not match '/'"),
    ],
)
def test_ls_of_an_empty_selection_is_a_warning_with_what_may_be_wrong(
    buckets: Buckets, frogmove: FrogmoveRunner, arguments: list[str], hint: str
) -> None:
    buckets.put("reports/2026/a.csv")
    ran = frogmove("ls", *arguments, "-q")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"Nothing at s3://{buckets.source}/ was selected. {hint}")
    assert frogmove("ls", *arguments, "--allow-empty").code == 0


def test_ls_lists_the_other_side_on_request(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("here")
    buckets.put_there("there")
    assert names(frogmove("ls", "--side", "destination").out) == ["there"]


def test_ls_lists_any_bucket_by_its_uri(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put_there("logs/a", "logs2/b")
    uri = f"s3://{buckets.destination}/logs"
    ran = frogmove("ls", uri, FROGMOVE_SOURCE=None, FROGMOVE_DESTINATION=None)
    assert names(ran.out) == ["logs/a"]


@pytest.mark.parametrize("folder", ["logs", "logs/"])
def test_ls_lists_a_folder_without_its_namesakes(
    buckets: Buckets, frogmove: FrogmoveRunner, folder: str
) -> None:
    buckets.put("log", "logs/a", "logs//b", "logs2/c")
    assert names(frogmove("ls", folder).out) == ["logs//b", "logs/a"]


def test_ls_shows_keys_relative_to_the_source(buckets: Buckets) -> None:
    buckets.put("in/a", "in/logs/b", "in2/c", "in/in/d")
    frogmove = FrogmoveRunner(buckets, ("in", ""))
    assert names(frogmove("ls").out) == ["a", "in/d", "logs/b"]
    assert names(frogmove("ls", "logs").out) == ["logs/b"]
    assert names(frogmove("ls", f"s3://{buckets.source}/in/logs").out) == ["logs/b"]
    assert names(frogmove("ls", f"s3://{buckets.source}/in2").out) == ["in2/c"]


def test_ls_json_lines_have_the_documented_shape(buckets: Buckets) -> None:
    buckets.put("in/b", "in/a é\n" if buckets.server.name != "moto" else "in/a é")
    ran = FrogmoveRunner(buckets, ("in", ""))("ls", "-o", "json")
    first, second, summary = ran.records
    assert set(first) == {"type", "key", "size", "etag", "last_modified", "storage_class"}
    assert second["key"] == "in/b"
    assert (first["type"], second["size"], second["etag"]) == ("object", 4, md5(b"in/b"))
    assert second["storage_class"] == "STANDARD"
    assert datetime.fromisoformat(second["last_modified"]).tzinfo is not None
    assert summary == {"type": "summary", "objects": 2, "bytes": first["size"] + 4}
    assert ran.err == ""


def test_ls_quiet_prints_only_the_data(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a")
    ran = frogmove("ls", "-q")
    assert names(ran.out) == ["a"]
    assert ran.err == ""


def test_ls_shows_no_key_that_acts_on_a_terminal_or_looks_like_another(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    keys = {name: key for name, key in KEYS.items() if name not in buckets.server.lacks}
    buckets.put(*keys.values())
    out = frogmove("ls").out
    assert sorted(names(out)) == sorted(
        key_argument(key, Location(buckets.source)) for key in keys.values()
    )
    for name, key in UNSEEN.items():
        assert key not in out, name
    assert {char for char in out if not char.isprintable()} == {"\n"}


def test_ls_changes_nothing(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.version()
    buckets.put("a")
    buckets.put_there("b")
    before = buckets.state()
    frogmove("ls")
    frogmove("ls", "--side", "destination", "-v")
    assert buckets.state() == before


@pytest.mark.parametrize("folder", ["s3://", "s3://x/y", "k" * 1025], ids=["bare", "short", "long"])
def test_ls_refuses_what_is_no_folder(frogmove: FrogmoveRunner, folder: str) -> None:
    ran = frogmove("ls", folder)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")


def test_ls_takes_either_a_uri_or_a_side(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    ran = frogmove("ls", f"s3://{buckets.source}", "--side", "destination")
    assert (ran.code, ran.out) == (2, "")
    assert "either a URI or --side" in ran.err


FOLDER = " " * 10 + "PRE" + " " * 23


def test_ls_directories_shows_folders_then_keys_of_one_level(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("b.csv", "a/1", "a/b/2", "c/", "x y/3")
    ran = frogmove("ls", "-d")
    lines = ran.out.splitlines()
    assert lines[:3] == [f"{FOLDER}a/", f"{FOLDER}c/", f"{FOLDER}'x y/'"]
    assert names(ran.out) == ["b.csv"]
    assert ran.err == "3 folders, 1 object, 5 bytes\n"
    within = frogmove("ls", "--directories", "a", "-o", "json")
    assert [(each["type"], each.get("key")) for each in within.records] == [
        ("folder", "a/b/"),
        ("object", "a/1"),
        ("summary", None),
    ]
    assert within.summary == {"type": "summary", "objects": 1, "folders": 1, "bytes": 3}


def test_ls_directories_of_many_pages_is_complete(
    buckets: Buckets, frogmove: FrogmoveRunner, short_pages: None
) -> None:
    buckets.put("a/1", "b", "c/1", "d", "e/1", "f", "g/1", "h")
    ran = frogmove("ls", "-d", "--exclude", "f")
    assert [line for line in ran.out.splitlines() if "PRE" in line] == [
        f"{FOLDER}{name}/" for name in "aceg"
    ]
    assert names(ran.out) == ["b", "d", "h"]


def test_ls_shows_sizes_for_people_and_totals_for_habits(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", body=b"x" * 1500)
    ran = frogmove("ls", "-h", "--summarize")
    row, *totals = ran.out.splitlines()
    assert row.startswith("       1.5 kB  20")
    assert totals == ["Total Objects: 1", "   Total Size: 1.5 kB"]
    assert ran.err == ""
    exact = frogmove("ls", "-d", "--summarize").out.splitlines()[1:]
    assert exact == ["Total Folders: 0", "Total Objects: 1", "   Total Size: 1500"]


@pytest.fixture
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_in_a_folder")
def test_ls_with_nuls_shows_keys_as_they_are_and_they_are_read_back(buckets: Buckets) -> None:
    keys = ["in/a b", "in/--all", "in/s3://x", "in/it's", "in/new\nline", "in/é"]
    if buckets.server.name == "moto":
        keys.remove("in/new\nline")
    buckets.put(*keys)
    frogmove = FrogmoveRunner(buckets, ("in/", "out/"))
    ran = frogmove("ls", "-0")
    assert sorted(ran.out.split("\0")) == sorted(["", *(key.removeprefix("in/") for key in keys)])
    listed = Path("keys")
    listed.write_text(ran.out)
    assert frogmove("ls", "--from-file", "keys", "-0") == ran
    moved = frogmove("copy", "--from-file", "keys", "-0")
    assert moved.code == 0, moved.err
    assert set(buckets.there()) == {key.replace("in/", "out/", 1) for key in keys}


@pytest.mark.usefixtures("_in_a_folder")
def test_ls_for_people_is_read_back_but_for_its_folders(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b c", "d/e")
    Path("keys").write_text(frogmove("ls", "-h", "--summarize").out)
    again = frogmove("ls", "--from-file", "keys")
    assert names(again.out) == ["a", "'b c'", "d/e"]
    for output in ("text", "json"):
        Path("keys").write_text(frogmove("ls", "-d", "-o", output).out)
        ran = frogmove("copy", "--from-file", "keys")
        assert (ran.code, "is a folder, not a key" in ran.err) == (2, True)


@pytest.mark.parametrize(
    "options", [["-0", "-o", "json"], ["-0h"], ["-0", "--summarize"], ["-d", "--from-file", "x"]]
)
def test_ls_refuses_views_that_contradict_each_other(
    frogmove: FrogmoveRunner, options: list[str]
) -> None:
    ran = frogmove("ls", *options)
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be combined" in ran.err
