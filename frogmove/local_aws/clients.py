"""The boto3 clients of the embedded AWS."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from os import devnull
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from frogmove.errors import RunError
from frogmove.local_aws.server import ACCESS_KEY, INSTALL, REGION, SECRET_KEY

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# botocore's settings, each without a source and with a fixed value.
_NO_USER_SETTINGS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, devnull, None),
    "credentials_file": (None, None, devnull, None),
    "use_fips_endpoint": (None, None, False, None),
    "use_dualstack_endpoint": (None, None, False, None),
}


@dataclass(frozen=True)
class Clients:
    """The boto3 clients for a stack."""

    s3: "S3Client"
    sqs: "SQSClient"
    iam: "IAMClient"
    functions: "LambdaClient"
    scheduler: Any


def clients_for(endpoint_url: str) -> Clients:
    """Create clients for the embedded AWS that ignore the user's own settings.

    Args:
        endpoint_url: the URL of the server.
    """
    core = botocore.session.Session(_NO_USER_SETTINGS)
    session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION, botocore_session=core)
    # No proxy on the loopback interface, even if HTTP_PROXY is set, and a short timeout: a server
    # that does not respond is gone.
    config = Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 2})
    client = partial(session.client, endpoint_url=endpoint_url, config=config)
    return Clients(
        client("s3"), client("sqs"), client("iam"), client("lambda"), client("scheduler")
    )


@contextmanager
def translate_errors(doing: str) -> Iterator[None]:
    """Turn boto3's exceptions into RunError.

    Args:
        doing: what is being done, for a message after "while".

    Raises:
        RunError: when a request failed.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise RunError(
            f"The embedded AWS failed while {doing}: {error}.",
            f"Check that the installed ministack is one that frogmove supports: {INSTALL}",
        ) from error
