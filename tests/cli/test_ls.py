from __future__ import annotations

import re
from datetime import datetime
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


def test_keys_are_listed_with_size_and_time_and_totals_apart(
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


def test_an_empty_source_is_no_error(frogmove: FrogmoveRunner) -> None:
    ran = frogmove("ls")
    assert (ran.code, ran.out, ran.err) == (0, "", "0 objects, 0 bytes\n")


def test_the_other_side_is_listed_on_request(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("here")
    buckets.put_there("there")
    assert names(frogmove("ls", "--side", "destination").out) == ["there"]


def test_any_bucket_is_listed_by_its_uri(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put_there("logs/a", "logs2/b")
    uri = f"s3://{buckets.destination}/logs"
    ran = frogmove("ls", uri, FROGMOVE_SOURCE=None, FROGMOVE_DESTINATION=None)
    assert names(ran.out) == ["logs/a"]


@pytest.mark.parametrize("folder", ["logs", "logs/"])
def test_a_folder_is_listed_without_its_namesakes(
    buckets: Buckets, frogmove: FrogmoveRunner, folder: str
) -> None:
    buckets.put("log", "logs/a", "logs//b", "logs2/c")
    assert names(frogmove("ls", folder).out) == ["logs//b", "logs/a"]


def test_keys_are_relative_to_the_source(buckets: Buckets) -> None:
    buckets.put("in/a", "in/logs/b", "in2/c", "in/in/d")
    frogmove = FrogmoveRunner(buckets, ("in", ""))
    assert names(frogmove("ls").out) == ["a", "in/d", "logs/b"]
    assert names(frogmove("ls", "logs").out) == ["logs/b"]
    assert names(frogmove("ls", f"s3://{buckets.source}/in/logs").out) == ["logs/b"]
    assert names(frogmove("ls", f"s3://{buckets.source}/in2").out) == ["in2/c"]


def test_json_lines_have_the_documented_shape(buckets: Buckets) -> None:
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


def test_quietly_only_the_data_is_printed(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a")
    ran = frogmove("ls", "-q")
    assert names(ran.out) == ["a"]
    assert ran.err == ""


def test_no_key_acts_on_a_terminal_and_none_is_shown_as_another(
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


def test_listing_changes_nothing(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.version()
    buckets.put("a")
    buckets.put_there("b")
    before = buckets.state()
    frogmove("ls")
    frogmove("ls", "--side", "destination", "-v")
    assert buckets.state() == before


@pytest.mark.parametrize("folder", ["s3://", "s3://x/y", "k" * 1025], ids=["bare", "short", "long"])
def test_what_is_no_folder_is_refused(frogmove: FrogmoveRunner, folder: str) -> None:
    ran = frogmove("ls", folder)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")


def test_a_uri_and_a_side_are_not_both_taken(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    ran = frogmove("ls", f"s3://{buckets.source}", "--side", "destination")
    assert (ran.code, ran.out) == (2, "")
    assert "either a URI or --side" in ran.err
