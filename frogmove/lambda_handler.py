"""The Lambda's handler.

The environment variables are described in :mod:`frogmove.function.config`, the events in
:mod:`frogmove.function.events`.
"""

import gc
import os
from functools import cache
from typing import Any

_STARTS = "AWS_LAMBDA_FUNCTION_NAME" in os.environ

if _STARTS:
    # Almost nothing is garbage during the start, and garbage collection would take a tenth of it.
    gc.disable()

from frogmove.function.app import LambdaApp  # noqa: E402 - what takes the time


@cache
def app() -> LambdaApp:
    """Return the application of this process, configured by the environment."""
    return LambdaApp(os.environ)


def handler(event: object, context: object) -> dict[str, Any]:
    """Handle an event. Lambda calls this.

    Args:
        event: the event.
        context: Lambda's; https://docs.aws.amazon.com/lambda/latest/dg/python-context.html

    Returns:
        the response that the sender of such an event expects; see ``function/README.md``.

    Raises:
        FrogmoveError: when the event is not valid, or must be delivered again.
    """
    return app().handle(event, context)


if _STARTS:
    # Now, so that invalid settings fail at the start, and the first event is handled faster.
    app()
    # Exempt all existing objects from garbage collection.
    gc.freeze()
    gc.enable()
