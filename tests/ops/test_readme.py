"""The README's commands for a deployed route run against the embedded AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from frogmove.local_aws.stack import StackConfig, build_stack, connect
from frogmove.packaging.function_zip import build_package
from tests.cli.cli_runner import run
from tests.test_documents import README, shell_commands

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server

SECTION = README[README.index("## The Lambda") : README.index("## If something goes wrong")]


def test_readme_commands_for_a_deployed_route_run(
    server: Server, clients: Clients, stack_config: StackConfig
) -> None:
    source, function = stack_config.source_bucket, stack_config.name
    # With the usual times: ``doctor`` warns of others.
    usual = StackConfig(source, stack_config.destination_bucket, function)
    stack = build_stack(clients, build_package(), usual)
    clients.s3.put_object(Bucket=source, Key="reports/2026.csv", Body=b"frogs")
    sweep = json.dumps({"action": "sweep", "age": 0}).encode()
    clients.functions.invoke(FunctionName=function, Payload=sweep)
    connect(clients, stack)
    variables = {
        **server.client_environment(),
        "AWS_PROFILE": None,
        "FROGMOVE_ENDPOINT_URL": server.endpoint_url,
        "FROGMOVE_SOURCE": stack.source,
        "FROGMOVE_DESTINATION": stack.destination,
        "FROGMOVE_FUNCTION": function,
    }
    commands = [words for _, *words in shell_commands(SECTION)]
    # The zips are built by tests of their own.
    commands.remove(["lambda", "package"])
    for words in commands:
        if words[0] == "batch":
            assert ["lambda", "pause"] in commands[: commands.index(words)]
            clients.s3.put_object(Bucket=source, Key="waits", Body=b"frogs")
        ran = run(*words, environment=variables)
        assert ran.code == 0, (words, ran.out, ran.err)
