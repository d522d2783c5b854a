"""A journal is written so that it holds what must be known if the run ends here."""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import BackupCopy, Outcome, Replaced, VerifiedCopy
from frogmove.core.options import Multipart, OnConflict, TransferOptions
from frogmove.core.records import Summary, result_record
from frogmove.errors import RunError, UsageError
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.models import NO_TIME, Copy, S3Object
from tests.core.journal_helpers import DELETES, HEADER, a_state, move, records
from tests.factories import a_result, an_object, md5
from tests.interceptors import before
from tests.keys import KEYS


def test_journal_begins_with_what_the_run_was_asked_to_do(path: Path) -> None:
    JournalWriter(path, HEADER)
    (record,) = records(path)
    assert (record["type"], record["version"]) == ("run", 3)
    assert record["source"] == "s3://external/"
    assert JournalReader(path).spec == HEADER


def test_journal_can_be_read_by_its_owner_only(path: Path) -> None:
    JournalWriter(path, HEADER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"], ["a\n", "b"]], ids=repr)
def test_journal_has_each_copy_on_the_disk_when_its_delete_is_sent(
    path: Path, monkeypatch: pytest.MonkeyPatch, keys: list[str]
) -> None:
    synced = 0
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        nonlocal synced
        fsync(descriptor)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            synced = os.fstat(descriptor).st_size

    monkeypatch.setattr(os, "fsync", watched)
    on_disk: list[set[str]] = []

    def check() -> None:
        durable = path.read_bytes()[:synced].splitlines()
        on_disk.append({json.loads(line).get("key") for line in durable[1:]})

    state = a_state(*keys)
    outcomes = move(state, JournalWriter(path, HEADER), before(DELETES, check))
    assert outcomes == dict.fromkeys(keys, Outcome.MOVED)
    assert set().union(*on_disk) == set(keys)
    # Keys that XML cannot say are deleted one by one; each needs only its own record.
    assert all(seen for seen in on_disk)
    if "a\n" not in keys:
        assert on_disk == [set(keys)]


def test_copy_is_recorded_with_all_that_undoing_it_takes(path: Path) -> None:
    state = a_state("a")
    state.put("internal", "a", b"theirs")
    move(
        state,
        JournalWriter(path, HEADER),
        options=TransferOptions(ALL_SUPPORTED, OnConflict.OVERWRITE),
    )
    (copied,) = JournalReader(path).of_type("copied")
    assert copied == {
        "type": "copied",
        "key": "a",
        "size": 1,
        "etag": md5(b"a"),
        "storage_class": "STANDARD",
        "destination_key": "a",
        "destination_etag": md5(b"a"),
        "destination_version_id": None,
        "held": False,
        "resent": False,
        "modified": None,
        "replaced": {"etag": md5(b"theirs"), "version_id": None, "backup": None},
    }


TEXTS = st.text(max_size=8)
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
BACKUPS = st.none() | st.builds(BackupCopy, TEXTS, TEXTS, st.integers(0), TEXTS)
REPLACED = st.none() | st.builds(Replaced, TEXTS, st.none() | TEXTS, BACKUPS)
COPIES = st.builds(
    VerifiedCopy,
    TEXTS,
    TEXTS,
    st.none() | TEXTS,
    st.booleans(),
    st.booleans(),
    TIMES,
    REPLACED,
)
OBJECTS = st.builds(S3Object, TEXTS, st.integers(0), TEXTS, st.just(NO_TIME), TEXTS)


@given(item=OBJECTS, copy=COPIES, backup=BACKUPS, reason=TEXTS)
@example(an_object("a"), VerifiedCopy("\udc80", '"', "\n"), None, "\x00")
def test_journal_holds_whatever_text_a_copy_and_its_result_have(
    item: S3Object, copy: VerifiedCopy, backup: BackupCopy | None, reason: str
) -> None:
    modified = None if copy.modified is None else copy.modified.isoformat()
    replaced = None if copy.replaced is None else asdict(copy.replaced)
    asked = Copy("external", item, "internal", copy.key, copy.version_id)
    result = replace(a_result(Outcome.FAILED, item.key, reason), destination_key=copy.key)
    with TemporaryDirectory() as folder:
        journal = JournalWriter(Path(folder) / "run.jsonl", HEADER)
        journal.copying(asked, backup)
        journal.copied(item, copy)
        journal.finished(result)
        journal.close()
        _, copying, copied, finished = records(journal.path)
    # What a copy replaces is named by its ETag.
    will_replace = None
    if copy.version_id is not None:
        will_replace = asdict(Replaced(copy.version_id, None, backup))
    assert copying == {
        "type": "copying",
        "key": item.key,
        "etag": item.etag,
        "destination_key": copy.key,
        "replaced": will_replace,
    }
    assert copied == {
        "type": "copied",
        "key": item.key,
        "size": item.size,
        "etag": item.etag,
        "storage_class": item.storage_class,
        "destination_key": copy.key,
        "destination_etag": copy.etag,
        "destination_version_id": copy.version_id,
        "held": copy.held,
        "resent": copy.resent,
        "modified": modified,
        "replaced": replaced,
    }
    assert datetime.fromisoformat(finished.pop("time")).tzinfo is UTC
    assert finished == result_record(result)


def test_journal_of_a_run_that_came_to_its_end_says_so(path: Path) -> None:
    journal, summary = JournalWriter(path, HEADER), Summary()
    journal.finished(a_result(Outcome.FAILED, "a", "because"))
    summary.add(a_result(Outcome.FAILED, "a"))
    journal.end(summary)
    end = JournalReader(path).end()
    assert end is not None
    assert (end["counts"]["failed"], end["interrupted"]) == (1, False)
    assert [record["type"] for record in records(path)] == ["run", "result", "end"]


def test_journal_only_counts_what_was_left_alone(path: Path) -> None:
    journal = JournalWriter(path, HEADER)
    for outcome in Outcome:
        journal.finished(a_result(outcome))
    journal.commit()
    reported = {record["outcome"] for record in JournalReader(path).of_type("result")}
    assert reported == {outcome for outcome in Outcome if not outcome.is_counted_only}


def test_journal_of_a_run_that_did_nothing_leaves_no_file(path: Path) -> None:
    journal = JournalWriter(path, HEADER)
    journal.finished(a_result(Outcome.SKIPPED))
    journal.end(Summary())
    assert not path.exists()


def test_journal_keeps_hostile_keys_as_one_record_each(path: Path) -> None:
    keys = ['"\n{"type": "copied"}\n', "\u2028", "\x00", "é\\", "\ud7ff🐸"]
    state = a_state(*keys)
    move(state, JournalWriter(path, HEADER))
    assert [record["key"] for record in JournalReader(path).of_type("copied")] == sorted(
        keys, key=str.encode
    )
    assert path.read_bytes().isascii()


def test_journal_is_never_written_over(path: Path) -> None:
    JournalWriter(path, HEADER)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="cannot be written"):
        JournalWriter(path, HEADER)
    assert path.read_bytes() == before


def test_journal_that_cannot_be_written_refuses_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "run.jsonl", tmp_path):
        with pytest.raises(UsageError, match="cannot be written") as caught:
            JournalWriter(path, HEADER)
        assert "Nothing was changed" in caught.value.remedy


@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"], ["a\n"]], ids=repr)
def test_journal_on_a_full_disk_ends_the_run_and_deletes_no_source_unrecorded(
    path: Path, monkeypatch: pytest.MonkeyPatch, keys: list[str]
) -> None:
    state, journal = a_state(*keys), JournalWriter(path, HEADER)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    asked: list[str] = []
    with pytest.raises(RunError, match="No space left") as caught:
        move(state, journal, before(DELETES, lambda: asked.append("delete")))
    assert "No source was deleted without its record" in caught.value.remedy
    assert asked == []
    assert state.bodies("external") == {key: key.encode() for key in keys}


def test_journal_on_a_disk_that_fills_up_has_a_record_of_every_deleted_source(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"{number}\n" for number in range(9)]
    state, journal = a_state(*keys), JournalWriter(path, HEADER)
    left = 3
    fsync = os.fsync

    def filling(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", filling)
    with pytest.raises(RunError):
        move(state, journal, options=TransferOptions(ALL_SUPPORTED, concurrency=1))
    recorded = {record["key"] for record in JournalReader(path).of_type("copied")}
    assert set(keys) - set(state.bodies("external")) <= recorded
    assert len(state.bodies("external")) == 6
    assert state.bodies("internal").keys() | state.bodies("external").keys() == set(keys)


def test_journal_on_a_full_device_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own refusal, at the write and not only at the sync."""
    opened = os.open
    monkeypatch.setattr(os, "open", lambda *_: opened("/dev/full", os.O_WRONLY))
    with pytest.raises(UsageError, match="No space left"):
        JournalWriter(path, HEADER)


MULTIPART = TransferOptions(ALL_SUPPORTED, multipart=Multipart(threshold=5, part_size=4, at_once=1))


def test_upload_is_in_the_journal_before_its_first_part(path: Path) -> None:
    state = a_state("a large one")
    seen: list[list[str]] = []

    def check() -> None:
        seen.append([record["upload_id"] for record in JournalReader(path).of_type("upload")])

    journal = JournalWriter(path, HEADER)
    move(state, journal, before({"UploadPartCopy"}, check), MULTIPART)
    assert len(seen) == 3
    assert all(len(uploads) == 1 for uploads in seen)


def test_upload_is_resumed_only_for_the_same_bytes_place_and_parts(path: Path) -> None:
    item = an_object("large", b"bytes")
    journal = JournalWriter(path, HEADER)
    journal.upload_begun(item, "to", "one", 5)
    journal.commit()
    left = JournalReader(path).uploads()
    again = JournalWriter(path.with_name("again.jsonl"), HEADER, left)
    assert again.upload_to_resume(an_object("large", b"other"), "to", 5) is None
    assert again.upload_to_resume(an_object("small", b"bytes"), "to", 5) is None
    assert again.upload_to_resume(item, "elsewhere", 5) is None
    assert again.upload_to_resume(item, "to", 6) is None
    assert again.upload_to_resume(item, "to", 5) == "one"
    assert again.upload_to_resume(item, "to", 5) is None


def test_upload_that_was_not_resumed_is_handed_on_or_abandoned(path: Path) -> None:
    first = JournalWriter(path, HEADER)
    first.upload_begun(an_object("a"), "to/a", "one", 5)
    first.upload_begun(an_object("b"), "to/b", "two", 5)
    first.commit()
    second = JournalWriter(path.with_name("2.jsonl"), HEADER, JournalReader(path).uploads())
    assert second.upload_to_resume(an_object("a"), "to/a", 5) == "one"
    summary = Summary()
    summary.interrupted = True
    second.end(summary)
    # Interrupted again before "b": a third run still knows both.
    left = JournalReader(second.path).uploads()
    assert sorted(left.values()) == ["one", "two"]
    third = JournalWriter(path.with_name("3.jsonl"), HEADER, left)
    assert third.upload_to_resume(an_object("b"), "to/b", 5) == "two"
    assert third.abandon_uploads() == [("to/a", "one")]
    third.end(Summary())
    assert not third.path.exists()


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("replaces", [None, 'W/"1"'])
def test_copy_that_is_about_to_be_sent_is_in_the_file_after_a_flush(
    path: Path, key: str, replaces: str | None
) -> None:
    journal = JournalWriter(path, HEADER)
    journal.copying(Copy("external", an_object(key), "internal", f"to/{key}", replaces, "v"))
    journal.flush()
    (record,) = JournalReader(path).of_type("copying")
    assert record == {
        "type": "copying",
        "key": key,
        "etag": an_object(key).etag,
        "destination_key": f"to/{key}",
        "replaced": replaces and {"etag": replaces, "version_id": "v", "backup": None},
    }
    journal.end(Summary())
    assert not path.exists()
