"""Every way a request to S3 fails, in one table: what it means for the move."""

from enum import StrEnum

from frogmove.errors import FrogmoveError

# The operation of an error that came before anything could be sent.
SIGN_IN = "SignIn"

# The code of a server that has not said a word to anybody for too long.
SILENT = "NoAnswer"

# The code of what was still to wait for its turn when the run was stopped.
NOT_BEGUN = "NotBegun"

# The code of an answer that is not what it should be.
MALFORMED = "MalformedAnswer"

# The code of a listing whose keys cannot be told.
INVALID_KEY = "InvalidKey"


# What awscrt and botocore call a TLS handshake that failed.
_UNTRUSTED = frozenset({"AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE", "SSLError"})


class Kind(StrEnum):
    """What a failed request means to whoever sent it."""

    MISSING = "no such key"
    NO_BUCKET = "no such bucket"
    NO_UPLOAD = "no such multipart upload"
    CHANGED = "a condition did not hold"
    CONFLICT = "another request was writing the same key"
    DENIED = "permission denied"
    CREDENTIALS = "credentials refused"
    ARCHIVED = "archived"
    LOCKED = "locked"
    THROTTLED = "told to slow down"
    UNAVAILABLE = "the service failed"
    UNREACHABLE = "no answer"
    REFUSED = "request refused"


_BY_CODE = {
    "NoSuchKey": Kind.MISSING,
    "NoSuchVersion": Kind.MISSING,
    "NotFound": Kind.MISSING,
    "NoSuchBucket": Kind.NO_BUCKET,
    "NoSuchUpload": Kind.NO_UPLOAD,
    "PreconditionFailed": Kind.CHANGED,
    "ConditionalRequestConflict": Kind.CONFLICT,
    "OperationAborted": Kind.CONFLICT,
    "AccessDenied": Kind.DENIED,
    "AccountProblem": Kind.DENIED,
    "AllAccessDisabled": Kind.DENIED,
    "InvalidAccessKeyId": Kind.CREDENTIALS,
    "SignatureDoesNotMatch": Kind.CREDENTIALS,
    "ExpiredToken": Kind.CREDENTIALS,
    "ExpiredTokenException": Kind.CREDENTIALS,
    "RequestExpired": Kind.CREDENTIALS,
    "InvalidToken": Kind.CREDENTIALS,
    "TokenRefreshRequired": Kind.CREDENTIALS,
    "RequestTimeTooSkewed": Kind.CREDENTIALS,
    "InvalidClientTokenId": Kind.CREDENTIALS,
    "UnrecognizedClientException": Kind.CREDENTIALS,
    "InvalidObjectState": Kind.ARCHIVED,
    "ObjectNotInActiveTierError": Kind.ARCHIVED,
    "SlowDown": Kind.THROTTLED,
    "Throttling": Kind.THROTTLED,
    "ThrottlingException": Kind.THROTTLED,
    "RequestLimitExceeded": Kind.THROTTLED,
    "TooManyRequests": Kind.THROTTLED,
    "ServiceUnavailable": Kind.THROTTLED,
    "InternalError": Kind.UNAVAILABLE,
    "RequestTimeout": Kind.UNREACHABLE,
    NOT_BEGUN: Kind.REFUSED,
}

_BY_STATUS = {
    403: Kind.DENIED,
    404: Kind.MISSING,
    409: Kind.CONFLICT,
    412: Kind.CHANGED,
    429: Kind.THROTTLED,
    503: Kind.THROTTLED,
}


# Requests that get credentials, and go to STS or IAM Identity Center.
_SIGNING_IN = frozenset(
    {
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "CreateToken",
        "GetCallerIdentity",
        "GetRoleCredentials",
        "GetSessionToken",
        SIGN_IN,
    }
)


def kind_of(code: str, status: int | None, message: str = "") -> Kind:
    """Tell what S3's error code, or where that says nothing its HTTP status, means.

    Args:
        code: the ``<Code>`` of the answer; a HEAD answer has none, so SDKs put the status there.
        status: the HTTP status; None when there was no answer.
        message: S3's own words, which alone tell object lock from a missing permission.

    Returns:
        the kind; codes are those of
        https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    if code == "AccessDenied" and "object lock" in message.lower():
        return Kind.LOCKED
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status is None:
        return Kind.UNREACHABLE
    if status >= 500 and status not in _BY_STATUS:
        return Kind.REFUSED if status == 501 else Kind.UNAVAILABLE
    return _BY_STATUS.get(status, Kind.REFUSED)


# They name credentials that were good until lately: those of a role are renewed by themselves.
_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)


class S3Error(FrogmoveError):
    """One request to S3 failed for good.

    Args:
        operation: ``CopyObject``, ``HeadObject`` …
        code: S3's error code, or the exception's name when there was no answer.
        status: the HTTP status; None when there was no answer.
        message: S3's own words.
        remedy: what to do about it, in one sentence, where whoever raised it knows.

    Attributes:
        resent: whether an earlier try of the same request may have taken place without an answer.
    """

    def __init__(
        self, operation: str, code: str, status: int | None, message: str, remedy: str = ""
    ) -> None:
        # Some are worded by libraries, which know no secrets: they are redacted there.
        super().__init__(message, remedy)
        self.args = (operation, code, status, self.message, self.remedy)
        self.operation = operation
        self.code = code
        self.status = status
        self.kind = kind_of(code, status, self.message)
        self.resent = False
        if operation in _SIGNING_IN and not self.retrying_helps:
            self.kind = Kind.CREDENTIALS

    def __str__(self) -> str:
        return f"{self.operation}: {self.said}"

    @property
    def said(self) -> str:
        """The server's own words and its code."""
        words = self.message.rstrip(".") or self.kind.value
        return f"{words} ({self.code})" if self.code else words

    @property
    def signing_in(self) -> bool:
        """Whether it was credentials that could not be had, of whoever gives them."""
        return self.operation in _SIGNING_IN

    @property
    def retrying_helps(self) -> bool:
        """Whether the same request may succeed later with nothing else changed."""
        return self.kind in {Kind.CONFLICT, Kind.THROTTLED, Kind.UNAVAILABLE, Kind.UNREACHABLE}

    @property
    def is_expired(self) -> bool:
        """Whether the credentials were good until lately, as a temporary session's are."""
        return self.code in _EXPIRED

    @property
    def is_untrusted(self) -> bool:
        """Whether the server's certificate was not trusted."""
        return self.code in _UNTRUSTED

    @property
    def ends_the_run(self) -> bool:
        """Whether every further request would fail in the same way."""
        return self.kind in {Kind.CREDENTIALS, Kind.NO_BUCKET} or self.code == SILENT


def silent(message: str) -> S3Error:
    """Return the error of what a server that does not answer was asked."""
    return S3Error("Request", SILENT, None, message)


def not_begun() -> S3Error:
    """Return the error of what was not sent, as the run was stopped."""
    return S3Error("Request", NOT_BEGUN, None, "The run was stopped before this was begun")


def out_of_time() -> S3Error:
    """Return the error of what there was no time to wait for."""
    return S3Error("Request", "OutOfTime", None, "There was no time left to wait for an answer")
