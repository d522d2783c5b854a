"""Creates the botocore client for a configuration, as boto3 would."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from frogmove import __version__
from frogmove.config import RoleConfig
from frogmove.credentials import assume_role, open_session, sign_in, words
from frogmove.errors import UsageError
from frogmove.redaction import bare_url
from frogmove.s3 import timeouts
from frogmove.s3.network_path import check, malformed_endpoint, trusted_bundle

if TYPE_CHECKING:
    from botocore.config import Config as BotoConfig
    from botocore.model import OperationModel
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

    from frogmove.config import Config


def make_boto_client(
    config: Config,
    connections: int,
    *,
    is_interactive: bool = True,
    attempts: int = 1,
    read_timeout: float = timeouts.SLOW,
) -> S3Client:
    """Create the client for a configuration, as boto3 would.

    Args:
        config: the endpoint and the credentials.
        connections: maximum concurrent requests.
        is_interactive: whether the operator may be asked for an MFA code.
        attempts: how often botocore sends a request; once where RetryingS3 retries.
        read_timeout: seconds until the first byte of a response.

    Raises:
        UsageError: when the profile, the Region or the endpoint URL cannot be used.
    """
    # Lazy: importing botocore takes longer than all other imports. boto3 would add a fifth, for
    # transfers and resources that are not used here, and create the same client.
    from botocore import UNSIGNED
    from botocore.config import Config as BotoConfig

    boto_config = BotoConfig(
        max_pool_connections=connections,
        connect_timeout=timeouts.CONNECT,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        request_checksum_calculation="when_required",
        signature_version=UNSIGNED if config.no_sign_request else None,
        user_agent_extra=f"frogmove/{__version__}",
    )
    session = open_session(
        config.profile, unsigned=bool(config.no_sign_request), is_interactive=is_interactive
    )
    if isinstance(config, RoleConfig):
        assume_role(session, config.role_arn)
    client = _create(session, config, boto_config)
    check(client.meta.endpoint_url, trusted_bundle(session.get_config_variable("ca_bundle")))
    bare = bare_url(client.meta.endpoint_url)
    if bare != client.meta.endpoint_url:
        # Without its secrets, so that they are not printed or recorded.
        client = _create(session, replace(config, endpoint_url=bare), boto_config)
    _register(client, session, config)
    return client


def _register(client: S3Client, session: Session, config: Config) -> None:
    """Register what is done before requests, and after some responses."""
    events = client.meta.events
    events.register("provide-client-params.s3", partial(_add_common_parameters, config=config))
    if not config.no_sign_request:
        events.register("before-call.s3", partial(sign_in, session))
    events.register_first("needs-retry.s3.HeadBucket", _end_redirects)


def _create(session: Session, config: Config, boto_config: BotoConfig) -> S3Client:
    """Let botocore create a client.

    Raises:
        UsageError: when it refuses the settings.
    """
    try:
        region = config.region or session.get_config_variable("region")
        region = region or ("us-east-1" if config.endpoint_url else None)
    except Exception as error:
        raise _unusable(error) from error
    return cast("S3Client", create_client(session, "s3", region, config.endpoint_url, boto_config))


def create_client(
    session: Session,
    service: str,
    region: str | None,
    endpoint_url: str | None,
    boto_config: BotoConfig | None,
) -> Any:  # noqa: ANN401 - each service has its own class
    """Let botocore create a client.

    Args:
        session: who asks.
        service: botocore's name of the AWS service.
        region: the AWS Region; None for the configuration's.
        endpoint_url: a server instead of AWS's own; None for that.
        boto_config: botocore's settings; None for its own.

    Raises:
        UsageError: when it cannot be made.
    """
    try:
        return session.create_client(
            service, region_name=region, endpoint_url=endpoint_url, config=boto_config
        )
    except Exception as error:
        before, invalid, url = str(error).partition("Invalid endpoint: ")
        if invalid and not before:
            raise malformed_endpoint(url) from error
        raise _unusable(error) from error


def _unusable(error: Exception) -> UsageError:
    return UsageError(
        f"The AWS settings cannot be used: {words(error)}.",
        "Check --profile, --region and --endpoint-url.",
    )


def _end_redirects(
    response: tuple[object, dict[str, Any]] | None, operation: OperationModel, **_: object
) -> None:
    """Stop botocore's endless search for a bucket's Region.

    It sends HeadBucket requests, and repeats them if the response is a redirect without a Region.

    Raises:
        ClientError: in that case, so that botocore stops.
    """
    from botocore.exceptions import ClientError

    if response is None:
        return
    metadata = response[1].get("ResponseMetadata", {})
    has_region = "x-amz-bucket-region" in metadata.get("HTTPHeaders", {})
    if metadata.get("HTTPStatusCode", 200) >= 300 and not has_region:
        raise ClientError(cast("Any", response[1]), operation.name)


def _add_common_parameters(
    params: dict[str, Any], model: OperationModel, config: Config, **_: object
) -> None:
    """Add the parameters that all requests of a run have, where an operation supports them."""
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
