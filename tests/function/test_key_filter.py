"""Uploads and sweeps of some keys alone: the others stay, and are no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.aws_events import batch, bridged, message, notification
from tests.fake_s3 import FakeS3State
from tests.function.fake_lambda import CONTEXT, lambda_app

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
def test_other_keys_stay_and_are_no_failure(event: Any) -> None:
    made = state()
    answer = filtered(made).answer(event, CONTEXT)
    assert answer.get("batchItemFailures", []) == []
    assert set(made.bodies("external")) == KEPT
    assert set(made.bodies("internal")) == set(KEYS) - KEPT


def test_direct_notifications_are_filtered_too() -> None:
    made = state()
    for key in KEYS:
        filtered(made).answer(notification("external", key), CONTEXT)
    assert set(made.bodies("external")) == KEPT


def test_whoever_names_a_key_moves_it() -> None:
    made = state()
    filtered(made).answer({"action": "move", "keys": ["c/4.csv"]}, CONTEXT)
    assert set(made.bodies("internal")) == {"c/4.csv"}
