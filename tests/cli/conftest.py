"""Commands: what they show does not depend on the server, so one does in the short form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.servers import Server


@pytest.fixture(params=[pytest.param("moto", marks=pytest.mark.long), "ministack"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each server that keeps every key as it is and lists in order."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["move", "copy", "sync"])
def verb(request: pytest.FixtureRequest) -> str:
    """Each command that takes a selection to the destination."""
    verb: str = request.param
    return verb
