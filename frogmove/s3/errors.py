"""All failures of S3 requests in one table, and what they mean for the move."""

from enum import StrEnum

from frogmove.errors import FrogmoveError

# The operation of an error before anything was sent.
SIGN_IN = "SignIn"

# The code for a server that has not responded to any request for too long.
NO_RESPONSE = "NoResponse"

# The code for requests that were still waiting when the run was stopped.
NOT_STARTED = "NotStarted"

# The code for a version that is a delete marker.
DELETE_MARKER = "DeleteMarker"

# The code for a malformed response.
MALFORMED = "MalformedResponse"

# The code for a listing whose keys cannot be decoded.
INVALID_KEY = "InvalidKey"


# awscrt's and botocore's names of a failed TLS handshake.
_UNTRUSTED = frozenset({"AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE", "SSLError"})


class Kind(StrEnum):
    """What a failed request means for the caller."""

    MISSING = "no such key"
    NO_BUCKET = "no such bucket"
    NO_UPLOAD = "no such multipart upload"
    CHANGED = "a condition did not hold"
    CONFLICT = "another request was writing the same key"
    DENIED = "permission denied"
    CREDENTIALS = "credentials refused"
    ARCHIVED = "archived"
    LOCKED = "locked"
    THROTTLED = "throttled"
    UNAVAILABLE = "the service failed"
    UNREACHABLE = "no response"
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
    NOT_STARTED: Kind.REFUSED,
    DELETE_MARKER: Kind.REFUSED,
}

_BY_STATUS = {
    403: Kind.DENIED,
    404: Kind.MISSING,
    409: Kind.CONFLICT,
    412: Kind.CHANGED,
    429: Kind.THROTTLED,
    503: Kind.THROTTLED,
}


# Requests to STS or IAM Identity Center for credentials.
_SIGN_IN_OPERATIONS = frozenset(
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
    """Classify an error by S3's error code, or else by the HTTP status.

    Args:
        code: the ``<Code>`` of the response; for a HEAD, SDKs put the status there.
        status: the HTTP status; None if there was no response.
        message: S3's message, which distinguishes Object Lock from a missing permission.

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


# The codes for session credentials that have expired; those of a role are renewed automatically.
EXPIRED_TOKEN = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_EXPIRED = EXPIRED_TOKEN | {"RequestExpired"}

# The codes for a bucket in another Region, or at another endpoint, than the one that was asked.
ELSEWHERE = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "PermanentRedirect",
        "TemporaryRedirect",
    }
)


class S3Error(FrogmoveError):
    """A request to S3 failed, after all retries.

    Args:
        operation: ``CopyObject``, ``HeadObject`` …
        code: S3's error code, or the exception's name if there was no response.
        status: the HTTP status; None if there was no response.
        message: S3's message.
        remedy: what to do about it, in one sentence, if known.

    Attributes:
        resent: whether an earlier attempt without a response may have taken effect.
    """

    def __init__(
        self, operation: str, code: str, status: int | None, message: str, remedy: str = ""
    ) -> None:
        # Some messages come from libraries that do not redact secrets.
        super().__init__(message, remedy)
        self.args = (operation, code, status, self.message, self.remedy)
        self.operation = operation
        self.code = code
        self.status = status
        self.kind = kind_of(code, status, self.message)
        self.resent = False
        if operation in _SIGN_IN_OPERATIONS and not self.retrying_helps:
            self.kind = Kind.CREDENTIALS

    def __str__(self) -> str:
        return f"{self.operation}: {self.detail}"

    @property
    def detail(self) -> str:
        """The server's message and error code."""
        words = self.message.rstrip(".") or self.kind.value
        return f"{words} ({self.code})" if self.code else words

    @property
    def is_sign_in(self) -> bool:
        """Whether it was a request for credentials that failed."""
        return self.operation in _SIGN_IN_OPERATIONS

    @property
    def retrying_helps(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in {Kind.CONFLICT, Kind.THROTTLED, Kind.UNAVAILABLE, Kind.UNREACHABLE}

    @property
    def is_expired(self) -> bool:
        """Whether the credentials have expired."""
        return self.code in _EXPIRED

    @property
    def is_elsewhere(self) -> bool:
        """Whether the bucket is in another Region, or at another endpoint."""
        return self.code in ELSEWHERE or (self.status or 0) // 100 == 3

    @property
    def is_untrusted(self) -> bool:
        """Whether the server's certificate was not trusted."""
        return self.code in _UNTRUSTED

    @property
    def ends_the_run(self) -> bool:
        """Whether every further request would fail too."""
        return self.kind in {Kind.CREDENTIALS, Kind.NO_BUCKET} or self.code == NO_RESPONSE


def unresponsive(message: str) -> S3Error:
    """Return the error of a request to a server that does not respond."""
    return S3Error("Request", NO_RESPONSE, None, message)


def not_started() -> S3Error:
    """Return the error of a request that was not sent, because the run was stopped."""
    return S3Error("Request", NOT_STARTED, None, "The run was stopped before this was begun")


def out_of_time() -> S3Error:
    """Return the error of a request whose response could not be awaited any longer."""
    return S3Error("Request", "OutOfTime", None, "There was no time left to wait for a response")
