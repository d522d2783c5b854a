"""Objects are chosen by their tags, and a route may require one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner

STATUS = "GuardDutyMalwareScanStatus"
CLEAN = f"{STATUS}=NO_THREATS_FOUND"


@pytest.fixture
def keys(buckets: Buckets) -> None:
    buckets.put("clean", Tagging=f"{CLEAN}&team=a")
    buckets.put("other", Tagging=f"{CLEAN}&team=b")
    buckets.put("threat", Tagging=f"{STATUS}=THREATS_FOUND&team=a")
    buckets.put("unscanned")


@pytest.fixture
def config(tmp_path: Path, buckets: Buckets) -> str:
    """A configuration file with a route that requires the tag, and one that requires none."""
    path = tmp_path / "config.toml"
    ends = f'source = "s3://{buckets.source}"\ndestination = "s3://{buckets.destination}"\n'
    path.write_text(
        f'[routes.scanned]\n{ends}require_tag = "{CLEAN}"\n\n[routes.open]\n{ends}', "utf-8"
    )
    return str(path)


@pytest.mark.parametrize(("verb", "processes"), [("move", "1"), ("move", "2"), ("copy", "1")])
@pytest.mark.usefixtures("keys")
def test_tag_selects(buckets: Buckets, frogmove: FrogmoveRunner, verb: str, processes: str) -> None:
    tags = ["--tag", CLEAN, "--tag", "team=a"]
    ran = frogmove(verb, "--all", *tags, "--processes", processes, "-o", "json")
    assert ran.code == 0, ran.err
    done = "moved" if verb == "move" else "copied"
    waiting = {"other": "waiting", "threat": "waiting", "unscanned": "waiting"}
    assert ran.outcomes == {"clean": done} | waiting
    assert ran.summary["counts"]["waiting"] == 3
    assert set(buckets.there()) == {"clean"}
    assert len(buckets.here()) == (3 if verb == "move" else 4)


@pytest.mark.usefixtures("keys")
def test_dry_run_says_what_would_wait(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    before = buckets.state()
    ran = frogmove("move", "--all", "--tag", CLEAN, "--dry-run", "-o", "json")
    planned = {record["key"]: record["action"] for record in ran.of("action")}
    assert planned == {"clean": "move", "other": "move", "threat": "wait", "unscanned": "wait"}
    assert buckets.state() == before


@pytest.mark.usefixtures("keys")
def test_sync_leaves_what_lacks_the_tag(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    ran = frogmove("sync", "-o", "json", FROGMOVE_REQUIRE_TAG=CLEAN)
    assert (ran.code, set(buckets.there())) == (0, {"clean", "other"})
    assert ran.summary["counts"]["waiting"] == 2


@pytest.mark.usefixtures("keys")
def test_ls_shows_what_carries_the_tag_in_order(frogmove: FrogmoveRunner) -> None:
    ran = frogmove("ls", "--tag", CLEAN, "-o", "json")
    assert [record["key"] for record in ran.of("object")] == ["clean", "other"]


@pytest.mark.usefixtures("keys")
def test_route_requires_its_tag_of_every_command_and_of_resumes(
    buckets: Buckets, frogmove: FrogmoveRunner, config: str
) -> None:
    ran = frogmove("move", "--all", "--route", "scanned", FROGMOVE_CONFIG=config)
    assert (ran.code, set(buckets.there())) == (0, {"clean", "other"})
    assert "2 waiting" in ran.err

    # One that is named waits as well.
    ran = frogmove("move", "unscanned", "--route", "scanned", FROGMOVE_CONFIG=config)
    assert (ran.code, "waiting" in ran.out) == (0, True)

    options = ["--route", "scanned", "--no-require-scan"]
    ran = frogmove("copy", "threat", *options, FROGMOVE_CONFIG=config)
    assert (ran.code, "threat" in buckets.there()) == (0, True)


@pytest.mark.usefixtures("keys")
def test_undo_needs_no_tag(buckets: Buckets, frogmove: FrogmoveRunner, config: str) -> None:
    options = ["--route", "scanned", "--no-require-scan", "-o", "json"]
    frogmove("move", "unscanned", *options, FROGMOVE_CONFIG=config)
    (run,) = frogmove("runs", "-o", "json").of("run")
    ran = frogmove("undo", run["id"], "-o", "json", FROGMOVE_REQUIRE_TAG=CLEAN)
    assert (ran.code, ran.outcomes) == (0, {"unscanned": "moved"})


@pytest.mark.usefixtures("keys")
def test_require_scan_is_refused_for_a_route_that_requires_no_tag(
    buckets: Buckets, frogmove: FrogmoveRunner, config: str
) -> None:
    before = buckets.state()
    ran = frogmove("move", "--all", "--route", "open", "--require-scan", FROGMOVE_CONFIG=config)
    assert (ran.code, "requires no tag" in ran.err) == (2, True)
    assert buckets.state() == before


@pytest.mark.parametrize("text", ["key", "=value"])
def test_tag_that_is_none_is_refused(frogmove: FrogmoveRunner, text: str) -> None:
    for command in (["move", "--all"], ["sync"], ["ls"]):
        ran = frogmove(*command, "--tag", text)
        assert (ran.code, "is not a tag" in ran.err) == (2, True)
    assert frogmove("sync", FROGMOVE_REQUIRE_TAG=text).code == 2


@pytest.mark.usefixtures("keys")
def test_plan_whose_objects_lost_the_tag_is_not_done(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    buckets.put("changed", "gone", "stays", Tagging=CLEAN)
    file = str(tmp_path / "plan")
    planned = frogmove("move", "--all", "--tag", CLEAN, "--plan", file, "-o", "json")
    assert planned.summary["counts"]["move"] == 5
    buckets.client.delete_object_tagging(Bucket=buckets.source, Key="clean")
    buckets.client.delete_object(Bucket=buckets.source, Key="gone")
    buckets.put("changed", body=b"new", Tagging=CLEAN)
    dry = frogmove("apply", file, "-n", "-o", "json")
    effects = {record["key"]: record["effect"] for record in dry.of("action")}
    assert effects == {
        **dict.fromkeys(["clean", "gone", "changed"], "conflict"),
        **dict.fromkeys(["threat", "unscanned"], "wait"),
        **dict.fromkeys(["other", "stays"], "move"),
    }
    ran = frogmove("apply", file, "-o", "json")
    assert ran.code == 1
    printed = {"move": "moved", "wait": "waiting", "conflict": "conflict"}
    assert ran.outcomes == {key: printed[effect] for key, effect in effects.items()}
    assert set(buckets.there()) == {"other", "stays"}


def test_plan_made_before_the_route_required_a_tag_is_refused(
    buckets: Buckets, frogmove: FrogmoveRunner, config: str, tmp_path: Path
) -> None:
    buckets.put("a")
    file = str(tmp_path / "plan")
    assert frogmove("move", "--all", "--plan", file).code == 0
    ran = frogmove("apply", file, "--route", "scanned", FROGMOVE_CONFIG=config)
    assert (ran.code, buckets.there()) == (2, {})
    assert f"is for the required tag (none), not {CLEAN}" in ran.err
    options = ("--route", "scanned", "--no-require-scan")
    assert frogmove("apply", file, *options, FROGMOVE_CONFIG=config).code == 0
    assert set(buckets.there()) == {"a"}
