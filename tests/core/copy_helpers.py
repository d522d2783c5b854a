"""Copies one object on the fake S3, without a run around it."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import Any, TypeVar

from frogmove.core.copy import ObjectCopier
from frogmove.core.destination_check import DestinationCheck
from frogmove.core.journal import NoJournal
from frogmove.core.models import Action, Outcome, Result, Verb, VerifiedCopy
from frogmove.core.multipart import PartsCopier
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.scheduler import run_one
from frogmove.s3.capabilities import ALL_SUPPORTED
from tests.factories import ROUTE, md5
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

T = TypeVar("T")

MINE, THEIRS = b"mine", b"theirs"
KEEP_BOTH_KEY = f"key.{md5(MINE)[:8]}"
POLICIES = list(OnConflict)
# Where a server takes no condition on what a copy overwrites, it is looked at before.
UNGUARDED = replace(ALL_SUPPORTED, copy_destination=False)


def a_state() -> FakeS3State:
    """Return two buckets, with one object at the source."""
    made = FakeS3State({"external": {}, "internal": {}})
    made.put("external", "key", MINE)
    return made


def seen(state: FakeS3State, key: str = "key", replaces: str | None = None) -> Action:
    """Return the move of an object as it is now."""
    item = FakeS3(state).head("external", key).result().object
    return Action(Verb.MOVE, item, key, replaces=replaces)


def copy_object(
    state: FakeS3State, action: Action, s3: FakeS3 | None = None, **options: Any
) -> VerifiedCopy | Result:
    s3 = s3 or FakeS3(state)
    agreed = TransferOptions(**({"capabilities": ALL_SUPPORTED} | options))
    parts = PartsCopier(s3, agreed.multipart, NoJournal(), Event())
    check = DestinationCheck.make(s3, ROUTE, agreed)
    return run_one(ObjectCopier(check, parts).copy(action))


def verified(answer: VerifiedCopy | Result) -> VerifiedCopy:
    assert isinstance(answer, VerifiedCopy), answer
    return answer


def ended(answer: VerifiedCopy | Result, outcome: Outcome) -> str:
    """Check that an action ended here, and return why."""
    assert isinstance(answer, Result), answer
    assert answer.outcome is outcome
    return answer.reason
