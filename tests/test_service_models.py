"""botocore's models are found without a search for those of other services."""

from __future__ import annotations

import json
import os
import re
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import JSONFileLoader
from botocore.session import Session

from frogmove import service_models
from frogmove.boto_session import make_boto_client
from frogmove.config import Config
from frogmove.credentials import open_session, words
from frogmove.errors import FrogmoveError
from frogmove.service_models import DictFileLoader
from frogmove.worker import prepare_engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Before tests share what was read: see tests.client_caches.
LOAD_FILE = JSONFileLoader.load_file


def model(session: Session, service: str, kind: str = "service-2") -> Any:
    return session.get_component("data_loader").load_service_model(service, kind)


@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1"])
@pytest.mark.parametrize("service", ["s3", "sts"])
def test_model_of_a_service_is_botocores(
    service: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not what clients of earlier tests have read: botocore takes the bucket out of its URL paths.
    monkeypatch.setattr(JSONFileLoader, "load_file", LOAD_FILE)
    service_models._loader.cache_clear()
    session = open_session(None, unsigned=True)
    # Also in the same order.
    found, expected = model(session, service, kind), model(Session(), service, kind)
    assert json.dumps(found) == json.dumps(expected)


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


def test_folder_that_may_not_be_searched_has_no_models(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))

    def refuse(find: Callable[..., Any], path: Any, *arguments: Any, **options: Any) -> Any:
        if str(path).startswith(str(tmp_path / "models" / "")) and str(path).endswith("json"):
            raise PermissionError(13, "Permission denied", path)
        return find(path, *arguments, **options)

    # Root may search any folder.
    monkeypatch.setattr(os, "stat", partial(refuse, os.stat))
    monkeypatch.setattr("builtins.open", partial(refuse, open))
    make_boto_client(Config(no_sign_request="1", region="eu-west-1"), 1)


def test_models_that_were_read_before_workers_are_forked_are_not_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service_models._loader.cache_clear()
    prepare_engine(None)

    load_file = DictFileLoader.load_file
    read: list[str] = []

    def load(loader: DictFileLoader, path: str) -> Any:
        found = load_file(loader, path)
        read.extend([] if found is None else [path])
        return found

    monkeypatch.setattr(DictFileLoader, "load_file", load)
    client = make_boto_client(Config(no_sign_request="1", region="eu-west-1"), 1)
    assert (client.meta.region_name, read) == ("eu-west-1", [])


@pytest.mark.parametrize(
    "error",
    # The latter two are those of a file that is not complete, or damaged.
    [PermissionError(13, "Permission denied"), EOFError("no end"), zlib.error("invalid block")],
)
def test_models_that_cannot_be_read_are_reported_with_the_client(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: object, path: str) -> object:
        raise error

    service_models._loader.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(DictFileLoader, "load_file", read)
        service_models.read_s3()
        with pytest.raises(FrogmoveError, match=re.escape(words(error))):
            make_boto_client(Config(no_sign_request="1"), 1)
    make_boto_client(Config(no_sign_request="1", region="eu-west-1"), 1)
