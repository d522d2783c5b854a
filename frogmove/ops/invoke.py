"""Invokes a deployed function."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError

from frogmove.credentials import words
from frogmove.errors import FrogmoveError, RunError, UnreachableError
from frogmove.ops.aws_request import AwsRequestError, Cause, cause_of
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from frogmove.ops.clients import Services

# Seconds; a function may run for 15 minutes.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_TIMEOUT_SECONDS = 910

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
_SERVER_FAILED = 500

_ACTION = "lambda:InvokeFunction"


@dataclass(frozen=True, slots=True)
class Invocation:
    """The result of an invocation.

    Attributes:
        response: the function's response; None if it was not waited for.
        log: the last 4 KB of its log.
    """

    response: object
    log: str


def lambda_client(services: Services) -> LambdaClient:
    """Make a client of the Lambda service that waits for a function to end.

    Raises:
        UsageError: when the AWS settings cannot be used.
    """
    # No retries: after a slow response, the function would run twice.
    config = Config(read_timeout=_TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
    return cast("LambdaClient", services.make("lambda", config))


def call(client: LambdaClient, function: str, event: object, *, wait: bool = True) -> Invocation:
    """Invoke a function.

    Args:
        client: the client for Lambda.
        function: its name or ARN, with or without a version or an alias.
        event: the event.
        wait: whether to wait for the response; if not, Lambda queues the event and retries a failed
            function twice.

    Raises:
        UnreachableError: when it could not be invoked; nothing was done.
        RunError: when the response is an error, or there is none.
    """
    try:
        response = client.invoke(
            FunctionName=function,
            InvocationType="RequestResponse" if wait else "Event",
            LogType="Tail" if wait else "None",
            Payload=json.dumps(event).encode(),
        )
    except ClientError as error:
        raise _refusal(function, error) from error
    except (HTTPClientError, ResponseParserError, OSError) as error:
        raise _no_response(function, str(error)) from error
    except BotoCoreError as error:
        raise UnreachableError(
            f"The function {in_quotes(function)} was not called: {words(error)}.",
            "Check --function, --profile and your credentials.",
        ) from error
    try:
        payload = response["Payload"].read()
    except (BotoCoreError, OSError) as error:
        raise _no_response(function, str(error)) from error
    try:
        log = base64.b64decode(response.get("LogResult", "")).decode(errors="replace")
    except ValueError:
        log = ""
    if not wait:
        return Invocation(None, log)
    return Invocation(_read(function, payload, failed="FunctionError" in response), log)


def _refusal(function: str, error: ClientError) -> FrogmoveError:
    refusal = error.response["Error"]
    code, message = refusal["Code"], " ".join(refusal["Message"].split())
    # A server error may have occurred after the function was invoked.
    if error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_FAILED:
        return _no_response(function, message or code)
    cause = cause_of(code)
    if cause in {Cause.DENIED, Cause.CREDENTIALS}:
        return AwsRequestError(_ACTION, cause, message.rstrip("."), code)
    return UnreachableError(
        f"The function {in_quotes(function)} was not called: {message or code}",
        "Check --function, --region and your permissions.",
    )


def _no_response(function: str, why: str) -> RunError:
    return RunError(
        f"The function {in_quotes(function)} did not respond: {why.rstrip('.')}.",
        "It may have been invoked. It is safe to call it again: nothing is moved twice.",
    )


def _read(function: str, payload: bytes, *, failed: bool) -> object:
    try:
        parsed: Any = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise RunError(f"The function {in_quotes(function)} did not return JSON.") from error
    if failed:
        message = parsed.get("errorMessage") if isinstance(parsed, dict) else None
        raise RunError(
            f"The function {in_quotes(function)} failed: {message or parsed}", "Check its log."
        )
    return parsed
