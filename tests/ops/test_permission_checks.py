"""A permission is there if a response proves it, not if it was only not denied."""

from __future__ import annotations

from dataclasses import replace

import pytest

from frogmove.config import Config
from frogmove.ops.check import State
from frogmove.ops.clients import Services
from frogmove.ops.permission_checks import check_permissions
from tests.canned_server import canned_server, error


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (404, "NoSuchKey", State.OK),
        (501, "NotImplemented", State.OK),
        (403, "AccessDenied", State.BROKEN),
        (503, "SlowDown", State.UNKNOWN),
        (500, "InternalError", State.UNKNOWN),
        (400, "ExpiredToken", State.UNKNOWN),
        (403, "RequestTimeTooSkewed", State.UNKNOWN),
        (301, "PermanentRedirect", State.UNKNOWN),
        (404, "NoSuchBucket", State.UNKNOWN),
    ],
)
def test_permission_is_there_only_if_the_response_proves_it(
    status: int, code: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr("frogmove.ops.clients._ATTEMPTS", 1)
    config = Config(source="s3://external", destination="s3://internal", region="us-east-1")
    with canned_server((status, error(code))) as server:
        s3 = Services().s3(replace(config, endpoint_url=server.endpoint_url))
        found, _ = check_permissions(s3, config.route(), is_conditional=True)
    assert found.state is state, found
    assert bool(found.facts.get("unclear")) is (state is State.UNKNOWN)


def test_permission_that_is_not_tested_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where conditions are ignored, the delete of a missing key may leave a delete marker."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    config = Config(source="s3://external", destination="s3://internal", region="us-east-1")
    with canned_server((404, error("NoSuchKey"))) as server:
        s3 = Services().s3(replace(config, endpoint_url=server.endpoint_url))
        for found in check_permissions(s3, config.route(), is_conditional=False):
            assert found.state is State.OK
            assert found.message.endswith("conditional deletes: s3:DeleteObject")
            assert found.facts["untested"] == ["s3:DeleteObject"]
            assert "s3:DeleteObject" not in found.facts["allowed"]
