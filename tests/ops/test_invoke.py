"""Operators call the function themselves, by the Lambda API of the embedded AWS."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from frogmove import __version__
from frogmove.local_aws.stack import Stack, StackConfig, build_stack
from frogmove.packaging.function_zip import build_package
from tests.canned_server import canned_server, nobody_listening
from tests.cli.cli_runner import COMMAND, ROOT, Ran, run

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from tests.local_aws.conftest import Eventually


SSO = """sso_start_url = https://x.invalid/start
sso_region = eu-central-1
sso_account_id = 123456789012
sso_role_name = r
"""


@pytest.fixture
def stack(clients: Clients, stack_config: StackConfig) -> Stack:
    return build_stack(clients, build_package(), stack_config)


def invoke(server: Server, *arguments: str) -> Ran:
    environment: dict[str, str | None] = {**server.client_environment(), "AWS_PROFILE": None}
    return run("lambda", "invoke", *arguments, environment=environment)


def test_lambda_invoke_has_the_function_do_what_an_operator_asks(
    server: Server, stack: Stack, clients: Clients, eventually: Eventually, tmp_path: Path
) -> None:
    name = ("--function", stack.config.name)
    source, destination = stack.config.source_bucket, stack.config.destination_bucket

    ran = invoke(server, "ping", *name)
    answer = json.loads(ran.out)
    assert (ran.code, answer["version"]) == (0, __version__)
    assert answer["settings"]["source"] == f"s3://{source}/"
    assert answer["context"]["function_name"] == stack.config.name
    assert answer["context"]["remaining_time_in_millis"] > 0

    for key in ("a \x1b[31mb", "c"):
        clients.s3.put_object(Bucket=source, Key=key, Body=b"frogs")
    ran = invoke(server, "move", "a \x1b[31mb", "--dry-run", *name)
    assert json.loads(ran.out)["counts"] == {"move": 1}
    assert "\x1b" not in ran.out

    # A sweep that moves nothing tells what waits from nothing.
    ran = invoke(server, "sweep", *name)
    assert (ran.code, json.loads(ran.out)["young"]) == (0, 2)
    assert "nothing to do, 2 objects wait, too young for a sweep" in ran.err

    ran = invoke(server, "move", f"s3://{source}?key=a%20%1B%5B31mb", "--verbose", *name)
    assert json.loads(ran.out)["counts"] == {"moved": 1}
    assert "\x1b" not in ran.err
    assert [item["Key"] for item in clients.s3.list_objects_v2(Bucket=source)["Contents"]] == ["c"]

    event = tmp_path / "event.json"
    event.write_text('{"action": "sweep", "age": 0}', "utf-8-sig")
    ran = invoke(server, "--event", str(event), "--no-wait", *name)
    assert (ran.code, ran.out) == (0, "")
    eventually(lambda: "Contents" not in clients.s3.list_objects_v2(Bucket=source))
    assert clients.s3.list_objects_v2(Bucket=destination)["KeyCount"] == 2

    event.write_text('{"action": "sweep", "age": "soon"}')
    ran = invoke(server, "--event", str(event), *name)
    assert (ran.code, ran.out) == (1, "")
    assert "soon" in ran.err


def test_keys_that_failed_are_named(server: Server, clients: Clients, stack: Stack) -> None:
    name = ("--function", stack.config.name)
    keys = ["good", *(f"bad {number} \x1b[31m" for number in range(5))]
    for key in keys:
        clients.s3.put_object(Bucket=stack.config.source_bucket, Key=key, Body=b"mine")
    for key in keys[1:]:
        clients.s3.put_object(Bucket=stack.config.destination_bucket, Key=key, Body=b"theirs")
    found = clients.functions.get_function_configuration(FunctionName=stack.config.name)
    variables = found["Environment"]["Variables"] | {"FROGMOVE_ON_CONFLICT": "fail"}
    clients.functions.update_function_configuration(
        FunctionName=stack.config.name, Environment={"Variables": variables}
    )
    ran = invoke(server, "move", *keys, *name, "-o", "json")
    (response,) = ran.records
    assert (ran.code, response["counts"]) == (1, {"moved": 1, "conflict": 5})
    for number in range(5):
        assert f"$'bad {number} \\x1b[31m': conflict" in ran.err.replace("\n", " ")
    assert "\x1b" not in ran.err


def test_keys_are_those_of_the_functions_source(
    server: Server, clients: Clients, stack: Stack
) -> None:
    """Relative to its prefix, as ``frogmove move`` takes them; others are refused here."""
    variables = {
        "FROGMOVE_SOURCE": f"{stack.source}/in",
        "FROGMOVE_DESTINATION": stack.destination,
    }
    clients.functions.update_function_configuration(
        FunctionName=stack.config.name, Environment={"Variables": variables}
    )
    clients.s3.put_object(Bucket=stack.config.source_bucket, Key="in/a", Body=b"frogs")
    name = ("--function", stack.config.name)
    ran = invoke(server, "move", f"{stack.source}/out", *name)
    assert (ran.code, ran.out) == (2, "")
    ran = invoke(server, "move", "a", *name)
    assert json.loads(ran.out)["results"][0]["key"] == "in/a"
    assert json.loads(ran.out)["counts"] == {"moved": 1}


def test_interrupt_ends_only_the_wait(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {**os.environ, **server.client_environment()}
        process = subprocess.Popen(
            [*COMMAND, "lambda", "invoke", "ping", "--function", "f", "--endpoint-url", url],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
        )
        with process, listener.accept()[0] as connection:
            connection.recv(1)
            process.send_signal(signal.SIGINT)
            _, reported = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"The function continues" in reported
    assert b"frogmove lambda logs --function f" in reported


def test_function_that_is_not_there_is_reported(server: Server) -> None:
    ran = invoke(server, "ping", "--function", "nobody")
    assert (ran.code, ran.out) == (2, "")
    assert "nobody" in ran.err


def test_call_without_credentials_is_reported() -> None:
    nobody: dict[str, str | None] = {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": None,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ran = run("lambda", "invoke", "ping", environment=nobody)
    assert (ran.code, ran.out) == (2, "")
    assert "was not called" in ran.err
    assert "credentials" in ran.err


@pytest.mark.parametrize(
    ("config", "variables", "reported"),
    [
        ("", {"AWS_PROFILE": "nobody"}, ["There is no profile 'nobody'"]),
        ("", {}, ["settings cannot be used: You must specify a region.\n", "--region"]),
        (
            "[default]\nregion = eu-central-1\n" + SSO,
            {},
            ["No credentials for lambda", "aws sso login"],
        ),
        ("[default\n", {}, ["is not in the INI format"]),
    ],
    ids=["profile", "region", "sso", "malformed"],
)
def test_settings_that_cannot_be_used_are_reported_as_those_of_s3(
    tmp_path: Path, config: str, variables: dict[str, str], reported: list[str]
) -> None:
    (tmp_path / "config").write_text(config)
    unset = ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID")
    environment: dict[str, str | None] = {
        **dict.fromkeys(unset),
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        **variables,
    }
    ran = run("lambda", "invoke", "ping", environment=environment)
    assert (ran.code, ran.out) == (2, "")
    for words in reported:
        assert words in ran.err


def test_connection_that_is_refused_is_reported(server: Server) -> None:
    with nobody_listening() as url:
        ran = invoke(server, "ping", "--endpoint-url", url)
    assert (ran.code, ran.out) == (2, "")
    assert "was not called" in ran.err


def test_answer_that_does_not_come_is_reported(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=lambda: listening.accept()[0].close(), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        ran = invoke(server, "ping", "--endpoint-url", url)
    assert (ran.code, ran.out) == (1, "")
    assert "did not respond" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["move"],
        ["sweep", "a"],
        ["ping", "-n"],
        ["sync", "--age", "1h"],
        ["sweep", "--age", "soon"],
        ["ping", "--event", "EVENT"],
        ["--event", "EVENT", "-n"],
        ["--event", "BROKEN"],
        ["--event", "nowhere.json"],
    ],
    ids=" ".join,
)
def test_lambda_invoke_calls_nobody_for_what_makes_no_sense(
    server: Server, tmp_path: Path, arguments: list[str]
) -> None:
    for name, text in (("EVENT", "{}"), ("BROKEN", "{")):
        (tmp_path / name).write_text(text)
    placed = [str(tmp_path / word) if word.isupper() else word for word in arguments]
    ran = invoke(server, *placed)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", ['{"Message": "So it is."}', "<html>Bad gateway</html>", ""])
def test_error_behind_the_door_may_have_come_after_the_call(
    server: Server, status: int, body: str
) -> None:
    with canned_server((status, body)) as script:
        ran = invoke(server, "ping", "--endpoint-url", script.endpoint_url)
    assert (ran.code, ran.out) == (1, "")
    assert "did not respond" in ran.err
    assert "It may have been invoked" in ran.err


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429])
def test_call_that_is_refused_touches_nothing(server: Server, status: int) -> None:
    with canned_server((status, '{"Message": "So it is."}')) as script:
        ran = invoke(server, "ping", "--endpoint-url", script.endpoint_url)
    assert (ran.code, ran.out) == (2, "")
    said = "The permission lambda:InvokeFunction is missing" if status == 403 else "was not called"
    assert said in ran.err


def test_answer_that_is_nested_too_deeply_is_not_json(server: Server) -> None:
    with canned_server((200, "[" * 100_000)) as script:
        ran = invoke(server, "ping", "--endpoint-url", script.endpoint_url)
    assert (ran.code, "did not return JSON" in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ({"action": "sweep", "counts": {"moved": 3}, "finished": True}, 0, ""),
        ({"action": "sweep", "counts": {"moved": 3}, "finished": False}, 1, "ran out of time"),
        ({"action": "sweep", "counts": {"failed": 1}, "finished": True}, 1, "failed"),
        ({"action": "sweep", "counts": {"conflict": 1}, "finished": True}, 1, "conflicted"),
        ({"batchItemFailures": [{"itemIdentifier": "m1"}]}, 1, "m1"),
    ],
    ids=str,
)
def test_exit_code_is_that_of_the_answer(
    server: Server, answer: dict[str, object], code: int, words: str
) -> None:
    with canned_server((200, json.dumps(answer))) as script:
        ran = invoke(server, "sweep", "--endpoint-url", script.endpoint_url)
    assert (ran.code, json.loads(ran.out)) == (code, answer)
    assert words in ran.err
