"""Lists of keys are read as they were written, and kept without taking memory."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from frogmove.cli.key_argument import key_argument
from frogmove.cli.report_formats import render
from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.key_list import read_key_list, read_keys, write_key_list
from frogmove.core.models import Outcome
from frogmove.core.records import Summary
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.selection import Selection
from frogmove.errors import UsageError
from frogmove.s3.uri import Location
from tests.factories import a_result
from tests.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = Location("src", "in/")


def read(text: str | bytes, *, nul: bool = False) -> list[str]:
    body = text.encode() if isinstance(text, str) else text
    return list(read_keys(io.BytesIO(body), SOURCE, nul=nul))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a\nb\n", ["a", "b"]),
        ("a\nb", ["a", "b"]),
        ("a\r\n\r\n\nb\r\n", ["a", "b"]),
        ("\ufeffa\r\n\ufeffb\r\n", ["a", "\ufeffb"]),
        ("s3://src/in/a\n", ["a"]),
        ("'s3://src?key=in%2Fa%0Ab'\n", ["a\nb"]),
        ("my file.txt\n", ["my file.txt"]),
        ("'my file.txt'\n", ["my file.txt"]),
        ("""'it'"'"'s'\n""", ["it's"]),
        ("it's\n'half\n", ["it's", "'half"]),
        ("            4  2026-11-28 12:00:00  a\n", ["a"]),
        ("            4  2026-11-28 12:00:00  'a  b'\n", ["a  b"]),
        ("moved                   4  a -> 'b c'  (a (b))\n", ["a"]),
        ("failed      'a b'  (why)\n", ["a b"]),
        ("move s3://src/in/ -> s3://dst/\nrun 2026-x, begun 2026-11\n\n", []),
        ("3 moved, 1 not-found; 1,234 bytes in 0.1 s\n", []),
        ("3 moved, 1 not-found; 1.2 kB in 0.1 s\n", []),
        ("did not finish\nTo finish this run: frogmove resume x\n", []),
        ('{"type": "object", "key": "in/a b"}\n{"type": "summary", "objects": 1}\n', ["a b"]),
        ('{"type": "no JSON\n', ['{"type": "no JSON']),
    ],
)
def test_key_list_line_is_a_key_as_printed(text: str, keys: list[str]) -> None:
    assert read(text) == [f"in/{key}" for key in keys]


def test_key_list_with_nuls_has_every_text_unchanged() -> None:
    names = ["a\nb", "'a'", "s3://x", "moved  4  a", '{"type": "object"}', " a "]
    assert read("\0".join(names), nul=True) == [f"in/{name}" for name in names]


def test_key_list_reads_back_every_key_as_printed() -> None:
    keys = list(KEYS.values())
    lines = "\n".join(key_argument(key, Location("src")) for key in keys).encode()
    assert list(read_keys(io.BytesIO(lines), Location("src"), nul=False)) == keys


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (b"a\n\xff\n", "Entry 2 of the list is not UTF-8"),
        (b"a\ns3://other/b\n", "Entry 2 of the list: .* not inside"),
        (b"k" * 1030, "Entry 1 of the list: .*1,033 bytes"),
        (b"k" * 200_000, "over 65,536 bytes"),
        (b"a\0" * 3000, "Entry 1 of the list has a NUL"),
        (b"a\0b\0", "Entry 1 of the list has a NUL"),
        (b"a\n'b\0c'\n", "Entry 2 of the list has a NUL"),
        (b"s3://src?key=in%2Fa%00b", "Entry 1 of the list has a NUL"),
        (b'{"type": "object", "key": "in/a\\u0000b"}', "Entry 1 of the list has a NUL"),
        (b'{"type": "object", "key": "else/a"}', "not inside"),
    ],
)
def test_key_list_entry_that_is_no_key_of_the_source_is_refused_by_its_place(
    text: bytes, printed: str
) -> None:
    with pytest.raises(UsageError, match=printed):
        read(text)


def test_key_list_is_kept_in_its_order_with_each_key_once(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "run.keys"
    write_key_list(iter(["b", "a\n", "b", "c", "a\n"]), path)
    assert list(read_key_list(path)) == ["b", "a\n", "c"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_key_list_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.keys"
    with pytest.raises(UsageError):
        write_key_list(read_keys(io.BytesIO(b"a\n\xff"), SOURCE, nul=False), path)
    assert not path.exists()
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        list(read_keys(tmp_path / "nothing", SOURCE, nul=False))
    with pytest.raises(UsageError, match="cannot be read"):
        read_key_list(path)


def test_key_list_is_not_kept_before_all_is_read(tmp_path: Path) -> None:
    def slow() -> Iterator[str]:
        yield "a"
        assert list(tmp_path.iterdir()) == []
        yield "b"

    write_key_list(slow(), tmp_path / "run.keys")
    assert list(read_key_list(tmp_path / "run.keys")) == ["a", "b"]


def test_key_list_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    # A file in place of the folder, as nobody can fill the disk of a test.
    (tmp_path / "runs").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_key_list(["a"], tmp_path / "runs" / "run.keys")


def test_key_list_that_is_long_takes_no_memory(tmp_path: Path) -> None:
    stream = io.BytesIO(b"".join(b"folder/%07d\n" % number for number in range(30_000)))
    path = tmp_path / "run.keys"
    tracemalloc.start()
    write_key_list(read_keys(stream, SOURCE, nul=False), path)
    count = sum(1 for _ in read_key_list(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 30_000
    assert peak < 900_000


@pytest.mark.parametrize("ends", [True, False])
def test_key_list_takes_nothing_else_of_a_report_for_a_key(tmp_path: Path, ends: bool) -> None:
    spec = RunSpec(
        id="20261123-073012-ab12",
        started="2026-11-23T07:30:12+00:00",
        command=Command.MOVE,
        source="s3://src/in/",
        destination="s3://dst/",
        selection=Selection(base="in/", folders=("in/",)),
    )
    journal = JournalWriter(tmp_path / "run.jsonl", spec)
    summary = Summary()
    for outcome in Outcome:
        result = a_result(outcome, f"in/{outcome.value} (1)", "why (not)")
        summary.add(result)
        journal.finished(result)
    if ends:
        summary.interrupted = True
        journal.end(summary)
    else:
        journal.close()
    text = "".join(render(JournalReader(tmp_path / "run.jsonl"), "text"))
    reported = [f"in/{each.value} (1)" for each in Outcome if not each.is_counted_only]
    assert sorted(read(text)) == sorted(reported)
