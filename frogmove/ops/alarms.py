"""The check of the alarms that the Terraform module creates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.ops.aws_request import send_pages
from frogmove.ops.check import Check, State, named_check

if TYPE_CHECKING:
    from frogmove.ops.deployment import Deployment

# Their names after that of the deployment. The alarms of another deployment may begin with its
# name, too.
ALARMS = frozenset(
    {
        *("dead-letters", "sweep-dead-letters", "oldest-message", "oldest-object"),
        *("errors", "throttles", "not-polled", "no-sweep"),
        *("failed", "conflict", "threats", "unscanned"),
    }
)


@named_check("alarms")
def check_alarms(name: str, deployment: Deployment) -> Check:
    """Check that no alarm is ringing, and that all may notify somebody."""
    prefix = f"{deployment.name}-"
    found = send_pages(
        "cloudwatch:DescribeAlarms",
        deployment.services.client("cloudwatch"),
        "describe_alarms",
        "MetricAlarms",
        AlarmNamePrefix=prefix,
        AlarmTypes=["MetricAlarm"],
    )
    alarms = {each["AlarmName"].removeprefix(prefix): each for each in found}
    alarms = {alarm: each for alarm, each in alarms.items() if alarm in ALARMS}
    ringing = sorted(alarm for alarm, each in alarms.items() if each["StateValue"] == "ALARM")
    # Alarms without a topic notify nobody on purpose.
    muted = sorted(
        alarm
        for alarm, each in alarms.items()
        if each.get("AlarmActions") and not each.get("ActionsEnabled", True)
    )
    facts = {"alarms": len(alarms), "ringing": ringing, "muted": muted}
    if ringing:
        remedy = "terraform/RUNBOOK.md says what to do for each."
        return Check(name, State.WARNING, f"ringing: {', '.join(ringing)}", remedy, facts)
    message = f"none of {len(alarms)} is ringing"
    if muted:
        message = f"{message}, but these may notify nobody: {', '.join(muted)}"
        names = " ".join(prefix + alarm for alarm in muted)
        remedy = f"aws cloudwatch enable-alarm-actions --alarm-names {names}"
        return Check(name, State.WARNING, message, remedy, facts)
    return Check(name, State.OK, message, facts=facts)
