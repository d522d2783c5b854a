"""What holds for every command: bad input is one sentence and a remedy, and starting is quick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import click
import pytest

from frogmove import __version__
from frogmove.cli import main
from frogmove.cli.lazy_group import LazyCommand
from tests.buckets import Buckets
from tests.canned_server import canned_server, error, nobody_listening
from tests.cli.cli_runner import COMMAND, ROOT, FrogmoveRunner, Ran, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Server

COMMANDS = {
    "ls": ["ls"],
    "move": ["move", "a"],
    "move-all": ["move", "--all"],
    "sync": ["sync"],
    "move-dry": ["move", "a", "-n"],
    "sync-dry": ["sync", "-n"],
}

commands = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


@pytest.fixture
def runner(moto: Server) -> FrogmoveRunner:
    """Somebody with one object at the source; all on one server, as no answer of it is odd."""
    buckets = Buckets.make(moto)
    buckets.put("a")
    return FrogmoveRunner(buckets)


def refused(ran: Ran, *named: str) -> None:
    """Check that a command gave up with one sentence that names things, and a remedy."""
    assert ran.code == 2, ran
    assert ran.out == ""
    sentence, remedy = ran.err.rstrip("\n").split("\n")
    assert sentence.startswith("Error: ")
    assert sentence.endswith((".", "?"))
    assert remedy.endswith(".")
    for name in named:
        assert name in ran.err
    assert "Traceback" not in ran.err


def untouched(buckets: Buckets) -> None:
    assert (buckets.here(), buckets.there()) == ({"a": b"a"}, {})


@commands
def test_route_that_is_missing_lists_the_ways_to_give_it(
    runner: FrogmoveRunner, command: list[str]
) -> None:
    ran = runner(*command, FROGMOVE_SOURCE=None, FROGMOVE_DESTINATION=None)
    refused(ran, "source", "--source", "FROGMOVE_SOURCE", "--route")


@pytest.mark.parametrize("command", [["move", "a"], ["sync"]], ids=["move", "sync"])
def test_destination_that_is_missing_refuses_move_and_sync(
    runner: FrogmoveRunner, command: list[str]
) -> None:
    refused(runner(*command, FROGMOVE_DESTINATION=None), "--destination")
    untouched(runner.buckets)


@commands
@pytest.mark.parametrize("uri", ["incoming", "https://x/y", "s3://", "s3://upper!/x", "s3://a b"])
def test_uri_that_is_malformed_is_named(
    runner: FrogmoveRunner, command: list[str], uri: str
) -> None:
    refused(runner(*command, "--source", uri), repr(uri), "s3" if uri == "incoming" else uri)
    untouched(runner.buckets)


@commands
def test_source_that_is_not_there_is_named(runner: FrogmoveRunner, command: list[str]) -> None:
    refused(runner(*command, "--source", "s3://frogmove-not-there"), "'frogmove-not-there'")


@pytest.mark.parametrize("command", [["move", "a"], ["sync"], ["sync", "-n"]], ids=" ".join)
def test_destination_that_is_not_there_is_named(runner: FrogmoveRunner, command: list[str]) -> None:
    ran = runner(*command, "--destination", "s3://frogmove-not-there/x")
    refused(ran, "'frogmove-not-there'", "--endpoint-url")
    untouched(runner.buckets)


@commands
def test_credentials_that_are_missing_list_the_ways_to_give_them(
    runner: FrogmoveRunner, command: list[str]
) -> None:
    ran = runner(*command, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    refused(ran, "credentials", "AWS_ACCESS_KEY_ID", "--profile")
    untouched(runner.buckets)


@commands
def test_credentials_of_which_half_is_missing_are_none(
    runner: FrogmoveRunner, command: list[str]
) -> None:
    refused(runner(*command, AWS_SECRET_ACCESS_KEY=None), "redentials", "AWS_SECRET_ACCESS_KEY")


@commands
def test_profile_that_is_not_there_is_named(runner: FrogmoveRunner, command: list[str]) -> None:
    refused(runner(*command, "--profile", "nobody"), "nobody", "--profile")
    untouched(runner.buckets)


@commands
def test_credentials_that_are_wrong_are_distinguished_from_missing_permission(
    seaweedfs: Server, command: list[str]
) -> None:
    buckets = Buckets.make(seaweedfs)
    buckets.put("a")
    runner = FrogmoveRunner(buckets)
    wrong = runner(*command, AWS_SECRET_ACCESS_KEY="wrong")
    refused(wrong, "refused the credentials", buckets.source)
    bob = runner(*command, AWS_ACCESS_KEY_ID="AKBOB", AWS_SECRET_ACCESS_KEY="SKBOB")
    refused(bob, "denied")
    untouched(buckets)


@commands
def test_permission_that_is_missing_for_the_source_is_reported(
    ministack: Server, command: list[str]
) -> None:
    buckets = Buckets.make(ministack)
    buckets.put("a")
    reader = a_user_of(buckets.destination, ministack)
    ran = FrogmoveRunner(buckets)(
        *command, AWS_ACCESS_KEY_ID=reader.access_key, AWS_SECRET_ACCESS_KEY=reader.secret_key
    )
    refused(ran, "denied", buckets.source)
    untouched(buckets)


def a_user_of(bucket: str, server: Server) -> Server:
    """Speak as somebody who may do everything in one bucket and nothing elsewhere."""
    iam, name = server.iam(), f"user-{uuid.uuid4().hex}"
    iam.create_user(UserName=name)
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": resources}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return server.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"])


@commands
def test_endpoint_that_does_not_answer_is_named(runner: FrogmoveRunner, command: list[str]) -> None:
    with nobody_listening() as endpoint_url:
        refused(runner(*command, "--endpoint-url", endpoint_url), endpoint_url, "--endpoint-url")


@pytest.mark.parametrize("endpoint_url", ["nowhere", "http://", "ftp://127.0.0.1", "http://[::1"])
def test_endpoint_that_is_no_url_is_refused(runner: FrogmoveRunner, endpoint_url: str) -> None:
    refused(runner("ls", "--endpoint-url", endpoint_url), "--endpoint-url")


def test_endpoint_that_is_no_s3_is_refused(runner: FrogmoveRunner) -> None:
    with canned_server((200, "<html>hello</html>")) as script:
        ran = runner("move", "--all", "--endpoint-url", script.endpoint_url)
    refused(ran, "does not respond like S3", "--endpoint-url")
    untouched(runner.buckets)


def test_expired_session_names_the_command_to_renew_it(runner: FrogmoveRunner) -> None:
    with canned_server((400, error("ExpiredToken", "The provided token has expired."))) as script:
        ran = runner("ls", "--endpoint-url", script.endpoint_url)
    refused(ran, "token has expired", "renew")


@pytest.mark.parametrize("command", [["move", "--all"], ["move", "a"], ["sync"]], ids=" ".join)
@pytest.mark.parametrize("prefix", ["", "/", "/inside"])
def test_route_onto_or_into_itself_is_refused(
    runner: FrogmoveRunner, command: list[str], prefix: str
) -> None:
    source = f"s3://{runner.buckets.source}"
    ran = runner(*command, "--source", source, "--destination", source + prefix)
    refused(ran, source)
    untouched(runner.buckets)


def test_key_outside_the_source_is_refused(runner: FrogmoveRunner) -> None:
    refused(runner("move", f"s3://{runner.buckets.destination}/a"), "not inside")
    refused(runner("move", "k" * 1025), "1,025 bytes")
    refused(runner("move", "gone"), "'gone'", "frogmove ls")


@pytest.mark.parametrize("command", [["move", "\x1b[31m"], ["ls", "s3://\x1b[31m/x"]], ids=ascii)
def test_error_shows_no_control_characters(runner: FrogmoveRunner, command: list[str]) -> None:
    ran = runner(*command)
    assert ran.code == 2
    assert "\x1b" not in ran.err


def test_route_is_taken_from_the_configuration_file(runner: FrogmoveRunner, tmp_path: Path) -> None:
    buckets = runner.buckets
    file = tmp_path / "mine.toml"
    file.write_text(
        f"""
        [routes.pond]
        source = "s3://{buckets.source}"
        destination = "s3://{buckets.destination}"
        endpoint_url = "{buckets.server.endpoint_url}"
        """
    )
    unset = dict.fromkeys(("FROGMOVE_SOURCE", "FROGMOVE_DESTINATION", "FROGMOVE_ENDPOINT_URL"))
    assert runner("ls", "--route", "pond", FROGMOVE_CONFIG=str(file), **unset).code == 0
    named = runner("move", "a", FROGMOVE_ROUTE="pond", FROGMOVE_CONFIG=str(file), **unset)
    assert named.code == 0
    assert buckets.there() == {"a": b"a"}
    refused(runner("ls", "--route", "lake", FROGMOVE_CONFIG=str(file)), "'lake'", "pond")


@pytest.mark.parametrize(
    "arguments",
    [
        ["leap"],
        ["move", "--leap"],
        ["move", "--all", "-o", "xml"],
        ["ls", "a", "b"],
        ["sync", "--all"],
    ],
    ids=" ".join,
)
def test_usage_that_is_wrong_exits_2(arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: " in ran.err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["mv", "a", "b"], "frogmove move"),
        (["cp", "a"], "frogmove copy"),
        (["rm", "a"], "deletes only"),
        (["help", "move"], "frogmove COMMAND --help"),
        (["version"], "frogmove --version"),
        (["delete", "a"], "deletes only"),
        (["stop"], "Ctrl-C in its terminal"),
        (["retry", "last"], "frogmove resume"),
        (["rollback"], "frogmove undo RUN"),
        (["diff"], "frogmove verify"),
        (["history"], "frogmove runs"),
        (["rename", "a", "b"], "--as NEWKEY"),
        (["mvoe"], "Did you mean 'move'?"),
    ],
)
def test_commands_of_other_tools_lead_to_ours(arguments: list[str], meant: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert f"No such command {arguments[0]!r}." in ran.err
    assert meant in ran.err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["move", "--recursive", "a"], "'--recursive'. --all and --prefix FOLDER include all"),
        (["ls", "--recursive"], "'--recursive'. All folders below are included."),
        (["sync", "-r"], "'-r'. All folders below are included."),
        (["sync", "--all"], "'--all'. Leave it out: everything is selected by default."),
        (["verify", "--all"], "'--all'. Leave it out"),
        (["ls", "--all"], "'--all'. Leave it out"),
        (["--region", "us-east-1", "ls"], "'--region' before a command. Write options after"),
        (["--dry-run", "move", "--all"], " COMMAND --dry-run."),
        (["lambda", "--function", "f", "info"], "lambda COMMAND --function."),
        (["--versoin"], "Did you mean '--version'?"),
    ],
    ids=" ".join,
)
def test_options_of_other_tools_and_commands_lead_to_ours(arguments: list[str], meant: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert meant in ran.err


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["move", "-h"], ["list", "--help"]])
def test_help_is_data(arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: ")


def lazy_commands(group: click.Group) -> Iterator[LazyCommand]:
    """Return all commands below a group that are imported when they are called."""
    for command in group.commands.values():
        if isinstance(command, click.Group):
            yield from lazy_commands(command)
        else:
            assert isinstance(command, LazyCommand)
            yield command


@pytest.mark.parametrize("command", [*lazy_commands(main)], ids=lambda command: str(command.name))
def test_command_is_listed_with_the_first_sentence_of_its_own_help(command: LazyCommand) -> None:
    loaded = command.load()
    assert isinstance(loaded, click.Command)
    assert command.short_help == loaded.get_short_help_str(limit=88)
    assert command.name in {loaded.name, "list"}


@pytest.mark.parametrize("command", sorted(main.commands))
def test_help_is_laid_out_as_it_was_written(command: str) -> None:
    ran = run(command, "--help")
    assert "\\b" not in ran.out
    assert "Examples:\n" in ran.out or "Examples: " not in ran.out


def test_version_is_printed() -> None:
    ran = run("--version")
    assert (ran.code, ran.out) == (0, f"frogmove {__version__}\n")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["lambda", "-h"], ["move", "--help"], ["undo", "-h"]]
)
def test_help_is_quick_as_it_imports_nothing_large(arguments: list[str]) -> None:
    script = f"""
import sys
from frogmove.cli import main
main({arguments!r}, standalone_mode=False)
large = {{"boto3", "botocore", "rich", "moto", "ministack"}} & set(sys.modules)
sys.exit(f"imported: {{large}}" if large else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def complete(words: str, environment: dict[str, str]) -> list[str]:
    """Return what bash is told to offer for the last of some words."""
    script = """
import sys, atexit
from frogmove.cli import main
large = {"boto3", "botocore", "rich", "moto", "ministack"}
atexit.register(lambda: print(*(large & set(sys.modules)), sep="", end="", file=sys.stderr))
main(prog_name="frogmove")
"""
    asked = {
        "_FROGMOVE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environment, **asked},
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_completion_offers_commands_options_routes_and_runs(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[routes.frogtech]\nsource = "s3://a1b"\n[routes.other]\n[routes.fast]\n')
    (tmp_path / "20261123-073012-ab12.jsonl").touch()
    environment = {"FROGMOVE_CONFIG": str(config), "FROGMOVE_STATE": str(tmp_path)}
    assert complete("frogmove mo", environment) == ["move"]
    assert complete("frogmove move --dry", environment) == ["--dry-run"]
    assert complete("frogmove ls --route f", environment) == ["fast", "frogtech"]
    assert complete("frogmove undo 2026", environment) == ["20261123-073012-ab12"]
    config.write_text("routes = 7")
    assert complete("frogmove ls --route f", environment) == []
    config.write_text("not TOML")
    assert complete("frogmove ls --route f", environment) == []


def test_python_m_frogmove_is_frogmove() -> None:
    done = subprocess.run([*COMMAND, "--version"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"frogmove {__version__}\n")
