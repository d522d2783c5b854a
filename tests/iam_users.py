"""Somebody who may not do everything."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.cli.cli_runner import FrogmoveRunner

if TYPE_CHECKING:
    from tests.buckets import Buckets


def denied(buckets: Buckets, *actions: str, bucket: str = "") -> FrogmoveRunner:
    """Return somebody who may do everything but these to a bucket, by default the source.

    ministack knows users.
    """
    bucket = bucket or buckets.source
    iam, name = buckets.server.iam(), f"user-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    statements = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": list(actions),
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        },
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    server = buckets.server.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"])
    return FrogmoveRunner(replace(buckets, server=server))
