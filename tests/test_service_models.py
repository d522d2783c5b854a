"""botocore's models are found without a search for those of other services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.session import Session

from frogmove.credentials import open_session

if TYPE_CHECKING:
    from pathlib import Path


def model(session: Session, service: str, kind: str = "service-2") -> Any:
    return session.get_component("data_loader").load_service_model(service, kind)


@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1"])
@pytest.mark.parametrize("service", ["s3", "sts"])
def test_model_of_a_service_is_botocores(service: str, kind: str) -> None:
    session = open_session(None, unsigned=True)
    assert model(session, service, kind) == model(Session(), service, kind)


def test_model_of_an_unknown_service_is_refused() -> None:
    with pytest.raises(UnknownServiceError, match="s4"):
        model(open_session(None, unsigned=True), "s4")


def test_model_in_a_folder_of_the_configuration_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = {"metadata": {"serviceId": "own"}}
    path = tmp_path / "own" / "2026-01-01" / "service-2.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(own))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert model(open_session(None, unsigned=True), "own") == own
