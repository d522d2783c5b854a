"""What outsiders named, in a sentence that somebody pastes into a shell."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from frogmove.quoting import in_quotes
from tests.cli.cli_runner import run
from tests.keys import KEYS, UNSEEN

HOSTILE = ["'; touch x; '", '"`id`', "'\"$(id)", "it's", "$'x'", "a\\'b", "~", "*"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_in_quotes_gives_a_shell_every_key_unchanged() -> None:
    keys = [*HOSTILE, *(key for name, key in KEYS.items() if len(key) < 100)]
    script = "printf '%s\\0' " + " ".join(map(in_quotes, keys))
    env = {"LC_ALL": "C.UTF-8"}
    reported = subprocess.run(["bash", "-c", script], capture_output=True, check=True, env=env)
    assert reported.stdout.decode().split("\0")[:-1] == keys


@pytest.mark.parametrize("key", UNSEEN.values(), ids=UNSEEN)
def test_in_quotes_leaves_nothing_of_a_key_that_acts_on_a_terminal(key: str) -> None:
    assert in_quotes(key).isprintable()


def test_in_quotes_cuts_a_long_text_behind_the_quotes() -> None:
    assert in_quotes("'" * 5, 2) == "''\"'\"''\"'\"''…"
    assert in_quotes("ab", 2) == "'ab'"


@pytest.mark.parametrize("name", HOSTILE)
def test_key_that_is_no_key_of_the_source_is_quoted_in_the_refusal(name: str) -> None:
    uri = f"s3://other/{name}"
    ran = run("move", uri, "--source", "s3://some-bucket", "--destination", "s3://another")
    assert ran.code == 2
    assert in_quotes(uri) in ran.err.replace("\n", "")


@pytest.mark.parametrize("name", [*HOSTILE, "\x1b[31m"])
def test_name_that_does_not_exist_is_quoted_in_the_refusal(name: str, tmp_path: Path) -> None:
    (tmp_path / "20261123-073012-ab12.jsonl").touch()
    places: dict[str, str | None] = {
        "FROGMOVE_STATE": str(tmp_path),
        "FROGMOVE_CONFIG": os.devnull,
    }
    for arguments in (["report", name], ["ls", "--route", name]):
        ran = run(*arguments, environment=places)
        assert ran.code == 2
        assert in_quotes(name) in ran.err.replace("\n", "")
