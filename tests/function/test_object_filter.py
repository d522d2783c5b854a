"""Uploads, sweeps and syncs of some objects alone: the others stay, and are no failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.errors import UsageError
from tests.aws_events import batch, bridged, message, notification
from tests.fake_s3_state import FakeS3State
from tests.function.fake_lambda import CONTEXT, PARTS, lambda_app
from tests.interceptors import no_interception

if TYPE_CHECKING:
    from frogmove.function.app import LambdaApp

KEYS = ("a/1.csv", "b/2.csv", "a/3.txt", "c/4.csv", "a.csv")
KEPT = {"a/3.txt", "c/4.csv", "a.csv"}


def state() -> FakeS3State:
    made = FakeS3State({"external": {}, "internal": {}})
    for key in KEYS:
        made.put("external", key, b"1")
    return made


def filtered(made: FakeS3State) -> LambdaApp:
    return lambda_app(made, FROGMOVE_KEY_PREFIXES="a/, b/", FROGMOVE_KEY_SUFFIXES=".csv")


@pytest.mark.parametrize(
    "event",
    [
        batch(*(message(key, notification("external", key)) for key in KEYS)),
        batch(*(message(key, bridged("external", key)) for key in KEYS)),
        {"action": "sweep", "age": 0},
    ],
)
def test_filters_leave_other_keys_and_that_is_no_failure(event: Any) -> None:
    made = state()
    answer = filtered(made).handle(event, CONTEXT)
    assert answer.get("batchItemFailures", []) == []
    assert set(made.bodies("external")) == KEPT
    assert set(made.bodies("internal")) == set(KEYS) - KEPT


def test_filters_hold_for_direct_notifications_too() -> None:
    made = state()
    for key in KEYS:
        filtered(made).handle(notification("external", key), CONTEXT)
    assert set(made.bodies("external")) == KEPT


def test_filters_do_not_hold_for_a_named_key() -> None:
    made = state()
    filtered(made).handle({"action": "move", "keys": ["c/4.csv"]}, CONTEXT)
    assert set(made.bodies("internal")) == {"c/4.csv"}


def change(made: FakeS3State, keys: set[str], **changes: Any) -> None:
    for key in keys:
        made.buckets["external"][key] = replace(made.buckets["external"][key], **changes)


SETTINGS = {
    "patterns": {"FROGMOVE_INCLUDE": "a/*.csv, **/2.csv", "FROGMOVE_EXCLUDE": "*.csv"},
    "sizes": {"FROGMOVE_MIN_SIZE": "2", "FROGMOVE_MAX_SIZE": "1KiB"},
    "class": {"FROGMOVE_STORAGE_CLASS": "glacier_ir,standard_ia"},
    "age": {"FROGMOVE_NEWER_THAN": "1h"},
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["queue", "notification", "sweep", "sync"])
def test_filters_leave_what_is_not_selected_whatever_comes(setting: str, kind: str) -> None:
    made = FakeS3State({"external": {}, "internal": {}})
    for key in KEYS:
        made.put("external", key, b"1")
    selected = {"a/1.csv", "b/2.csv"}
    if setting != "patterns":
        for key in selected:
            made.put("external", key, b"12")
    if setting == "class":
        change(made, selected, storage_class="STANDARD_IA")
    if setting == "age":
        change(made, set(KEYS) - selected, modified=datetime.now(UTC) - timedelta(hours=2))
        change(made, selected, modified=datetime.now(UTC) - timedelta(minutes=1))
    events: list[Any] = [{"action": kind, **({"age": 0} if kind == "sweep" else {})}]
    if kind == "queue":
        events = [batch(*(message(key, notification("external", key)) for key in KEYS))]
    elif kind == "notification":
        events = [notification("external", key) for key in KEYS]
    app = lambda_app(made, no_interception, PARTS, **SETTINGS[setting])
    for event in events:
        assert app.handle(event, CONTEXT).get("batchItemFailures", []) == []
    assert set(made.bodies("internal")) == selected


def test_upload_that_is_too_young_is_left_for_a_sweep() -> None:
    made = state()
    change(made, set(KEYS), modified=datetime.now(UTC))
    app = lambda_app(made, FROGMOVE_OLDER_THAN="1h")
    app.handle(notification("external", "a.csv"), CONTEXT)
    assert made.bodies("internal") == {}
    change(made, {"a.csv"}, modified=datetime.now(UTC) - timedelta(hours=2))
    app.handle({"action": "sweep"}, CONTEXT)
    assert set(made.bodies("internal")) == {"a.csv"}


@pytest.mark.parametrize(
    ("variable", "text", "printed"),
    [
        ("INCLUDE", "[a", "FROGMOVE_INCLUDE: .*without a"),
        ("EXCLUDE", "[z-a]", "FROGMOVE_EXCLUDE: .*cannot be read"),
        ("NEWER_THAN", "soon", "FROGMOVE_NEWER_THAN: .*neither"),
        ("OLDER_THAN", "7", "FROGMOVE_OLDER_THAN: .*neither"),
        ("MIN_SIZE", "x", "FROGMOVE_MIN_SIZE: .*not a size"),
        ("MAX_SIZE", "-1", "FROGMOVE_MAX_SIZE: .*not a size"),
    ],
)
def test_filters_that_cannot_be_read_are_refused_at_the_start(
    variable: str, text: str, printed: str
) -> None:
    with pytest.raises(UsageError, match=printed):
        lambda_app(state(), no_interception, PARTS, **{f"FROGMOVE_{variable}": text})
