"""An undo under a live function: it would move again what the undo brings back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from frogmove.errors import UsageError
from frogmove.ops.pause import DeployedFunction
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from frogmove.core.run_spec import RunSpec


_UNKNOWN = "If uploads to the source trigger a Lambda, it will move these again: pause it first."


def check_paused(spec: RunSpec) -> str:
    """Refuse to undo a run while the route's function is live.

    Args:
        spec: the run to undo.

    Returns:
        what to say before the undo begins.

    Raises:
        UsageError: when the function is live.
        UnreachableError: when that cannot be found out.
    """
    name = os.environ.get("FROGMOVE_FUNCTION") or spec.function
    if not name:
        return (
            "If uploads to the source trigger a Lambda, it will move these again: pause it first."
        )
    function = DeployedFunction(name, spec.profile, spec.region)
    if not function.moves_from(parse_location(spec.source)):
        return f"{name} moves uploads from elsewhere."
    live = [each for each in function.triggers() if each.is_on]
    if live:
        what = " and ".join(f"the {each.kind} {each.name}" for each in live)
        raise UsageError(
            f"The function {name!r} is live ({what}): it would move again what this brings back.",
            f"Pause it first: frogmove lambda pause --function {name}. When it is resumed, it "
            "moves again whatever lies at the source by then.",
        )
    return (
        f"{name} is paused. When it is resumed, it moves again what this brings back: take it "
        "from the source before that."
    )
