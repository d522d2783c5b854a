"""Landing one object on the model: what comes of it."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from frogmove.core.action import Action, Verb
from frogmove.core.attributes import AttributeReader
from frogmove.core.journal import NoJournal
from frogmove.core.landing import Landed, Landing
from frogmove.core.lookup import Lookup
from frogmove.core.multipart import PartsCopier
from frogmove.core.result import Outcome, Result
from frogmove.core.terms import OnConflict, Terms
from frogmove.core.verify import Verify
from frogmove.core.window import finish
from frogmove.s3.conditions import ALL
from tests.model import ModelS3, World
from tests.objects import ROUTE, md5

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")

MINE, THEIRS = b"mine", b"theirs"
BESIDE = f"key.{md5(MINE)[:8]}"
POLICIES = list(OnConflict)
# Where a server takes no condition on what a copy overwrites, it is looked at before.
UNGUARDED = replace(ALL, copy_destination=False)


def a_world() -> World:
    """Return two buckets, with one object at the source."""
    made = World({"external": {}, "internal": {}})
    made.put("external", "key", MINE)
    return made


def seen(world: World, key: str = "key", replaces: str | None = None) -> Action:
    """Return the move of an object as it is now."""
    item = ModelS3(world).head("external", key).result().object
    return Action(Verb.MOVE, item, key, replaces=replaces)


def land(world: World, action: Action, s3: ModelS3 | None = None, **terms: Any) -> Landed | Result:
    s3 = s3 or ModelS3(world)
    agreed = Terms(**({"conditions": ALL} | terms))
    source = Lookup(s3, ROUTE.source.bucket)
    parts = PartsCopier(s3, agreed.multipart, NoJournal(), Event())
    strict = agreed.verify is Verify.STRICT
    attributes = AttributeReader(s3, agreed.carry, agreed.features, strict=strict)
    return finish(Landing(s3, ROUTE, agreed, parts, source, attributes).land(action))


def landed(answer: Landed | Result) -> Landed:
    assert isinstance(answer, Landed), answer
    return answer


def ended(answer: Landed | Result, outcome: Outcome) -> str:
    """Check that an action ended here, and return why."""
    assert isinstance(answer, Result), answer
    assert answer.outcome is outcome
    return answer.reason


class Meddler:
    """Does something just before or after the first request of a kind."""

    def __init__(self, operation: str, deed: Callable[[], object], *, after: bool = False) -> None:
        self.asked: list[str] = []
        self._operation = operation
        self._deed: Callable[[], object] | None = deed
        self._after = after

    def __call__(self, operation: str, request: Callable[[], T]) -> T:
        self.asked.append(operation)
        if operation != self._operation or self._deed is None:
            return request()
        deed, self._deed = self._deed, None
        if not self._after:
            deed()
            return request()
        answer = request()
        deed()
        return answer
