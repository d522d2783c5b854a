"""An incident from beginning to end: found, fixed and accounted for by operators alone.

The function is broken by a wrong variable while uploads, threats and poison arrive. Operators have
their own policy and the runbook, and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.packaging.function_zip import build_package
from tests.aws_events import PLAN, scan_result
from tests.terraform import module
from tests.terraform.deployment import Deployment, Running, build
from tests.terraform.runbook import Operator, sections
from tests.terraform.test_chain import eventually

if TYPE_CHECKING:
    from tests.cli.cli_runner import Ran
    from tests.servers import Server

QUARANTINE = "the-quarantine"
# Each delivery of a broken function starts a process.
SECONDS = 120.0
CLEAN = {"a.csv": b"1", "reports/été 2026.csv": b"22", "e\u202evil $(id).csv": b"333"}
THREAT = {"inbox/invoice.exe": b"4444"}


@pytest.fixture(scope="module")
def scan_plan() -> module.Plan:
    """The module with a scan of GuardDuty and a quarantine."""
    module.require_stand_in()
    given = {
        "scan": "guardduty",
        "scan_plan_arn": PLAN,
        "scan_tagger_arns": '["arn:aws:iam::123456789012:role/scanner"]',
        "quarantine": f"s3://{QUARANTINE}/held/",
    }
    return module.Plan.read(module.plan(module.MODULE, **given))


@dataclass(frozen=True)
class Incident:
    """A running deployment, as somebody who may do everything."""

    running: Running
    quarantine: str

    def client(self, service: str) -> Any:
        return self.running.deployment.client(service)

    @property
    def name(self) -> str:
        return self.running.deployment.name

    def publish(self, **variables: str) -> str:
        """Publish a version with other variables and point the alias to it, as an apply does."""
        functions = self.client("lambda")
        found = functions.get_function_configuration(FunctionName=self.name)
        functions.update_function_configuration(
            FunctionName=self.name,
            Environment={"Variables": found["Environment"]["Variables"] | variables},
        )
        version: str = functions.publish_version(FunctionName=self.name)["Version"]
        functions.update_alias(FunctionName=self.name, Name="live", FunctionVersion=version)
        return version

    def upload(self, key: str, body: bytes, status: str) -> None:
        """Upload an object and report its scan, as GuardDuty and EventBridge do."""
        s3, bucket = self.client("s3"), self.running.deployment.buckets.source
        put = s3.put_object(
            Bucket=bucket, Key=key, Body=body, Tagging=f"GuardDutyMalwareScanStatus={status}"
        )
        result = scan_result(bucket, key, put["ETag"].strip('"'), put["VersionId"], status)
        self.send(json.dumps(result))

    def send(self, body: str) -> None:
        self.client("sqs").send_message(QueueUrl=self.running.output("queue_url"), MessageBody=body)

    def dead(self) -> int:
        """Return the number of dead letters."""
        found = self.client("sqs").get_queue_attributes(
            QueueUrl=self.running.output("dead_letter_url"), AttributeNames=["All"]
        )["Attributes"]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(found[name]) for name in names)

    def held(self) -> dict[str, bytes]:
        """Return what the quarantine holds."""
        s3 = self.client("s3")
        listed = s3.list_objects_v2(Bucket=self.quarantine, Prefix="held/").get("Contents", [])
        keys = [each["Key"] for each in listed if ".frogmove-probe-" not in each["Key"]]
        return {
            key.removeprefix("held/"): s3.get_object(Bucket=self.quarantine, Key=key)["Body"].read()
            for key in keys
        }


@pytest.fixture
def incident(ministack: Server, scan_plan: module.Plan) -> Incident:
    deployment = Deployment.make(ministack, scan_plan)
    quarantine = f"quarantine-{deployment.name}"
    plan = deployment.plan.named({QUARANTINE: quarantine})
    deployment = replace(deployment, plan=plan)
    s3, buckets = deployment.client("s3"), deployment.buckets
    s3.create_bucket(Bucket=quarantine)
    for bucket in (buckets.source, quarantine):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    running = build(deployment, build_package())
    # Ten deliveries take minutes.
    sqs, url = deployment.client("sqs"), running.output("queue_url")
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    policy = json.loads(found["Attributes"]["RedrivePolicy"]) | {"maxReceiveCount": 2}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    return Incident(running, quarantine)


def checks(ran: Ran) -> dict[str, dict[str, Any]]:
    return {record["name"]: record for record in ran.of("check")}


def not_known(reported: dict[str, dict[str, Any]]) -> set[str]:
    """Return what could not be read."""
    return {name for name, record in reported.items() if record["state"] == "unknown"}


def test_incident_is_found_fixed_and_accounted_for(incident: Incident, tmp_path: Path) -> None:
    operator = Operator.of(incident.running, tmp_path)
    good = incident.running.output("function_version")

    bad = incident.publish(FROGMOVE_ON_CONFLICT="sometimes")
    for key, body in CLEAN.items():
        incident.upload(key, body, "NO_THREATS_FOUND")
    for key, body in THREAT.items():
        incident.upload(key, body, "THREATS_FOUND")
    incident.send("poison \u202e $(id)")
    total = len(CLEAN) + len(THREAT) + 1
    eventually(lambda: incident.dead() == total, SECONDS)

    _is_found(operator, total, bad, good)
    _is_fixed(operator, incident, good)
    _is_redriven(operator, incident)
    _is_accounted_for(operator, incident)


def _is_found(operator: Operator, total: int, bad: str, good: str) -> None:
    """Status and doctor name the causes, and what to do."""
    ran = operator("status", "-o", "json")
    reported = checks(ran)
    assert (ran.code, not_known(reported)) == (1, {"scan gate"})
    for name in ("settings", "dead letters"):
        assert (name, reported[name]["state"]) == (name, "broken")
    assert "FROGMOVE_ON_CONFLICT: 'sometimes'" in reported["settings"]["message"]
    assert "aws lambda update-alias" in reported["settings"]["remedy"]
    assert reported["dead letters"]["messages"] == total
    assert reported["source"]["objects"] == len(CLEAN) + len(THREAT)

    reported = checks(operator("doctor", "-o", "json"))
    assert reported["settings"]["state"] == reported["invocation"]["state"] == "broken"
    # ministack asks for PutFunctionConcurrency where AWS asks for GetFunctionConcurrency.
    assert not_known(reported) == {"scan gate", "concurrency"}

    listed = operator.follow("dead-letters", "frogmove dlq ls").records
    states = sorted(record["state"] for record in listed if "state" in record)
    assert states == sorted(["unreadable", *["waits"] * (len(CLEAN) + len(THREAT))])

    ran = operator.follow("dead-letters", "frogmove trace KEY", KEY="a.csv")
    (end,) = ran.of("trace")
    assert (ran.code, end["unknown"]) == (1, [])
    assert any("dlq" in each for each in end["todo"])

    ran = operator.follow("errors", "frogmove lambda info")
    problems = {each["version"]: each["problem"] for each in ran.of("version")}
    assert (ran.code, problems[good]) == (0, None)
    assert "'sometimes'" in problems[bad]


def _is_fixed(operator: Operator, incident: Incident, good: str) -> None:
    command = "aws lambda update-alias --function-name NAME --name live --function-version VERSION"
    operator.follow("errors", command, NAME=incident.name, VERSION=good)
    assert operator.follow("errors", "frogmove lambda invoke ping").code == 0
    reported = checks(operator("doctor", "-o", "json"))
    assert reported["settings"]["state"] == reported["invocation"]["state"] == "ok"


def _is_redriven(operator: Operator, incident: Incident) -> None:
    buckets = incident.running.deployment.buckets
    operator.follow("dead-letters", "frogmove dlq redrive --all")
    eventually(lambda: not buckets.keys_here(), SECONDS)
    command = "frogmove dlq drop --state unreadable --yes"
    assert operator.follow("dead-letters", command).code == 0
    eventually(lambda: incident.dead() == 0, SECONDS)
    assert (buckets.there(), incident.held()) == (CLEAN, THREAT)


def _is_accounted_for(operator: Operator, incident: Incident) -> None:
    """Where each byte is, is told by trace; the poison is in its copy."""
    buckets = incident.running.deployment.buckets
    for key in CLEAN:
        ran = operator("trace", key, "-o", "json")
        (end,) = ran.of("trace")
        assert end["unknown"] == []
        assert (ran.code, end["todo"]) == (0, [])
        assert "The bytes are at" in end["verdict"]
        assert f"s3://{buckets.destination}/" in end["verdict"]
    for key in THREAT:
        (end,) = operator("trace", key, "-o", "json").of("trace")
        assert "The bytes are in quarantine" in end["verdict"]
        assert end["unknown"] == []
    (copy,) = Path(operator.environment["FROGMOVE_STATE"] or "").glob("dropped-*")
    assert "poison" in copy.read_text()

    reported = checks(operator("status", "-o", "json"))
    for name in ("settings", "uploads", "dead letters", "queue", "errors", "source", "scan gate"):
        assert (name, reported[name]["state"]) == (name, "ok")
    assert reported["moves"]["day"]["moved"] == len(CLEAN)
    assert reported["moves"]["day"]["quarantined"] == len(THREAT)


@pytest.mark.matrix
def test_operators_may_run_every_command_of_the_runbook(incident: Incident, tmp_path: Path) -> None:
    operator = Operator.of(incident.running, tmp_path)
    values = {
        "KEY": "key",
        "NAME": incident.name,
        "VERSION": incident.running.output("function_version"),
        "SWEEP_DEAD_LETTER_URL": incident.running.output("sweep_dead_letter_url"),
    }
    commands = {command: heading for heading, section in sections().items() for command in section}
    for command, heading in commands.items():
        # The embedded AWS has no GuardDuty.
        if command.startswith("aws guardduty"):
            continue
        incident.upload("key", b"frogs", "UNSUPPORTED")
        ran = operator.follow(heading, command, **values)
        assert ran.code in {0, 1}, (command, ran)
        assert "permission" not in ran.err.lower(), (command, ran)
        # ministack asks for PutFunctionConcurrency where AWS asks for GetFunctionConcurrency.
        lines = [line for line in ran.out.splitlines() if '"name": "concurrency"' not in line]
        refused = [line for line in lines if '"denied"' in line.replace('"denied": []', "")]
        assert not refused, command
