"""Objects get other keys: other folders, other names, and how undo and resume know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.cli_runner import FrogmoveRunner, arguments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.buckets import Buckets
    from tests.request_hooks import RequestHooks

SERVER = "ministack"


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ("--prefix in --to-prefix new", "new/in/a.csv new/in/d/b.csv"),
        ("--prefix in --to-prefix s3://DESTINATION/out/new/", "new/in/a.csv new/in/d/b.csv"),
        ("--prefix in --strip-prefix in", "a.csv d/b.csv"),
        ("--prefix in/d --strip-prefix in/ --to-prefix x/y", "x/y/d/b.csv"),
    ],
)
def test_to_prefix_and_strip_prefix_put_keys_into_other_folders(
    buckets: Buckets, verb: str, options: str, made: str
) -> None:
    frogmove = FrogmoveRunner(buckets, ("s", "out"))
    buckets.put("s/in/a.csv", "s/in/d/b.csv")
    given = arguments(verb, options.replace("DESTINATION", buckets.destination))
    places = sorted(f"out/{key}" for key in made.split())
    would = frogmove(*given, "-o", "json", "--dry-run")
    assert sorted(each["destination_key"] for each in would.of("action")) == places
    assert frogmove(*given).code == 0
    assert sorted(buckets.there()) == places
    again = frogmove(*given, "-o", "json")
    if verb == "sync":
        assert set(again.outcomes.values()) == {"skipped"}


def test_sync_into_another_folder_finds_what_is_there(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("d", "d/a", "d/b", "d-e", "e/a")
    buckets.put_there("new/d", body=b"d")
    buckets.put_there("new/d/a", body=b"other")
    buckets.put_there("d/b", "new/e/a", body=b"untouched")
    ran = frogmove("sync", "--prefix", "d", "--to-prefix", "new", "-o", "json")
    assert ran.outcomes == {"d": "skipped", "d/a": "copied", "d/b": "copied"}
    assert buckets.there() == {
        "new/d": b"d",
        "new/d/a": b"d/a",
        "new/d/b": b"d/b",
        "d/b": b"untouched",
        "new/e/a": b"untouched",
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--strip-prefix other", "does not begin with 'other/'"),
        ("--strip-prefix in/a/", "new key would be empty"),
        ("--to-prefix " + "p" * 1020, "longer than 1,024 bytes"),
    ],
)
def test_key_that_cannot_be_mapped_stays_with_its_reason(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str, options: str, said: str
) -> None:
    buckets.put("in/a/", body=b"body")
    ran = frogmove(*arguments(verb, f"--prefix in {options}"), "-o", "json")
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (1, "failed")
    assert said in result["reason"]
    assert (buckets.keys_here(), buckets.there()) == (["in/a/"], {})


def test_undo_resume_and_report_know_the_other_keys(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("in/a", "in/b", "other")
    ran = frogmove("move", "--prefix", "in", "--to-prefix", "new", "--strip-prefix", "in")
    assert (ran.code, sorted(buckets.there())) == (0, ["new/a", "new/b"])
    assert "in/a -> new/a" in frogmove("report").out
    (told,) = [each for each in frogmove("runs", "-o", "json").records if each["type"] == "run"]
    assert told["mapping"] == {"strip_prefix": "in/", "to_prefix": "new/"}
    assert frogmove("undo", told["id"]).code == 0
    assert (buckets.keys_here(), buckets.there()) == (["in/a", "in/b", "other"], {})


def test_as_option_gives_a_key_another_name(buckets: Buckets, verb: str) -> None:
    frogmove = FrogmoveRunner(buckets, ("in", "out"))
    buckets.put("in/a", "in/b")
    assert frogmove(verb, "a", "--as", "x/y").code == 0
    assert frogmove(verb, "b", "--as", f"s3://{buckets.destination}/out/z").code == 0
    assert buckets.there() == {"out/x/y": b"in/a", "out/z": b"in/b"}


def test_folder_is_no_name_except_of_a_folder(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a", "in/")
    ran = frogmove("move", "a", "--as", "out/")
    assert (ran.code, buckets.keys_here()) == (2, ["a", "in/"])
    assert "'out/' is a folder.\nUse --to-prefix" in ran.err
    assert frogmove("move", "in/", "--as", "out/").code == 0
    assert buckets.there() == {"out/": b"in/"}


RENAMED = ["a.csv", "x/b.tar.gz", "x/y/.hidden", "x/y/", "{n}"]


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("{folder}/{name}", "a.csv x/b.tar.gz x/y/.hidden x/y/ {n}"),
        (
            "{folder}/{stem}-old{suffix}",
            "a-old.csv x/b.tar-old.gz x/y/.hidden-old x/y/-old {n}-old",
        ),
        (
            "{modified:%Y}/{folder}/{name}",
            "YEAR/a.csv YEAR/x/b.tar.gz YEAR/x/y/.hidden YEAR/x/y/ YEAR/{n}",
        ),
        ("{{}}{folder}+{name}", "{}+a.csv {}x+b.tar.gz {}x/y+.hidden {}x/y+ {}+{n}"),
    ],
)
def test_rename_makes_keys_of_a_template(
    buckets: Buckets, frogmove: FrogmoveRunner, template: str, made: str
) -> None:
    buckets.put(*RENAMED)
    year = f"{buckets.seen('a.csv').last_modified:%Y}"
    ran = frogmove("move", "--all", "--rename", template)
    assert ran.code == 0
    assert sorted(buckets.there()) == sorted(made.replace("YEAR", year).split())
    run = frogmove("runs", "-o", "json").records[-1]["id"]
    assert frogmove("undo", run).code == 0
    assert buckets.keys_here() == sorted(RENAMED)


@pytest.mark.parametrize("dry_run", [["--dry-run"], []])
@pytest.mark.parametrize("verb", ["move", "copy"])
def test_rename_of_two_objects_to_one_key_is_refused_before_anything_is_touched(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str, dry_run: list[str]
) -> None:
    keys = ["1/a", "2/a", "2/b", "3/b", "3/c"]
    buckets.put(*keys)
    ran = frogmove(verb, "--all", "--rename", "{name}", "--on-conflict", "overwrite", *dry_run)
    assert (ran.code, ran.out) == (2, "")
    assert "'1/a' and '2/a' would both become 'a'. The same applies to 1 more." in ran.err
    assert (buckets.keys_here(), buckets.there()) == (keys, {})
    part = frogmove(verb, "--prefix", "1", "--prefix", "3", "--rename", "{name}", *dry_run)
    assert part.code == 0


@pytest.mark.parametrize("chosen", [[], ["in/a", "in/b", "in/c"], ["--from-file", "LIST"]])
def test_sync_renames_and_settles(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path, chosen: list[str]
) -> None:
    (tmp_path / "list").write_text("in/a\nin/b\nin/c\n")
    chosen = [str(tmp_path / "list") if each == "LIST" else each for each in chosen]
    buckets.put("in/a", "in/b", "in/c")
    buckets.put_there("b.old", body=b"something else")
    buckets.put_there("a.old", body=b"in/a")
    buckets.put_there("extra")
    options = ("--rename", "{name}.old", *chosen)
    dry = frogmove("sync", *options, "-n", "-o", "json")
    effects = {each["key"]: each["effect"] for each in dry.of("action")}
    assert {key: effects.get(key, "skip") for key in ("in/a", "in/b", "in/c")} == {
        "in/a": "skip",
        "in/b": "replace",
        "in/c": "copy",
    }
    ran = frogmove("sync", *options, "-o", "json")
    assert (ran.code, ran.outcomes) == (
        0,
        {"in/a": "skipped", "in/b": "copied", "in/c": "copied"},
    )
    made = {f"{name}.old": f"in/{name}".encode() for name in "abc"}
    assert buckets.there() == made | {"extra": b"extra"}
    again = frogmove("sync", *options, "-o", "json")
    assert set(again.outcomes.values()) == {"skipped"}
    assert frogmove("verify", ran.summary["run"]).code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--delete", "--rename", "{name}"], "--delete cannot be combined with --rename"),
        (["--rename", "{stem}"], "would both become 'a'"),
    ],
)
def test_sync_refuses_what_it_cannot_rename(
    buckets: Buckets, frogmove: FrogmoveRunner, options: list[str], said: str
) -> None:
    """Of two objects with one new key, one may already be there."""
    buckets.put("a.1", "a.2")
    buckets.put_there("a", body=b"a.1")
    ran = frogmove("sync", *options)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err.replace("\n", " ")
    assert buckets.there() == {"a": b"a.1"}


@pytest.mark.parametrize(
    "options",
    ["--from-file LIST --to-prefix new", "--include in/* --rename new/{folder}/{name}"],
)
def test_resume_goes_on_with_the_selection_and_the_keys(
    buckets: Buckets,
    hooks: RequestHooks,
    tmp_path: Path,
    options: str,
    interrupt: Callable[[], None],
) -> None:
    frogmove = FrogmoveRunner(buckets)
    keys = [f"in/{number}.csv" for number in range(9)]
    buckets.put(*keys, "in/a.tmp", "other")
    (tmp_path / "list").write_text("\n".join([*keys, "in/a.tmp"]))
    hooks.before("CopyObject", interrupt)
    given = options.replace("LIST", str(tmp_path / "list")).split()
    ran = frogmove("move", *given, "--exclude", "**.tmp", "--concurrency", "1")
    assert ran.code == 130
    (tmp_path / "list").unlink()
    assert frogmove("resume").code == 0
    assert sorted(buckets.there()) == [f"new/{key}" for key in keys]
    assert buckets.keys_here() == ["in/a.tmp", "other"]


def test_undo_restores_what_a_rename_replaced(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.version()
    buckets.put("in/a")
    buckets.put_there("a.old", body=b"before")
    ran = frogmove(
        *("move", "--all", "--rename", "{name}.old", "--on-conflict", "overwrite", "-o", "json")
    )
    assert (ran.code, buckets.there()) == (0, {"a.old": b"in/a"})
    assert frogmove("undo", ran.summary["run"]).code == 0
    assert (buckets.here(), buckets.there()) == ({"in/a": b"in/a"}, {"a.old": b"before"})
