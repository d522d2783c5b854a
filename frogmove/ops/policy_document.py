"""Reads policies of buckets, queues and keys.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from typing import Any


def statements(text: str) -> list[dict[str, Any]] | None:
    """Return the statements of a policy; None if it cannot be read."""
    try:
        found = listed(json.loads(text)["Statement"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return [each for each in found if isinstance(each, dict)]


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - any part of a JSON document
    """Return a part of a policy as a list: a single value may be without one."""
    return value if isinstance(value, list) else [value]
