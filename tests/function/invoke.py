"""Invocations of the function on real servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from frogmove.function.app import LambdaApp
from tests.function.fake_lambda import CONTEXT

if TYPE_CHECKING:
    import pytest

    from tests.buckets import Buckets


@dataclass(frozen=True)
class Invoke:
    """Invokes the function on a test's buckets, each time as after a cold start."""

    monkeypatch: pytest.MonkeyPatch

    def __call__(
        self, buckets: Buckets, event: object, context: object = CONTEXT, **environment: str
    ) -> dict[str, Any]:
        route = {
            "FROGMOVE_SOURCE": f"s3://{buckets.source}",
            "FROGMOVE_DESTINATION": f"s3://{buckets.destination}",
        }
        variables = buckets.server.environment() | route | environment
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)
        return LambdaApp(variables).handle(event, context)
