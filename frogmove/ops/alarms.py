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
    """Check that no alarm is ringing."""
    prefix = f"{deployment.name}-"
    found = send_pages(
        "cloudwatch:DescribeAlarms",
        deployment.services.client("cloudwatch"),
        "describe_alarms",
        "MetricAlarms",
        AlarmNamePrefix=prefix,
        AlarmTypes=["MetricAlarm"],
    )
    states = {each["AlarmName"].removeprefix(prefix): each["StateValue"] for each in found}
    states = {alarm: state for alarm, state in states.items() if alarm in ALARMS}
    ringing = sorted(alarm for alarm, state in states.items() if state == "ALARM")
    facts = {"alarms": len(states), "ringing": ringing}
    if ringing:
        remedy = "terraform/RUNBOOK.md says what to do for each."
        return Check(name, State.WARNING, f"ringing: {', '.join(ringing)}", remedy, facts)
    return Check(name, State.OK, f"none of {len(states)} is ringing", facts=facts)
