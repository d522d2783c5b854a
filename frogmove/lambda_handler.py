"""The automatic face of frogmove: one event in, keys moved, one answer out.

The environment variables are those of :mod:`frogmove.function.options`, the events those of
:mod:`frogmove.core.events`.
"""

import os
from functools import cache
from typing import Any

from frogmove.function.process import Process


@cache
def process() -> Process:
    """Return what serves this process's invocations, made of its environment."""
    return Process(os.environ)


def handler(event: object, context: object) -> dict[str, Any]:
    """Do what an event asks for. Lambda calls this.

    Args:
        event: what happened, or what is wanted.
        context: Lambda's; https://docs.aws.amazon.com/lambda/latest/dg/python-context.html

    Returns:
        what the sender of such an event expects; see the README.

    Raises:
        FrogmoveError: when the event cannot be understood, or has to be delivered again.
    """
    return process().answer(event, context)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # Wrong settings then fail the function's start, and the first event finds a client ready.
    process()
