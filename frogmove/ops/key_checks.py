"""Checks of the KMS keys that objects are encrypted with; changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from frogmove.ops.aws_request import AwsRequestError, Cause, send
from frogmove.ops.check import Check, State
from frogmove.ops.key_policy import KeyPolicy, Verdict
from frogmove.ops.kms_key import KeyUse, check_key, region_of
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_s3 import S3Client

    from frogmove.ops.clients import Services
    from frogmove.s3.uri import Location

# Objects of a bucket that are tried until one is encrypted with the key.
_SAMPLES = 5

# By the end of a route. A multipart upload needs Decrypt as well, to assemble its parts.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
_ACTIONS = {
    "source": ("kms:Decrypt",),
    "destination": ("kms:GenerateDataKey", "kms:Decrypt"),
}
_KEY_ID = re.compile(r":key/([\w-]+)")

_DENIED_BY_KEY = "denied by the key's policy"
_NOT_ALLOWED_BY_KEY = "the key's policy does not allow it; a grant may"


@dataclass(slots=True)
class _Findings:
    """What is known about the use of a key.

    Attributes:
        allowed: the actions that are allowed, and how that is known.
        denied: the actions that are denied, or do not work, and why.
        not_allowed: the actions that some policy does not allow, and which; a grant may.
        unchecked: the actions that could not be checked, and why.
        has_failed: whether a request failed, but not because a permission is missing.
    """

    allowed: dict[str, str] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    not_allowed: dict[str, str] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class KeyChecks:
    """Checks of the key that one end of a route encrypts with.

    Attributes:
        s3: the client for S3.
        services: clients for AWS.
        end: ``source`` or ``destination``.
        location: the bucket and the prefix.
        key: the key's id, ARN or alias.
        region: the bucket's Region; None if it is not known.
        caller: the ARN of these credentials; None if it is not known.
        role: the ARN of the function's role; None if it is not known.
    """

    s3: S3Client
    services: Services
    end: str
    location: Location
    key: str
    region: str | None
    caller: str | None
    role: str | None

    def checks(self) -> Iterator[Check]:
        """Yield the checks; only one if the key cannot be used."""
        key = self._key()
        yield key
        if key.state in {State.BROKEN, State.NOT_OFFERED}:
            return
        arn = str(key.facts.get("kms_key_arn") or self.key)
        yield self._own_use(arn)
        if self.role is not None:
            found = _Findings()
            self._simulate(self.role, arn, _ACTIONS[self.end], found, has_path=True)
            remedy = (
                "Add the key to `bucket_kms_key_arns` and apply the Terraform module, or grant "
                f"the actions to {self.role}."
            )
            yield _use_check(f"function {self.end} key", found, remedy, arn)

    def _key(self) -> Check:
        use = KeyUse(
            "S3",
            "bucket",
            "its objects can neither be read nor written",
            f"aws s3api get-bucket-encryption --bucket {self.location.bucket} shows the bucket's "
            "key, and `kms_key_id` is that of the route: set a key that exists in that Region.",
        )
        return check_key(self.services, f"{self.end} key", self.key, self.region, use)

    def _own_use(self, arn: str) -> Check:
        """Check these credentials: Decrypt by reading one byte, the rest by their policies."""
        found = _Findings()
        self._read(arn, found)
        left = [each for each in _ACTIONS[self.end] if each not in found.allowed | found.unchecked]
        left = [each for each in left if each not in found.denied]
        principal = None if self.caller is None else _principal(self.caller)
        if principal is None:
            reason = "the policies of these credentials are not known"
            found.unchecked.update(dict.fromkeys(left, reason))
        else:
            has_path = principal == self.caller
            self._simulate(principal, arn, left, found, has_path=has_path)
        remedy = f"Have {' and '.join(found.denied | found.not_allowed)} on {arn} granted."
        return _use_check(f"{self.end} key use", found, remedy, arn)

    def _read(self, arn: str, found: _Findings) -> None:
        """Read the first byte of an object that is encrypted with the key, if one is found."""
        bucket = self.location.bucket
        try:
            page = send(
                "s3:ListBucket",
                lambda: self.s3.list_objects_v2(
                    Bucket=bucket, Prefix=self.location.prefix, MaxKeys=_SAMPLES
                ),
            )
        except AwsRequestError:
            # The check of the bucket says so.
            return
        for key in (each["Key"] for each in page.get("Contents", []) if each["Size"]):
            try:
                response = send("kms:Decrypt", partial(self._first_byte, key))
            except AwsRequestError as error:
                is_of_kms = "kms:" in error.message.partition(":")[2] or error.code[:4] == "KMS."
                if is_of_kms and not _names_another(error.message, arn):
                    found.denied["kms:Decrypt"] = (
                        f"{self._place(key)} was not read: {error.message.rstrip('.')}"
                    )
                    return
                continue
            if _is_same(response.get("SSEKMSKeyId"), arn):
                found.allowed["kms:Decrypt"] = f"{self._place(key)} was read"
                return

    def _place(self, key: str) -> str:
        return in_quotes(f"s3://{self.location.bucket}/{key}")

    def _first_byte(self, key: str) -> Mapping[str, Any]:
        response = self.s3.get_object(Bucket=self.location.bucket, Key=key, Range="bytes=0-0")
        response["Body"].close()
        return response

    def _simulate(
        self,
        principal: str,
        arn: str,
        actions: tuple[str, ...] | list[str],
        found: _Findings,
        *,
        has_path: bool,
    ) -> None:
        """Find out what IAM's policies and the key's own policy say about a user or role."""
        if not actions:
            return
        region = region_of(arn)
        if region is None:
            found.unchecked.update(dict.fromkeys(actions, "the key's ARN is not known"))
            return
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        service = f"s3.{region}.{suffix}"
        policy = self._policy(arn, service)
        is_own = arn.split(":")[4] == principal.split(":")[4]
        try:
            decisions = self._decisions(principal, arn, actions, service)
            unchecked = "the response does not tell"
        except AwsRequestError as error:
            decisions, unchecked = {}, error.message.rstrip(".")
            found.has_failed |= error.cause in {Cause.FAILED, Cause.NO_RESPONSE}
        for action in actions:
            by_key = None if policy is None else policy.judge(action, principal, has_path=has_path)
            kind, how = _combine(decisions.get(action), by_key, is_own=is_own)
            getattr(found, kind)[action] = how or unchecked

    def _policy(self, arn: str, service: str) -> KeyPolicy | None:
        """Return the key's policy; None if it cannot be read."""
        client = self.services.client("kms", region_of(arn))
        try:
            text = send(
                "kms:GetKeyPolicy",
                lambda: client.get_key_policy(KeyId=arn, PolicyName="default")["Policy"],
            )
        except AwsRequestError:
            return None
        return KeyPolicy(text, service)

    def _decisions(
        self, principal: str, arn: str, actions: tuple[str, ...] | list[str], service: str
    ) -> dict[str, str]:
        """Return what IAM's policies say about actions.

        Raises:
            AwsRequestError: when that cannot be found out.
        """
        via = {
            "ContextKeyName": "kms:ViaService",
            "ContextKeyValues": [service],
            "ContextKeyType": "string",
        }
        results: list[dict[str, Any]] = send(
            "iam:SimulatePrincipalPolicy",
            lambda: self.services.client("iam").simulate_principal_policy(
                PolicySourceArn=principal,
                ActionNames=list(actions),
                ResourceArns=[arn],
                ContextEntries=[via],
            )["EvaluationResults"],
        )
        return {each["EvalActionName"]: each["EvalDecision"] for each in results}


def _combine(by_iam: str | None, by_key: Verdict | None, *, is_own: bool) -> tuple[str, str]:
    """Return what IAM's policies and the key's policy say together.

    Args:
        by_iam: the decision of IAM's simulator; None if it is not known.
        by_key: what the key's policy says; None if it could not be read.
        is_own: whether the key is in the principal's account; if not, both have to allow it.

    Returns:
        the name of the finding, and how it is known; empty if it is not.
    """
    if by_iam == "explicitDeny":
        return "denied", "denied"
    if by_key is Verdict.DENIED:
        return "denied", _DENIED_BY_KEY
    if by_key is Verdict.ALLOWED and is_own:
        return "allowed", "allowed by the key's policy"
    if by_key is Verdict.NOT_ALLOWED:
        return "not_allowed", _NOT_ALLOWED_BY_KEY
    if by_iam is None:
        return "unchecked", ""
    if by_iam != "allowed":
        may = by_key in {None, Verdict.UNKNOWN} and is_own
        by_other = "the key's policy may" if may else "a grant may"
        return "not_allowed", f"no IAM policy allows it; {by_other}"
    notes = {
        None: "; the key's policy could not be read",
        Verdict.UNKNOWN: "; the key's policy has further conditions",
    }
    return "allowed", f"allowed by IAM policies{notes.get(by_key, '')}"


def _use_check(name: str, found: _Findings, remedy: str, arn: str) -> Check:
    known = found.denied | found.not_allowed | found.allowed
    parts = [f"{action}: {how}" for action, how in known.items()]
    parts += [f"{action}: not checked: {why}" for action, why in found.unchecked.items()]
    facts = {
        "allowed": list(found.allowed),
        "denied": [*found.denied, *found.not_allowed],
        "unchecked": list(found.unchecked),
    }
    if {_DENIED_BY_KEY, _NOT_ALLOWED_BY_KEY}.intersection(known.values()):
        shown = f"aws kms get-key-policy --key-id {arn} --region {region_of(arn)}"
        remedy = f"{remedy} The key's policy has to allow it, too: {shown}"
    state = State.OK
    if found.denied:
        state = State.BROKEN
    elif found.not_allowed:
        state = State.WARNING
    elif found.has_failed:
        state, remedy = State.UNKNOWN, "Run it again."
    return Check(name, state, "; ".join(parts), "" if state is State.OK else remedy, facts)


def _names_another(message: str, arn: str) -> bool:
    """Tell whether a message of KMS is about another key; some name none."""
    named = _KEY_ID.findall(message)
    return bool(named) and arn.rpartition("/")[2] not in named


def _is_same(used: str | None, arn: str) -> bool:
    """Tell whether an object's key is this one; one of them may be only an id."""
    return used is not None and used.rpartition("/")[2] == arn.rpartition("/")[2]


def _principal(arn: str) -> str | None:
    """Return the user or the role whose policies apply to credentials; None for an account's root.

    A session's ARN lacks the role's path; of a role with a path, IAM then knows nothing.
    """
    head, _, name = arn.partition(":assumed-role/")
    if name:
        return f"{head.replace(':sts:', ':iam:')}:role/{name.partition('/')[0]}"
    return arn if ":user/" in arn or ":role/" in arn else None
