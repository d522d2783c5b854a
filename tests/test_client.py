import pytest

from frogmove.boto_session import make_boto_client
from frogmove.client import Client
from frogmove.config import Config
from frogmove.errors import UsageError
from frogmove.s3.capabilities import AWS
from frogmove.s3.limits import Limits
from frogmove.s3.models import Copy
from frogmove.s3.uri import Location
from tests.buckets import Buckets
from tests.canned_server import XML, canned_server, error
from tests.factories import an_object, md5


@pytest.mark.parametrize(
    "config",
    [
        Config(profile="nobody"),
        Config(endpoint_url="no-url", region="us-east-1"),
        Config(endpoint_url="http://", region="us-east-1"),
        Config(endpoint_url="http://a b/", region="us-east-1"),
        Config(endpoint_url="http://[::1", region="us-east-1"),
        Config(endpoint_url="ftp://host", region="us-east-1"),
        Config(endpoint_url="http://host:port", region="us-east-1"),
        Config(endpoint_url="http://host:99999", region="us-east-1"),
        Config(region="no region"),
    ],
    ids=lambda config: config.profile or config.endpoint_url or config.region,
)
def test_aws_settings_that_cannot_be_used_are_refused(config: Config) -> None:
    with pytest.raises(UsageError) as caught:
        make_boto_client(config, 1)
    named = "--profile" if config.profile else "--endpoint-url"
    assert named in caught.value.remedy


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_named(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "/no/such.pem")
    with pytest.raises(UsageError, match=r"The CA bundle '/no/such.pem' does not exist"):
        make_boto_client(Config(endpoint_url="https://127.0.0.1:9"), 1)
    make_boto_client(Config(endpoint_url="http://127.0.0.1:9"), 1)


def test_client_speaks_to_the_region_and_endpoint_that_were_asked_for() -> None:
    client = make_boto_client(Config(region="eu-central-1"), 1)
    assert client.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"
    local = make_boto_client(Config(endpoint_url="http://127.0.0.1:9"), 1)
    assert local.meta.endpoint_url == "http://127.0.0.1:9"


def test_client_knows_that_aws_honours_every_condition() -> None:
    connection = Client(Config(region="eu-central-1"), Limits())
    assert connection.capabilities(Location("internal")) is AWS
    connection.close()


def test_client_probes_any_other_server(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in buckets.server.environment().items():
        monkeypatch.setenv(name, value)
    connection = Client(Config(endpoint_url=buckets.server.endpoint_url), Limits())
    assert connection.capabilities(buckets.route.destination) == buckets.server.honours
    connection.close()


def test_client_sends_a_throttled_request_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    ok = f"{XML}<CopyObjectResult><ETag>&quot;{md5(b'x')}&quot;</ETag></CopyObjectResult>"
    copy = Copy("external", an_object("a"), "internal", "a")
    with canned_server((503, error("SlowDown")), (200, ok)) as script:
        connection = Client(Config(endpoint_url=script.endpoint_url), Limits(first_delay=0))
        assert connection.s3.copy(copy).result().etag == md5(b"x")
        assert len(script.requests) == 2
        connection.close()
