import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.s3.errors import Kind, S3Error, kind_of
from tests.strategies import CHARACTERS

CODES = [
    ("NoSuchKey", 404, Kind.MISSING),
    ("404", 404, Kind.MISSING),
    ("NoSuchVersion", 404, Kind.MISSING),
    ("NoSuchBucket", 404, Kind.NO_BUCKET),
    ("NoSuchUpload", 404, Kind.NO_UPLOAD),
    ("PreconditionFailed", 412, Kind.CHANGED),
    ("412", 412, Kind.CHANGED),
    ("ConditionalRequestConflict", 409, Kind.CONFLICT),
    ("AccessDenied", 403, Kind.DENIED),
    ("403", 403, Kind.DENIED),
    ("InvalidAccessKeyId", 403, Kind.CREDENTIALS),
    ("SignatureDoesNotMatch", 403, Kind.CREDENTIALS),
    ("ExpiredToken", 400, Kind.CREDENTIALS),
    ("InvalidObjectState", 403, Kind.ARCHIVED),
    ("SlowDown", 503, Kind.THROTTLED),
    ("ServiceUnavailable", 503, Kind.THROTTLED),
    ("", 429, Kind.THROTTLED),
    ("InternalError", 500, Kind.UNAVAILABLE),
    ("InternalError", 200, Kind.UNAVAILABLE),
    ("Unheard", 502, Kind.UNAVAILABLE),
    ("NotImplemented", 501, Kind.REFUSED),
    ("RequestTimeout", 400, Kind.UNREACHABLE),
    ("EndpointConnectionError", None, Kind.UNREACHABLE),
    ("InvalidRequest", 400, Kind.REFUSED),
    ("InvalidArgument", 400, Kind.REFUSED),
    ("", 418, Kind.REFUSED),
]


@pytest.mark.parametrize(("code", "status", "kind"), CODES)
def test_kind_of_takes_the_code_before_the_status(
    code: str, status: int | None, kind: Kind
) -> None:
    assert kind_of(code, status) is kind


@given(st.text(CHARACTERS, max_size=20), st.one_of(st.none(), st.integers(100, 599)))
def test_kind_of_knows_every_answer(code: str, status: int | None) -> None:
    assert kind_of(code, status) in Kind


@pytest.mark.parametrize(("code", "status", "kind"), CODES)
def test_error_that_ends_a_run_is_not_retried(code: str, status: int | None, kind: Kind) -> None:
    error = S3Error("CopyObject", code, status, "")
    assert error.kind is kind
    assert not (error.ends_the_run and error.retrying_helps)


@pytest.mark.parametrize(
    ("code", "status"), [("InvalidAccessKeyId", 403), ("ExpiredToken", 400), ("NoSuchBucket", 404)]
)
def test_error_of_credentials_or_a_missing_bucket_ends_a_run(code: str, status: int) -> None:
    assert S3Error("CopyObject", code, status, "").ends_the_run


@pytest.mark.parametrize(
    ("code", "status"), [("AccessDenied", 403), ("NoSuchKey", 404), ("InvalidObjectState", 403)]
)
def test_error_of_one_object_does_not_end_a_run(code: str, status: int) -> None:
    assert not S3Error("CopyObject", code, status, "").ends_the_run


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Please slow down.", "CopyObject: Please slow down (SlowDown)"),
        ("", "CopyObject: throttled (SlowDown)"),
    ],
)
def test_error_names_the_operation_and_the_code(message: str, shown: str) -> None:
    assert str(S3Error("CopyObject", "SlowDown", 503, message)) == shown
