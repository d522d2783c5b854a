"""The public API: runs that programs start, and the README's examples of them."""

from __future__ import annotations

import io
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

import frogmove
from frogmove import (
    Client,
    Config,
    FrogmoveError,
    Limits,
    OnConflict,
    Outcome,
    Route,
    RunError,
    S3Error,
    SelectionOptions,
    TransferOptions,
    UnreachableError,
    UsageError,
    Verb,
)
from frogmove.core import selection
from frogmove.core.journal_reader import JournalReader
from frogmove.core.run_spec import Command
from frogmove.run_store import journals
from frogmove.s3.listing import list_folder
from tests.fault_proxy import SECONDS_TO_WAIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.s3.models import S3Object
    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner

ROOT = Path(__file__).parents[1]
KEYS = [f"reports/{number:02}" for number in range(20)]


@pytest.fixture
def client(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name, value in buckets.server.environment().items():
        monkeypatch.setenv(name, value)
    with Client(Config(endpoint_url=buckets.server.endpoint_url), Limits(4)) as made:
        yield made


@pytest.fixture
def slow_client(client: Client) -> Iterator[Client]:
    """A client that begins a copy only once the source before it has been deleted."""
    with Client(client.config, Limits(4, rate=8)) as made:
        yield made


def test_move_moves_what_was_selected_and_keeps_a_journal(client: Client, buckets: Buckets) -> None:
    buckets.put("a", *KEYS)
    run = client.move(buckets.route, prefix="reports")
    assert buckets.keys_here() == ["a", *KEYS]
    assert {result.key: result.outcome for result in run} == dict.fromkeys(KEYS, Outcome.MOVED)
    assert buckets.keys_here() == ["a"]
    assert sorted(buckets.there()) == KEYS
    reader = JournalReader(run.path)
    assert journals() == [run.path]
    assert (reader.spec.selection.folders, reader.end() is None) == (("reports",), False)


def test_selection_options_select_as_the_command_line_does(
    client: Client, buckets: Buckets
) -> None:
    buckets.put("a/1.csv", "a/2.csv", "a/3.tmp", "b/4.csv", "c/5.csv")
    chosen = SelectionOptions(
        prefix=["a", "b"],
        include="*.csv",
        exclude=["2*"],
        newer_than=timedelta(hours=1),
        older_than=datetime(2999, 1, 1, tzinfo=UTC),
        min_size=1,
        max_size="1KiB",
        storage_class="STANDARD",
        to_prefix="new",
    )
    planned = [action.destination_key for action in client.plan(buckets.route, **chosen)]
    assert planned == ["new/a/1.csv", "new/b/4.csv"]
    assert len(list(client.move(buckets.route, **chosen))) == 2
    assert sorted(buckets.there()) == planned
    keys = io.BytesIO(b"a/2.csv\0c/5.csv\0")
    assert len(list(client.copy(buckets.route, from_file=keys, nul=True))) == 2
    with pytest.raises(UsageError, match="no time zone"):
        client.plan(buckets.route, everything=True, older_than=datetime(2026, 1, 1))  # noqa: DTZ001


def test_copy_keeps_the_source(client: Client, buckets: Buckets) -> None:
    buckets.put("a", "b")
    assert [result.outcome for result in client.copy(buckets.route, "a")] == [Outcome.COPIED]
    assert (sorted(buckets.here()), sorted(buckets.there())) == (["a", "b"], ["a"])


def test_sync_copies_what_is_missing(client: Client, buckets: Buckets) -> None:
    buckets.put("a", "b")
    buckets.put_there("a")
    outcomes = {result.key: result.outcome for result in client.sync(buckets.route)}
    assert outcomes == {"a": Outcome.SKIPPED, "b": Outcome.COPIED}


def test_plan_changes_nothing(client: Client, buckets: Buckets) -> None:
    buckets.version()
    buckets.put("a")
    before = buckets.state()
    assert [action.verb for action in client.plan(buckets.route, everything=True)] == [Verb.MOVE]
    assert (buckets.state(), journals()) == (before, [])


def test_transfer_options_say_what_becomes_of_a_conflict(client: Client, buckets: Buckets) -> None:
    buckets.put("a", body=b"ours")
    buckets.put_there("a", body=b"theirs")
    options = TransferOptions(on_conflict=OnConflict.SKIP)
    (result,) = client.move(buckets.route, "a", options=options)
    assert result.outcome is Outcome.SKIPPED
    assert buckets.there() == {"a": b"theirs"}


def test_run_that_is_not_taken_to_its_end_is_interrupted_and_loses_nothing(
    slow_client: Client, buckets: Buckets
) -> None:
    buckets.put(*KEYS)
    run = slow_client.move(buckets.route, everything=True)
    with closing(run):
        next(iter(run))
    assert run.summary.interrupted
    assert sorted({**buckets.here(), **buckets.there()}) == KEYS
    assert run.summary.counts[Outcome.MOVED] == len(buckets.there())
    end = JournalReader(run.path).end()
    assert end is not None
    assert end["interrupted"]


def test_run_that_is_stopped_ends_what_is_in_flight(slow_client: Client, buckets: Buckets) -> None:
    buckets.put(*KEYS)
    run = slow_client.move(buckets.route, everything=True)
    for _ in run:
        run.stop()
    assert run.summary.interrupted
    assert 0 < len(buckets.there()) == run.summary.counts[Outcome.MOVED]


def test_client_refuses_what_cannot_be_meant_before_anything_is_touched(
    client: Client, buckets: Buckets
) -> None:
    buckets.put("a")
    with pytest.raises(UsageError):
        client.move(buckets.route)
    with pytest.raises(UsageError, match="no key"):
        client.move(buckets.route, "b")
    with pytest.raises(UsageError, match="are the same"):
        Route.parse("s3://one", "s3://one/")
    with pytest.raises(UnreachableError, match="does not exist"):
        client.move(Route.parse("s3://no-such-bucket-here", "s3://either-of-them"), everything=True)
    assert (buckets.keys_here(), journals()) == (["a"], [])


def test_run_that_cannot_go_on_raises_after_its_results(client: Client, buckets: Buckets) -> None:
    buckets.put(*KEYS)
    run = client.move(buckets.route, everything=True)
    buckets.client.delete_bucket(Bucket=buckets.destination)
    with pytest.raises(RunError):
        list(run)
    assert buckets.keys_here() == KEYS
    assert JournalReader(run.path).end() is None


def test_errors_are_all_frogmove_errors() -> None:
    for error in (UsageError, UnreachableError, RunError, S3Error):
        assert issubclass(error, FrogmoveError)


def test_public_names_can_all_be_had_and_no_other() -> None:
    assert [getattr(frogmove, name).__name__ for name in frogmove.__all__] == frogmove.__all__
    with pytest.raises(AttributeError):
        frogmove.Nothing  # noqa: B018


def test_readme_examples_run(
    client: Client, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.put("a", *KEYS)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", buckets.server.endpoint_url)
    texts = [(ROOT / name).read_text("utf-8") for name in ("README.md", "frogmove/README.md")]
    blocks = [re.findall(r"```python\n(.*?)```", text, re.DOTALL) for text in texts]
    assert all(blocks)
    for block in chain(*blocks):
        code = block.replace("frogtech-sharara-external", buckets.source)
        exec(code.replace("frogtech-sharara-internal", buckets.destination), {})
    assert buckets.keys_here() == ["a"]
    # The last run, a sync, is undone in the end.
    assert sorted(buckets.there()) == KEYS


def test_client_resumes_a_run_and_undoes_it(
    client: Client, slow_client: Client, buckets: Buckets
) -> None:
    buckets.put(*KEYS)
    run = slow_client.move(buckets.route, prefix="reports")
    for _ in run:
        run.stop()
    assert run.summary.interrupted
    resumed = client.resume()
    assert resumed is not None
    assert {result.outcome for result in resumed} == {Outcome.MOVED}
    assert (buckets.here(), sorted(buckets.there())) == ({}, KEYS)
    assert client.resume() is None
    assert client.resume(resumed.spec.id) is None
    undo = client.undo(resumed.spec.id, options=TransferOptions(on_conflict=OnConflict.SKIP))
    assert undo.spec.on_conflict is OnConflict.SKIP
    assert {result.key: result.outcome for result in undo} == dict.fromkeys(KEYS, Outcome.MOVED)
    assert (sorted(buckets.here()), buckets.there()) == (KEYS, {})
    with pytest.raises(UsageError, match="is an undo"):
        client.resume(undo.path)
    with pytest.raises(UsageError, match="is an undo itself"):
        client.undo("last")


@pytest.mark.parametrize("command", ["move", "copy", "sync"])
@pytest.mark.parametrize("policy", [OnConflict.OVERWRITE, OnConflict.KEEP_BOTH, OnConflict.SKIP])
def test_undo_overwrites_no_upload_whatever_the_policy_of_the_run(
    client: Client, buckets: Buckets, command: str, policy: OnConflict
) -> None:
    buckets.put("a")
    options = TransferOptions(on_conflict=policy)
    run = getattr(client, command)(buckets.route, "a", options=options)
    assert not any(result.outcome.needs_attention for result in run)
    buckets.put("a", body=b"uploaded since")
    undo = client.undo(run.spec.id)
    assert [result.outcome for result in undo] == [Outcome.CONFLICT]
    assert (buckets.here(), buckets.there()) == ({"a": b"uploaded since"}, {"a": b"a"})


def test_verification_with_a_template_is_refused(client: Client, buckets: Buckets) -> None:
    with pytest.raises(UsageError, match="cannot rename keys"):
        client.verify(buckets.route, rename="{name}.old")


def test_client_continues_a_run_only_on_its_server_and_completely(
    client: Client, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.put(*KEYS[:2])
    run = client.move(buckets.route, prefix="reports")
    assert len(list(run)) == 2
    with pytest.raises(UsageError, match="no run 'nope'"):
        client.undo("nope")
    with Client(Config(region="eu-central-1")) as other:
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
        with pytest.raises(UsageError, match=f"was on the server {buckets.server.endpoint_url}"):
            other.undo(run.spec.id)
    lines = run.path.read_bytes().splitlines(keepends=True)
    run.path.write_bytes(b"".join([*lines[:2], b"{\n", *lines[2:]]))
    with pytest.raises(UsageError, match="cannot be undone completely"):
        client.undo(run.spec.id)
    assert sorted(buckets.there()) == KEYS[:2]


def test_run_that_nobody_iterates_over_leaves_nothing_to_resume(
    client: Client, buckets: Buckets
) -> None:
    buckets.put(*KEYS[:2])
    copied = client.copy(buckets.route, prefix="reports")
    assert len(list(copied)) == 2
    with Client(client.config) as other:
        begun = [
            other.move(buckets.route, prefix="reports"),
            other.sync(buckets.route),
            other.undo(copied.spec.id),
        ]
        assert all(run.path.exists() for run in begun)
    assert journals() == [copied.path]
    assert client.resume() is None
    assert sorted(buckets.here()) == sorted(buckets.there()) == KEYS[:2]


def test_program_is_told_that_copies_of_a_killed_run_have_no_record_and_resumes_it_first(
    client: Client, buckets: Buckets
) -> None:
    buckets.put(*KEYS[:2])
    run = client.copy(buckets.route, prefix="reports")
    assert len(list(run)) == 2
    kept = [
        line for line in run.path.read_bytes().splitlines(keepends=True) if b"copied" not in line
    ]
    run.path.write_bytes(b"".join(line for line in kept if b'"end"' not in line))
    with pytest.raises(UsageError, match="not known whether 2 of its copies took place"):
        client.undo(run.spec.id)
    resumed = client.resume(run.spec.id)
    assert resumed is not None
    assert [result.outcome for result in resumed] == [Outcome.COPIED] * 2
    assert [result.outcome for result in client.undo(run.spec.id)] == [Outcome.MOVED] * 2
    assert (sorted(buckets.here()), buckets.there()) == (KEYS[:2], {})


@pytest.mark.parametrize("command", [Command.MOVE, Command.COPY, Command.SYNC])
def test_run_that_is_stopped_is_interrupted_and_its_resume_does_the_rest(
    client: Client, buckets: Buckets, frogmove: FrogmoveRunner, command: Command
) -> None:
    """What plans a sync compares ahead of the copies."""
    buckets.put(*KEYS)
    # Deletes wait for their batch: without a rate, all copies could be done by then.
    with Client(client.config, Limits(2, rate=20)) as made:
        selected: dict[str, Any] = {} if command is Command.SYNC else {"prefix": "reports"}
        run = getattr(made, command.value)(buckets.route, **selected)
        for _ in run:
            run.stop()
    assert run.summary.interrupted
    assert len(buckets.there()) < len(KEYS)
    assert frogmove("resume", run.spec.id).code == 0
    assert sorted(buckets.there()) == KEYS


def test_progress_counts_the_listings_of_this_run_only(client: Client, buckets: Buckets) -> None:
    buckets.put(*KEYS)
    listed = []
    for command in (client.copy, client.move):
        run = command(buckets.route, prefix="reports")
        results = list(run)
        assert len(results) == len(KEYS)
        listed.append(run.progress.activity.listed)
    # One more page looks for a key with the name of the folder.
    assert listed == [len(KEYS) + 1] * 2


def test_run_that_is_stopped_amid_its_last_objects_has_nothing_left(
    client: Client, buckets: Buckets
) -> None:
    buckets.put("a")
    run = client.sync(buckets.route)
    for _ in run:
        run.stop()
    assert not run.summary.interrupted


def test_filtered_listing_ends_when_its_run_is_stopped(
    client: Client, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first key nothing matches, and the listing would never end."""
    buckets.put("a")
    waiting = Event()
    list_once = list_folder

    def list_for_ever(*arguments: Any) -> Iterator[S3Object]:
        (found,) = list_once(*arguments)
        yield found
        while True:
            waiting.set()
            yield found._replace(key="b")

    monkeypatch.setattr(selection, "list_folder", list_for_ever)
    monkeypatch.setattr("frogmove.run.PLANNING_SECONDS", 0.01)
    run = client.move(buckets.route, everything=True, include="a")

    def stop() -> None:
        waiting.wait(SECONDS_TO_WAIT)
        run.stop()

    stopper = Thread(target=stop)
    stopper.start()
    assert [result.key for result in run] == ["a"]
    stopper.join()
    assert run.summary.interrupted
