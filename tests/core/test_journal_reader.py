"""A journal is read for what is whole in it, and what is no journal is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Outcome, VerifiedCopy
from frogmove.errors import UsageError
from tests.core.journal_helpers import DELETES, HEADER, a_state, move, records
from tests.factories import a_result, an_object
from tests.interceptors import before

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("cut", [1, 2, 20])
def test_journal_with_an_incomplete_last_line_is_read_without_it_and_reported(
    path: Path, cut: int
) -> None:
    journal = JournalWriter(path, HEADER)
    move(a_state("a", "b"), journal)
    journal.commit()
    reader = JournalReader(path)
    whole = list(reader.records())
    assert not reader.is_incomplete()
    path.write_bytes(path.read_bytes()[:-cut])
    incomplete = JournalReader(path)
    assert incomplete.is_incomplete()
    assert list(incomplete.records()) == whole[:-1]
    assert incomplete.end() is None


def test_journal_damaged_in_the_middle_is_distinguished_from_an_incomplete_one(path: Path) -> None:
    journal = JournalWriter(path, HEADER)
    for _ in range(3):
        journal.finished(a_result(Outcome.MOVED))
    journal.commit()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\x00\n", *lines[2:]]))
    reader = JournalReader(path)
    assert reader.is_damaged()
    assert not reader.is_incomplete()
    assert len(list(reader.records())) == 1


def test_journal_with_a_damaged_segment_is_reported_as_damaged(path: Path) -> None:
    JournalWriter(path, HEADER).commit()
    segment = path.with_name(f"{path.name}.1")
    journal = JournalWriter(segment, HEADER)
    for _ in range(3):
        journal.finished(a_result(Outcome.MOVED))
    journal.commit()
    lines = segment.read_bytes().splitlines(keepends=True)
    for damaged in (lines[:2], []):
        segment.write_bytes(b"".join([*damaged, b"\x00\n", *lines[2:]]))
        reader = JournalReader(path)
        assert reader.is_damaged()
        assert len(list(reader.records())) == len(damaged[1:])
    segment.write_bytes(b"".join(lines)[:-2])
    assert JournalReader(path).is_incomplete()


def test_journal_with_a_missing_segment_is_reported_as_damaged(path: Path) -> None:
    journal = JournalWriter(path, HEADER)
    segment = path.with_name(f"{path.name}.1")
    JournalWriter(segment, HEADER).commit()
    journal.has_segment(segment)
    assert not JournalReader(path).is_damaged()
    segment.unlink()
    assert JournalReader(path).missing() == [segment]
    assert JournalReader(path).is_damaged()


@pytest.mark.parametrize("tail", [b"\x00" * 512, b"\xff\xfe\n", b"[]\n", b'{"key": 1}\n', b"{"])
def test_journal_tail_of_anything_is_left_out(path: Path, tail: bytes) -> None:
    journal = JournalWriter(path, HEADER)
    journal.finished(a_result(Outcome.MOVED))
    journal.commit()
    path.write_bytes(path.read_bytes() + tail)
    reader = JournalReader(path)
    assert reader.is_incomplete()
    assert len(list(reader.records())) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"hello\n",
        b"\x00\x01\n",
        b"[]\n",
        b"{}\n",
        b'{"type": "result"}\n',
        b'{"type": "run"}\n',
        b'{"type": "run", "version": 1}\n',
        b'{"type": "run", "version": 2, "id": "x"}\n',
        b'{"type": "run", "version": 3, "id": "x"}\n',
        b'{"type": "run", "version": 3, "id": "x", "selection": [], "mapping": {}}\n',
        b'{"type": "run", "version": 1, "id": "x"',
    ],
    ids=repr,
)
def test_journal_reader_refuses_what_is_not_a_journal(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a journal"):
        JournalReader(path)


def test_journal_header_of_a_later_frogmove_is_read_for_what_is_known(path: Path) -> None:
    JournalWriter(path, HEADER)
    (record,) = records(path)
    path.write_text(json.dumps(record | {"invented": "later"}) + "\n")
    assert JournalReader(path).spec == HEADER


@pytest.mark.parametrize(
    ("name", "value"),
    [("command", "<script>"), ("on_conflict", "maybe"), ("verify", ""), ("compare", None)],
)
def test_journal_header_with_an_unknown_choice_is_refused(
    path: Path, name: str, value: object
) -> None:
    JournalWriter(path, HEADER)
    (record,) = records(path)
    path.write_text(json.dumps(record | {name: value}) + "\n")
    with pytest.raises(UsageError, match="not a journal"):
        JournalReader(path)


def test_journal_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        JournalReader(path)
    assert "frogmove runs" in caught.value.remedy


def test_uploads_of_copies_that_were_finished_are_not_left(path: Path) -> None:
    journal = JournalWriter(path, HEADER)
    large, other = an_object("large"), an_object("other")
    journal.upload_begun(large, "large", "one", 5)
    journal.upload_begun(other, "to/other", "two", 5)
    journal.copied(large, VerifiedCopy("large", "etag"))
    journal.commit()
    (left,) = JournalReader(path).uploads().items()
    assert left[1] == "two"


def test_journal_that_is_read_while_it_is_written_is_whole_so_far(path: Path) -> None:
    state, journal = a_state("a", "b"), JournalWriter(path, HEADER)
    incomplete: list[bool] = []
    check = before(DELETES, lambda: incomplete.append(JournalReader(path).is_incomplete()))
    move(state, journal, check)
    assert incomplete == [False]
