import pytest

from frogmove.connection import Connection, make_client
from frogmove.errors import UsageError
from frogmove.s3 import Copy
from frogmove.s3.conditions import ALL
from frogmove.s3.pressure import Limits
from frogmove.s3.uri import Location
from frogmove.settings import Settings
from tests.buckets import Buckets
from tests.objects import an_object, md5
from tests.scripted import XML, error, scripted


@pytest.mark.parametrize(
    "settings",
    [
        Settings(profile="nobody"),
        Settings(endpoint_url="no-url", region="us-east-1"),
        Settings(endpoint_url="http://", region="us-east-1"),
        Settings(endpoint_url="http://a b/", region="us-east-1"),
        Settings(endpoint_url="http://[::1", region="us-east-1"),
        Settings(region="no region"),
    ],
    ids=["profile", "no-url", "no-host", "blank-in-host", "half-address", "region"],
)
def test_aws_settings_that_cannot_be_used_are_refused(settings: Settings) -> None:
    with pytest.raises(UsageError) as caught:
        make_client(settings, 1)
    named = "--profile" if settings.profile else "--endpoint-url"
    assert named in caught.value.remedy


def test_a_client_speaks_to_the_region_and_endpoint_that_were_asked_for() -> None:
    client = make_client(Settings(region="eu-central-1"), 1)
    assert client.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"
    local = make_client(Settings(endpoint_url="http://127.0.0.1:9"), 1)
    assert local.meta.endpoint_url == "http://127.0.0.1:9"


def test_aws_is_known_to_honour_every_condition_and_is_not_asked() -> None:
    connection = Connection(Settings(region="eu-central-1"), Limits())
    assert connection.conditions(Location("internal")) is ALL
    connection.close()


def test_any_other_server_is_asked(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in buckets.server.environment().items():
        monkeypatch.setenv(name, value)
    connection = Connection(Settings(endpoint_url=buckets.server.endpoint_url), Limits())
    assert connection.conditions(buckets.route.destination) == buckets.server.honours
    connection.close()


def test_a_throttled_request_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    ok = f"{XML}<CopyObjectResult><ETag>&quot;{md5(b'x')}&quot;</ETag></CopyObjectResult>"
    copy = Copy("external", an_object("a"), "internal", "a")
    with scripted((503, error("SlowDown")), (200, ok)) as script:
        connection = Connection(Settings(endpoint_url=script.endpoint_url), Limits(first_delay=0))
        assert connection.s3.copy(copy).result().etag == md5(b"x")
        assert len(script.requests) == 2
        connection.close()
