"""What a policy comes to for one request, by ministack's evaluator and conditions of a test's own.

ministack's requests carry some condition keys alone; its evaluator knows what it is given.
"""

from __future__ import annotations

from typing import Any

import pytest

ACCOUNT = "123456789012"


def is_allowed(
    policy: dict[str, Any], who: str, action: str, resource: str, **keys: str | list[str]
) -> bool:
    """Tell whether a policy allows a request.

    Args:
        policy: of a resource, or of somebody: then its statements are taken for everybody's.
        who: the ARN of the caller.
        action: the action.
        resource: the ARN of what it is about.
        keys: the request's condition keys, with ``__`` in the place of ``:`` and ``_`` of ``-``.

    Skips the test where ministack is not installed.
    """
    evaluator = pytest.importorskip("ministack.core.iam_evaluator")
    context = evaluator.EvalContext(
        principal_arn=who,
        principal_type="User",
        principal_account=who.split(":")[4],
        action=action,
        resource_arn=resource,
        region="us-east-1",
        service_context={
            name.replace("__", ":").replace("_", "-").lower(): value for name, value in keys.items()
        },
    )
    statements = [{"Principal": "*", **each} for each in policy["Statement"]]
    whole = {"Version": "2012-10-17", "Statement": statements}
    return bool(evaluator.evaluate_resource_policy(whole, context).decision == "Allow")
