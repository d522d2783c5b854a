"""The gate is in the permissions of the function's role too, which no rollback changes."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.local_aws.iam_policies import role_policy
from tests.aws_events import job, notification, task
from tests.buckets import Buckets
from tests.function.test_scan_gate import CLEAN, GATE, NOTHING, NOW, STATUS, TAGS, queued, scanned

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.function.invoke import Invoke
    from tests.servers import Server

# Versions from before the gate know nothing of it.
ROLLED_BACK: dict[str, str] = {}
SMALL_PARTS = {"FROGMOVE_MULTIPART_THRESHOLD": "5MiB", "FROGMOVE_PART_SIZE": "5MiB"}


@pytest.fixture
def buckets(ministack: Server) -> Buckets:
    """Buckets of which the source keeps versions."""
    made = Buckets.make(ministack)
    made.version()
    return made


def rights(source: str, to_bucket: str, tag: str, **more: str) -> str:
    """Return a policy that allows moves between two buckets, of what has the tag."""
    policy = role_policy(source, [to_bucket], "arn:aws:sqs:::q", "arn:aws:logs:::l")
    deny = {
        "Effect": "Deny",
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": f"arn:aws:s3:::{source}/*",
        "Condition": {"StringNotEquals": {f"s3:ExistingObjectTag/{STATUS}": tag}},
    }
    policy["Statement"] += [deny, *([{"Effect": "Allow", **more}] if more else [])]
    return json.dumps(policy)


def as_the_function(buckets: Buckets, tag: str = TAGS[STATUS], assumes: str = "") -> Buckets:
    """Return the buckets as somebody who may read only what has the tag; ministack knows users."""
    iam, name = buckets.server.iam(), f"role-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    more = {"Action": "sts:AssumeRole", "Resource": assumes} if assumes else {}
    policy = rights(buckets.source, buckets.destination, tag, **more)
    iam.put_user_policy(UserName=name, PolicyName="move", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    server = buckets.server.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"])
    return replace(buckets, server=server)


def fill(buckets: Buckets) -> None:
    """Upload a clean file, a threat, and one that was not scanned."""
    buckets.put("clean", Tagging=CLEAN)
    buckets.put("threat", Tagging=f"{STATUS}=THREATS_FOUND")
    buckets.put("unscanned")


REQUESTS: dict[str, Callable[[Buckets], dict[str, Any]]] = {
    "uploads": lambda buckets: queued(
        *(notification(buckets.source, key) for key in ("clean", "threat", "unscanned", "gone"))
    ),
    "sweep": lambda _: NOW,
    "sync": lambda _: {"action": "sync"},
    "sync of contents": lambda _: {"action": "sync", "compare": "content"},
    "job": lambda buckets: job(
        *(task(buckets.source, key) for key in ("clean", "threat", "unscanned", "gone"))
    ),
    "operator": lambda _: {
        "action": "move",
        "keys": ["clean", "threat", "unscanned", "gone"],
        "return_failures": True,
    },
}


@pytest.mark.parametrize("kind", list(REQUESTS))
def test_upload_that_may_not_be_read_waits_and_is_no_failure(
    buckets: Buckets, invoke: Invoke, kind: str
) -> None:
    fill(buckets)
    # The same sizes: without the tags, a sync would read both to compare them.
    buckets.put_there("threat", body=b"THREAT")
    response = invoke(as_the_function(buckets), REQUESTS[kind](buckets), **GATE)
    assert buckets.there() == {"clean": b"clean", "threat": b"THREAT"}
    assert {"threat", "unscanned"} <= set(buckets.keys_here())
    if kind == "uploads":
        assert response == NOTHING
    elif kind == "job":
        codes = {each["resultCode"] for each in response["results"]}
        assert codes == {"Succeeded"}, response["results"]
    else:
        left = {"gone": 1} if kind == "operator" else {}
        done = {"copied": 1} if kind.startswith("sync") else {"moved": 1}
        assert response["counts"] == done | {"waiting": 2} | left


@pytest.mark.parametrize("kind", list(REQUESTS))
def test_version_from_before_the_gate_moves_nothing_unscanned(
    buckets: Buckets, invoke: Invoke, kind: str
) -> None:
    fill(buckets)
    invoke(as_the_function(buckets), REQUESTS[kind](buckets), **ROLLED_BACK)
    assert buckets.there() == {"clean": b"clean"}
    assert {"threat", "unscanned"} <= set(buckets.keys_here())


def test_version_from_before_the_gate_moves_no_large_file_unscanned(
    buckets: Buckets, invoke: Invoke
) -> None:
    body = os.urandom(5 * 2**20 + 1)
    buckets.put("clean", body=body, Tagging=CLEAN, ChecksumAlgorithm="SHA256")
    buckets.put("unscanned", body=body)
    mine = as_the_function(buckets)
    assert invoke(mine, NOW, **ROLLED_BACK, **SMALL_PARTS)["counts"] == {"moved": 1, "failed": 1}
    assert (buckets.keys_here(), buckets.there()) == (["unscanned"], {"clean": body})


def test_scan_result_that_is_forged_moves_nothing(buckets: Buckets, invoke: Invoke) -> None:
    """Somebody who may invoke the function says that a threat is clean."""
    buckets.put("threat")
    forged = queued(scanned(buckets, "threat"))
    scanned(buckets, "threat", "THREATS_FOUND")
    invoke(as_the_function(buckets), forged, **GATE)
    invoke(as_the_function(buckets), forged, **ROLLED_BACK)
    assert (buckets.here(), buckets.there()) == ({"threat": b"threat"}, {})


@pytest.mark.parametrize("is_tagged", [False, True])
def test_upload_replaced_by_something_unreadable_waits_for_its_own_scan(
    buckets: Buckets, invoke: Invoke, is_tagged: bool
) -> None:
    buckets.put("key", body=b"good")
    clean = queued(scanned(buckets, "key"))
    if not is_tagged:
        buckets.client.delete_object_tagging(Bucket=buckets.source, Key="key")
    buckets.put("key", body=b"evil")
    assert invoke(as_the_function(buckets), clean, **GATE) == NOTHING
    assert (buckets.here(), buckets.there()) == ({"key": b"evil"}, {})


def test_scan_result_that_is_faster_than_its_tag_comes_again(
    buckets: Buckets, invoke: Invoke
) -> None:
    buckets.put("key")
    event = queued(scanned(buckets, "key"))
    buckets.client.delete_object_tagging(Bucket=buckets.source, Key="key")
    mine = as_the_function(buckets)
    assert invoke(mine, event, **GATE) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    scanned(buckets, "key")
    assert invoke(mine, event, **GATE) == NOTHING
    assert (buckets.here(), buckets.there()) == ({}, {"key": b"key"})
    # Once more, after it was moved.
    assert invoke(mine, event, **GATE) == NOTHING


def test_permission_that_is_missing_for_another_reason_is_a_failure(
    buckets: Buckets, invoke: Invoke
) -> None:
    buckets.put("key", Tagging=CLEAN)
    mine = as_the_function(buckets, tag="another value")
    for event in (queued(notification(buckets.source, "key")), queued(scanned(buckets, "key"))):
        assert invoke(mine, event, **GATE) == {"batchItemFailures": [{"itemIdentifier": "0"}]}


@pytest.fixture
def gate(buckets: Buckets) -> dict[str, str]:
    """The variables of a gate with a quarantine, whose role may read only threats."""
    iam, name = buckets.server.iam(), f"quarantine-{uuid.uuid4().hex[:8]}"
    aside = Buckets.make(buckets.server).destination
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    policy = rights(buckets.source, aside, "THREATS_FOUND")
    iam.put_role_policy(RoleName=name, PolicyName="move", PolicyDocument=policy)
    return GATE | {
        "FROGMOVE_QUARANTINE": f"s3://{aside}/held/",
        "FROGMOVE_QUARANTINE_ROLE": role["Arn"],
        "AWS_ENDPOINT_URL_STS": buckets.server.endpoint_url,
    }


def held(buckets: Buckets, gate: dict[str, str]) -> list[str]:
    """Return the keys in the quarantine."""
    aside = gate["FROGMOVE_QUARANTINE"].split("/")[2]
    listed = buckets.client.list_objects_v2(Bucket=aside).get("Contents", [])
    return [each["Key"] for each in listed]


def test_threats_reach_the_quarantine_by_a_role_of_its_own(
    buckets: Buckets, invoke: Invoke, gate: dict[str, str]
) -> None:
    buckets.put("evil", "good", "unscanned")
    event = queued(scanned(buckets, "evil", "THREATS_FOUND"), scanned(buckets, "good"))
    mine = as_the_function(buckets, assumes=gate["FROGMOVE_QUARANTINE_ROLE"])
    assert invoke(mine, event, **gate) == NOTHING
    assert (buckets.keys_here(), set(buckets.there())) == (["unscanned"], {"good"})
    assert held(buckets, gate) == ["held/evil"]
    # The event comes twice.
    assert invoke(mine, event, **gate) == NOTHING


def test_role_of_the_quarantine_moves_nothing_but_threats(
    buckets: Buckets, invoke: Invoke, gate: dict[str, str]
) -> None:
    """Somebody who may invoke the function says that a clean file is a threat."""
    buckets.put("clean", "unscanned")
    forged = [scanned(buckets, key, "THREATS_FOUND") for key in ("clean", "unscanned")]
    scanned(buckets, "clean")
    buckets.client.delete_object_tagging(Bucket=buckets.source, Key="unscanned")
    mine = as_the_function(buckets, assumes=gate["FROGMOVE_QUARANTINE_ROLE"])
    failures = [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]
    assert invoke(mine, queued(*forged), **gate) == {"batchItemFailures": failures}
    assert (set(buckets.keys_here()), held(buckets, gate)) == ({"clean", "unscanned"}, [])


def test_role_that_may_not_be_assumed_keeps_the_threat_and_not_the_others(
    buckets: Buckets, invoke: Invoke, gate: dict[str, str]
) -> None:
    buckets.put("evil", "good")
    event = queued(scanned(buckets, "evil", "THREATS_FOUND"), scanned(buckets, "good"))
    failures = {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert invoke(as_the_function(buckets), event, **gate) == failures
    assert (buckets.here(), buckets.there()) == ({"evil": b"evil"}, {"good": b"good"})
