"""Checks of a bucket's settings, as far as moving objects depends on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from frogmove.ops.aws_request import AwsRequestError, Cause, send
from frogmove.ops.check import Check, State, unknown_check
from frogmove.plural import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_s3 import S3Client

    from frogmove.s3.uri import Location

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

# What GetBucketLocation returns for two old Regions.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
_OLD_NAMES = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}


@dataclass(frozen=True, slots=True)
class BucketChecks:
    """Checks of one end of a route.

    Attributes:
        client: the client for S3.
        end: ``source``, ``destination`` or ``quarantine``.
        location: the bucket and the prefix.
        region: the function's Region; None if it is not known.
        owner: the account that must own the bucket; None if any may.
        is_gated: whether objects are moved only after a scan.
    """

    client: S3Client
    end: str
    location: Location
    region: str | None
    owner: str | None = None
    is_gated: bool = False

    def can_list(self) -> Check:
        """Check only that the bucket exists and can be listed."""

        def check(name: str) -> Check:
            self._list()
            return Check(name, State.OK, str(self.location))

        return self._check("bucket", check)

    def checks(self) -> Iterator[Check]:
        """Yield the checks; only one if the bucket cannot be used."""
        found = self._check("bucket", self._bucket)
        if self.owner is not None and found.facts.get("cause") == Cause.DENIED:
            message = f"{found.message} Or the bucket does not belong to account {self.owner}."
            found = replace(found, message=message)
        yield found
        if found.state is State.BROKEN:
            return
        yield self._check("versions", self._versions)
        yield self._check("encryption", self._encryption)
        yield self._check("public access", self._public_access)
        yield self._check("lifecycle", self._lifecycle)
        yield self._check("object lock", self._object_lock)
        yield self._check("ownership", self._ownership)

    def _check(self, name: str, check: Callable[[str], Check]) -> Check:
        try:
            return check(f"{self.end} {name}")
        except AwsRequestError as error:
            return unknown_check(f"{self.end} {name}", error)

    def _list(self) -> None:
        location = self.location
        send(
            "s3:ListBucket",
            lambda: self.client.list_objects_v2(
                Bucket=location.bucket, Prefix=location.prefix, MaxKeys=1
            ),
        )

    def _bucket(self, name: str) -> Check:
        bucket = self.location.bucket
        self._list()
        try:
            found = send(
                "s3:GetBucketLocation", lambda: self.client.get_bucket_location(Bucket=bucket)
            )
        except AwsRequestError as error:
            return unknown_check(name, error)
        region = _OLD_NAMES.get(found.get("LocationConstraint"), found.get("LocationConstraint"))
        message = f"{self.location}, {region}"
        facts = {"bucket": bucket, "region": region, "owner": self.owner}
        if self.owner is not None:
            message = f"{message}, owned by {self.owner}"
        if self.end == "source" and self.region not in {None, region}:
            message = f"{message}; the function is in {self.region}"
            remedy = "S3 reports uploads only within its Region: deploy the function there."
            return Check(name, State.BROKEN, message, remedy, facts)
        return Check(name, State.OK, message, facts=facts)

    def _versions(self, name: str) -> Check:
        bucket = self.location.bucket
        found = send(
            "s3:GetBucketVersioning", lambda: self.client.get_bucket_versioning(Bucket=bucket)
        )
        status = found.get("Status", "never enabled")
        facts = {"versioning": status}
        if status == "Enabled" or (self.end == "source" and not self.is_gated):
            return Check(name, State.OK, f"versioning {status}", facts=facts)
        remedy = (
            f"aws s3api put-bucket-versioning --bucket {bucket} "
            "--versioning-configuration Status=Enabled"
        )
        risk = "what an upload overwrites cannot be restored"
        if self.end == "source":
            risk = "an upload could be replaced after its scan by another one with the same ETag"
        message = f"versioning {status}: {risk}"
        return Check(name, State.WARNING, message, remedy, facts)

    def _encryption(self, name: str) -> Check:
        bucket = self.location.bucket
        found = _send_optional(
            "s3:GetEncryptionConfiguration",
            lambda: self.client.get_bucket_encryption(Bucket=bucket),
        )
        (rule, *_) = found.get("ServerSideEncryptionConfiguration", {}).get("Rules") or [{}]
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        algorithm = default.get("SSEAlgorithm")
        key = default.get("KMSMasterKeyID")
        facts = {"algorithm": algorithm, "kms_key_id": key}
        if algorithm is None:
            # S3 encrypts each object all the same; other servers do not.
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
            return Check(name, State.OK, "no default encryption is set", facts=facts)
        return Check(name, State.OK, f"{algorithm}{f' with {key}' if key else ''}", facts=facts)

    def _public_access(self, name: str) -> Check:
        bucket = self.location.bucket
        found = _send_optional(
            "s3:GetBucketPublicAccessBlock",
            lambda: self.client.get_public_access_block(Bucket=bucket),
        )
        blocks = found.get("PublicAccessBlockConfiguration", {})
        off = [each for each in _BLOCKS if not blocks.get(each)]
        if not off:
            return Check(name, State.OK, "blocked")
        settings = ",".join(f"{each}=true" for each in _BLOCKS)
        remedy = (
            f"aws s3api put-public-access-block --bucket {bucket} "
            f"--public-access-block-configuration {settings}"
        )
        return Check(name, State.WARNING, f"not blocked: {', '.join(off)}", remedy, {"off": off})

    def _lifecycle(self, name: str) -> Check:
        bucket = self.location.bucket
        found = _send_optional(
            "s3:GetLifecycleConfiguration",
            lambda: self.client.get_bucket_lifecycle_configuration(Bucket=bucket),
        )
        rules = found.get("Rules", [])
        days = [
            rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
            for rule in rules
            if rule["Status"] == "Enabled"
            and "AbortIncompleteMultipartUpload" in rule
            and self.location.prefix.startswith(_prefix(rule))
        ]
        if days:
            age = counted(min(days), "day", "days")
            message = f"incomplete multipart uploads are removed after {age}"
            return Check(name, State.OK, message, facts={"days": min(days)})
        remedy = (
            "Add a rule AbortIncompleteMultipartUpload of 7 days, as the Terraform module does."
        )
        message = "incomplete multipart uploads are kept, and billed, forever"
        return Check(name, State.WARNING, message, remedy, {"days": None})

    def _object_lock(self, name: str) -> Check:
        bucket = self.location.bucket
        found = _send_optional(
            "s3:GetBucketObjectLockConfiguration",
            lambda: self.client.get_object_lock_configuration(Bucket=bucket),
        )
        lock = found.get("ObjectLockConfiguration", {})
        retention = lock.get("Rule", {}).get("DefaultRetention")
        if lock.get("ObjectLockEnabled") != "Enabled":
            return Check(name, State.OK, "off")
        message = f"on, {_retention(retention)}"
        if self.end == "source" and retention:
            message = f"{message}: a moved object stays as a noncurrent version until then"
        return Check(name, State.OK, message, facts={"retention": retention})

    def _ownership(self, name: str) -> Check:
        bucket = self.location.bucket
        found = _send_optional(
            "s3:GetBucketOwnershipControls",
            lambda: self.client.get_bucket_ownership_controls(Bucket=bucket),
        )
        (rule, *_) = found.get("OwnershipControls", {}).get("Rules") or [{}]
        ownership = rule.get("ObjectOwnership", "ObjectWriter")
        facts = {"ownership": ownership}
        if ownership == "BucketOwnerEnforced":
            return Check(name, State.OK, "ACLs are disabled", facts=facts)
        remedy = (
            f"aws s3api put-bucket-ownership-controls --bucket {bucket} --ownership-controls "
            "'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'"
        )
        message = f"ACLs are enabled ({ownership}): objects may belong to other accounts"
        return Check(name, State.WARNING, message, remedy, facts)


def _send_optional(action: str, request: Callable[[], Any]) -> Any:  # noqa: ANN401 - of boto3
    """Send a request for a configuration; return {} if the bucket has none."""
    try:
        return send(action, request)
    except AwsRequestError as error:
        if error.cause is not Cause.MISSING:
            raise
        return {}


def _prefix(rule: dict[str, Any]) -> str:
    """Return the prefix of a lifecycle rule; one for tags or sizes applies to no upload."""
    where = rule.get("Filter") or {}
    where = where.get("And", where)
    if set(where) - {"Prefix"}:
        return "\0"
    prefix: str = where.get("Prefix", rule.get("Prefix", ""))
    return prefix


def _retention(retention: dict[str, Any] | None) -> str:
    if not retention:
        return "without a default retention"
    unit = "Years" if "Years" in retention else "Days"
    return f"{retention.get('Mode')} for {retention.get(unit)} {unit.lower()}"
