"""Jobs of S3 Batch Operations with the function in the test process, for an operator."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from frogmove.function.app import LambdaApp
from tests.cli.cli_runner import Ran, run

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from frogmove.local_aws.stack import Stack

CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")


@dataclass
class JobFixture:
    """A stack, a stand-in that calls the handler in this process, and an operator.

    Attributes:
        stack: the stack; its own function is only looked up.
        prefix: of both ends of the route.
        clients: boto3 clients of somebody who may do everything.
        environment: the operator's variables.
        settings: the handler's variables.
        broken: keys whose invocations end without a response after the move.
        shaky: keys whose first invocation fails temporarily; emptied by that.
        events: the events that the handler got.
    """

    stack: Stack
    clients: Clients
    environment: dict[str, str | None]
    settings: dict[str, str]
    prefix: str = ""
    broken: set[str] = field(default_factory=set)
    shaky: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    called: threading.Event = field(default_factory=threading.Event)

    @property
    def source(self) -> str:
        return self.stack.config.source_bucket

    @property
    def destination(self) -> str:
        return self.stack.config.destination_bucket

    @cached_property
    def app(self) -> LambdaApp:
        return LambdaApp(self.settings)

    def invoke(self, _function: str, event: dict[str, Any]) -> Any:
        """Call the handler as Lambda does; a process handles one event at a time."""
        self.called.set()
        self.held.wait(30)
        self.events.append(event)
        (task,) = event["tasks"]
        key = unquote(task["s3Key"]).removeprefix(self.prefix)
        if key in self.shaky:
            self.shaky.discard(key)
            result = {"taskId": task["taskId"], "resultCode": "TemporaryFailure"}
            return {"results": [result | {"resultString": "failed: not reached in time"}]}
        response = json.loads(json.dumps(self.app.handle(event, CONTEXT)))
        if key in self.broken:
            raise RuntimeError("Task timed out after 3.00 seconds")
        return response

    def __call__(self, *arguments: str, **environment: str | None) -> Ran:
        return run("batch", *arguments, environment=self.environment | environment)

    def put(self, *keys: str, bucket: str = "", body: bytes | None = None) -> None:
        def one(key: str) -> None:
            content = key.encode() if body is None else body
            self.clients.s3.put_object(
                Bucket=bucket or self.source, Key=self.prefix + key, Body=content
            )

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, keys))

    def keys(self, bucket: str) -> set[str]:
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=self.prefix
        )
        found = (entry["Key"] for page in pages for entry in page.get("Contents", []))
        ours = ("frogmove-batch/", ".frogmove-probe-")
        return {key for name in found if not (key := name[len(self.prefix) :]).startswith(ours)}

    def finished(self, *arguments: str) -> str:
        """Submit a job, wait for its end, and return its id."""
        submitted = self("submit", *arguments, "-o", "json")
        assert submitted.code == 0, submitted.err
        (reported,) = submitted.of("submitted")
        self("status", reported["job"], "--follow")
        return str(reported["job"])

    def report(self, job: str, *arguments: str) -> Ran:
        return self("report", job, "-o", "json", *arguments)

    def outcomes(self, job: str) -> dict[str, str]:
        """Return the outcome of each key by a job's report."""
        outcomes = self.report(job).outcomes
        return {key.removeprefix(self.prefix): outcome for key, outcome in outcomes.items()}

    def manifest(self) -> list[list[str]]:
        """Return the cells of the only manifest."""
        (key,) = [key for key in self.written() if key.endswith("manifest.csv")]
        body = self.clients.s3.get_object(Bucket=self.destination, Key=key)["Body"].read()
        return [line.split(",") for line in body.decode().splitlines()]

    def written(self) -> list[str]:
        """Return the keys of manifests and reports."""
        location = str(self.environment["FROGMOVE_BATCH_LOCATION"])
        folder = location.removeprefix(f"s3://{self.destination}/")
        listed = self.clients.s3.list_objects_v2(Bucket=self.destination, Prefix=folder)
        return [each["Key"] for each in listed.get("Contents", [])]


def job_fixture(server: Server, clients: Clients, stack: Stack, prefix: str) -> JobFixture:
    ends = {
        "FROGMOVE_SOURCE": f"{stack.source}/{prefix}",
        "FROGMOVE_DESTINATION": f"{stack.destination}/{prefix}",
        "FROGMOVE_ENDPOINT_URL": server.endpoint_url,
    }
    environment: dict[str, str | None] = {
        **ends,
        "FROGMOVE_FUNCTION": stack.config.name,
        "FROGMOVE_BATCH_LOCATION": f"{stack.destination}/frogmove-batch/{prefix}",
    }
    settings = {**ends, "FROGMOVE_ON_CONFLICT": "fail"}
    made = JobFixture(stack, clients, environment, settings, prefix)
    made.held.set()
    return made
