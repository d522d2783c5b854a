"""`--plan FILE`, `frogmove plan FILE` and `frogmove apply FILE`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from frogmove import Client, Command, Config
from frogmove.core import plan_file
from frogmove.core.models import Effect
from frogmove.core.options import OnConflict
from frogmove.core.plan_file import read_plan
from frogmove.run_store import journals, runs_directory
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner, run
from tests.cli.test_dry_run import COMMANDS, DONE, OUTCOMES, arrange

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.request_hooks import RequestHooks
    from tests.servers import Server

SERVER = "ministack"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a plan"


@pytest.mark.parametrize("policy", OnConflict)
@pytest.mark.parametrize("command", COMMANDS)
def test_plan_is_applied_exactly(
    moto: Server, file: Path, command: str, policy: OnConflict
) -> None:
    buckets = Buckets.make(moto)
    buckets.version()
    arrange(buckets)
    frogmove = FrogmoveRunner(buckets)
    before = buckets.state()
    policies = ("--on-conflict", policy.value)
    planned = frogmove(command, *COMMANDS[command], *policies, "--plan", str(file), "-o", "json")
    assert (planned.code, buckets.state(), journals()) == (0, before, [])
    reported = {record["key"]: record for record in planned.of("action")}
    # It is not what the plan was made for.
    buckets.put("since")
    ran = frogmove("apply", str(file), "-o", "json")
    done = {record["key"]: record for record in ran.of("result")}
    assert done.keys() == reported.keys()
    for key, action in reported.items():
        expected = OUTCOMES.get(Effect(action["effect"]), DONE[command])
        assert (key, done[key]["outcome"]) == (key, expected), (action, done[key])
        assert action["destination_key"] == done[key]["destination_key"]
    assert "since" in buckets.keys_here()
    assert ran.code == 1
    assert [path.suffix for path in sorted(runs_directory().iterdir())] == [".jsonl", ".plan"]


@pytest.mark.parametrize("policy", ["overwrite", "keep-both"])
def test_plan_leaves_what_has_changed_since(
    seaweedfs_buckets: Buckets, file: Path, policy: str
) -> None:
    buckets = seaweedfs_buckets
    names = ["free", "here", "gone", "taken", "other", "away", "same", "same-away"]
    buckets.put(*names)
    buckets.put_there("other", "away", body=b"theirs")
    buckets.put_there("same", "same-away")
    frogmove = FrogmoveRunner(buckets)
    plan = ("move", "--all", "--on-conflict", policy, "--plan", str(file), "-o", "json")
    places = {each["key"]: each["destination_key"] for each in frogmove(*plan).of("action")}
    buckets.put("here", body=b"a new upload")
    buckets.client.delete_object(Bucket=buckets.source, Key="gone")
    buckets.put_there("taken", body=b"somebody else's")
    buckets.put_there(places["other"], body=b"somebody else's")
    buckets.put_there("same", body=b"somebody else's")
    buckets.client.delete_object(Bucket=buckets.destination, Key=places["away"])
    buckets.client.delete_object(Bucket=buckets.destination, Key="same-away")
    ran = frogmove("apply", str(file), "-o", "json")
    replaced = "conflict" if policy == "overwrite" else "moved"
    assert (ran.code, ran.outcomes) == (
        1,
        {
            "free": "moved",
            "here": "superseded",
            "gone": "gone",
            "taken": "conflict",
            "other": "conflict",
            "away": replaced,
            "same": "conflict",
            "same-away": "conflict",
        },
    )
    assert buckets.here()["here"] == b"a new upload"
    assert buckets.there()["taken"] == buckets.there()["same"] == b"somebody else's"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"size": 1', '"size": 2'), "edited"),
        (lambda text: text.replace('"move"', '"copy"'), "edited"),
        (lambda text: re.sub(r'"sha256": "..', '"sha256": "xx', text), "edited"),
        (lambda text: "".join(text.splitlines(keepends=True)[:-1]), "incomplete"),
        (lambda text: text[:-1], "incomplete"),
        (lambda text: text[:300], "not a plan"),
        (lambda text: text.replace('"version": 1', '"version": 0', 1), "another version"),
        (lambda text: "", "not a plan"),
        (lambda text: "hello\n", "not a plan"),
        (lambda text: text.splitlines(keepends=True)[0] + "[]\n" + text, "edited"),
    ],
)
def test_plan_file_that_is_not_as_it_was_written_is_refused(
    buckets: Buckets, frogmove: FrogmoveRunner, file: Path, change: object, message: str
) -> None:
    buckets.put("a", "b")
    assert frogmove("move", "--all", "--plan", str(file)).code == 0
    before = buckets.state()
    assert callable(change)
    text = file.read_text()
    file.write_text(change(text))
    assert file.read_text() != text
    for command in ("apply", "plan"):
        ran = frogmove(command, str(file))
        assert (ran.code, ran.out, buckets.state()) == (2, "", before)
        assert message in ran.err
    assert not runs_directory().exists() or list(runs_directory().iterdir()) == []


def test_plan_that_becomes_another_while_it_is_read_is_refused(
    buckets: Buckets, frogmove: FrogmoveRunner, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.put("a")
    other = file.with_name("other")
    assert frogmove("copy", "--all", "--plan", str(file)).code == 0
    assert frogmove("move", "--all", "--plan", str(other)).code == 0
    keep = plan_file.keep_plan

    def replaced(path: Path, kept: Path) -> int:
        other.replace(path)
        return keep(path, kept)

    monkeypatch.setattr(plan_file, "keep_plan", replaced)
    ran = frogmove("apply", str(file))
    assert (ran.code, list(runs_directory().iterdir())) == (2, [])
    assert "changed while it was read" in ran.err
    assert list(buckets.here()) == ["a"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"FROGMOVE_SOURCE": "s3://another"}, "for the source"),
        ({"FROGMOVE_DESTINATION": "s3://another"}, "for the destination"),
        ({"FROGMOVE_ENDPOINT_URL": "http://127.0.0.1:9"}, "for the server"),
        ({"FROGMOVE_KMS_KEY_ID": "alias/another"}, "for the KMS key"),
        ({"AWS_ACCESS_KEY_ID": "ANOTHER"}, "another account"),
    ],
)
def test_plan_for_something_else_is_refused(
    buckets: Buckets, frogmove: FrogmoveRunner, file: Path, other: dict[str, str], message: str
) -> None:
    buckets.put("a")
    assert frogmove("move", "--all", "--plan", str(file)).code == 0
    before = buckets.state()
    ran = frogmove("apply", str(file), **other)
    assert (ran.code, ran.out, buckets.state()) == (2, "", before)
    assert message in ran.err
    assert not list(runs_directory().glob("*"))


def test_plan_needs_no_route_of_its_own_to_be_applied(
    buckets: Buckets, frogmove: FrogmoveRunner, file: Path
) -> None:
    buckets.put("a")
    assert frogmove("copy", "a", "--plan", str(file)).code == 0
    nowhere = {"FROGMOVE_SOURCE": None, "FROGMOVE_DESTINATION": None}
    ran = frogmove("apply", str(file), "-n", "-o", "json", **nowhere)
    assert (ran.code, [each["effect"] for each in ran.of("action")]) == (0, ["copy"])
    assert not list(runs_directory().glob("*"))
    ran = frogmove("apply", str(file), "-o", "json", **nowhere)
    assert (ran.code, ran.outcomes, buckets.there()) == (0, {"a": "copied"}, {"a": b"a"})


def test_plan_is_shown(buckets: Buckets, frogmove: FrogmoveRunner, file: Path) -> None:
    buckets.put("in/large", body=b"x" * 5000)
    buckets.put("in/small", "taken")
    buckets.put_there("taken", body=b"theirs")
    made = frogmove("move", "--all", "--plan", str(file))
    assert f"frogmove apply '{file}'" in made.err
    ran = run("plan", str(file))
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert f"s3://{buckets.source}/ -> s3://{buckets.destination}/; everything" in lines[0]
    assert "2 objects, 5.0 kB" in lines
    assert [line.split()[-1] for line in lines[lines.index("Largest:") + 1 :][:2]] == [
        "in/large",
        "in/small",
    ]
    assert "Oldest:" in lines
    assert lines[lines.index("Conflicts (1):") + 1].strip().startswith("taken  (the destination")
    (record,) = run("plan", str(file), "-o", "json").records
    assert record["summary"]["counts"]["conflict"] == 1
    assert [each["key"] for each in record["largest"]] == ["in/large", "in/small"]


def test_plan_file_that_is_there_is_not_overwritten(
    buckets: Buckets, frogmove: FrogmoveRunner, file: Path
) -> None:
    buckets.put("a")
    file.write_text("mine")
    ran = frogmove("move", "--all", "--plan", str(file))
    assert (ran.code, file.read_text()) == (2, "mine")
    assert "File exists" in ran.err
    assert "remove this one" in ran.err
    assert frogmove("move", "--all", "--plan", "/nowhere/plan").code == 2


def test_plan_that_cannot_be_made_or_is_interrupted_leaves_no_file(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    file: Path,
    hooks: RequestHooks,
    interrupt: Callable[[], None],
) -> None:
    buckets.put("a", "b")
    buckets.put_there("b")
    hooks.before("HeadObject", interrupt)
    assert frogmove("move", "--all", "--plan", str(file)).code == 130
    assert not file.exists()
    assert frogmove("move", "absent", "--plan", str(file)).code == 2
    assert not file.exists()


def test_apply_that_was_interrupted_is_resumed_and_undone(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    file: Path,
    hooks: RequestHooks,
    interrupt: Callable[[], None],
) -> None:
    keys = [f"{number:02}" for number in range(12)]
    buckets.put(*keys)
    assert frogmove("move", "--all", "--concurrency", "1", "--plan", str(file)).code == 0
    hooks.before("CopyObject", interrupt, skip=3)
    assert frogmove("apply", str(file)).code == 130
    assert 0 < len(buckets.there()) < len(keys)
    file.unlink()
    buckets.put("since")
    resumed = frogmove("resume", "-o", "json")
    assert (resumed.code, set(resumed.outcomes.values())) == (0, {"moved"})
    assert sorted(buckets.there()) == keys
    assert list(buckets.here()) == ["since"]
    assert frogmove("undo", resumed.summary["run"]).code == 0
    assert (sorted(buckets.here()), buckets.there()) == ([*keys, "since"], {})


def test_client_writes_and_applies_plans(
    buckets: Buckets, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    for name, value in buckets.server.environment().items():
        monkeypatch.setenv(name, value or "")
    buckets.put("a", "b")
    with Client(Config(endpoint_url=buckets.server.endpoint_url)) as client:
        summary = client.plan(buckets.route, "a", command=Command.COPY).write(file)
        assert (summary.transfers, summary.transfer_bytes) == (1, 1)
        assert [(each.object.key, each.effect) for each in read_plan(file)] == [("a", Effect.COPY)]
        assert [(each.key, each.outcome) for each in client.apply(file)] == [("a", "copied")]
    assert buckets.there() == {"a": b"a"}
    assert json.loads(file.read_text().splitlines()[-1])["actions"] == 1


def test_plan_that_is_applied_again_says_so_even_if_quiet(
    buckets: Buckets, frogmove: FrogmoveRunner, file: Path
) -> None:
    buckets.put("a", "b")
    assert frogmove("move", "--all", "--plan", str(file)).code == 0
    assert frogmove("apply", str(file), "-q").code == 0
    after = buckets.state()
    ran = frogmove("apply", str(file), "-q")
    assert (ran.code, ran.out, buckets.state()) == (1, "", after)
    assert "Not done as planned: 2 objects already gone." in ran.err
    assert "applied before" in ran.err
    buckets.put("a", body=b"a new upload")
    ran = frogmove("apply", str(file), "-q")
    assert (ran.code, buckets.here()) == (1, {"a": b"a new upload"})
    assert "1 object changed after the plan was made, 1 object already gone." in ran.err


def test_dry_run_of_a_plan_has_its_reasons(
    buckets: Buckets, frogmove: FrogmoveRunner, file: Path
) -> None:
    buckets.put("a", body=b"mine")
    buckets.put_there("a", body=b"theirs")
    planned = frogmove("move", "a", "--on-conflict", "overwrite", "--plan", str(file))
    assert "would replace   a  (something else: 6 bytes of" in planned.out
    assert frogmove("apply", str(file), "-n").out == planned.out


def test_dry_run_of_a_plan_shows_what_has_changed_since(
    buckets: Buckets, frogmove: FrogmoveRunner, file: Path
) -> None:
    buckets.put("changed", "gone", "here")
    frogmove("move", "--all", "--plan", str(file))
    buckets.put("changed", body=b"a new upload")
    buckets.client.delete_object(Bucket=buckets.source, Key="gone")
    dry = frogmove("apply", str(file), "-n")
    shown = {" ".join(line.split(" (")[0].split()) for line in dry.out.splitlines()}
    assert shown == {"superseded changed", "gone gone", "would move here"}
    assert buckets.keys_here() == ["changed", "here"]
    ran = frogmove("apply", str(file), "-o", "json")
    assert ran.outcomes == {"changed": "superseded", "gone": "gone", "here": "moved"}


@pytest.mark.parametrize(
    ("file", "printed"),
    [
        ("s3://bucket/today.plan", "A plan is a file on this machine."),
        ("'today.plan'", "write one pair only, which the shell removes."),
    ],
)
def test_plan_path_that_was_not_meant_is_answered_so(
    frogmove: FrogmoveRunner, file: str, printed: str
) -> None:
    for command in ("plan", "apply"):
        ran = frogmove(command, file)
        assert (ran.code, ran.out) == (2, "")
        assert printed in " ".join(ran.err.split())
