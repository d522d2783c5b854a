"""Only S3's own names are AWS: behind all others under its domains may be any server."""

from __future__ import annotations

import pytest

from frogmove.client import Client
from frogmove.config import Config
from frogmove.s3.aws_hosts import is_aws, is_default
from frogmove.s3.limits import Limits

AWS = [
    "s3.amazonaws.com",
    "s3.amazonaws.com.",
    "S3.EU-CENTRAL-1.AMAZONAWS.COM",
    "s3-external-1.amazonaws.com",
    "s3.eu-central-1.amazonaws.com",
    "s3.eu-central-1.amazonaws.com:443",
    "s3-eu-west-1.amazonaws.com",
    "s3-us-gov-west-1.amazonaws.com",
    "s3-fips-us-gov-west-1.amazonaws.com",
    "s3.us-gov-west-1.amazonaws.com",
    "s3.ap-southeast-5.amazonaws.com",
    "s3.mx-central-1.amazonaws.com",
    "s3.dualstack.eu-central-1.amazonaws.com",
    "s3-fips.us-east-2.amazonaws.com",
    "s3-fips.dualstack.us-east-2.amazonaws.com",
    "s3-accelerate.amazonaws.com",
    "s3-accelerate.dualstack.amazonaws.com",
    "external.s3-accelerate.amazonaws.com",
    "external.s3.amazonaws.com",
    "external.s3.eu-central-1.amazonaws.com",
    "ex.ter.nal.s3.dualstack.eu-central-1.amazonaws.com",
    "elb.s3.eu-central-1.amazonaws.com",
    "door-123456789012.s3-accesspoint.us-west-2.amazonaws.com",
    "door-123456789012.s3-accesspoint-fips.dualstack.us-west-2.amazonaws.com",
    "s3-accesspoint.eu-central-1.amazonaws.com",
    "m1a2b3.mrap.accesspoint.s3-global.amazonaws.com",
    "bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com",
    "accesspoint.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com",
    "bucket.vpce-1a2b3c4d-5e6f-us-east-1a.s3.us-east-1.vpce.amazonaws.com",
    "external.bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com",
    "vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com",
    "s3.cn-north-1.amazonaws.com.cn",
    "s3.dualstack.cn-northwest-1.amazonaws.com.cn",
    "bucket.vpce-1a2b3c4d-5e6f.s3.cn-north-1.vpce.amazonaws.com.cn",
    "s3.cn-north-1.api.amazonwebservices.com.cn",
    "s3.eu-central-1.api.aws",
    "s3.eusc-de-east-1.amazonaws.eu",
    "s3.us-iso-east-1.c2s.ic.gov",
    "s3.us-isob-east-1.sc2s.sgov.gov",
    "s3.eu-isoe-west-1.cloud.adc-e.uk",
    "s3.us-isof-south-1.csp.hci.ic.gov",
]

OTHERS = [
    "",
    "localhost",
    "127.0.0.1:9000",
    "amazonaws.com",
    "x.eu-central-1.elb.amazonaws.com",
    "s3-proxy-1234.eu-central-1.elb.amazonaws.com",
    "s3.eu-central-1.elb.amazonaws.com",
    "s3.elb.eu-central-1.amazonaws.com",
    "s3.cn-north-1.elb.amazonaws.com.cn",
    "ec2-1-2-3-4.eu-central-1.compute.amazonaws.com",
    "ec2-1-2-3-4.compute-1.amazonaws.com",
    "abc123.execute-api.eu-central-1.amazonaws.com",
    "s3.execute-api.eu-central-1.amazonaws.com",
    "abc.lambda-url.eu-central-1.on.aws",
    "d111111abcdef8.cloudfront.net",
    "external.s3-website-us-east-1.amazonaws.com",
    "external.s3-website.eu-central-1.amazonaws.com",
    "s3-control.eu-central-1.amazonaws.com",
    "123456789012.s3-control.eu-central-1.amazonaws.com",
    "control.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com",
    "s3-object-lambda.eu-central-1.amazonaws.com",
    "door-123456789012.s3-object-lambda.eu-central-1.amazonaws.com",
    "door-123456789012.op-01.s3-outposts.us-west-2.amazonaws.com",
    "s3express-control.us-west-2.amazonaws.com",
    "fast--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com",
    "s3tables.eu-central-1.api.aws",
    "s3vectors.eu-central-1.api.aws",
    "vpce-1a2b-5e6f.vpce-svc-1a2b.us-east-1.vpce.amazonaws.com",
    "vpce-1a2b-5e6f.execute-api.us-east-1.vpce.amazonaws.com",
    "s3.us-east-1.vpce.amazonaws.com",
    "sts.eu-central-1.amazonaws.com",
    "mys3.eu-central-1.amazonaws.com",
    "evilamazonaws.com",
    "s3.evilamazonaws.com",
    "s3.amazonaws.com.example.org",
    "amazonaws.com.example.org",
    "example.org/s3.amazonaws.com",
    "s3.amazonaws.com@example.org",
    "s3.eu-central-1.wasabisys.com",
    "s3.eu-central-1.amazonaws.com%2eexample.org",
    "[::1",
]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", AWS)
def test_is_aws_knows_s3s_own_names(host: str, scheme: str) -> None:
    assert is_aws(f"{scheme}://{host}")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", OTHERS)
def test_is_aws_refuses_all_other_names(host: str, scheme: str) -> None:
    assert not is_aws(f"{scheme}://{host}")


@pytest.mark.parametrize(
    ("endpoint_url", "default"),
    [
        ("https://s3.eu-central-1.amazonaws.com", True),
        ("https://s3-fips.eu-central-1.amazonaws.com", True),
        ("https://s3.dualstack.eu-central-1.amazonaws.com", True),
        ("https://s3.amazonaws.com", True),
        ("https://s3.us-east-1.amazonaws.com", False),
        ("http://s3.eu-central-1.amazonaws.com", False),
        ("https://s3.eu-central-1.amazonaws.com:8443", False),
        ("https://bucket.vpce-1a2b-5e6f.s3.eu-central-1.vpce.amazonaws.com", False),
        ("http://127.0.0.1:9000", False),
    ],
)
def test_is_default_distinguishes_a_regions_own_endpoint_from_a_named_one(
    endpoint_url: str, default: bool
) -> None:
    assert is_default(endpoint_url, "eu-central-1") is default


INTERFACE = "https://bucket.vpce-1a2b-5e6f.s3.eu-central-1.vpce.amazonaws.com"


@pytest.mark.parametrize("url", [INTERFACE, "https://s3.eu-central-1.amazonaws.com"])
def test_named_endpoint_is_kept_even_where_it_is_aws(url: str) -> None:
    connection = Client(Config(region="eu-central-1", endpoint_url=url), Limits(1))
    connection.close()
    assert connection.named_endpoint == url


def test_named_endpoint_of_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", INTERFACE)
    connection = Client(Config(region="eu-central-1"), Limits(1))
    connection.close()
    assert connection.named_endpoint == INTERFACE


@pytest.mark.parametrize("variable", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", ""])
def test_named_endpoint_is_none_for_a_regions_own(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    if variable:
        monkeypatch.setenv(variable, "true")
    connection = Client(Config(region="us-east-1"), Limits(1))
    connection.close()
    assert connection.named_endpoint is None
