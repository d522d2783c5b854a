"""Commands: what they show does not depend on the server, so one does in the short form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.servers import Server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run on ministack, in the long form on moto too; ``SERVER`` of a module names its only one."""
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "server" in metafunc.fixturenames and "server" not in chosen:
        on_moto = pytest.param("moto", marks=pytest.mark.long)
        only = getattr(metafunc.module, "SERVER", None)
        metafunc.parametrize("server", [only] if only else [on_moto, "ministack"], indirect=True)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    """A server that keeps every key as it is and lists in order."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["move", "copy", "sync"])
def verb(request: pytest.FixtureRequest) -> str:
    """Each command that takes a selection to the destination."""
    verb: str = request.param
    return verb
