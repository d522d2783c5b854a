"""What is selected, and which keys it gets: on every command alike, over HTTP."""

from __future__ import annotations

import os
import re
import signal
from subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from frogmove.run_store import runs_directory
from tests.cli.cli_runner import FrogmoveRunner
from tests.keys import KEYS as KEYS_OF_OUTSIDERS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Buckets
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

KEYS = ["a.csv", "a.tmp", "logs", "logs/a.csv", "logs/x/b.csv", "logs2/c.csv", "x/d.csv"]


@pytest.fixture
def server(ministack: Server) -> Server:
    """The server that keeps every key and knows storage classes."""
    return ministack


@pytest.fixture(params=["move", "copy", "sync"])
def verb(request: pytest.FixtureRequest) -> str:
    verb: str = request.param
    return verb


def arguments(verb: str, options: str) -> list[str]:
    return [verb, *options.split()]


SELECTED = pytest.mark.parametrize(
    ("options", "selected"),
    [
        ("--prefix logs", "logs logs/a.csv logs/x/b.csv"),
        ("--prefix logs/", "logs/a.csv logs/x/b.csv"),
        ("--prefix logs --prefix logs/x --prefix x", "logs logs/a.csv logs/x/b.csv x/d.csv"),
        ("--prefix s3://SOURCE/logs2", "logs2/c.csv"),
        ("--include *.csv", "a.csv"),
        ("--include **/*.csv --exclude logs/**", "a.csv logs2/c.csv x/d.csv"),
        ("--prefix logs --include *.csv", "logs/a.csv"),
        ("--prefix logs --prefix x --exclude x/* --exclude a*", "logs x/d.csv"),
        ("a.csv a.tmp --include *.csv", "a.csv"),
        ("--prefix logs --min-size 5 --max-size 10", "logs/a.csv"),
        ("--prefix logs --newer-than 1h --older-than 2999-01-01", "logs logs/a.csv logs/x/b.csv"),
        ("--prefix x --storage-class standard", "x/d.csv"),
    ],
)


@SELECTED
def test_exactly_what_is_selected_goes(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str, options: str, selected: str
) -> None:
    buckets.put(*KEYS)
    given = arguments(verb, options.replace("SOURCE", buckets.source))
    would = frogmove(*given, "-o", "json", "--dry-run")
    assert sorted(each["key"] for each in would.of("action")) == selected.split()
    ran = frogmove(*given, "-o", "json")
    assert (ran.code, sorted(ran.outcomes)) == (0, selected.split())
    assert sorted(buckets.there()) == selected.split()
    left = sorted(set(KEYS) - set(selected.split())) if verb == "move" else KEYS
    assert buckets.keys_here() == left


@SELECTED
def test_exactly_what_is_selected_is_listed(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path, options: str, selected: str
) -> None:
    buckets.put(*KEYS)
    given = options.replace("SOURCE", buckets.source).split()
    if not given[0].startswith("-"):
        (tmp_path / "list").write_text("\n".join(given[:2]))
        given[:2] = ["--from-file", str(tmp_path / "list")]
    ran = frogmove("ls", *given, "-o", "json")
    assert (ran.code, [each["key"] for each in ran.of("object")]) == (0, selected.split())


def test_a_listing_says_what_is_not_there(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    buckets.put("a", "b/c")
    (tmp_path / "list").write_text("b/c\ntypo\na\n")
    ran = frogmove("ls", "--from-file", str(tmp_path / "list"), "-o", "json")
    assert (ran.code, [each["key"] for each in ran.of("object")]) == (1, ["b/c", "a"])
    assert "typo: not found." in ran.err
    assert frogmove("ls", "b", "--include", "*c", "-o", "json").of("object")[0]["key"] == "b/c"
    assert frogmove("ls", "--include", "nothing").code == 1
    assert frogmove("ls", "--include", "nothing", "--allow-empty").code == 0
    assert frogmove("ls", "a", "--prefix", "b").code == 2


def test_what_is_newer_or_older_than_a_time_stays(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str
) -> None:
    buckets.put("a", "b")
    for given in (["--older-than", "1h"], ["--newer-than", "2999-01-01T00:00:00Z"]):
        ran = frogmove(verb, "a", *given)
        assert (ran.code, buckets.there()) == (1, {})


def test_only_objects_of_a_storage_class_go(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str
) -> None:
    buckets.put("a", "d/b", StorageClass="STANDARD_IA")
    buckets.put("d/c")
    ran = frogmove(verb, "--prefix", "d", "--storage-class", "STANDARD_IA", "-o", "json")
    assert (ran.code, list(buckets.there())) == (0, ["d/b"])


@pytest.mark.parametrize("options", ["--prefix nothing", "--include *.nothing", "a --include b"])
@pytest.mark.parametrize("dry_run", [["--dry-run"], []])
def test_nothing_selected_is_a_warning_and_no_success(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str, options: str, dry_run: list[str]
) -> None:
    buckets.put("a")
    ran = frogmove(*arguments(verb, options), *dry_run)
    assert ran.code == 1
    assert "Nothing at" in ran.err
    assert ("does not match" in ran.err) == ("*" in options)
    allowed = frogmove(*arguments(verb, options), *dry_run, "--allow-empty")
    assert (allowed.code, "Nothing at" in allowed.err) == (0, False)
    assert (buckets.keys_here(), buckets.there()) == (["a"], {})


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ("--include *.nothing", "'*' does not match '/'"),
        ("--include /a", "begins with '/'"),
        ("--prefix a*", "A --prefix is no pattern"),
    ],
)
def test_a_likely_mistake_is_named_where_nothing_is_selected(
    buckets: Buckets, frogmove: FrogmoveRunner, options: str, hint: str
) -> None:
    buckets.put("a")
    ran = frogmove(*arguments("move", options), "--dry-run")
    assert ran.code == 1
    assert hint in ran.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "Nothing is selected"),
        ("--older-than 7d", "Nothing is selected"),
        ("a --prefix b", "only one of"),
        ("--prefix s3://other-bucket/a", "not inside"),
        ("--all --include [a", "without a ']'"),
        ("--all --exclude * --include *.csv", "does not exclude"),
        ("--all --newer-than yesterday", "neither an age nor a date"),
        ("--all --newer-than 1d --older-than 2d", "that new and that old"),
        ("--all --min-size 1x", "is not a size"),
        ("--all --min-size 2 --max-size 1", "must not be larger"),
        ("--all --to-prefix s3://other-bucket/a", "not inside"),
        ("--all --to-prefix=", "--to-prefix must not be empty"),
        ("--all --as b", "exactly one KEY"),
        ("a b --as c", "exactly one KEY"),
        ("--all --rename {nonsense}", "has {nonsense}"),
        ("--all --rename {modified}", "has {modified}"),
        ("--all --rename {name", "cannot be read"),
        ("--all --rename same", "the same key"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_touched(
    buckets: Buckets, frogmove: FrogmoveRunner, options: str, said: str
) -> None:
    buckets.put("a", "b")
    ran = frogmove(*arguments("move", options))
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert (buckets.keys_here(), buckets.there()) == (["a", "b"], {})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("reports/2026/03", "3 objects lie under it: use --prefix reports/2026/03."),
        ("reports/2026/03/", "3 objects lie under it: use --prefix reports/2026/03/."),
        ("reports/2026", "3 objects lie under it: use --prefix reports/2026."),
        ("it's", """1 object lies under it: use --prefix 'it'"'"'s'."""),
        ("reports/*.csv", "A KEY is no pattern: use --include 'reports/*.csv'."),
        ("report", "Check with `frogmove ls`"),
    ],
)
def test_a_key_that_is_a_folder_or_a_pattern_is_answered_so(
    buckets: Buckets, frogmove: FrogmoveRunner, key: str, said: str
) -> None:
    buckets.put("reports/2026/03/a", "reports/2026/03/b", "reports/2026/03/c/d", "it's/e")
    ran = frogmove("move", key)
    assert ran.code == 2
    assert said in ran.err.replace("\n", " ")
    assert buckets.there() == {}


def test_a_key_that_looks_like_a_pattern_is_a_key(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("*.csv", "a.csv")
    assert frogmove("move", "*.csv").code == 0
    assert list(buckets.there()) == ["*.csv"]


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ("--prefix in --to-prefix new", "new/in/a.csv new/in/d/b.csv"),
        ("--prefix in --to-prefix s3://DESTINATION/out/new/", "new/in/a.csv new/in/d/b.csv"),
        ("--prefix in --strip-prefix in", "a.csv d/b.csv"),
        ("--prefix in/d --strip-prefix in/ --to-prefix x/y", "x/y/d/b.csv"),
    ],
)
def test_keys_go_to_other_folders(buckets: Buckets, verb: str, options: str, made: str) -> None:
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


def test_a_sync_into_another_folder_finds_what_is_there(
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
def test_what_gets_no_key_stays_with_its_reason(
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


@pytest.fixture
def listed(buckets: Buckets) -> list[str]:
    """Hostile keys at the source, and two plain ones."""
    keys = [*KEYS_OF_OUTSIDERS.values(), "moved  4  plain", "plain", "a/b"]
    buckets.put(*keys)
    return sorted(keys)


@pytest.mark.parametrize("printed", ["ls", "ls -o json", "report", "report -o json"])
def test_what_our_own_commands_print_is_read_back_exactly(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    listed: list[str],
    tmp_path: Path,
    printed: str,
) -> None:
    if printed.startswith("report"):
        assert frogmove("copy", "--all").code == 0
        for key in listed:
            buckets.client.delete_object(Bucket=buckets.destination, Key=key)
    text = frogmove(*printed.split()).out
    (tmp_path / "list").write_text(text, "utf-8")
    assert frogmove("move", "--from-file", str(tmp_path / "list")).code == 0
    assert buckets.keys_here() == []
    assert sorted(buckets.there()) == listed


def test_keys_between_nuls_come_through_a_pipe(
    buckets: Buckets, frogmove: FrogmoveRunner, listed: list[str]
) -> None:
    given = "\0".join(listed).encode()
    with frogmove.process("move", "--from-file", "-", "-0", stdin=PIPE, stderr=PIPE) as process:
        process.communicate(given)
    assert (process.returncode, buckets.keys_here()) == (0, [])


def test_a_key_of_a_list_that_is_not_there_is_a_result(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str, tmp_path: Path
) -> None:
    buckets.put("a", "b", "c.tmp")
    (tmp_path / "list").write_text("a\ntypo\nc.tmp\nb\na\n")
    given = [verb, "--from-file", str(tmp_path / "list"), "--exclude", "*.tmp"]
    would = frogmove(*given, "--dry-run")
    assert re.search("^not-found +typo ", would.out, re.MULTILINE)
    ran = frogmove(*given, "-o", "json")
    done = {"move": "moved"}.get(verb, "copied")
    assert (ran.code, ran.outcomes) == (1, {"a": done, "b": done, "typo": "not-found"})
    assert sorted(buckets.there()) == ["a", "b"]
    assert "typo" in frogmove("report").out


def test_lists_are_kept_as_long_as_runs_can_be_resumed(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    def kept() -> list[str]:
        return [path.name for path in runs_directory().glob("*.keys")]

    buckets.put("a")
    (tmp_path / "list").write_text("a\n")
    given = ["move", "--from-file", str(tmp_path / "list")]
    assert frogmove(*given, "--dry-run").code == 0
    assert frogmove(*given, "--source", "s3://no-such-bucket-anywhere").code == 2
    assert frogmove(*given, "--version-id", "v").code == 2
    assert kept() == []
    assert frogmove(*given).code == 0
    assert len(kept()) == 1


def test_a_list_that_cannot_be_read_is_refused(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    buckets.put("a")
    (tmp_path / "list").write_bytes(b"a\n\xff\n")
    for name, said in ((tmp_path / "list", "Entry 2"), (tmp_path / "no", "No such file")):
        ran = frogmove("move", "--from-file", str(name))
        assert (ran.code, said in ran.err) == (2, True)
    assert buckets.keys_here() == ["a"]
    assert frogmove("move", "-0", "a").code == 2


def test_a_key_gets_another_name(buckets: Buckets, verb: str) -> None:
    frogmove = FrogmoveRunner(buckets, ("in", "out"))
    buckets.put("in/a", "in/b")
    assert frogmove(verb, "a", "--as", "x/y").code == 0
    assert frogmove(verb, "b", "--as", f"s3://{buckets.destination}/out/z").code == 0
    assert buckets.there() == {"out/x/y": b"in/a", "out/z": b"in/b"}


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
def test_keys_are_made_of_a_template(
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
def test_two_objects_that_would_get_one_key_are_refused_before_anything_is_touched(
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


def test_a_sync_cannot_rename(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a")
    ran = frogmove("sync", "--rename", "{name}.old")
    assert (ran.code, buckets.there()) == (2, {})
    assert "A sync cannot rename" in ran.err


@pytest.mark.parametrize(
    "options",
    ["--from-file LIST --to-prefix new", "--include in/* --rename new/{folder}/{name}"],
)
def test_a_resume_goes_on_with_the_selection_and_the_keys(
    buckets: Buckets, hooks: RequestHooks, tmp_path: Path, options: str
) -> None:
    frogmove = FrogmoveRunner(buckets)
    keys = [f"in/{number}.csv" for number in range(9)]
    buckets.put(*keys, "in/a.tmp", "other")
    (tmp_path / "list").write_text("\n".join([*keys, "in/a.tmp"]))
    hooks.before("CopyObject", lambda: os.kill(os.getpid(), signal.SIGINT))
    given = options.replace("LIST", str(tmp_path / "list")).split()
    ran = frogmove("move", *given, "--exclude", "**.tmp", "--concurrency", "1")
    assert ran.code == 130
    (tmp_path / "list").unlink()
    assert frogmove("resume").code == 0
    assert sorted(buckets.there()) == [f"new/{key}" for key in keys]
    assert buckets.keys_here() == ["in/a.tmp", "other"]


def test_an_undo_restores_what_a_rename_replaced(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("in/a")
    buckets.put_there("a.old", body=b"before")
    ran = frogmove(
        *("move", "--all", "--rename", "{name}.old", "--on-conflict", "overwrite", "-o", "json")
    )
    assert (ran.code, buckets.there()) == (0, {"a.old": b"in/a"})
    assert frogmove("undo", ran.summary["run"]).code == 0
    assert (buckets.here(), buckets.there()) == ({"in/a": b"in/a"}, {"a.old": b"before"})
