"""Invokes a deployed function, as an operator does."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError

from frogmove.credentials import words
from frogmove.errors import RunError, UnreachableError
from frogmove.ops.clients import make_client

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Seconds. A function may take a quarter of an hour.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LONGEST = 910

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
_SERVER_FAILED = 500


@dataclass(frozen=True, slots=True)
class Called:
    """What became of a call.

    Attributes:
        answer: the function's answer; None when nobody waited for it.
        log: the last 4 KB that it logged, as text.
    """

    answer: object
    log: str


def lambda_client(
    profile: str | None, region: str | None, endpoint_url: str | None
) -> LambdaClient:
    """Make a client of the Lambda service that waits for a function to end.

    Raises:
        UsageError: when the AWS settings cannot be used.
    """
    # Were a call sent again because its answer is slow, the function would work twice.
    config = Config(read_timeout=_LONGEST, retries={"total_max_attempts": 1})
    return cast("LambdaClient", make_client("lambda", profile, region, endpoint_url, config))


def call(client: LambdaClient, function: str, event: object, *, wait: bool = True) -> Called:
    """Call a function.

    Args:
        client: whom to ask.
        function: its name or ARN, with or without a version or an alias.
        event: what it is called with.
        wait: whether to wait for the answer; if not, Lambda queues the event and tries a function
            that fails twice again.

    Raises:
        UnreachableError: when it could not be called; nothing was done.
        RunError: when it answered with an error, or not at all.
    """
    try:
        answer = client.invoke(
            FunctionName=function,
            InvocationType="RequestResponse" if wait else "Event",
            LogType="Tail" if wait else "None",
            Payload=json.dumps(event).encode(),
        )
    except ClientError as error:
        refusal = error.response["Error"]
        # Whatever failed behind Lambda's door may have failed after the function was called.
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_FAILED:
            raise _no_answer(function, refusal["Message"] or refusal["Code"]) from error
        raise UnreachableError(
            f"The function {function!r} was not called: {refusal['Message']}",
            "Check --function, --region and your permissions.",
        ) from error
    except (HTTPClientError, ResponseParserError, OSError) as error:
        raise _no_answer(function, str(error)) from error
    except BotoCoreError as error:
        raise UnreachableError(
            f"The function {function!r} was not called: {words(error)}.",
            "Check --function, --profile and your credentials.",
        ) from error
    try:
        payload = answer["Payload"].read()
    except (BotoCoreError, OSError) as error:
        raise _no_answer(function, str(error)) from error
    log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    if not wait:
        return Called(None, log)
    return Called(_read(function, payload, failed="FunctionError" in answer), log)


def _no_answer(function: str, why: str) -> RunError:
    return RunError(
        f"The function {function!r} gave no answer: {why.rstrip('.')}.",
        "It may have been called, and a call can be repeated: nothing is moved twice.",
    )


def _read(function: str, payload: bytes, *, failed: bool) -> object:
    try:
        said: Any = json.loads(payload)
    except ValueError as error:
        raise RunError(f"The function {function!r} answered what is no JSON.") from error
    if failed:
        message = said.get("errorMessage") if isinstance(said, dict) else None
        raise RunError(f"The function {function!r} failed: {message or said}", "Look into its log.")
    return said
