"""A journal's spec, and moves on the fake S3 that write a journal."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

from frogmove.core.filters import Filters, Pattern
from frogmove.core.key_mapping import KeyMapping
from frogmove.core.options import TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.selection import Selection
from frogmove.core.transfer import run
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.listing import list_prefix
from tests.factories import ROUTE, RUN_SPEC
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.core.journal_writer import JournalWriter
    from frogmove.core.models import Outcome
    from tests.interceptors import Interceptor

HEADER = replace(
    RUN_SPEC,
    selection=Selection(folders=("",), filters=Filters(patterns=(Pattern(False, "*.tmp"),))),
    mapping=KeyMapping(to_prefix="new"),
)
DELETES = {"DeleteObject", "DeleteObjects"}


def a_state(*keys: str) -> FakeS3State:
    """Return two buckets, with objects at the source."""
    state = FakeS3State({"external": {}, "internal": {}})
    for key in keys:
        state.put("external", key, key.encode())
    return state


def move(
    state: FakeS3State,
    journal: JournalWriter,
    interceptor: Interceptor | None = None,
    options: TransferOptions | None = None,
) -> dict[str, Outcome]:
    """Move everything; returns the outcome of each key."""
    s3 = FakeS3(state, interceptor) if interceptor else FakeS3(state)
    actions = plan_move(list_prefix(s3, "external", ""), ROUTE)
    results = run(actions, s3, ROUTE, options or TransferOptions(ALL_SUPPORTED), Event(), journal)
    return {result.action.object.key: result.outcome for result in results}


def records(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a journal's file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
