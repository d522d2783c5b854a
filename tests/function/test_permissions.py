"""What the function's role may do is enough for everything that it does."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from frogmove.local_aws.iam_policies import role_policy
from tests.aws_events import batch, message, notification
from tests.buckets import Buckets

if TYPE_CHECKING:
    from threading import Event

    from tests.function.invoke import Invoke
    from tests.request_hooks import RequestHooks
    from tests.servers import Server


def as_the_function(buckets: Buckets) -> Buckets:
    """Return the buckets as somebody with the rights of the role; ministack knows users."""
    iam, name = buckets.server.iam(), f"role-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    policy = role_policy(
        buckets.source, [buckets.destination], "arn:aws:sqs:::q", "arn:aws:logs:::l"
    )
    iam.put_user_policy(UserName=name, PolicyName="move", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    server = buckets.server.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"])
    return replace(buckets, server=server)


def test_role_may_move_sweep_and_sync(ministack: Server, invoke: Invoke) -> None:
    buckets = Buckets.make(ministack)
    mine = as_the_function(buckets)
    buckets.put("a", "b", Tagging="t=pond")
    event = batch(message("1", notification(buckets.source, "a", "gone")))
    assert invoke(mine, event) == {"batchItemFailures": []}
    assert invoke(mine, {"action": "sync"})["counts"] == {"copied": 1}
    assert invoke(mine, {"action": "sweep", "age": 0})["counts"] == {"moved": 1}
    assert (buckets.here(), sorted(buckets.there())) == ({}, ["a", "b"])


def test_role_may_go_on_with_a_large_object(
    ministack: Server, invoke: Invoke, hooks: RequestHooks, flags: list[Event]
) -> None:
    buckets = Buckets.make(ministack)
    mine = as_the_function(buckets)
    body = os.urandom(2 * 5 * 2**20 + 1)
    # ministack adds no checksums up over parts.
    buckets.put("a", body=body, ChecksumAlgorithm="SHA256", Tagging="t=pond")
    event = batch(message("1", notification(buckets.source, "a")))
    small: dict[str, Any] = {
        "FROGMOVE_MULTIPART_THRESHOLD": "5MiB",
        "FROGMOVE_PART_SIZE": "5MiB",
        "FROGMOVE_CONCURRENCY": "1",
    }
    hooks.before("UploadPartCopy", lambda: flags[-1].set())
    assert len(invoke(mine, event, **small)["batchItemFailures"]) == 1
    assert invoke(mine, event, **small) == {"batchItemFailures": []}
    assert len(hooks.of("UploadPartCopy")) == 3
    assert (buckets.here(), buckets.there()) == ({}, {"a": body})
    assert "Uploads" not in buckets.client.list_multipart_uploads(Bucket=buckets.destination)
