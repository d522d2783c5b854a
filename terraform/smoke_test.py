#!/usr/bin/env python3
"""Smoke test of a deployment: uploads a temporary object and waits until it is moved.

Reads the output of ``terraform output -json``::

    terraform output -json | python smoke_test.py
    python smoke_test.py outputs.json

The outputs may be those of the module, or one output that contains them all, as in the examples. It
needs the operators' policy. The object is deleted at the end, in every version. It needs only boto3
and the standard library.

Exit codes: 0 it works; 1 it does not work; 2 it could not be tested.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NEEDED = (
    *("region", "source_account", "source", "destination", "function_arn", "log_group"),
    *("queue_url", "dead_letter_url", "sweep_dead_letter_url"),
)
SECONDS_BETWEEN_LOOKS = 1.0

# The function's settings because of which it may leave the object where it is.
FILTERS = (
    *("include", "exclude", "newer_than", "older_than", "min_size", "max_size"),
    *("storage_class", "require_tag"),
)


class CannotTryError(Exception):
    """The deployment cannot be tested: wrong outputs, or no credentials."""


class DoesNotWorkError(Exception):
    """The deployment does not work; the message says what was observed."""


@dataclass(frozen=True)
class Place:
    """A bucket and a prefix."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, uri: str) -> Place:
        """Parse an ``s3://bucket/prefix``."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        return cls(bucket, prefix)


def main(arguments: list[str] | None = None) -> int:
    """Run the smoke test, and return the exit code."""
    options = _options(arguments)
    try:
        outputs = read_outputs(options.outputs)
        Trial(outputs, options.endpoint_url, options.timeout).run()
    except CannotTryError as error:
        print(f"Cannot test: {error}", file=sys.stderr)
        return 2
    except DoesNotWorkError as error:
        print(f"Does not work: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"Does not work, or you have no permission: {error}", file=sys.stderr)
        return 1
    print("It works.")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Smoke test of a frogmove deployment.")
    parser.add_argument("outputs", nargs="?", default="-", help="a file; - is standard input")
    parser.add_argument("--timeout", type=float, default=400, help="seconds to wait for the move")
    parser.add_argument("--endpoint-url", help="an AWS-compatible server instead of AWS")
    return parser.parse_args(arguments)


def read_outputs(path: str) -> dict[str, Any]:
    """Read the outputs of the module.

    Args:
        path: a file, or ``-`` for standard input.

    Raises:
        CannotTryError: when they cannot be read or are not valid.
    """
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
        document = json.loads(text)
        outputs = {name: output["value"] for name, output in document.items()}
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise CannotTryError(f"{path} is not the output of `terraform output -json`.") from error
    for value in (outputs, *outputs.values()):
        if isinstance(value, dict) and all(value.get(name) for name in NEEDED):
            return value
    raise CannotTryError(f"The outputs lack some of {', '.join(NEEDED)}. Was the module applied?")


class Trial:
    """The smoke test with one object.

    Args:
        outputs: the module's outputs.
        endpoint_url: an AWS-compatible server instead of AWS.
        timeout: seconds to wait for the move.
    """

    def __init__(
        self, outputs: Mapping[str, Any], endpoint_url: str | None, timeout: float
    ) -> None:
        self._outputs = outputs
        self._timeout = timeout
        session = boto3.Session(region_name=outputs["region"])
        if session.get_credentials() is None:
            raise CannotTryError("boto3 finds no credentials. Set AWS_PROFILE, for example.")
        retries: Any = {"mode": "standard", "total_max_attempts": 4}
        config = Config(retries=retries, connect_timeout=10, read_timeout=60)
        clients: Any = session
        self._s3, self._sqs, self._lambda = (
            clients.client(service, endpoint_url=endpoint_url, config=config)
            for service in ("s3", "sqs", "lambda")
        )
        self._source = Place.of(outputs["source"])
        self._destination = Place.of(outputs["destination"])
        self._name = ""
        self._body = uuid.uuid4().hex.encode()
        self._filters: dict[str, Any] = {}

    def run(self) -> None:
        """Ping the function, then let it move an object.

        Raises:
            DoesNotWorkError: when it does not work.
        """
        self._ping()
        before = self._dead_letters()
        with self._no_traces():
            self._upload()
            self._wait_for_the_move()
        after = self._dead_letters()
        if after > before:
            raise DoesNotWorkError(
                f"{after - before} messages have arrived in the dead-letter queues meanwhile. "
                f"Check the log group {self._outputs['log_group']}."
            )
        _say(f"dead letters: {after}" + (" from before" if after else ""))

    def _ping(self) -> None:
        answer = self._lambda.invoke(
            FunctionName=self._outputs["function_arn"], Payload=json.dumps({"action": "ping"})
        )
        said = answer["Payload"].read().decode("utf-8", "replace")
        if "FunctionError" in answer:
            raise DoesNotWorkError(f"The function cannot start or fails: {said[:2000]}")
        try:
            version, settings = (json.loads(said)[name] for name in ("version", "settings"))
            prefix, suffix = (settings[name] for name in ("key_prefixes", "key_suffixes"))
            self._filters = {name: settings[name] for name in FILTERS if settings[name]}
        except (ValueError, TypeError, KeyError) as error:
            raise DoesNotWorkError(
                f"The function is not frogmove; its response is {said[:200]}"
            ) from error
        folder = prefix[0].removeprefix(self._source.prefix) if prefix else ""
        unique = self._body.decode()
        self._name = f"{folder}frogmove-smoke-test/{unique}{suffix[0] if suffix else '.txt'}"
        _say(f"the function answers: frogmove {version}")

    def _upload(self) -> None:
        key = self._source.prefix + self._name
        self._s3.put_object(
            Bucket=self._source.bucket,
            Key=key,
            Body=self._body,
            ExpectedBucketOwner=self._outputs["source_account"],
        )
        _say(f"uploaded s3://{self._source.bucket}/{key}")
        # After the first apply AWS may take minutes until everything works.
        _say(f"waiting for the move, {self._timeout:.0f} seconds at most")

    def _wait_for_the_move(self) -> None:
        started = time.monotonic()
        while True:
            arrived = self._read(self._destination)
            left = self._read(self._source) is None
            waited = time.monotonic() - started
            if arrived is not None and arrived != self._body:
                raise DoesNotWorkError("The destination holds something else than was uploaded.")
            if arrived is not None and left:
                _say(f"moved after {waited:.0f} seconds")
                return
            if waited > self._timeout:
                where = "at both ends" if arrived is not None else "still at the source"
                message = (
                    f"After {waited:.0f} seconds the object is {where}. Check the event source "
                    f"mapping, and the log group {self._outputs['log_group']}."
                )
                if self._filters:
                    filters = ", ".join(f"{name} {value}" for name, value in self._filters.items())
                    message += f" The function's filters are: {filters}."
                raise DoesNotWorkError(message)
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _read(self, place: Place) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=place.bucket, Key=place.prefix + self._name)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise
        body: bytes = answer["Body"].read()
        return body

    def _dead_letters(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(
            int(count)
            for queue in ("dead_letter_url", "sweep_dead_letter_url")
            for count in self._sqs.get_queue_attributes(
                QueueUrl=self._outputs[queue], AttributeNames=names
            )["Attributes"].values()
        )

    @contextlib.contextmanager
    def _no_traces(self) -> Iterator[None]:
        """Delete the object at both ends in every version."""
        try:
            yield
        finally:
            for place in (self._source, self._destination):
                self._remove(place)
            _say("removed the object")

    def _remove(self, place: Place) -> None:
        key = place.prefix + self._name
        listed = self._s3.list_object_versions(Bucket=place.bucket, Prefix=key)
        for kind in ("Versions", "DeleteMarkers"):
            for version in listed.get(kind, ()):
                self._s3.delete_object(Bucket=place.bucket, Key=key, VersionId=version["VersionId"])


def _say(text: str) -> None:
    print(f"- {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
