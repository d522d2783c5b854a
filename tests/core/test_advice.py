import pytest

from frogmove.core.advice import describe, explain
from frogmove.s3.errors import S3Error


def test_explain_names_a_missing_permission_with_the_operation() -> None:
    problem = explain(S3Error("ListObjectsV2", "AccessDenied", 403, "No."), "external")
    assert "Access to 'external' was denied" in problem.message
    assert "s3:ListBucket" in problem.remedy


SCP = (
    "User: arn:aws:iam::1:user/u is not authorized to perform: s3:ListBucket on resource: "
    '"arn:aws:s3:::external" with an explicit deny in a service control policy'
)
KMS = (
    "User: arn:aws:iam::1:user/u is not authorized to perform: kms:GenerateDataKey on this "
    "resource because no identity-based policy allows the kms:GenerateDataKey action"
)


EXPECTING = (
    "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"
)
LOCATED = (
    "The eu-west-1 location constraint is incompatible for the region specific endpoint this "
    "request was sent to."
)
TO_IRELAND = "--region eu-west-1"


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (S3Error("ListObjectsV2", "AccessDenied", 403, SCP), ["service control policy", "s3:List"]),
        (S3Error("CopyObject", "AccessDenied", 403, KMS), ["permission: kms:GenerateDataKey"]),
        (S3Error("ListObjectsV2", "RequestTimeTooSkewed", 403, "Too large."), ["clock"]),
        (S3Error("AssumeRole", "AccessDenied", 403, "No."), ["STS", "AssumeRole", "No"]),
        (S3Error("AssumeRole", "ExpiredToken", 400, "Old."), ["STS", "ExpiredToken"]),
        (S3Error("ListObjectsV2", "AuthorizationHeaderMalformed", 400, "Not so."), ["--region"]),
        (S3Error("ListObjectsV2", "AuthorizationHeaderMalformed", 400, EXPECTING), [TO_IRELAND]),
        (S3Error("CopyObject", "IllegalLocationConstraintException", 400, LOCATED), [TO_IRELAND]),
        (S3Error("ListObjectsV2", "PermanentRedirect", 301, ""), ["--region", "another Region"]),
        (S3Error("ListObjectsV2", "NoSuchBucket", 404, "None."), ["NoSuchBucket", "None"]),
        (S3Error("ListObjectsV2", "MethodNotAllowed", 405, "Not that."), ["Not that"]),
    ],
)
def test_explain_keeps_the_servers_code_and_words(error: S3Error, named: list[str]) -> None:
    reported = str(explain(error, "external"))
    for name in [error.code, *named]:
        assert name in reported


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (
            S3Error("ListObjectsV2", "AccessDenied", 403, "Access Denied"),
            [
                "s3:ListBucket: Access Denied (AccessDenied). It stays",
                "Missing permission: s3:List",
            ],
        ),
        (
            S3Error("ListObjectsV2", "SlowDown", 503, "Slower."),
            ["ListObjectsV2: Slower (SlowDown)"],
        ),
        (S3Error("CopyObject", "AccessDenied", 403, KMS), [KMS, "permission: kms:GenerateDataKey"]),
        (S3Error("CopyObject", "RequestTimeTooSkewed", 403, "Too large."), ["clock"]),
        (S3Error("CopyObject", "AuthorizationHeaderMalformed", 400, EXPECTING), [TO_IRELAND]),
    ],
)
def test_describe_has_s3s_words_and_the_objects_own_remedy(
    error: S3Error, named: list[str]
) -> None:
    reported = describe(error, "It stays")
    assert [name for name in named if name not in reported] == [], reported
    assert "ListObjectsV2" not in reported or error.code == "SlowDown"


@pytest.mark.parametrize(
    ("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("", 418), ("Odd", 400)]
)
def test_explain_reports_any_other_refusal_with_s3s_own_words(code: str, status: int) -> None:
    problem = explain(S3Error("ListObjectsV2", code, status, "It said so."), "external")
    assert "'external'" in problem.message
    assert "It said so" in problem.message
    assert problem.remedy
