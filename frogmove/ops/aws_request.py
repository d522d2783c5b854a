"""Sends requests to AWS, and says why one did not succeed: a missing permission by its name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.compat import XMLParseError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from frogmove.credentials import words
from frogmove.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

# Each service has its own words.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "UnauthorizedOperation",
        "AllAccessDisabled",
        "403",
    }
)
_MISSING = frozenset(
    {
        "404",
        "NotFound",
        "NotFoundException",
        "ResourceNotFoundException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    }
)
# Of servers other than AWS; ministack returns 400 without a message for a service that it lacks.
_NOT_OFFERED = frozenset(
    {
        "400",
        "405",
        "501",
        "InvalidAction",
        "MethodNotAllowed",
        "NotImplemented",
        "UnknownOperation",
        "UnknownOperationException",
    }
)

# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)

# What the refusal of a signature whose time is wrong begins with.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
_CLOCK = ("Signature expired", "Signature not yet current")
SET_CLOCK = "Set this computer's clock, such as by NTP."

# The first status that says that a server failed.
_SERVER_FAILED = 500

CHECK_CONNECTION = "Check the network, --region and AWS_ENDPOINT_URL."


class Cause(StrEnum):
    """Why a request did not succeed."""

    DENIED = "denied"
    CREDENTIALS = "credentials"
    MISSING = "missing"
    NOT_OFFERED = "not offered"
    FAILED = "failed"
    NO_RESPONSE = "no response"


class AwsRequestError(UnreachableError):
    """A request to AWS did not succeed.

    Args:
        action: the IAM action that it needs, such as ``sqs:GetQueueAttributes``.
        cause: why.
        detail: AWS's own words.
        code: AWS's own error code.
        thing: what it is about, such as ``function 'frogmove'``; empty if it is of many things.
    """

    def __init__(
        self, action: str, cause: Cause, detail: str, code: str = "", thing: str = ""
    ) -> None:
        self.action, self.cause, self.code = action, cause, code
        remedy = ""
        if cause is Cause.DENIED:
            message = f"The permission {action} is missing: {detail}."
            remedy = f"Have {action} granted, as in the module's policy for operators."
        elif cause is Cause.CREDENTIALS:
            message = f"{action} needs credentials that AWS accepts: {detail}."
            remedy = "Sign in again, such as with `aws sso login`, or choose another --profile."
            if code in {"RequestTimeTooSkewed", "RequestExpired"} or detail.startswith(_CLOCK):
                remedy = SET_CLOCK
        elif cause is Cause.NOT_OFFERED:
            message = f"This server does not offer {action}."
        elif cause is Cause.MISSING and thing:
            message = f"There is no {thing} in this account and Region."
            options = "--schedule" if thing.startswith("schedule ") else "--function, --route"
            remedy = f"Check {options}, --profile and --region."
        else:
            message = f"{action} failed: {detail}."
            remedy = CHECK_CONNECTION if cause is Cause.NO_RESPONSE else ""
        super().__init__(message, remedy)

    @property
    def may_have_been_done(self) -> bool:
        """Whether AWS may have done it all the same: it failed on the way, or only the response."""
        cause = self.__cause__
        if isinstance(cause, ClientError):
            return bool(cause.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_FAILED)
        return self.cause is not Cause.CREDENTIALS and not isinstance(cause, NoConnectionError)


def send(action: str, request: Callable[[], _T], thing: str = "") -> _T:
    """Send a request.

    Args:
        action: the IAM action that it needs.
        request: calls a method of a boto3 client.
        thing: what it is about; see :class:`AwsRequestError`.

    Returns:
        its response; to read a field that it lacks raises an AwsRequestError.

    Raises:
        AwsRequestError: when it did not succeed.
    """
    try:
        return cast("_T", _with_fields(request(), action))
    except ClientError as error:
        refusal = error.response.get("Error", {})
        code = str(refusal.get("Code") or "")
        detail = " ".join(str(refusal.get("Message") or code).split()).rstrip(".")
        raise AwsRequestError(action, cause_of(code), detail, code, thing) from error
    except (NoConnectionError, HTTPClientError, OSError) as error:
        raise AwsRequestError(action, Cause.NO_RESPONSE, words(error)) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise AwsRequestError(action, Cause.CREDENTIALS, words(error)) from error
    except BotoCoreError as error:
        raise AwsRequestError(action, Cause.FAILED, words(error)) from error
    except KeyError as error:
        raise _missing(action, str(error.args[0])) from error
    except (ResponseParserError, XMLParseError, AttributeError, TypeError, ValueError) as error:
        # Of botocore, about the response; its text may be all of it.
        raise AwsRequestError(action, Cause.FAILED, "its response cannot be read") from error


def send_pages(action: str, client: Any, operation: str, field: str, **request: Any) -> list[Any]:  # noqa: ANN401 - botocore's
    """Send requests for all pages of a list.

    Args:
        action: the IAM action that they need.
        client: a client of botocore.
        operation: the name of its method.
        field: the field of the responses that is the list; absent if it is empty.
        request: the parameters.

    Raises:
        AwsRequestError: when one did not succeed.
    """
    pages = client.get_paginator(operation).paginate(**request)
    return send(action, lambda: [each for page in pages for each in page.get(field) or ()])


class _Fields(dict[str, Any]):
    """A response, or an element of a list in it."""

    def __init__(self, values: dict[str, Any], action: str) -> None:
        super().__init__(values)
        self._action = action

    def __missing__(self, field: str) -> Any:  # noqa: ANN401 - does not return
        raise _missing(self._action, field)


def _with_fields(value: object, action: str) -> object:
    if isinstance(value, list):
        return [_with_fields(each, action) for each in value]
    if not isinstance(value, dict):
        return value
    lists = {
        name: _with_fields(each, action) for name, each in value.items() if isinstance(each, list)
    }
    return _Fields(value | lists, action)


def repeated_page(action: str) -> AwsRequestError:
    """Return the error for a list that would never end."""
    return AwsRequestError(action, Cause.FAILED, "the same page was returned again")


def _missing(action: str, field: str) -> AwsRequestError:
    return AwsRequestError(action, Cause.FAILED, f"its response has no {field}")


def cause_of(code: str) -> Cause:
    """Classify an error by its code."""
    if code in _DENIED:
        return Cause.DENIED
    if code in _MISSING or code.startswith("NoSuch") or code.endswith("NotFoundError"):
        return Cause.MISSING
    if code in _CREDENTIALS:
        return Cause.CREDENTIALS
    return Cause.NOT_OFFERED if code in _NOT_OFFERED else Cause.FAILED
