"""Checks before an undo that the route's function is paused: it would move the objects again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from frogmove.errors import UnreachableError, UsageError
from frogmove.ops.clients import Services
from frogmove.ops.deployment import Deployment
from frogmove.ops.pause import Triggers, moves_from
from frogmove.quoting import in_quotes
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from frogmove.core.run_spec import RunSpec


_UNKNOWN = "If uploads to the source trigger a Lambda, it will move these again: pause it first."


def check_paused(spec: RunSpec) -> str:
    """Refuse to undo a run while the route's function is enabled.

    Args:
        spec: the run to undo.

    Returns:
        a message to print before the undo.

    Raises:
        UsageError: when the function is enabled.
        UnreachableError: when that cannot be determined.
    """
    name = os.environ.get("FROGMOVE_FUNCTION") or spec.function
    if not name:
        return _UNKNOWN
    deployment = Deployment(name, Services(spec.profile, spec.region))
    try:
        if not moves_from(deployment, parse_location(spec.source)):
            return f"{name} moves uploads of another source."
        live = [each for each in Triggers(deployment).all() if each.is_on]
    except UnreachableError as error:
        remedy = f"{error.remedy} Or skip this check with --while-live."
        raise UnreachableError(error.message, remedy) from error
    if live:
        what = " and ".join(f"the {each.kind} {each.name}" for each in live)
        raise UsageError(
            f"The function {in_quotes(name)} is enabled ({what}): it would move the objects again.",
            f"Pause it first: frogmove lambda pause {deployment.option}. When it is resumed, it "
            "moves all objects at the source again.",
        )
    return (
        f"{name} is paused. When it is resumed, it moves the objects again, unless you remove them "
        "from the source before."
    )
