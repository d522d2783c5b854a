"""Copies in flight when a process was killed, and what a resume makes of them."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core.destination_check import DestinationCheck
from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Action, Effect, Outcome, Verb, VerifiedCopy
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.plan import plan_sync
from frogmove.core.sent_copies import (
    SentCopy,
    claim_sent_copies,
    sent_copies,
    unanswered_copies,
    unrecorded_copies,
)
from frogmove.errors import UsageError
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.errors import S3Error
from frogmove.s3.listing import list_prefix
from frogmove.s3.models import Copy
from tests.core.runs import OVERWRITE, Runs
from tests.factories import ROUTE, RUN_SPEC, a_result, an_object
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.interceptors import before

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.interceptors import Interceptor


@pytest.fixture
def state() -> FakeS3State:
    """Two buckets, with one object at the source."""
    made = FakeS3State({"external": {}, "internal": {}})
    made.put("external", "a", b"bytes")
    return made


def claimed(
    state: FakeS3State, interceptor: Interceptor | None = None, sent_as: str = "a"
) -> Action:
    """Plan a sync of the object, whose copy was sent a moment ago, and see what is there."""
    since = state.buckets["external"]["a"].modified
    s3 = FakeS3(state, interceptor) if interceptor else FakeS3(state)
    sides = [list_prefix(s3, side, "") for side in ("external", "internal")]
    actions = plan_sync(sides[0], sides[1], ROUTE)
    check = DestinationCheck.make(s3, ROUTE, OVERWRITE)
    sent = {"a": SentCopy(sent_as, since, has_failed=False)}
    (action,) = claim_sent_copies(actions, sent, check, 4, Event())
    return action


def test_claim_sent_copies_takes_a_copy_that_took_place_for_one_of_the_run(
    state: FakeS3State,
) -> None:
    state.put("internal", "a", b"bytes")
    action = claimed(state)
    assert (action.verb, action.effect, action.replaces) == (Verb.COPY, Effect.ALREADY_THERE, None)


def test_claim_sent_copies_leaves_a_copy_that_did_not_take_place_to_be_made(
    state: FakeS3State,
) -> None:
    action = claimed(state)
    assert (action.verb, action.effect) == (Verb.COPY, Effect.COPY)


@pytest.mark.parametrize(
    "arrange",
    [
        lambda state: state.put("internal", "a", b"bytes", metadata={"made-by": "another"}),
        lambda state: state.put("internal", "a", b"bytes", tags={"made-by": "another"}),
    ],
)
def test_claim_sent_copies_leaves_an_object_that_the_copy_would_not_have_made(
    state: FakeS3State, arrange: Callable[[FakeS3State], object]
) -> None:
    arrange(state)
    assert claimed(state).verb is Verb.SKIP


def test_claim_sent_copies_leaves_an_object_that_was_there_before_the_run() -> None:
    state = FakeS3State({"external": {}, "internal": {}})
    state.put("internal", "a", b"bytes")
    state.put("external", "a", b"bytes")
    assert claimed(state).verb is Verb.SKIP


def test_claim_sent_copies_leaves_another_key_than_that_of_the_copy(state: FakeS3State) -> None:
    state.put("internal", "a", b"bytes")
    assert claimed(state, sent_as="b").verb is Verb.SKIP


def test_claim_sent_copies_leaves_what_changes_meanwhile_to_the_conditions_of_a_copy(
    state: FakeS3State,
) -> None:
    state.put("internal", "a", b"bytes")
    action = claimed(state, before({"HeadObject"}, state.buckets["internal"].clear))
    assert (action.verb, action.effect) == (Verb.COPY, Effect.COPY)


def test_claim_sent_copies_refuses_what_cannot_be_looked_up(
    state: FakeS3State,
) -> None:
    state.put("internal", "a", b"bytes")

    def refuse() -> None:
        raise S3Error("HeadObject", "InternalError", 500, "try again")

    action = claimed(state, before({"HeadObject"}, refuse))
    assert action.verb is Verb.REFUSE
    assert "could not be compared" in action.reason


A_COPY = VerifiedCopy("to/key", "etag")


def copy_of(key: str) -> Copy:
    return Copy("external", an_object(key), "internal", f"to/{key}")


@pytest.fixture
def journal(tmp_path: Path) -> Callable[[str], JournalWriter]:
    """Write the journal of a run that is killed."""

    def begin(name: str) -> JournalWriter:
        return JournalWriter(tmp_path / name, replace(RUN_SPEC, id=name))

    return begin


def test_sent_copies_are_those_of_which_no_record_tells_the_result(
    journal: Callable[[str], JournalWriter],
) -> None:
    written = journal("1.jsonl")
    for key in ("in flight", "done", "dropped", "failed", "unanswered", "conflict"):
        written.copying(copy_of(key))
    written.copied(an_object("done"), A_COPY)
    written.not_sent(copy_of("dropped"))
    written.unanswered(copy_of("unanswered"))
    for key in ("failed", "unanswered"):
        written.finished(a_result(Outcome.FAILED, key))
    written.finished(a_result(Outcome.CONFLICT, "conflict"))
    written.close()
    reader = JournalReader(written.path)
    assert sorted(sent_copies(reader)) == ["failed", "in flight", "unanswered"]
    assert unrecorded_copies(reader) == ["to/in flight"]
    assert unanswered_copies(reader) == ["unanswered"]


def test_sent_copies_end_when_a_later_run_or_another_worker_has_found_them(
    journal: Callable[[str], JournalWriter],
) -> None:
    first, second, third = map(journal, ("1.jsonl", "2.jsonl", "3.jsonl"))
    worker = JournalWriter(first.path.with_name("1.jsonl.1"), replace(RUN_SPEC, id="1.jsonl"))
    for key in ("a", "b", "c"):
        worker.copying(copy_of(key))
    first.copied(an_object("a"), A_COPY)
    second.copied(an_object("b"), A_COPY)
    second.copying(copy_of("a"))
    third.copied(an_object("a"), A_COPY)
    for each in (first, second, third, worker):
        each.close()
    readers = [JournalReader(each.path) for each in (first, second, third)]
    assert sorted(sent_copies(readers[0])) == ["b", "c"]
    # The source had changed, and the second run was killed while it copied it again.
    assert sorted(sent_copies(*readers[:2])) == ["a", "c"]
    assert sorted(sent_copies(*readers)) == ["c"]


def test_sent_copies_are_without_those_that_were_refused_and_skipped(
    state: FakeS3State, runs: Runs
) -> None:
    state.put("internal", "a", b"theirs")
    path = runs.move(TransferOptions(ALL_SUPPORTED, OnConflict.SKIP))
    assert runs.outcomes == {"a": Outcome.SKIPPED}
    assert sent_copies(JournalReader(path)) == {}


@pytest.mark.parametrize(
    ("find", "kind", "field"),
    [
        (sent_copies, "copying", "destination_key"),
        (sent_copies, "copying", "key"),
        (unanswered_copies, "unanswered", "key"),
    ],
)
def test_copies_of_an_edited_journal_are_refused_with_the_missing_field(
    journal: Callable[[str], JournalWriter],
    find: Callable[[JournalReader], object],
    kind: str,
    field: str,
) -> None:
    written = journal("1.jsonl")
    getattr(written, kind)(copy_of("a"))
    written.close()
    text = written.path.read_text()
    written.path.write_text(text.replace(f'"{field}": ', '"edited": '))
    with pytest.raises(UsageError, match=f"lacks '{field}'"):
        find(JournalReader(written.path))
