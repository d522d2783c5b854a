"""Creates boto3 clients for the services of a deployed route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frogmove.boto_session import create_client
from frogmove.credentials import open_session, sign_in
from frogmove.errors import UnreachableError
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from botocore.config import Config


def make_client(
    service: str,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    config: Config | None = None,
) -> Any:  # noqa: ANN401 - botocore makes them of data
    """Create a client.

    Args:
        service: botocore's name of the service.
        profile: a profile of the AWS configuration.
        region: an AWS Region.
        endpoint_url: an AWS-compatible server instead of AWS.
        config: the client's configuration.

    Raises:
        UsageError: when the AWS settings cannot be used.
        UnreachableError: when there are no credentials.
    """
    session = open_session(profile, unsigned=False)
    try:
        sign_in(session)
    except S3Error as error:
        raise UnreachableError(
            f"No credentials for {service}: {error.said}.",
            error.remedy or "Sign in again, or choose another --profile.",
        ) from error
    return create_client(session, service, region, endpoint_url, config)
