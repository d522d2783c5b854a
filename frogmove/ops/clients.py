"""boto3 clients of the services that a deployed route is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError
from botocore.session import Session

from frogmove.errors import UsageError

if TYPE_CHECKING:
    from botocore.config import Config


def make_client(
    service: str,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    config: Config | None = None,
) -> Any:  # noqa: ANN401 - botocore makes them of data
    """Make a client.

    Args:
        service: botocore's name of it.
        profile: a profile of the AWS configuration.
        region: an AWS Region.
        endpoint_url: a server instead of AWS.
        config: how requests are sent.

    Raises:
        UsageError: when the AWS settings cannot be used.
    """
    try:
        return Session(profile=profile).create_client(
            service, region_name=region, endpoint_url=endpoint_url, config=config
        )
    except (BotoCoreError, ValueError) as error:
        raise UsageError(
            f"The AWS settings cannot be used: {error}.",
            "Check --profile, --region and --endpoint-url.",
        ) from error
