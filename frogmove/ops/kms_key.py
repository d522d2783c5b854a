"""The check of a KMS key itself: whether it exists where it is used, and is enabled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from frogmove.ops.aws_request import AwsRequestError, Cause, send
from frogmove.ops.check import Check, State, unknown_check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frogmove.ops.clients import Services

# https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
_TEMPORARY = frozenset({"Creating", "Updating"})


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What a key is for.

    Attributes:
        service: the service that uses it.
        thing: what it encrypts, such as ``bucket``.
        lost: what does not work without it, as a part of a sentence.
        remedy: how another key is set.
    """

    service: str
    thing: str
    lost: str
    remedy: str


def check_key(services: Services, name: str, key: str, region: str | None, use: KeyUse) -> Check:
    """Check that a key can be used.

    Args:
        services: clients for AWS.
        name: the name of the check.
        key: the key's id, ARN or alias.
        region: the Region where it is used; None if it is not known.
        use: what it is for.
    """
    place = region_of(key) or region
    client = services.client("kms", place)
    try:
        found: dict[str, Any] = send(
            "kms:DescribeKey", lambda: client.describe_key(KeyId=key)["KeyMetadata"]
        )
        arn, state = found["Arn"], found["KeyState"]
    except AwsRequestError as error:
        if error.cause is not Cause.MISSING:
            return unknown_check(name, error)
        facts = {"cause": Cause.MISSING.value}
        if place is None:
            message = f"{error.message} The {use.thing}'s Region is not known"
            return Check(name, State.UNKNOWN, message, facts=facts)
        message = f"there is no KMS key {key} in {place}: {use.lost}"
        return Check(name, State.BROKEN, message, use.remedy, facts)
    facts = {"kms_key_arn": arn, "key_state": state}
    spec = found.get("KeySpec")
    if spec not in {None, "SYMMETRIC_DEFAULT"}:
        message = f"{arn} is of the type {spec}: {use.service} needs a symmetric key for encryption"
        return Check(name, State.BROKEN, message, use.remedy, facts)
    if region not in {None, region_of(arn)}:
        message = f"{arn} is not in the {use.thing}'s Region {region}: {use.service} cannot use it"
        return Check(name, State.BROKEN, message, use.remedy, facts)
    if state == "Enabled":
        return Check(name, State.OK, f"{arn} is enabled", facts=facts)
    if state in _TEMPORARY:
        return Check(name, State.WARNING, f"{arn} is {state}", "Wait a minute.", facts)
    message, remedy = _unusable(arn, found, use.lost)
    return Check(name, State.BROKEN, message, remedy, facts)


def _unusable(arn: str, key: Mapping[str, Any], lost: str) -> tuple[str, str]:
    """Return what is wrong with a key that is not enabled, and what to do."""
    command = f"--key-id {arn} --region {region_of(arn)}"
    enable = f"aws kms enable-key {command}"
    match key["KeyState"]:
        case "PendingDeletion" | "PendingReplicaDeletion":
            date = key.get("DeletionDate")
            when = "" if date is None else f" on {date:%Y-%m-%d}"
            message = f"{arn} will be deleted{when}, and its data with it; until then {lost}"
            return message, f"aws kms cancel-key-deletion {command}; then: {enable}"
        case "Disabled":
            return f"{arn} is disabled: {lost}", enable
        case "PendingImport":
            message = f"{arn} has no key material: it has expired, or was deleted or not imported"
            return f"{message}; {lost}", (
                "Import the same key material again: aws kms get-parameters-for-import and aws "
                f"kms import-key-material {command}"
            )
        case state:
            return f"{arn} is {state}: {lost}", f"aws kms describe-key {command}"


def region_of(key: str) -> str | None:
    """Return the Region in a key's ARN; None if it is not an ARN."""
    return key.split(":")[3] if key.startswith("arn:") and key.count(":") > 4 else None
