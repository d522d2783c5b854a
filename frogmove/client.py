"""The client: S3 as the configuration says, with retries, and what its server supports."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from frogmove import __version__
from frogmove.credentials import open_session, sign_in, words
from frogmove.errors import UsageError
from frogmove.redaction import bare_url
from frogmove.s3 import timeouts
from frogmove.s3.aws_hosts import is_aws, is_default
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED, Capabilities, probe
from frogmove.s3.network_path import check, malformed_endpoint, trusted_bundle
from frogmove.s3.retry import RetryingS3
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from threading import Event

    from botocore.config import Config as BotoConfig
    from botocore.model import OperationModel
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

    from frogmove.config import Config
    from frogmove.s3.crt import CrtS3
    from frogmove.s3.limits import Limits
    from frogmove.s3.uri import Location


class Engine(StrEnum):
    """What sends the requests."""

    AUTO = "auto"
    BOTO3 = "boto3"
    CRT = "crt"


class Client:
    """S3 for one run, or for one Lambda process.

    Args:
        config: the endpoint and the credentials.
        limits: how much may be asked of S3.
        engine: what sends the requests, where the settings do not say.

    Attributes:
        s3: what to ask.
        endpoint_url: the address of the server.
        kms_key_id: the key that copies are encrypted with, where one was named.
        named_endpoint: the same where somebody named it, in whatever way; None where it is the
            Region's own.
        engine: what sends the requests, in words.

    Raises:
        UsageError: when the profile, the Region, the endpoint URL or the engine cannot be used.
    """

    def __init__(self, config: Config, limits: Limits, engine: Engine = Engine.BOTO3) -> None:
        renew = partial(make_boto_client, config, limits.concurrency)
        boto = BotoS3(renew(), limits.concurrency, renew)
        self._boto = boto
        self._engine, self.engine = _select_engine(boto, config, limits, engine)
        self.s3 = RetryingS3(self._engine, limits)
        self.endpoint_url = boto.endpoint_url
        is_own = is_default(boto.endpoint_url, boto.client.meta.region_name)
        self.kms_key_id = config.kms_key_id
        is_named = bool(config.endpoint_url) or not is_own
        self.named_endpoint = boto.endpoint_url if is_named else None

    def close(self) -> None:
        """Wait for the requests in flight and end the threads."""
        self._engine.close()

    @property
    def refused(self) -> list[str]:
        """What the server refused so far and is asked without, in words."""
        return self._boto.fallbacks.words

    def capabilities(self, destination: Location, stop: Event | None = None) -> Capabilities:
        """Tell which conditional requests the server honours.

        AWS is known, but for its directory buckets. Any other server is asked, once a run: an
        answer kept for longer would outlive the server that gave it.

        Args:
            destination: where two throw-away keys may be written to find out.
            stop: once set, nothing more is found out, and what was written is deleted.

        Raises:
            S3Error: when they cannot be written.
        """
        if is_aws(self.endpoint_url) and not is_directory_bucket(destination.bucket):
            return ALL_SUPPORTED
        return probe(self.s3, destination.bucket, destination.prefix, stop)


def _select_engine(
    boto: BotoS3, config: Config, limits: Limits, engine: Engine
) -> tuple[BotoS3 | CrtS3, str]:
    """Choose what sends the requests, and tell which it is and why."""
    try:
        chosen = Engine(config.engine or engine)
    except ValueError as error:
        raise UsageError(
            f"Unknown engine {config.engine!r}.", f"There are {', '.join(Engine)}."
        ) from error
    if chosen is Engine.BOTO3:
        return boto, "boto3, as asked for"
    try:
        return _crt_engine(boto, config, limits), "crt"
    except (ImportError, ValueError) as error:
        # awscrt has no wheels for some platforms, and cannot read every file of certificates.
        if chosen is Engine.CRT:
            raise UsageError(
                f"The engine crt cannot be used: {error}.",
                "Use --engine boto3, or fix what it says.",
            ) from error
        return boto, f"boto3, as crt cannot be used: {error}"


def _crt_engine(boto: BotoS3, config: Config, limits: Limits) -> CrtS3:
    """Make the engine for many small requests, with botocore's idea of the way to the server."""
    # The Lambda does without, and so does whoever has no awscrt.
    from botocore.httpsession import get_cert_path
    from botocore.session import Session
    from botocore.utils import get_environ_proxies

    from frogmove.s3.crt import CrtS3
    from frogmove.s3.transport import Transport

    bundle = trusted_bundle(Session(profile=config.profile).get_config_variable("ca_bundle"))
    transport = Transport(
        limits.concurrency,
        timeouts.CONNECT,
        bundle or get_cert_path(verify=True) or True,
        get_environ_proxies(boto.endpoint_url),
    )
    return CrtS3(boto, transport)


def make_boto_client(config: Config, connections: int) -> S3Client:
    """Make the client that settings mean, as boto3 would.

    Args:
        config: the endpoint and the credentials.
        connections: how many requests may be in flight at once.

    Raises:
        UsageError: when the profile, the Region or the endpoint URL cannot be used.
    """
    # botocore takes longer to import than everything else together, and boto3 a fifth more: it
    # makes this same client, after imports for transfers and resources that are not used here.
    from botocore import UNSIGNED
    from botocore.config import Config as BotoConfig

    boto_config = BotoConfig(
        max_pool_connections=connections,
        connect_timeout=timeouts.CONNECT,
        read_timeout=timeouts.SLOW,
        # RetryingS3 retries, for every implementation alike.
        retries={"mode": "standard", "total_max_attempts": 1},
        request_checksum_calculation="when_required",
        signature_version=UNSIGNED if config.no_sign_request else None,
        user_agent_extra=f"frogmove/{__version__}",
    )
    session = open_session(config.profile, unsigned=bool(config.no_sign_request))
    client = _create(session, config, boto_config)
    check(client.meta.endpoint_url, trusted_bundle(session.get_config_variable("ca_bundle")))
    bare = bare_url(client.meta.endpoint_url)
    if bare != client.meta.endpoint_url:
        # However it was named: nothing that prints or journals it is to know the rest.
        client = _create(session, replace(config, endpoint_url=bare), boto_config)
    events = client.meta.events
    events.register("provide-client-params.s3", partial(_add_common_parameters, config=config))
    if not config.no_sign_request:
        events.register("before-call.s3", partial(sign_in, session))
    events.register_first("needs-retry.s3.HeadBucket", _end_redirects)
    return client


def _create(session: Session, config: Config, boto_config: BotoConfig) -> S3Client:
    """Have botocore make a client.

    Raises:
        UsageError: when it cannot.
    """
    try:
        region = config.region or session.get_config_variable("region")
        made = session.create_client(
            "s3",
            region_name=region or ("us-east-1" if config.endpoint_url else None),
            endpoint_url=config.endpoint_url,
            config=boto_config,
        )
    except Exception as error:
        before, invalid, url = str(error).partition("Invalid endpoint: ")
        if invalid and not before:
            raise malformed_endpoint(url) from error
        raise UsageError(
            f"The AWS settings cannot be used: {words(error)}.",
            "Check --profile, --region and --endpoint-url.",
        ) from error
    return cast("S3Client", made)


def _end_redirects(
    response: tuple[object, dict[str, Any]] | None, operation: OperationModel, **_: object
) -> None:
    """Keep botocore from looking for a bucket's Region for ever.

    It asks HeadBucket for it, and where that too is sent elsewhere without a Region, again.

    Raises:
        ClientError: in that case, for botocore to give up.
    """
    from botocore.exceptions import ClientError

    if response is None:
        return
    told = response[1].get("ResponseMetadata", {})
    has_region = "x-amz-bucket-region" in told.get("HTTPHeaders", {})
    if told.get("HTTPStatusCode", 200) >= 300 and not has_region:
        raise ClientError(cast("Any", response[1]), operation.name)


def _add_common_parameters(
    params: dict[str, Any], model: OperationModel, config: Config, **_: object
) -> None:
    """Give every request that takes them what holds for all requests of a run."""
    owner = config.expected_bucket_owner
    common: dict[str, str | None] = {
        "RequestPayer": "requester" if config.requester_pays else None,
        "ExpectedBucketOwner": owner,
        "ExpectedSourceBucketOwner": owner,
    }
    if model.name in {"CopyObject", "CreateMultipartUpload", "PutObject"} and config.kms_key_id:
        common |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": config.kms_key_id}
    takes = model.input_shape.members if model.input_shape else {}
    params.update((name, value) for name, value in common.items() if value and name in takes)
