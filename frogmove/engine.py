"""Selects the HTTP engine: boto3 or crt.

The engines are imported when they are created: importing botocore takes longer than all of
frogmove, and neither ``frogmove --help`` nor shell completion needs it.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from frogmove import boto_session
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3 import timeouts

if TYPE_CHECKING:
    from frogmove.config import Config
    from frogmove.s3.boto import BotoS3
    from frogmove.s3.crt import CrtS3
    from frogmove.s3.limits import Limits


class Engine(StrEnum):
    """An HTTP engine."""

    AUTO = "auto"
    BOTO3 = "boto3"
    CRT = "crt"


def make_boto(config: Config, limits: Limits) -> BotoS3:
    """Create the boto3 engine.

    Args:
        config: the endpoint and the credentials.
        limits: the limits on requests to S3.

    Raises:
        UsageError: when the profile, the Region or the endpoint URL cannot be used.
    """
    # Lazy: see above.
    from frogmove.s3.boto import BotoS3

    renew = partial(boto_session.make_boto_client, config, limits.concurrency)
    return BotoS3(renew(), limits.concurrency, renew)


def select_engine(
    boto: BotoS3, config: Config, limits: Limits, engine: Engine
) -> tuple[BotoS3 | CrtS3, str]:
    """Select the HTTP engine.

    Args:
        boto: the boto3 engine, which also sends the requests that crt cannot.
        config: may name an engine.
        limits: the limits on requests to S3.
        engine: the default.

    Returns:
        the engine, and a description of it with the reason.

    Raises:
        UsageError: when the engine is unknown or cannot be used.
    """
    try:
        chosen = Engine(config.engine or engine)
    except ValueError as error:
        raise UsageError(
            f"Unknown engine {in_quotes(config.engine)}.", f"Choose from {', '.join(Engine)}."
        ) from error
    if chosen is Engine.BOTO3:
        return boto, "boto3, as requested"
    try:
        return _crt_engine(boto, limits), "crt"
    except (ImportError, ValueError) as error:
        # awscrt has no wheels for some platforms, and cannot read every CA bundle.
        if chosen is Engine.CRT:
            raise UsageError(
                f"The engine crt cannot be used: {error}.",
                "Fix the cause, or use --engine boto3.",
            ) from error
        return boto, f"boto3, because crt cannot be used: {error}"


def _crt_engine(boto: BotoS3, limits: Limits) -> CrtS3:
    """Create the crt engine, with botocore's proxies and CA bundle."""
    # Lazy: the Lambda does not use it, and awscrt may not be installed.
    from botocore.httpsession import get_cert_path
    from botocore.utils import get_environ_proxies

    from frogmove.s3.crt import CrtS3
    from frogmove.s3.transport import Transport

    proxies = get_environ_proxies(boto.endpoint_url)
    transport = Transport(
        limits.concurrency,
        timeouts.CONNECT,
        boto.bundle or get_cert_path(verify=True) or True,
        proxies,
        is_secure=boto.endpoint_url.startswith("https:") or bool(proxies),
    )
    return CrtS3(boto, transport)
