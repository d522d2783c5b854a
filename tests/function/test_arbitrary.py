"""No event does worse than an error of our own, or reaches a bucket that is not the route's."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from frogmove.errors import FrogmoveError
from tests.arbitrary import JSON, mutations
from tests.aws_events import SAMPLES, batch, job, message, notification, task
from tests.function.processes import CONTEXT, process
from tests.model import Stored, World

if TYPE_CHECKING:
    from tests.model import Upload


@dataclass
class WatchedWorld(World):
    """A world that remembers which buckets somebody asked for."""

    asked: set[str] = field(default_factory=set)

    def bucket(self, name: str, operation: str) -> dict[str, Stored]:
        self.asked.add(name)
        return super().bucket(name, operation)

    def upload(self, upload_id: str, operation: str) -> Upload:
        found = super().upload(upload_id, operation)
        self.asked.add(found.bucket)
        return found


FOREIGN = "somebody-elses"
OTHERS = [
    batch(message("1", notification(FOREIGN, "a")), message("2", notification("external", "a"))),
    job(task(FOREIGN, "a"), task("external", "a")),
    job(task(FOREIGN, "a", "1"), version="2.0"),
]
BODIES = {"a": b"a", "b": b"b"}


@settings(deadline=None)
@given(JSON | mutations([*SAMPLES, *OTHERS], JSON | st.just(FOREIGN)))
def test_whatever_comes(event: object) -> None:
    world = WatchedWorld({name: {} for name in ("external", "internal", FOREIGN)})
    for key, body in BODIES.items():
        world.put("external", key, body)
        world.put(FOREIGN, key, body)
    world.asked.clear()
    sent = copy.deepcopy(event)
    try:
        answer = process(world).answer(event, CONTEXT)
    except FrogmoveError:
        pass
    else:
        assert isinstance(answer, dict)
    assert repr(event) == repr(sent)
    assert world.asked <= {"external", "internal"}
    # Moved or not, each is somewhere, whole, and nothing else is anywhere.
    left, there = world.bodies("external"), world.bodies("internal")
    assert left | there == BODIES
    assert world.bodies(FOREIGN) == BODIES
    assert world.uploads == {}
