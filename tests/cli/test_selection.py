"""What is selected: on every command alike, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.cli_runner import FrogmoveRunner, arguments

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Buckets

SERVER = "ministack"

KEYS = ["a.csv", "a.tmp", "logs", "logs/a.csv", "logs/x/b.csv", "logs2/c.csv", "x/d.csv"]


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
def test_selection_is_exactly_what_goes(
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
def test_ls_lists_exactly_what_is_selected(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path, options: str, selected: str
) -> None:
    buckets.put(*KEYS)
    given = options.replace("SOURCE", buckets.source).split()
    if not given[0].startswith("-"):
        (tmp_path / "list").write_text("\n".join(given[:2]))
        given[:2] = ["--from-file", str(tmp_path / "list")]
    ran = frogmove("ls", *given, "-o", "json")
    assert (ran.code, [each["key"] for each in ran.of("object")]) == (0, selected.split())


def test_ls_says_what_is_not_there(
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


def test_newer_than_and_older_than_keep_a_key_back(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str
) -> None:
    buckets.put("a", "b")
    for given in (["--older-than", "1h"], ["--newer-than", "2999-01-01T00:00:00Z"]):
        ran = frogmove(verb, "a", *given)
        assert (ran.code, buckets.there()) == (1, {})


def test_storage_class_selects_objects(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str
) -> None:
    buckets.put("a", "d/b", StorageClass="STANDARD_IA")
    buckets.put("d/c")
    ran = frogmove(verb, "--prefix", "d", "--storage-class", "STANDARD_IA", "-o", "json")
    assert (ran.code, list(buckets.there())) == (0, ["d/b"])


@pytest.mark.parametrize("options", ["--prefix nothing", "--include *.nothing", "a --include b"])
@pytest.mark.parametrize("dry_run", [["--dry-run"], []])
def test_selection_of_nothing_is_a_warning_and_no_success(
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
        ("--prefix a*", "A folder is not a pattern"),
        ("--include reports/", "A pattern must match the whole key"),
        ("--prefix rep", "this selects only the key 'rep' and keys under 'rep/'."),
        ("--prefix /a", "A folder that begins with '/'"),
        ("--prefix s3:/a", "A URI begins with s3://"),
        ("--prefix \u201creports\u201d", "typographic quotes"),
        ("--include \u2018*.csv\u2019", "typographic quotes"),
    ],
)
def test_selection_of_nothing_names_a_likely_mistake(
    buckets: Buckets, frogmove: FrogmoveRunner, options: str, hint: str
) -> None:
    buckets.put("a")
    ran = frogmove(*arguments("move", options), "--dry-run")
    assert ran.code == 1
    assert hint in ran.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ("", "Nothing is selected"),
        ("--older-than 7d", "Nothing is selected"),
        ("a --prefix b", "only one of"),
        ("\u2013n --all", "plain hyphens"),
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
        ("--all --rename {name:>10}", "has {name:>10}"),
        ("--all --rename {name}{modified:%Y{stem}}", "has {modified:%Y{stem}}"),
        ("--all --rename {name}{modified:%}", "has {modified:%}"),
        ("--all --rename {name}{modified:%s}", "has {modified:%s}"),
        ("--all --rename {name}\udcff", "is not UTF-8"),
        ("--all --exclude caf\udce9*", "is not UTF-8"),
        ("--all --include caf\udce9*", "is not UTF-8"),
    ],
)
def test_selection_that_cannot_be_is_refused_before_anything_is_touched(
    buckets: Buckets, frogmove: FrogmoveRunner, options: str, printed: str
) -> None:
    buckets.put("a", "b")
    ran = frogmove(*arguments("move", options))
    assert (ran.code, ran.out) == (2, "")
    assert printed in ran.err
    assert (buckets.keys_here(), buckets.there()) == (["a", "b"], {})


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("reports/2026/03", "3 objects lie under it: use --prefix reports/2026/03."),
        ("reports/2026/03/", "3 objects lie under it: use --prefix reports/2026/03/."),
        ("reports/2026", "3 objects lie under it: use --prefix reports/2026."),
        ("it's", """1 object lies under it: use --prefix 'it'"'"'s'."""),
        ("reports/*.csv", "A KEY is not a pattern: use --include 'reports/*.csv'."),
        ("report", "Check with `frogmove ls`"),
        ("in/", "For a folder of the destination, use --to-prefix in/."),
        ("S3://bucket/reports", "A URI begins with s3://."),
        ("https://bucket.s3.amazonaws.com/reports", "A URI begins with s3://."),
        ("\u201creports/2026/03/a\u201d", "typographic quotes"),
        ("'reports/2026/03/a'", "write one pair only, which the shell removes."),
        ("s3://another/reports", "with --source and --destination."),
        ("it's?versionId=3", "A version is given with --version-id."),
        ("arn:aws:s3:::bucket/reports", "A URI begins with s3://."),
        ("/reports", "A key is not a path: it may be 'reports'."),
        ("./a.csv", "A key is not a path: it may be 'a.csv'."),
        ("a.csv\t", "It begins or ends with white space."),
        ("a%20b", "It is percent-encoded: the key may be 'a b'."),
        ("e\u0301t\u00e9", "Its accents are separate characters"),
    ],
)
def test_key_that_is_a_folder_or_a_pattern_is_answered_so(
    buckets: Buckets, frogmove: FrogmoveRunner, key: str, printed: str
) -> None:
    buckets.put("reports/2026/03/a", "reports/2026/03/b", "reports/2026/03/c/d", "it's/e")
    ran = frogmove("move", key)
    assert ran.code == 2
    assert printed in ran.err.replace("\n", " ")
    assert buckets.there() == {}


def test_key_or_folder_with_the_prefix_of_the_route_is_answered_so(buckets: Buckets) -> None:
    buckets.put("in/a b", "in/c/d")
    frogmove = FrogmoveRunner(buckets, ("in", "out"))
    ran = frogmove("move", "in/a b")
    assert ran.code == 2
    expected = f"A KEY is relative to the source, s3://{buckets.source}/in/: write 'a b'."
    assert expected in " ".join(ran.err.split())
    for verb in (["move", "--prefix"], ["ls"]):
        for folder in ("in", "in/c"):
            ran = frogmove(*verb, folder)
            assert ran.code == 1
            assert "A prefix is relative to the source." in ran.err
    assert buckets.there() == {}


def test_key_with_spaces_and_without_quotes_is_answered_so(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a b.csv")
    ran = frogmove("move", "a", "b.csv")
    assert ran.code == 2
    assert "A key that contains spaces has to be quoted." in ran.err


def test_key_that_looks_like_a_pattern_is_a_key(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("*.csv", "a.csv")
    assert frogmove("move", "*.csv").code == 0
    assert list(buckets.there()) == ["*.csv"]
