"""Reads credentials, and reports why there are none."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frogmove import cpu_scheduling
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3 import timeouts
from frogmove.s3.errors import SIGN_IN

if TYPE_CHECKING:
    from botocore.credentials import ProcessProvider
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client


def open_session(profile: str | None, *, unsigned: bool, is_interactive: bool = True) -> Session:
    """Read the AWS configuration and find the provider of credentials.

    Args:
        profile: a profile; None for the default one.
        unsigned: whether no credentials are needed.
        is_interactive: whether the operator may be asked for an MFA code.

    Raises:
        UsageError: when the configuration cannot be read, or the provider fails.
    """
    from botocore.exceptions import ConfigParseError, ProfileNotFound
    from botocore.session import Session

    session = Session(profile=profile)
    try:
        _set_up(session, is_interactive=is_interactive)
        if not unsigned:
            session.get_credentials()
    except ProfileNotFound as error:
        raise UsageError(
            f"There is no profile {in_quotes(error.kwargs['profile'])} in the AWS configuration.",
            "Choose another one with --profile or AWS_PROFILE; see `aws configure list-profiles`.",
        ) from error
    except ConfigParseError as error:
        # Not botocore's message, which quotes the line and perhaps a secret in it.
        raise UsageError(
            f"The AWS configuration file {in_quotes(error.kwargs['path'])} is not in the INI "
            "format.",
            "Correct it, or set AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE to another file.",
        ) from error
    except Exception as error:
        # For example a credential process whose output is not JSON, or not UTF-8.
        raise UsageError(
            f"The AWS configuration provides no credentials: {words(error)}.",
            _remedy(session, error)
            or "Sign in again, or check --profile and its section in the AWS configuration.",
        ) from error
    return session


def _set_up(session: Session, *, is_interactive: bool) -> None:
    from botocore.config import Config

    from frogmove.service_models import find_directly

    find_directly(session)
    # For requests to STS and other providers, which botocore would retry for minutes.
    session.set_default_client_config(
        Config(
            connect_timeout=timeouts.CONNECT,
            read_timeout=timeouts.QUICK,
            retries={"mode": "standard", "total_max_attempts": 2},
        )
    )
    resolver = session.get_component("credential_provider")
    provider = resolver.get_provider("assume-role")
    provider._prompter = _ask_for_code if is_interactive else _ask_nobody  # noqa: SLF001
    _start_unpinned(resolver.get_provider("custom-process"))
    # A role's source profile has a provider of its own.
    builder = provider._profile_provider_builder  # noqa: SLF001
    make = builder._create_process_provider  # noqa: SLF001
    builder._create_process_provider = lambda profile_name: _start_unpinned(make(profile_name))  # noqa: SLF001


def _start_unpinned(provider: ProcessProvider) -> ProcessProvider:
    """Let a credential_process, and an agent that it may start, not inherit a run's core."""

    def start(*command: Any, **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401
        return cpu_scheduling.start_unpinned(lambda: subprocess.Popen(*command, **options))

    provider._popen = start  # type: ignore[attr-defined]  # noqa: SLF001
    return provider


def assume_role(session: Session, role_arn: str) -> None:
    """Let a session assume a role with its credentials, at the first request and when they expire.

    Args:
        session: the session.
        role_arn: the role's ARN.
    """
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    fetcher = AssumeRoleCredentialFetcher(
        session.create_client,
        session.get_credentials(),
        role_arn,
        extra_args={"RoleSessionName": "frogmove"},
    )
    # botocore has no public way to set credentials that expire.
    session._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]  # noqa: SLF001
        fetcher.fetch_credentials, "assume-role"
    )


def _remedy(session: Session, error: Exception) -> str:
    """Return what to do, if the provider that failed is known; else an empty text.

    Args:
        session: the session without credentials.
        error: the reason.
    """
    from botocore.exceptions import BotoCoreError

    try:
        config = session.get_scoped_config()
    except BotoCoreError:
        return ""
    if "credential_process" in config and "custom-process" in str(error):
        named = f" of the profile {in_quotes(session.profile)}" if session.profile else ""
        return (
            f"Run the credential_process{named} yourself to see what is wrong: it has to print "
            "credentials as JSON."
        )
    is_sso = not config.keys().isdisjoint({"sso_session", "sso_start_url"})
    if not is_sso and not type(error).__name__.startswith(_SSO_ERRORS):
        return ""
    # For a role, its source profile is the one that signs in.
    profile = session.profile if is_sso else config.get("source_profile")
    named = f" --profile {shlex.quote(profile)}" if profile else ""
    return f"Sign in with: aws sso login{named}"


_SSO_ERRORS = ("SSO", "UnauthorizedSSO", "TokenRetrieval", "InvalidSSO", "PendingAuthorization")


def account_of(client: S3Client) -> str | None:
    """Return what identifies the account of a client's credentials; None if there are none.

    That is the account's id, if it is known. Access keys of AWS contain it. Access keys of other
    servers stand for their accounts.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    # botocore has no public way to learn the credentials of a client.
    found = client._get_credentials()  # type: ignore[attr-defined]  # noqa: SLF001
    if found is None:
        return None
    account: str | None = found.get_frozen_credentials().account_id
    return account or _account_of_key(found.access_key)


# AKIA for a user, ASIA for a session; then ten bytes in base32, of which 40 bits are the account.
_ACCESS_KEY = re.compile(r"A[KS]IA([A-Z2-7]{16})")


def _account_of_key(access_key: str) -> str:
    found = _ACCESS_KEY.fullmatch(access_key)
    if found is None:
        return f"key:{hashlib.sha256(access_key.encode()).hexdigest()[:16]}"
    bits = int.from_bytes(base64.b32decode(found[1])[:6], "big")
    return f"{(bits & 0x7FFFFFFFFF80) >> 7:012}"


def _ask_for_code(prompt: str) -> str:
    """Ask the operator for an MFA code on the terminal; never read it from a pipe.

    Raises:
        ValueError: when there is no terminal.
    """
    from getpass import getpass

    try:
        Path("/dev/tty").open("rb").close()
    except OSError as error:
        raise ValueError("an MFA code is needed, but there is no terminal") from error
    return getpass(prompt)


def _ask_nobody(_prompt: str) -> str:
    """Refuse to ask for an MFA code.

    Raises:
        ValueError: always.
    """
    raise ValueError("an MFA code is needed")


def words(error: Exception) -> str:
    """Return the message of an exception as a part of a sentence."""
    message = " ".join(str(error).split()).rstrip(".:")
    if isinstance(error, (AttributeError, KeyError, TypeError)):
        # Internal errors of a library, which do not name a setting.
        return f"a setting is not valid ({type(error).__name__}: {message})"
    return message or type(error).__name__


def sign_in(session: Session, **_: object) -> None:
    """Get credentials before a request is signed, to distinguish this failure from S3's.

    Args:
        session: the session.

    Raises:
        S3Error: when there are none.
    """
    try:
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()
    except Exception as error:
        from frogmove.s3.boto_errors import failed

        raise failed(SIGN_IN, error, remedy=_remedy(session, error)) from error
