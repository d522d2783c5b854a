"""The implementations of S3 and the servers that their contract is checked on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.s3.contract_cases import IMPLEMENTATIONS, SERVERS, ContractCase, on_fake

if TYPE_CHECKING:
    from collections.abc import Iterator

REAL = [(name, server) for name in IMPLEMENTATIONS for server in SERVERS]


@pytest.fixture(
    params=["model", *REAL], ids=lambda param: param if param == "model" else "-".join(param)
)
def case(request: pytest.FixtureRequest) -> Iterator[ContractCase]:
    """Each implementation on each server, and the model."""
    if request.param == "model":
        yield from on_fake()
    else:
        name, server = request.param
        yield from IMPLEMENTATIONS[name](request.getfixturevalue(server))


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have credentials in the environment, of which the server thinks nothing."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
