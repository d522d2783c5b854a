"""Keys from a list: what our own commands print is read back, and each key has a result."""

from __future__ import annotations

import re
from subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from frogmove.run_store import runs_directory
from tests.keys import KEYS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner

SERVER = "ministack"


@pytest.fixture
def listed(buckets: Buckets) -> list[str]:
    """Hostile keys at the source, and two plain ones."""
    keys = [*KEYS.values(), "moved  4  plain", "plain", "a/b"]
    buckets.put(*keys)
    return sorted(keys)


@pytest.mark.parametrize("printed", ["ls", "ls -o json", "report", "report -o json"])
def test_from_file_reads_back_exactly_what_our_own_commands_print(
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


def test_from_file_reads_the_results_of_a_verification(
    buckets: Buckets, frogmove: FrogmoveRunner, listed: list[str], tmp_path: Path
) -> None:
    verified = frogmove("verify", "-o", "json")
    assert {each["status"] for each in verified.of("verified")} == {"missing"}
    (tmp_path / "list").write_text(verified.out, "utf-8")
    assert frogmove("copy", "--from-file", str(tmp_path / "list")).code == 0
    assert sorted(buckets.there()) == listed


def test_from_file_reads_keys_between_nuls_from_a_pipe(
    buckets: Buckets, frogmove: FrogmoveRunner, listed: list[str]
) -> None:
    given = "\0".join(listed).encode()
    with frogmove.process("move", "--from-file", "-", "-0", stdin=PIPE, stderr=PIPE) as process:
        process.communicate(given)
    assert (process.returncode, buckets.keys_here()) == (0, [])


def test_from_file_reports_a_key_that_is_not_there_as_a_result(
    buckets: Buckets, frogmove: FrogmoveRunner, verb: str, tmp_path: Path
) -> None:
    buckets.put("a", "b", "c.tmp")
    (tmp_path / "list").write_text("a\ntypo\nc.tmp\nb\na\n")
    given = [verb, "--from-file", str(tmp_path / "list"), "--exclude", "*.tmp"]
    would = frogmove(*given, "--dry-run")
    assert re.search("^not-found +typo ", would.out, re.MULTILINE)
    assert would.code == 1
    ran = frogmove(*given, "-o", "json")
    done = {"move": "moved"}.get(verb, "copied")
    assert (ran.code, ran.outcomes) == (1, {"a": done, "b": done, "typo": "not-found"})
    assert sorted(buckets.there()) == ["a", "b"]
    assert "typo" in frogmove("report").out


def test_key_lists_are_kept_as_long_as_runs_can_be_resumed(
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


def test_from_file_that_cannot_be_read_is_refused(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    buckets.put("a")
    (tmp_path / "list").write_bytes(b"a\n\xff\n")
    (tmp_path / "utf-16").write_bytes("a\r\n".encode("utf-16"))
    for name, message in (
        ("list", "Entry 2"),
        ("no", "No such file"),
        ("utf-16", "/utf-16 is UTF-16.\nWrite keys in UTF-8."),
    ):
        ran = frogmove("move", "--from-file", str(tmp_path / name))
        assert (ran.code, message in ran.err) == (2, True)
    assert buckets.keys_here() == ["a"]
    assert frogmove("move", "-0", "a").code == 2
