"""Creates boto3 clients for the services of a deployed route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.config import Config

from frogmove.boto_session import create_client, make_boto_client
from frogmove.credentials import open_session, sign_in
from frogmove.errors import UnreachableError
from frogmove.ops.aws_response import refuse_foreign_responses
from frogmove.ops.pending_requests import PendingRequests
from frogmove.s3 import timeouts
from frogmove.s3.aws_hosts import is_aws
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

    from frogmove.config import Config as S3Config

_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")


# How often a request is sent, and seconds until the first byte of its response: in all, and with
# the pauses in between, less than a minute.
_ATTEMPTS = 3
_READ_SECONDS = 15.0


class Services:
    """Clients for the services of AWS, with the same credentials.

    Args:
        profile: a profile of the AWS configuration.
        region: an AWS Region.
        endpoint_url: an AWS-compatible server instead of AWS; None for AWS_ENDPOINT_URL, if set.
    """

    def __init__(
        self, profile: str | None = None, region: str | None = None, endpoint_url: str | None = None
    ) -> None:
        self.profile = profile
        self.region = region
        self.endpoint_url = endpoint_url
        self.pending = PendingRequests()
        self._session: Session | None = None
        self._clients: dict[tuple[str, str | None], Any] = {}

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - botocore's
        """Return the client of a service, by botocore's name, for short requests.

        Args:
            service: the service.
            region: its Region; by default that of all services.

        Raises:
            UsageError: when the AWS settings cannot be used.
            UnreachableError: when there are no credentials.
        """
        place = service, region or self.region
        if place not in self._clients:
            config = Config(
                connect_timeout=timeouts.CONNECT,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            )
            client = self.make(service, config, region)
            self.pending.follow(client)
            self._clients[place] = client
        return self._clients[place]

    def belong_to(self, s3_endpoint: str) -> bool:
        """Tell whether these services may belong to an S3 server.

        AWS's services do not belong to another S3 server: they must not get its keys.

        Raises:
            UsageError, UnreachableError: see :meth:`client`.
        """
        if is_aws(s3_endpoint):
            return True
        host = urlsplit(self.client("lambda").meta.endpoint_url).hostname or ""
        return not host.endswith(_AWS_DOMAINS)

    def make(self, service: str, config: Config, region: str | None = None) -> Any:  # noqa: ANN401
        """Create a client with its own configuration; see :meth:`client`."""
        if self._session is None:
            self._session = _signed_in(self.profile, service)
        client = create_client(
            self._session, service, region or self.region, self.endpoint_url, config
        )
        refuse_foreign_responses(client)
        return client

    def s3(self, config: S3Config) -> S3Client:
        """Create botocore's client for a route, for short requests.

        Raises:
            UsageError: when the AWS settings cannot be used.
        """
        client = make_boto_client(config, 2, attempts=_ATTEMPTS, read_timeout=_READ_SECONDS)
        refuse_foreign_responses(client)
        self.pending.follow(client)
        return client


def _signed_in(profile: str | None, service: str) -> Session:
    session = open_session(profile, unsigned=False)
    try:
        sign_in(session)
    except S3Error as error:
        raise UnreachableError(
            f"No credentials for {service}: {error.detail}.",
            error.remedy or "Sign in again, or choose another --profile.",
        ) from error
    return session
