"""Tells whether a host is AWS's own S3.

Load balancers, virtual machines and functions use the same domains, and may be any server.
"""

import re
from urllib.parse import urlsplit

# The domains of AWS's partitions, including dual-stack, from botocore's partitions.json.
_DOMAINS = (
    *("amazonaws.com", "api.aws"),
    *("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    *("amazonaws.eu", "api.amazonwebservices.eu"),
    *("c2s.ic.gov", "api.aws.ic.gov"),
    *("sc2s.sgov.gov", "api.aws.scloud"),
    *("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    *("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
)
_DOMAIN = "|".join(re.escape(domain) for domain in _DOMAINS)

# botocore uses aws-global for us-east-1, unless us-east-1 is set explicitly.
_REGION = r"(?:(?:[a-z]{2}|eusc-[a-z]{2}|us-gov|us-iso[a-z]?|eu-iso[a-z]?)-[a-z]+-\d+|aws-global)"

# https://docs.aws.amazon.com/general/latest/gr/s3.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
_REGIONAL = rf"s3(?:-fips)?(?:\.dualstack)?\.{_REGION}"
_LEGACY = rf"s3|s3-external-1|s3(?:-fips)?-{_REGION}"
_ACCELERATE = r"s3-accelerate(?:\.dualstack)?"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
_ACCESS_POINT = rf"s3-accesspoint(?:-fips)?(?:\.dualstack)?\.{_REGION}"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRequests.html
_MULTI_REGION = r"accesspoint\.s3-global"
_BUCKET = r"(?:[a-z0-9][a-z0-9._-]*\.)?"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html
_INTERFACE = (
    rf"(?:{_BUCKET}(?:bucket|accesspoint)\.)?vpce-[a-z0-9]+-[a-z0-9]+(?:-{_REGION}[a-z])?"
    rf"\.s3\.{_REGION}\.vpce"
)

_HOST = re.compile(
    rf"(?:{_BUCKET}(?:{_REGIONAL}|{_LEGACY}|{_ACCELERATE}|{_ACCESS_POINT}|{_MULTI_REGION})"
    rf"|{_INTERFACE})\.(?:{_DOMAIN})\.?"
)

_DEFAULT = re.compile(rf"https://s3(?:(?:-fips)?(?:\.dualstack)?\.({_REGION}))?\.(?:{_DOMAIN})")


def is_aws(endpoint_url: str) -> bool:
    """Tell whether an endpoint is AWS's own S3.

    Endpoints of S3 on Outposts, S3 Object Lambda and S3 Express (directory buckets) do not count:
    they follow other rules.
    """
    try:
        host = urlsplit(endpoint_url).hostname or ""
    except ValueError:
        return False
    return _HOST.fullmatch(host) is not None


def is_default(endpoint_url: str, region: str) -> bool:
    """Tell whether an endpoint is the default one of its Region."""
    found = _DEFAULT.fullmatch(endpoint_url)
    return found is not None and found[1] in {None, region, "aws-global"}
