"""Parses scan results of GuardDuty Malware Protection for S3.

https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from frogmove.s3.models import NULL_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "aws.guardduty"
KIND = "GuardDuty Malware Protection Object Scan Result"

# A key that GuardDuty writes to check its permissions, and does not scan.
VALIDATION_KEY = "malware-protection-resource-validation-object"

# The tag that GuardDuty sets on objects that it has scanned; its values are those of ScanStatus.
# https://docs.aws.amazon.com/guardduty/latest/ug/monitor-enable-s3-object-tagging-malware-protection.html
TAG = "GuardDutyMalwareScanStatus"

_VERSION = "1."
_COMPLETED = "COMPLETED"


class ScanStatus(StrEnum):
    """The result of a scan."""

    NO_THREATS_FOUND = "NO_THREATS_FOUND"
    THREATS_FOUND = "THREATS_FOUND"
    UNSUPPORTED = "UNSUPPORTED"
    ACCESS_DENIED = "ACCESS_DENIED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The scan result of one object.

    Attributes:
        status: the result.
        etag: the ETag of the scanned object.
        version_id: its version, if the bucket keeps versions.
        plan: the ARN of the protection plan.
        threats: the names of the threats.
    """

    status: ScanStatus
    etag: str
    version_id: str | None
    plan: str
    threats: tuple[str, ...] = ()

    @property
    def is_threat(self) -> bool:
        """Whether threats were found."""
        return self.status is ScanStatus.THREATS_FOUND

    @property
    def reason(self) -> str:
        """Why the object is not moved, for the operator."""
        if self.is_threat:
            return f"threats found: {', '.join(self.threats) or 'not named'}"
        return f"not found clean: its scan ended as {self.status}"


def read_scan(document: Mapping[str, Any]) -> tuple[str, str, ScanResult] | None:
    """Parse a scan result into bucket, key (not encoded) and result.

    Returns:
        None if the document is not a scan result.
    """
    try:
        (plan,) = document["resources"]
        detail = document["detail"]
        version = detail["schemaVersion"]
        kind = detail["resourceType"]
        item = detail["s3ObjectDetails"]
        bucket, key, etag = item["bucketName"], item["objectKey"], item["eTag"]
        version_id = item.get("versionId") or NULL_VERSION
        found = detail["scanResultDetails"]
        status = ScanStatus(found["scanResultStatus"])
        threats = tuple(str(threat["name"])[:200] for threat in found.get("threats") or ())
        completed = detail["scanStatus"] == _COMPLETED
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None
    if not all(isinstance(text, str) for text in (plan, version, bucket, key, etag, version_id)):
        return None
    if not version.startswith(_VERSION) or kind != "S3_OBJECT" or not etag:
        return None
    if status is ScanStatus.NO_THREATS_FOUND and not completed:
        return None
    known = None if version_id == NULL_VERSION else version_id
    return bucket, key, ScanResult(status, etag.strip('"'), known, plan, threats)
