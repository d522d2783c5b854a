"""Checks of the function itself: its state, its settings and its triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frogmove.errors import UsageError
from frogmove.ops.activity import DAY
from frogmove.ops.aws_request import send
from frogmove.ops.check import Check, State, named_check
from frogmove.ops.pause import mapping_trigger
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from datetime import datetime

    from frogmove.config import Config
    from frogmove.function.config import FunctionConfig
    from frogmove.ops.deployment import Deployment

# Beginnings of a mapping's last result: Lambda's, and an embedded AWS's.
# https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
_FAILED = ("PROBLEM", "FAILED")


@named_check("function")
def check_state(name: str, deployment: Deployment) -> Check:
    """Check that the function can be invoked."""
    found = deployment.configuration
    state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
    facts: dict[str, Any] = {
        "function": deployment.function,
        "version": found["Version"],
        "function_state": state,
        "last_update_status": update,
        "last_modified": found["LastModified"],
    }
    message = (
        f"{deployment.function}, version {found['Version']}, {state}, "
        f"modified {found['LastModified'][:19].replace('T', ' ')}"
    )
    # A function that has not been invoked for weeks is started at the next invocation.
    if state in {"Active", "Inactive"} and update != "Failed":
        return Check(name, State.OK, message, facts=facts)
    reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason given"
    is_pending = state == "Pending"
    return Check(
        name,
        State.WARNING if is_pending else State.BROKEN,
        f"{message}; {'update failed: ' if update == 'Failed' else ''}{reason}",
        "Wait a minute." if is_pending else rollback_remedy(deployment),
        facts,
    )


def rollback_remedy(deployment: Deployment) -> str:
    """Return how to return to an earlier version."""
    return (
        f"frogmove lambda info {deployment.option} lists the versions; "
        f"aws lambda update-alias --function-name {deployment.name} --name live "
        "--function-version VERSION rolls back"
    )


@named_check("settings")
def check_settings(name: str, deployment: Deployment, config: Config) -> Check:
    """Check that the function's variables are valid and name the route."""
    try:
        settings = deployment.settings
    except UsageError as error:
        return Check(
            name,
            State.BROKEN,
            f"the function cannot start: {error.message} {error.remedy}".strip(),
            f"Correct the variable and apply, or: {rollback_remedy(deployment)}",
            {"error": error.message},
        )
    own = f"{settings.route.source} -> {settings.route.destination}"
    facts = {"route": own}
    expected = f"{config.end('source')} -> {config.end('destination')}"
    if own != expected:
        message = f"the function moves {own}, but the route is {expected}"
        remedy = (
            "Check --route, --source, --destination and --function; if these are right, "
            f"correct FROGMOVE_SOURCE and FROGMOVE_DESTINATION, or: {rollback_remedy(deployment)}"
        )
        return Check(name, State.BROKEN, message, remedy, facts)
    different = _differences(settings.client_config, config)
    if different:
        remedy = "Take the route from the Terraform output config_route."
        return Check(name, State.WARNING, "; ".join(different), remedy, facts)
    message = f"{own}, on conflict {settings.on_conflict.value}"
    return Check(name, State.OK, message, facts=facts)


def _differences(function: Config, own: Config) -> list[str]:
    """Return which settings the function and the command line do not share."""
    return [
        f"{name} is {getattr(function, name) or 'not set'} in the function, but "
        f"{getattr(own, name) or 'not set'} here"
        for name in ("expected_bucket_owner", "kms_key_id")
        if getattr(function, name) != getattr(own, name)
    ]


@named_check("concurrency")
def check_concurrency(name: str, deployment: Deployment) -> Check:
    """Check that the function's reserved concurrency is not 0."""
    client = deployment.services.client("lambda")
    found: dict[str, Any] = send(
        "lambda:GetFunctionConcurrency",
        lambda: dict(client.get_function_concurrency(FunctionName=deployment.name)),
    )
    reserved = found.get("ReservedConcurrentExecutions")
    facts = {"reserved": reserved}
    if reserved is None:
        return Check(name, State.OK, "no reserved concurrency: the account's", facts=facts)
    if reserved:
        return Check(name, State.OK, f"{reserved:,} reserved", facts=facts)
    message = "0 reserved: every invocation is throttled"
    remedy = (
        "Set `reserved_concurrency` and apply, or: aws lambda delete-function-concurrency "
        f"--function-name {deployment.name}"
    )
    return Check(name, State.BROKEN, message, remedy, facts)


@named_check("log")
def check_log(name: str, deployment: Deployment, now: datetime) -> Check:
    """Check that the function's log can be read, and is written."""
    group = deployment.log.group
    if next(deployment.log.lines(now - DAY), None) is not None:
        return Check(name, State.OK, group)
    message = f"{group} has no lines of the last day: failures are not seen there"
    remedy = (
        "If the function was invoked a minute ago, let its role have logs:CreateLogStream and "
        "logs:PutLogEvents on it."
    )
    return Check(name, State.WARNING, message, remedy)


@named_check("scan gate")
def check_scan_gate(name: str, deployment: Deployment, config: Config) -> Check:
    """Check that the function and the command line require the same scan."""
    try:
        settings = deployment.settings
    except UsageError:
        return Check(name, State.UNKNOWN, "not known while the function's settings are not valid")
    tag = None if settings.scan_gate.tag is None else str(settings.scan_gate.tag)
    quarantine = settings.scan_gate.quarantine
    facts = {
        "require_tag": tag,
        "quarantine": None if quarantine is None else str(quarantine.destination),
    }
    if tag != config.require_tag:
        message = (
            f"the function requires {_tag(tag)}, but this command line {_tag(config.require_tag)}"
        )
        remedy = (
            "Set require_tag of the route as in the Terraform output config_route."
            if tag
            else "Remove require_tag from the route, or set `scan` in Terraform. If the alias was "
            "rolled back to a version from before the scan gate, set it to a newer version."
        )
        return Check(name, State.WARNING, message, remedy, facts)
    return Check(name, State.OK, _gate(settings), facts=facts)


def _tag(tag: str | None) -> str:
    return f"the tag {in_quotes(tag)}" if tag else "none"


def _gate(settings: FunctionConfig) -> str:
    gate = settings.scan_gate
    if gate.tag is None:
        return "off: objects are moved without a scan"
    threats = "stay" if gate.quarantine is None else f"go to {gate.quarantine.destination}"
    return f"only objects with the tag {in_quotes(str(gate.tag))} are moved; threats {threats}"


@named_check("uploads")
def check_uploads(name: str, deployment: Deployment) -> Check:
    """Check that the queue of uploads invokes the function."""
    mappings = deployment.mappings
    triggers = [mapping_trigger(each) for each in mappings]
    message = ", ".join(f"event source mapping {each.name} {each.state}" for each in triggers)
    facts = {"mappings": {each.name: each.state for each in triggers}}
    if not triggers:
        message = "no event source mapping: uploads are not moved"
        remedy = "Check --function and --region; then apply the Terraform module."
        return Check(name, State.BROKEN, message, remedy, facts)
    if not all(each.is_on for each in triggers):
        return Check(name, State.WARNING, f"paused: {message}", resume_remedy(deployment), facts)
    results = (each.get("LastProcessingResult") or "" for each in mappings)
    failed = sorted({each for each in results if each.startswith(_FAILED)})
    if failed:
        remedy = f"frogmove lambda logs --failed {deployment.option}"
        message = f"{message}; last result: {'; '.join(failed)}"
        return Check(name, State.WARNING, message, remedy, facts)
    return Check(name, State.OK, message, facts=facts)


def resume_remedy(deployment: Deployment) -> str:
    """Return how to enable the triggers."""
    return f"If this is not on purpose: frogmove lambda resume {deployment.option}"
