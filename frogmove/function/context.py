"""What Lambda tells a function of the invocation that it is in."""

from __future__ import annotations

# https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
_FACTS = (
    "function_name",
    "function_version",
    "invoked_function_arn",
    "memory_limit_in_mb",
    "aws_request_id",
    "log_group_name",
    "log_stream_name",
)


def describe(context: object) -> dict[str, object]:
    """Return a context as it may be answered; None for what it does not tell.

    Args:
        context: Lambda's.
    """
    told: dict[str, object] = {}
    for name in _FACTS:
        value = getattr(context, name, None)
        told[name] = value if value is None or isinstance(value, int) else str(value)
    clock = getattr(context, "get_remaining_time_in_millis", None)
    told["remaining_time_in_millis"] = None if clock is None else clock()
    return told
