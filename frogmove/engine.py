"""The engines, boto3 and crt: which one sends the requests.

They are imported when they are made: botocore takes longer to import than all of frogmove, and
neither ``frogmove --help`` nor the completion of a shell needs it.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from frogmove import boto_session
from frogmove.errors import UsageError
from frogmove.s3 import timeouts
from frogmove.s3.network_path import trusted_bundle

if TYPE_CHECKING:
    from frogmove.config import Config
    from frogmove.s3.boto import BotoS3
    from frogmove.s3.crt import CrtS3
    from frogmove.s3.limits import Limits


class Engine(StrEnum):
    """What sends the requests."""

    AUTO = "auto"
    BOTO3 = "boto3"
    CRT = "crt"


def make_boto(config: Config, limits: Limits) -> BotoS3:
    """Make boto3's engine.

    Args:
        config: the endpoint and the credentials.
        limits: how much may be asked of S3.

    Raises:
        UsageError: when the profile, the Region or the endpoint URL cannot be used.
    """
    # botocore: see above.
    from frogmove.s3.boto import BotoS3

    renew = partial(boto_session.make_boto_client, config, limits.concurrency)
    return BotoS3(renew(), limits.concurrency, renew)


def select_engine(
    boto: BotoS3, config: Config, limits: Limits, engine: Engine
) -> tuple[BotoS3 | CrtS3, str]:
    """Choose what sends the requests.

    Args:
        boto: boto3's engine, which does what the other cannot.
        config: names an engine, or does not.
        limits: how much may be asked of S3.
        engine: the one to use where the configuration names none.

    Returns:
        the engine, and in words which it is and why.

    Raises:
        UsageError: when there is no such engine, or it cannot be used.
    """
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
