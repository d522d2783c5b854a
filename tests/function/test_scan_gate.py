"""Nothing reaches the destination that no scan found clean, in whatever order events come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.errors import UsageError
from frogmove.function.config import read_config
from frogmove.function.scan_results import VALIDATION_KEY, ScanStatus
from frogmove.s3.errors import S3Error
from tests.aws_events import (
    PLAN,
    batch,
    bridged,
    job,
    message,
    notification,
    record,
    scan_result,
    task,
)
from tests.buckets import Buckets
from tests.fake_s3_state import FakeS3State
from tests.function.fake_lambda import CONTEXT, ENDS, lambda_app
from tests.interceptors import RequestHook, no_interception

if TYPE_CHECKING:
    from frogmove.function.app import LambdaApp
    from tests.function.invoke import Invoke
    from tests.interceptors import Interceptor

STATUS = "GuardDutyMalwareScanStatus"
CLEAN = f"{STATUS}=NO_THREATS_FOUND"
TAGS = {STATUS: "NO_THREATS_FOUND"}
GATE = {"FROGMOVE_REQUIRE_TAG": CLEAN, "FROGMOVE_SCAN_PLAN": PLAN}
NOW: dict[str, Any] = {"action": "sweep", "age": 0}
NOTHING: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture(params=["moto", "ministack"], ids=["unversioned", "versioned"])
def gated(request: pytest.FixtureRequest) -> Buckets:
    """Buckets in front of which there is a gate; without and with versions."""
    made = Buckets.make(request.getfixturevalue(request.param))
    if request.param == "ministack":
        made.version()
    return made


def scanned(buckets: Buckets, key: str, status: str = "NO_THREATS_FOUND") -> dict[str, Any]:
    """Return the result of a scan of what the source holds under a key now, and tag that."""
    head = buckets.client.head_object(Bucket=buckets.source, Key=key)
    tagging: Any = {"TagSet": [{"Key": STATUS, "Value": status}]}
    buckets.client.put_object_tagging(Bucket=buckets.source, Key=key, Tagging=tagging)
    version = head.get("VersionId")
    return scan_result(buckets.source, key, head["ETag"].strip('"'), version, status)


def queued(*bodies: dict[str, Any]) -> dict[str, Any]:
    return batch(*(message(str(number), body) for number, body in enumerate(bodies)))


def metrics(text: str) -> dict[str, float]:
    """Return the numbers that the latest invocation has sent."""
    lines = [json.loads(line) for line in text.splitlines()]
    sent = [line for line in lines if "_aws" in line][-1]
    (directive,) = sent["_aws"]["CloudWatchMetrics"]
    names = [metric["Name"] for metric in directive["Metrics"]]
    return {name: sum(sent[name]) for name in names}


# Over HTTP, on real servers.


def test_upload_waits_until_its_scan_finds_it_clean(
    gated: Buckets, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    gated.put("a b+c/é%.csv")
    upload = queued(notification(gated.source, "a b+c/é%.csv"))
    assert invoke(gated, upload, **GATE) == NOTHING
    assert (gated.keys_here(), gated.there()) == (["a b+c/é%.csv"], {})
    assert metrics(capsys.readouterr().out) == {"waiting": 1}

    result = queued(scanned(gated, "a b+c/é%.csv"))
    assert invoke(gated, result, **GATE) == NOTHING
    assert (gated.keys_here(), set(gated.there())) == ([], {"a b+c/é%.csv"})
    # The event comes twice, and the upload's own once more.
    assert invoke(gated, queued(*[json.loads(result["Records"][0]["body"])] * 2), **GATE) == NOTHING
    assert invoke(gated, upload, **GATE) == NOTHING
    assert (gated.keys_here(), set(gated.there())) == ([], {"a b+c/é%.csv"})


def test_scan_result_may_come_before_the_upload_and_without_a_queue(
    gated: Buckets, invoke: Invoke
) -> None:
    gated.put("key")
    assert invoke(gated, scanned(gated, "key"), **GATE) == {"counts": {"moved": 1}}
    assert invoke(gated, notification(gated.source, "key"), **GATE) == {"counts": {"gone": 1}}
    assert gated.there() == {"key": b"key"}


def test_scan_result_without_its_tag_is_delivered_again_and_is_no_failure(
    gated: Buckets, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everybody who may invoke the function can send an event; only the scanner sets the tag."""
    gated.put("key", body=b"good")
    event = queued(scanned(gated, "key"))
    gated.client.delete_object_tagging(Bucket=gated.source, Key="key")
    assert invoke(gated, event, **GATE) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert (gated.here(), gated.there()) == ({"key": b"good"}, {})
    assert metrics(capsys.readouterr().out) == {"waiting": 1, "retried": 1}
    scanned(gated, "key")
    assert invoke(gated, event, **GATE) == NOTHING
    assert (gated.here(), gated.there()) == ({}, {"key": b"good"})


def test_upload_replaced_since_its_scan_waits_for_its_own(gated: Buckets, invoke: Invoke) -> None:
    gated.put("key", body=b"good")
    earlier = scanned(gated, "key")
    gated.put("key", body=b"evil")
    assert invoke(gated, queued(earlier), **GATE) == NOTHING
    assert (gated.here(), gated.there()) == ({"key": b"evil"}, {})

    later = scanned(gated, "key", "THREATS_FOUND")
    assert invoke(gated, queued(later, earlier), **GATE) == NOTHING
    assert (gated.here(), gated.there()) == ({"key": b"evil"}, {})


@pytest.mark.parametrize("status", list(ScanStatus))
def test_scan_result_moves_only_what_is_clean_and_everything_else_is_counted(
    ministack_buckets: Buckets,
    invoke: Invoke,
    capsys: pytest.CaptureFixture[str],
    status: ScanStatus,
) -> None:
    buckets = ministack_buckets
    buckets.put("key")
    assert invoke(buckets, queued(scanned(buckets, "key", status)), **GATE) == NOTHING
    counted = metrics(capsys.readouterr().out)
    if status is ScanStatus.NO_THREATS_FOUND:
        assert (buckets.here(), buckets.there()) == ({}, {"key": b"key"})
        assert counted["moved"] == 1
        return
    assert (buckets.here(), buckets.there()) == ({"key": b"key"}, {})
    alarmed = "threats" if status is ScanStatus.THREATS_FOUND else "unscanned"
    assert counted == {"waiting": 1, alarmed: 1}


def test_threats_go_to_the_quarantine_and_replace_nothing_there(
    gated: Buckets, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    aside = Buckets.make(gated.server).destination
    gate = GATE | {"FROGMOVE_QUARANTINE": f"s3://{aside}/threats"}
    for body in (b"evil", b"worse"):
        gated.put("in/key", body=body)
        gated.put("good")
        event = queued(scanned(gated, "in/key", "THREATS_FOUND"), scanned(gated, "good"))
        assert invoke(gated, event, **gate) == NOTHING
        counted = metrics(capsys.readouterr().out)
        assert (counted["quarantined"], counted["threats"], counted["moved"]) == (1, 1, 1)
    assert (gated.keys_here(), gated.there()) == ([], {"good": b"good"})
    listed = gated.client.list_objects_v2(Bucket=aside)["Contents"]
    bodies = [
        gated.client.get_object(Bucket=aside, Key=each["Key"])["Body"].read() for each in listed
    ]
    assert sorted(bodies) == [b"evil", b"worse"]
    assert all(each["Key"].startswith("threats/in/key") for each in listed)

    gated.put("in/key", body=b"evil")
    direct = invoke(gated, scanned(gated, "in/key", "THREATS_FOUND"), **gate)
    assert direct == {"counts": {"quarantined": 1}}


def test_quarantine_is_not_encrypted_with_the_destinations_key(
    gated: Buckets, invoke: Invoke
) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/frog"
    aside = Buckets.make(gated.server).destination
    gate = GATE | {"FROGMOVE_QUARANTINE": f"s3://{aside}/", "FROGMOVE_KMS_KEY_ID": key}
    gated.put("evil", "good")
    event = queued(scanned(gated, "evil", "THREATS_FOUND"), scanned(gated, "good"))
    assert invoke(gated, event, **gate) == NOTHING
    assert gated.keys_here() == []
    head = gated.client.head_object
    assert "SSEKMSKeyId" not in head(Bucket=aside, Key="evil")
    assert head(Bucket=gated.destination, Key="good")["SSEKMSKeyId"] == key


def test_quarantine_that_is_not_there_keeps_the_threat_and_not_the_others(
    gated: Buckets, invoke: Invoke
) -> None:
    gate = GATE | {"FROGMOVE_QUARANTINE": f"s3://{gated.source}-not-there"}
    gated.put("evil", "good")
    event = queued(scanned(gated, "evil", "THREATS_FOUND"), scanned(gated, "good"))
    assert invoke(gated, event, **gate) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert (gated.here(), gated.there()) == ({"evil": b"evil"}, {"good": b"good"})


def test_scan_result_of_another_plan_or_bucket_is_refused(gated: Buckets, invoke: Invoke) -> None:
    gated.put("key")
    good = scanned(gated, "key")
    other_plan = good | {"resources": [f"{PLAN}-of-another"]}
    other_bucket = scan_result("another-bucket", "key", "e")
    event = queued(other_plan, other_bucket)
    failures = [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]
    assert invoke(gated, event, **GATE) == {"batchItemFailures": failures}
    # Nor is a result of any plan obeyed where none is named.
    tag = {"FROGMOVE_REQUIRE_TAG": CLEAN}
    assert invoke(gated, queued(good), **tag) == {"batchItemFailures": failures[:1]}
    assert (gated.here(), gated.there()) == ({"key": b"key"}, {})


def test_sweeps_syncs_jobs_and_operators_leave_what_was_not_scanned(
    gated: Buckets, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    gated.put("clean", "also clean", Tagging=CLEAN)
    gated.put("threat", Tagging=f"{STATUS}=THREATS_FOUND")
    gated.put("unscanned", VALIDATION_KEY)

    dry = invoke(gated, NOW | {"dry_run": True}, **GATE)
    assert dry["counts"] == {"move": 2, "wait": 2}
    synced = invoke(gated, {"action": "sync"}, **GATE)
    assert synced["counts"] == {"copied": 2, "waiting": 2}
    answer = invoke(gated, job(task(gated.source, "clean"), task(gated.source, "threat")), **GATE)
    reported = [(each["resultCode"], each["resultString"]) for each in answer["results"]]
    assert reported[0] == ("Succeeded", "moved: the destination already held the same bytes")
    assert reported[1][0] == "Succeeded"
    assert reported[1][1].startswith("waiting: it does not have the tag")
    moved = invoke(gated, {"action": "move", "keys": ["unscanned"]}, **GATE)
    assert moved["counts"] == {"waiting": 1}
    capsys.readouterr()
    sweep_ended = invoke(gated, NOW, **GATE)
    assert sweep_ended["counts"] == {"moved": 1, "waiting": 2}
    counted = metrics(capsys.readouterr().out)
    assert (counted["waiting"], counted["unscanned"], counted["sweeps"]) == (2, 2, 1)
    assert set(gated.keys_here()) == {"threat", "unscanned", VALIDATION_KEY}
    assert set(gated.there()) == {"clean", "also clean"}


@pytest.mark.parametrize("kind", ["s3", "eventbridge"])
def test_tag_of_another_scanner_moves_what_it_was_given_to(
    gated: Buckets, invoke: Invoke, kind: str
) -> None:
    tag = {"FROGMOVE_REQUIRE_TAG": "av=ok"}
    gated.put("clean", "evil")
    for key, value in (("clean", "ok"), ("evil", "bad")):
        tagging = {"TagSet": [{"Key": "av", "Value": value}]}
        gated.client.put_object_tagging(Bucket=gated.source, Key=key, Tagging=tagging)
    events = [
        {"Records": [record(gated.source, key, "ObjectTagging:Put")]}
        if kind == "s3"
        else bridged(gated.source, key, "Object Tags Added")
        for key in ("clean", "evil")
    ]
    assert invoke(gated, queued(*events), **tag) == NOTHING
    assert (gated.keys_here(), gated.there()) == (["evil"], {"clean": b"clean"})


# In memory: schedules, and what no server can be brought to do.


def scanned_state(*, versioned: bool = False) -> FakeS3State:
    buckets: dict[str, Any] = {"external": {}, "internal": {}}
    return FakeS3State(buckets, versioned={"external"} if versioned else set())


def gated_app(state: FakeS3State, interceptor: Interceptor = no_interception) -> LambdaApp:
    return lambda_app(state, interceptor, FROGMOVE_REQUIRE_TAG=CLEAN, FROGMOVE_SCAN_PLAN=PLAN)


@pytest.mark.parametrize("versioned", [False, True])
def test_gate_lets_nothing_pass_that_was_replaced_at_any_moment(versioned: bool) -> None:
    for moment in range(6):
        made = scanned_state(versioned=versioned)
        stored = made.put("external", "key", b"good", tags=TAGS)
        event = queued(scan_result("external", "key", stored.etag, stored.version_id))
        hook = RequestHook({moment: lambda: made.put("external", "key", b"evil")})  # noqa: B023
        app = gated_app(made, hook)
        # If it was replaced while its tags were read, the next delivery finds that out.
        assert NOTHING in (app.handle(event, CONTEXT), app.handle(event, CONTEXT))
        assert b"evil" not in made.bodies("internal").values(), moment
        if hook.counted > moment:
            assert made.bodies("external") == {"key": b"evil"}, moment


def test_version_is_distinguished_from_another_of_the_same_etag() -> None:
    made = scanned_state(versioned=True)
    stored = made.put("external", "key", b"good", etag="collides", tags=TAGS)
    event = queued(scan_result("external", "key", stored.etag, stored.version_id))
    made.put("external", "key", b"evil", etag="collides")
    assert gated_app(made).handle(event, CONTEXT) == NOTHING
    assert made.bodies("internal") == {}
    assert made.bodies("external") == {"key": b"evil"}


def test_tags_that_cannot_be_read_now_are_read_at_the_next_delivery() -> None:
    made = scanned_state()
    made.put("external", "key", b"good", tags=TAGS)

    def fail() -> None:
        raise S3Error("GetObjectTagging", "SlowDown", 503, "Reduce your request rate.")

    event = queued(notification("external", "key"))
    app = gated_app(made, RequestHook({0: fail}, "GetObjectTagging"))
    assert app.handle(event, CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert app.handle(event, CONTEXT) == NOTHING
    assert made.bodies("internal") == {"key": b"good"}


@pytest.mark.parametrize(
    "broken",
    [
        {"resources": []},
        {"resources": None},
        {"detail-type": "GuardDuty Malware Protection Post Scan Action Failed"},
        {"detail": {}},
        {"detail": None},
    ],
)
def test_scan_result_that_is_broken_moves_nothing(broken: dict[str, Any]) -> None:
    made = scanned_state()
    stored = made.put("external", "key", b"good", tags=TAGS)
    event = queued(scan_result("external", "key", stored.etag) | broken)
    failures = {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert gated_app(made).handle(event, CONTEXT) == failures
    assert made.bodies("internal") == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schemaVersion",), "2.0"),
        (("scanStatus",), "SKIPPED"),
        (("resourceType",), "EBS"),
        (("s3ObjectDetails", "eTag"), ""),
        (("s3ObjectDetails", "eTag"), None),
        (("s3ObjectDetails", "objectKey"), 1),
        (("scanResultDetails", "scanResultStatus"), "CLEAN"),
        (("scanResultDetails", "threats"), 1),
    ],
)
def test_scan_result_that_says_something_else_moves_nothing(
    path: tuple[str, ...], value: Any
) -> None:
    made = scanned_state()
    stored = made.put("external", "key", b"good", tags=TAGS)
    event = scan_result("external", "key", stored.etag)
    place = event["detail"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    failures = {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert gated_app(made).handle(queued(event), CONTEXT) == failures
    assert made.bodies("internal") == {}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"REQUIRE_TAG": "key"}, "FROGMOVE_REQUIRE_TAG: 'key' is not a tag"),
        ({"SCAN_PLAN": PLAN}, "without FROGMOVE_REQUIRE_TAG"),
        ({"REQUIRE_TAG": "av=ok", "SCAN_PLAN": PLAN}, "FROGMOVE_REQUIRE_TAG.*av=ok"),
        ({"REQUIRE_TAG": CLEAN, "SCAN_PLAN": "plan"}, "FROGMOVE_SCAN_PLAN: It is not the ARN"),
        ({"REQUIRE_TAG": CLEAN, "QUARANTINE": "s3://aside"}, "without FROGMOVE_SCAN_PLAN"),
        ({"QUARANTINE": "aside"}, "FROGMOVE_QUARANTINE"),
        ({"QUARANTINE_ROLE": "frog"}, "FROGMOVE_QUARANTINE_ROLE: It is not the ARN"),
        ({"QUARANTINE_ROLE": "arn:aws:iam::1:role/x"}, "without FROGMOVE_QUARANTINE"),
        ({"QUARANTINE": "s3://internal/threats"}, "overlaps the route"),
        ({"QUARANTINE": "s3://external/threats"}, "overlaps the route"),
    ],
)
def test_gate_that_cannot_hold_is_refused(variables: dict[str, str], words: str) -> None:
    given = {f"FROGMOVE_{name}": value for name, value in variables.items()}
    if "overlaps" in words:
        given = GATE | given
    with pytest.raises(UsageError, match=words):
        read_config(ENDS | given)
