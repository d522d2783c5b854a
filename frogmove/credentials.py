"""Credentials: who gives them, and what is said when they cannot be had."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from frogmove.errors import UsageError
from frogmove.s3 import timeouts
from frogmove.s3.errors import SIGN_IN

if TYPE_CHECKING:
    from botocore.session import Session


def open_session(profile: str | None, *, unsigned: bool) -> Session:
    """Read the AWS configuration, and find out who gives credentials.

    Args:
        profile: a profile of it; None for the usual one.
        unsigned: whether no credentials are needed.

    Raises:
        UsageError: when the configuration cannot be read, or who gives credentials fails.
    """
    from botocore.config import Config
    from botocore.exceptions import ConfigParseError, ProfileNotFound
    from botocore.session import Session

    session = Session(profile=profile)
    try:
        # For STS and whoever else is asked for credentials: botocore would try for minutes.
        session.set_default_client_config(
            Config(
                connect_timeout=timeouts.CONNECT,
                read_timeout=timeouts.QUICK,
                retries={"mode": "standard", "total_max_attempts": 2},
            )
        )
        provider = session.get_component("credential_provider").get_provider("assume-role")
        provider._prompter = _ask_for_code  # noqa: SLF001
        if not unsigned:
            session.get_credentials()
    except ProfileNotFound as error:
        raise UsageError(
            f"There is no profile {error.kwargs['profile']!r} in the AWS configuration.",
            "Choose another with --profile or AWS_PROFILE; `aws configure list-profiles` has them.",
        ) from error
    except ConfigParseError as error:
        # Not botocore's own words, which quote the line, and with it perhaps a secret.
        raise UsageError(
            f"The AWS configuration file {error.kwargs['path']!r} is not in the INI format.",
            "Correct it, or name another in AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE.",
        ) from error
    except Exception as error:
        # Among them whatever a credential process said that is not JSON, or not UTF-8.
        raise UsageError(
            f"The AWS configuration gives no credentials: {words(error)}.",
            _remedy(session, error)
            or "Sign in again, or check --profile and what the AWS configuration says of it.",
        ) from error
    return session


def _remedy(session: Session, error: Exception) -> str:
    """Return what to do where it is known who gives no credentials; else nothing.

    Args:
        session: who has none.
        error: why.
    """
    from botocore.exceptions import BotoCoreError

    try:
        told = session.get_scoped_config()
    except BotoCoreError:
        return ""
    if "credential_process" in told and "custom-process" in str(error):
        named = f" of the profile {session.profile!r}" if session.profile else ""
        return (
            f"Run the credential_process{named} yourself to see what is wrong: it has to print "
            "credentials as JSON."
        )
    is_sso = not told.keys().isdisjoint({"sso_session", "sso_start_url"})
    if not is_sso and not type(error).__name__.startswith(_SSO_ERRORS):
        return ""
    profile = session.profile if is_sso else told.get("source_profile")
    named = f" --profile {shlex.quote(profile)}" if profile else ""
    return f"Sign in with: aws sso login{named}"


# Those of a role's source, whose own profile is the one that signs in.
_SSO_ERRORS = ("SSO", "UnauthorizedSSO", "TokenRetrieval", "InvalidSSO", "PendingAuthorization")


def _ask_for_code(prompt: str) -> str:
    """Ask the operator for an MFA code; never a pipe, which may be somebody else's data.

    Raises:
        ValueError: when there is no terminal.
    """
    from getpass import getpass

    try:
        Path("/dev/tty").open("rb").close()
    except OSError as error:
        raise ValueError("an MFA code is needed, and there is no terminal to type it") from error
    return getpass(prompt)


def words(error: Exception) -> str:
    """Return what an exception says, as a part of a sentence."""
    said = " ".join(str(error).split()).rstrip(".:")
    if isinstance(error, (AttributeError, KeyError, TypeError)):
        # From the depths of a library: they name nothing that people have written.
        return f"something in them is not as it should be ({type(error).__name__}: {said})"
    return said or type(error).__name__


def sign_in(session: Session, **_: object) -> None:
    """Get credentials before a request is signed, so that their failure is told from S3's.

    Args:
        session: who has them.

    Raises:
        S3Error: when they cannot be had.
    """
    try:
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()
    except Exception as error:
        from frogmove.s3.boto_answers import failed

        raise failed(SIGN_IN, error, remedy=_remedy(session, error)) from error
