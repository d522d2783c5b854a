"""The automatic face of frogmove: one event in, keys moved, one answer out.

The environment variables are those of :mod:`frogmove.function.config`, the events those of
:mod:`frogmove.function.events`.
"""

import gc
import os
from functools import cache
from typing import Any

_STARTS = "AWS_LAMBDA_FUNCTION_NAME" in os.environ

if _STARTS:
    # Next to nothing of what is made while it starts is garbage, and to look through all of it
    # again and again takes a tenth of the start.
    gc.disable()

from frogmove.function.app import LambdaApp  # noqa: E402 - what takes the time


@cache
def app() -> LambdaApp:
    """Return what serves this process's invocations, made of its environment."""
    return LambdaApp(os.environ)


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
    return app().answer(event, context)


if _STARTS:
    # Wrong settings then fail the function's start, and the first event finds a client ready.
    app()
    # What is there by now stays.
    gc.freeze()
    gc.enable()
