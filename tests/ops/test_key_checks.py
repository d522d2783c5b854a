"""The KMS keys of a route: whether they can be used, and by whom, without a write."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from frogmove.ops.check import Check, State
from frogmove.ops.key_checks import KeyChecks, _combine, _principal
from frogmove.ops.key_policy import Verdict
from frogmove.s3.uri import Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from frogmove.local_aws.clients import Clients
    from frogmove.ops.clients import Services
    from tests.servers import Server

REGION = "us-east-1"
ACCOUNT = "000000000000"
ALL = ["kms:Decrypt", "kms:GenerateDataKey"]
# The key is in another account, moto's.
LEAVE_TO_IAM = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
}


@pytest.fixture
def key(services: Services, moto: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ARN of a key that leaves it to IAM who may use it; the embedded AWS has no KMS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", moto.endpoint_url)
    made: str = services.client("kms").create_key()["KeyMetadata"]["Arn"]
    let(services, made, LEAVE_TO_IAM)
    return made


def let(services: Services, key: str, *statements: dict[str, Any]) -> None:
    """Set the policy of a key."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Resource": "*"} | each for each in statements],
    }
    services.client("kms").put_key_policy(
        KeyId=key, PolicyName="default", Policy=json.dumps(policy)
    )


def allow(clients: Clients, actions: list[str], effect: str = "Allow") -> str:
    """Create a role with a policy, and return its ARN."""
    name = f"role-{uuid.uuid4().hex[:12]}"
    trust = {"Version": "2012-10-17", "Statement": []}
    role = clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    if actions:
        statement = {"Effect": effect, "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        clients.iam.put_role_policy(RoleName=name, PolicyName="some", PolicyDocument=policy)
    return role["Role"]["Arn"]


@pytest.fixture
def keys(clients: Clients, services: Services, key: str) -> KeyChecks:
    """The checks of a destination that is empty, with no function."""
    bucket = f"keys-{uuid.uuid4().hex[:12]}"
    clients.s3.create_bucket(Bucket=bucket)
    caller = allow(clients, ALL)
    place = Location(bucket)
    return KeyChecks(clients.s3, services, "destination", place, key, REGION, caller, None)


def checks(keys: KeyChecks) -> dict[str, Check]:
    return {check.name: check for check in keys.checks()}


def test_key_checks_find_a_key_that_is_enabled_and_allowed_well(
    keys: KeyChecks, clients: Clients
) -> None:
    session = "arn:aws:sts::{}:assumed-role/{}/operator"
    assert keys.caller is not None
    caller = session.format(ACCOUNT, keys.caller.rpartition("/")[2])
    found = checks(replace(keys, caller=caller, role=allow(clients, ALL)))
    assert {name: check.state for name, check in found.items()} == {
        "destination key": State.OK,
        "destination key use": State.OK,
        "function destination key": State.OK,
    }
    assert found["destination key"].message == f"{keys.key} is enabled"
    assert sorted(found["function destination key"].facts["allowed"]) == ALL


@pytest.mark.parametrize(
    ("spoil", "words", "remedy"),
    [
        ("disable_key", "is disabled", "aws kms enable-key --key-id {key} --region us-east-1"),
        ("schedule_key_deletion", "will be deleted on 20", "aws kms cancel-key-deletion"),
    ],
)
def test_key_checks_end_with_a_key_that_is_not_enabled(
    keys: KeyChecks, services: Services, spoil: str, words: str, remedy: str
) -> None:
    getattr(services.client("kms"), spoil)(KeyId=keys.key.rpartition("/")[2])
    (found,) = keys.checks()
    assert found.state is State.BROKEN
    assert words in found.message
    assert remedy.format(key=keys.key) in found.remedy


def test_key_checks_find_a_key_that_is_not_there_or_not_for_s3(
    keys: KeyChecks, services: Services
) -> None:
    kms = services.client("kms")
    signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["Arn"]
    for key, region, words in (
        (str(uuid.uuid4()), REGION, "there is no KMS key"),
        (signing, REGION, "S3 needs a symmetric key"),
        (keys.key, "eu-west-1", "is not in the bucket's Region eu-west-1"),
    ):
        (found,) = replace(keys, key=key, region=region).checks()
        assert (found.state, words in found.message) == (State.BROKEN, True), found
        assert f"get-bucket-encryption --bucket {keys.location.bucket}" in found.remedy


@pytest.mark.parametrize(
    ("effect", "actions", "state", "words"),
    [
        ("Allow", ["kms:Decrypt"], State.WARNING, "kms:GenerateDataKey: no IAM policy allows it"),
        ("Deny", ALL, State.BROKEN, "kms:GenerateDataKey: denied; kms:Decrypt: denied"),
    ],
)
def test_key_checks_tell_what_the_function_may_not_do(
    keys: KeyChecks, clients: Clients, effect: str, actions: list[str], state: State, words: str
) -> None:
    role = allow(clients, actions, effect)
    found = checks(replace(keys, role=role))["function destination key"]
    assert found.state is state
    assert words in found.message
    assert "`bucket_kms_key_arns`" in found.remedy
    assert role in found.remedy


def test_key_checks_prove_decrypt_by_an_object_and_say_what_was_not_checked(
    keys: KeyChecks, clients: Clients
) -> None:
    bucket = keys.location.bucket
    clients.s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    clients.s3.put_object(Bucket=bucket, Key="plain", Body=b"frogs")
    clients.s3.put_object(
        Bucket=bucket,
        Key="sealed",
        Body=b"frogs",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=keys.key,
    )
    found = checks(replace(keys, caller=f"arn:aws:iam::{ACCOUNT}:root"))["destination key use"]
    assert found.state is State.OK
    assert f"kms:Decrypt: 's3://{bucket}/sealed' was read" in found.message
    assert "kms:GenerateDataKey: not checked: the policies" in found.message


def test_key_checks_find_that_a_read_is_denied_for_want_of_the_key(keys: KeyChecks) -> None:
    message = f"User: x is not authorized to perform: kms:Decrypt on resource: {keys.key}"
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetObject")

    def get_object(**_: Any) -> dict[str, Any]:
        raise refusal

    listed = {"Contents": [{"Key": "a", "Size": 1}]}
    s3 = SimpleNamespace(list_objects_v2=lambda **_: listed, get_object=get_object)
    found = checks(replace(keys, end="source", s3=cast("S3Client", s3)))["source key use"]
    assert found.state is State.BROKEN
    assert f"kms:Decrypt: 's3://{keys.location.bucket}/a' was not read" in found.message
    assert "User: x is not authorized" in found.message
    assert found.remedy == f"Have kms:Decrypt on {keys.key} granted."
    other = {"Body": BytesIO(b"f"), "SSEKMSKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/another"}
    s3.get_object = lambda **_: other
    found = checks(replace(keys, end="source", s3=cast("S3Client", s3)))["source key use"]
    assert found.message == "kms:Decrypt: allowed by IAM policies"


_NOT_NAMED = (
    "associated with this ciphertext because the resource does not exist in this Region, no "
    "resource-based policies allow access, or a resource-based policy explicitly denies access"
)


@pytest.mark.parametrize(
    ("code", "message", "state"),
    [
        ("KMS.DisabledException", "{key} is disabled.", State.BROKEN),
        ("AccessDenied", f"kms:Decrypt on the resource {_NOT_NAMED}", State.BROKEN),
        ("AccessDenied", "x may not perform: kms:Decrypt, because of a policy", State.BROKEN),
        ("AccessDenied", "x may not perform: kms:Decrypt on arn:aws:kms:r:1:key/other", State.OK),
        ("KMS.DisabledException", "arn:aws:kms:r:1:key/other is disabled.", State.OK),
        ("SlowDown", "Please reduce your request rate.", State.OK),
    ],
)
def test_key_checks_believe_an_object_that_cannot_be_read_for_its_key(
    keys: KeyChecks, code: str, message: str, state: State
) -> None:
    message = message.format(key=keys.key)
    refusal = ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")

    def get_object(**_: Any) -> dict[str, Any]:
        raise refusal

    listed = {"Contents": [{"Key": "a", "Size": 1}]}
    s3 = SimpleNamespace(list_objects_v2=lambda **_: listed, get_object=get_object)
    found = checks(replace(keys, end="source", s3=cast("S3Client", s3)))["source key use"]
    assert found.state is state, found


@pytest.mark.parametrize("action", ALL)
def test_key_checks_find_what_only_the_keys_policy_denies(
    keys: KeyChecks, clients: Clients, services: Services, action: str
) -> None:
    role = allow(clients, ALL)
    let(
        services,
        keys.key,
        LEAVE_TO_IAM,
        {"Effect": "Deny", "Principal": {"AWS": role}, "Action": action},
    )
    found = checks(replace(keys, role=role))
    assert found["destination key use"].state is State.OK
    of_function = found["function destination key"]
    assert of_function.state is State.BROKEN
    assert f"{action}: denied by the key's policy" in of_function.message
    assert of_function.facts["denied"] == [action]
    assert f"aws kms get-key-policy --key-id {keys.key}" in of_function.remedy


def test_key_checks_find_a_key_whose_policy_allows_nobody(
    keys: KeyChecks, services: Services
) -> None:
    let(services, keys.key, LEAVE_TO_IAM | {"Action": "kms:DescribeKey"})
    found = checks(keys)["destination key use"]
    assert found.state is State.WARNING
    assert "kms:GenerateDataKey: the key's policy does not allow it; a grant may" in found.message


@pytest.mark.parametrize(
    ("by_iam", "by_key", "is_own", "kind"),
    [
        ("explicitDeny", Verdict.ALLOWED, True, "denied"),
        ("implicitDeny", Verdict.ALLOWED, True, "allowed"),
        ("implicitDeny", Verdict.ALLOWED, False, "not_allowed"),
        ("implicitDeny", Verdict.LEFT_TO_IAM, True, "not_allowed"),
        ("allowed", None, True, "allowed"),
        ("allowed", Verdict.UNKNOWN, True, "allowed"),
        (None, Verdict.DENIED, True, "denied"),
        (None, Verdict.LEFT_TO_IAM, True, "unchecked"),
    ],
)
def test_key_checks_combine_both_kinds_of_policies(
    by_iam: str | None, by_key: Verdict | None, is_own: bool, kind: str
) -> None:
    assert _combine(by_iam, by_key, is_own=is_own)[0] == kind


def test_key_checks_do_not_call_a_key_missing_if_its_region_is_not_known(keys: KeyChecks) -> None:
    (found, *_) = replace(keys, key="alias/frogs", region=None).checks()
    assert found.state is State.UNKNOWN
    assert "The bucket's Region is not known" in found.message


def test_key_checks_tell_a_simulation_that_failed_from_one_that_is_not_allowed(
    keys: KeyChecks, services: Services
) -> None:
    def fail(**_: Any) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "Simulate")

    def client(service: str, region: str | None = None) -> Any:
        iam = SimpleNamespace(simulate_principal_policy=fail)
        return iam if service == "iam" else services.client(service, region)

    found = checks(replace(keys, services=cast("Services", SimpleNamespace(client=client))))
    assert found["destination key use"].state is State.UNKNOWN
    assert "Rate exceeded" in found["destination key use"].message


def test_key_checks_say_why_nothing_was_checked(keys: KeyChecks, services: Services) -> None:
    def refuse(**_: Any) -> dict[str, Any]:
        raise ClientError(
            {"Error": {"Code": "AccessDenied", "Message": "no"}}, "SimulatePrincipalPolicy"
        )

    def client(service: str, region: str | None = None) -> Any:
        iam = SimpleNamespace(simulate_principal_policy=refuse)
        return iam if service == "iam" else services.client(service, region)

    limited = cast("Services", SimpleNamespace(client=client))
    found = checks(replace(keys, services=limited))["destination key use"]
    assert (found.state, found.remedy) == (State.OK, "")
    reason = "not checked: The permission iam:SimulatePrincipalPolicy is missing: no"
    assert found.message == f"kms:GenerateDataKey: {reason}; kms:Decrypt: {reason}"
    assert found.facts["unchecked"] == ["kms:GenerateDataKey", "kms:Decrypt"]


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:iam::1:user/path/frog", "arn:aws:iam::1:user/path/frog"),
        ("arn:aws:iam::1:role/frog", "arn:aws:iam::1:role/frog"),
        ("arn:aws-cn:sts::1:assumed-role/frog/session", "arn:aws-cn:iam::1:role/frog"),
        ("arn:aws:iam::1:root", None),
    ],
)
def test_key_checks_ask_for_the_policies_of_a_user_or_a_role(
    arn: str, principal: str | None
) -> None:
    assert _principal(arn) == principal
