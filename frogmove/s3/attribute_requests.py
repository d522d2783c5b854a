"""Reads features of buckets, and attributes that S3 does not copy: redirects, locks, ACLs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frogmove.s3 import boto_shapes
from frogmove.s3.aws_hosts import is_aws
from frogmove.s3.bucket_features import Feature
from frogmove.s3.errors import Kind, S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

# The error codes that mean that there is none.
_NONE = {
    "NoSuchWebsiteConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "NoSuchObjectLockConfiguration",
    "OwnershipControlsNotFoundError",
}

_OPERATIONS = {
    Feature.WEBSITE: "GetBucketWebsite",
    Feature.OBJECT_LOCK: "GetObjectLockConfiguration",
    Feature.ACLS: "GetBucketOwnershipControls",
    Feature.VERSIONS: "GetBucketVersioning",
}

_GRANTS = {
    "FULL_CONTROL": "GrantFullControl",
    "READ": "GrantRead",
    "READ_ACP": "GrantReadACP",
    "WRITE_ACP": "GrantWriteACP",
}


def operation(feature: Feature) -> str:
    """Return the operation that reads a feature."""
    return _OPERATIONS[feature]


def has_feature(client: S3Client, bucket: str, feature: Feature) -> bool:
    """Tell whether a bucket has a feature."""
    match feature:
        case Feature.WEBSITE:
            site: Mapping[str, Any] = client.get_bucket_website(Bucket=bucket)
            return "IndexDocument" in site or "RedirectAllRequestsTo" in site
        case Feature.OBJECT_LOCK:
            lock = client.get_object_lock_configuration(Bucket=bucket)
            return lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
        case Feature.ACLS:
            controls = client.get_bucket_ownership_controls(Bucket=bucket)
            rules = controls.get("OwnershipControls", {}).get("Rules", [])
            return any(rule["ObjectOwnership"] != "BucketOwnerEnforced" for rule in rules)
        case Feature.VERSIONS:
            return client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"


def has_by_default(client: S3Client, feature: Feature) -> bool:
    """Tell whether a bucket without settings for a feature has it.

    On AWS, only an old bucket has no ownership controls; its ACLs are in effect. Other servers
    never have ownership controls.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html

    Through an access point, AWS does not say whether its bucket keeps versions; it may.
    """
    return feature in {Feature.ACLS, Feature.VERSIONS} and is_aws(client.meta.endpoint_url)


def is_none(error: S3Error) -> bool:
    """Tell whether an error means that there is no such attribute."""
    return error.code in _NONE or error.kind is Kind.REFUSED


def read_lock(
    client: S3Client, bucket: str, key: str, version_id: str | None, name: str
) -> Mapping[str, Any]:
    """Read ``GetObjectRetention`` or ``GetObjectLegalHold``; return it with the names of HEAD."""
    where: Any = {"Bucket": bucket, "Key": key, **boto_shapes.version(version_id)}
    if name == "GetObjectRetention":
        kept = client.get_object_retention(**where).get("Retention", {})
        found: dict[str, Any] = {
            "ObjectLockMode": kept.get("Mode"),
            "ObjectLockRetainUntilDate": kept.get("RetainUntilDate"),
        }
    else:
        held = client.get_object_legal_hold(**where).get("LegalHold", {})
        found = {"ObjectLockLegalHoldStatus": held.get("Status")}
    return {name: value for name, value in found.items() if value}


def read_grants(
    client: S3Client, bucket: str, key: str, version_id: str | None
) -> Mapping[str, str]:
    """Return the grants of an ACL, except the owner's, as parameters of a copy."""
    acl = client.get_object_acl(Bucket=bucket, Key=key, **boto_shapes.version(version_id))
    owner = acl.get("Owner", {}).get("ID")
    granted: dict[str, list[str]] = {}
    only_owner = True
    for grant in acl.get("Grants", []):
        grantee, permission = grant["Grantee"], grant["Permission"]
        name = f'uri="{grantee["URI"]}"' if "URI" in grantee else f'id="{grantee.get("ID", "")}"'
        granted.setdefault(_GRANTS[permission], []).append(name)
        only_owner &= permission == "FULL_CONTROL" and grantee.get("ID") == owner
    return {} if only_owner else {name: ", ".join(sorted(who)) for name, who in granted.items()}
