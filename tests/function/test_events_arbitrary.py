"""No event does worse than an error of our own, or reaches a bucket that is not the route's."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from frogmove.errors import FrogmoveError
from tests.aws_events import SAMPLES, batch, job, message, notification, task
from tests.fake_s3_state import FakeS3State, Stored
from tests.function.fake_lambda import CONTEXT, lambda_app
from tests.strategies import JSON, mutations

if TYPE_CHECKING:
    from tests.fake_s3_state import Upload


@dataclass
class WatchedWorld(FakeS3State):
    """S3 in memory that records which buckets were requested."""

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
def test_lambda_app_loses_nothing_and_stays_on_its_route_whatever_comes(event: object) -> None:
    state = WatchedWorld({name: {} for name in ("external", "internal", FOREIGN)})
    for key, body in BODIES.items():
        state.put("external", key, body)
        state.put(FOREIGN, key, body)
    state.asked.clear()
    sent = copy.deepcopy(event)
    try:
        answer = lambda_app(state).handle(event, CONTEXT)
    except FrogmoveError:
        pass
    else:
        assert isinstance(answer, dict)
    assert repr(event) == repr(sent)
    assert state.asked <= {"external", "internal"}
    # Moved or not, each is somewhere, whole, and nothing else is anywhere.
    left, there = state.bodies("external"), state.bodies("internal")
    assert left | there == BODIES
    assert state.bodies(FOREIGN) == BODIES
    assert state.uploads == {}
