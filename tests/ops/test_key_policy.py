"""What a key's policy says is known only as far as its conditions are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from frogmove.ops.key_policy import KeyPolicy, Verdict

SERVICE = "s3.eu-west-1.amazonaws.com"
ROLE = "arn:aws:iam::111111111111:role/path/frogmove"
ROOT = "arn:aws:iam::111111111111:root"
ACTION = "kms:GenerateDataKey"


def statement(principal: Any, action: Any = "kms:*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action} | more


def deny(principal: Any, **more: Any) -> dict[str, Any]:
    return statement(principal, Effect="Deny", **more)


ACCOUNT = statement({"AWS": ROOT})


def deny_when(test: str, name: str, value: str) -> dict[str, Any]:
    return deny("*", Condition={test: {name: [value]}})


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([ACCOUNT], Verdict.LEFT_TO_IAM),
        (ACCOUNT, Verdict.LEFT_TO_IAM),
        ([statement({"AWS": "111111111111"})], Verdict.LEFT_TO_IAM),
        ([statement({"AWS": [ROOT.replace("1", "2"), ROLE]})], Verdict.ALLOWED),
        # A session's ARN has no path.
        ([statement({"AWS": ROLE.replace("path/", "")})], Verdict.ALLOWED),
        ([statement({"AWS": ROLE.replace("1", "2")})], Verdict.NOT_ALLOWED),
        ([statement({"AWS": ROLE.replace("role", "user")})], Verdict.NOT_ALLOWED),
        ([statement({"AWS": ROOT}, "kms:Describe*")], Verdict.NOT_ALLOWED),
        ([statement({"AWS": ROOT}, ["kms:generatedatakey*"])], Verdict.LEFT_TO_IAM),
        ([statement({"Service": "logs.amazonaws.com"})], Verdict.NOT_ALLOWED),
        ([ACCOUNT, deny("*", Action="kms:Decrypt")], Verdict.LEFT_TO_IAM),
        ([ACCOUNT, deny("*", Action=ACTION)], Verdict.DENIED),
        ([ACCOUNT, deny({"AWS": "*"}, Action="kms:Gen*")], Verdict.DENIED),
        (
            [ACCOUNT, {"Effect": "Deny", "Principal": "*", "NotAction": "kms:Decrypt"}],
            Verdict.DENIED,
        ),
        ([ACCOUNT, deny_when("Bool", "aws:SecureTransport", "false")], Verdict.LEFT_TO_IAM),
        ([ACCOUNT, deny_when("StringNotEquals", "kms:ViaService", SERVICE)], Verdict.LEFT_TO_IAM),
        ([ACCOUNT, deny_when("StringEquals", "kms:ViaService", SERVICE)], Verdict.DENIED),
        (
            [ACCOUNT, deny_when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/path/*")],
            Verdict.LEFT_TO_IAM,
        ),
        ([ACCOUNT, deny_when("StringEquals", "aws:SourceVpce", "v")], Verdict.UNKNOWN),
        (
            [ACCOUNT, {"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "*"}],
            Verdict.UNKNOWN,
        ),
        # That of the key aws/s3.
        (
            [
                statement(
                    {"AWS": "*"},
                    Condition={
                        "StringEquals": {
                            "kms:CallerAccount": "111111111111",
                            "kms:ViaService": SERVICE,
                        }
                    },
                )
            ],
            Verdict.ALLOWED,
        ),
        (
            [statement("*", Condition={"StringEquals": {"kms:CallerAccount": "2"}})],
            Verdict.NOT_ALLOWED,
        ),
        ([statement("*", Condition="x"), ACCOUNT], Verdict.LEFT_TO_IAM),
        ([statement("*", Condition={"Null": "x"})], Verdict.UNKNOWN),
        ([1, None, {}], Verdict.NOT_ALLOWED),
    ],
)
def test_policy_is_judged_by_action_principal_and_condition(
    statements: Any, verdict: Verdict
) -> None:
    policy = KeyPolicy(json.dumps({"Statement": statements}), SERVICE)
    assert policy.judge(ACTION, ROLE) is verdict


def test_policy_about_paths_is_not_judged_for_a_session() -> None:
    """The ARN of a role of IAM Identity Center has a path, which that of its session lacks."""
    statements = [ACCOUNT, deny_when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/p/*")]
    policy = KeyPolicy(json.dumps({"Statement": statements}), SERVICE)
    assert policy.judge(ACTION, ROLE) is Verdict.DENIED
    assert policy.judge(ACTION, ROLE, has_path=False) is Verdict.UNKNOWN


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "[" * 100_000])
def test_policy_that_cannot_be_read_says_nothing(text: str) -> None:
    assert KeyPolicy(text, SERVICE).judge(ACTION, ROLE) is Verdict.UNKNOWN
