"""Credentials that cannot be had: one sentence, exit 2, and nothing that hangs."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.canned_server import canned_server, error, nobody_listening
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Server

EXPIRED = json.dumps(
    {
        "Version": 1,
        "AccessKeyId": "AKIA",
        "SecretAccessKey": "s",
        "SessionToken": "t",
        "Expiration": "2020-01-01T00:00:00Z",
    }
)

ROLE = "role_arn = arn:aws:iam::123456789012:role/mover\n"

# What the AWS configuration says, and what of it the sentence has to name.
BROKEN = {
    "helper-fails": ("credential_process = sh -c 'echo sign in first >&2; exit 1'", "sign in"),
    "helper-says-nothing": ("credential_process = false", "custom-process."),
    "helper-missing": ("credential_process = /no/such/helper", "/no/such/helper"),
    "helper-babbles": ("credential_process = echo hello", "credential"),
    "helper-lists": ("credential_process = echo []", "credential"),
    "helper-latin": (r"credential_process = printf '\351'", "credential"),
    "helper-stale": (f"credential_process = printf '%s' '{EXPIRED}'", "expired"),
    "no-token-file": (ROLE + "web_identity_token_file = /no/such/token", "/no/such/token"),
    "no-source": (ROLE + "source_profile = nobody", "nobody"),
    "no-sso-token": (
        """sso_session = s
sso_account_id = 123456789012
sso_role_name = r
[sso-session s]
sso_region = eu-central-1
sso_start_url = https://x.invalid/start""",
        "SSO",
    ),
    "malformed": ("credential_process\n= = [[", "config"),
}

MFA = ROLE + "source_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me"

COMMANDS = {"ls": ["ls"], "move": ["move", "--all"], "dry": ["sync", "-n"]}


@dataclass(frozen=True, slots=True)
class Somebody:
    """An operator whose credentials come from an AWS configuration file."""

    runner: FrogmoveRunner
    config: Path
    engine: str

    def environment(self, profile: str, endpoint_url: str | None = None) -> dict[str, str | None]:
        self.config.write_text(
            "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"
            f"[profile broken]\n{profile}\n"
        )
        reported: dict[str, str | None] = {
            "AWS_ACCESS_KEY_ID": None,
            "AWS_SECRET_ACCESS_KEY": None,
            "AWS_SESSION_TOKEN": None,
            "AWS_CONFIG_FILE": str(self.config),
            "AWS_PROFILE": "broken",
            "FROGMOVE_ENGINE": self.engine,
        }
        return (
            reported if endpoint_url is None else {**reported, "AWS_ENDPOINT_URL_STS": endpoint_url}
        )


@pytest.fixture(params=ENGINES)
def somebody(request: pytest.FixtureRequest, moto: Server, tmp_path: Path) -> Somebody:
    buckets = Buckets.make(moto)
    buckets.put("a")
    return Somebody(FrogmoveRunner(buckets), tmp_path / "aws.config", request.param)


def printed(somebody: Somebody, command: list[str], environment: dict[str, str | None]) -> str:
    """Run a command as somebody; return the one sentence it ends with."""
    ran = somebody.runner(*command, **environment)
    assert (ran.code, ran.out) == (2, ""), ran
    return _sentence(ran.err)


def said_without_terminal(
    somebody: Somebody, command: list[str], environment: dict[str, str | None]
) -> str:
    """Do the same in a process of its own, which may not hang."""
    process = somebody.runner.process(
        *command,
        env=environment,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        out, err = process.communicate(timeout=50)
    finally:
        process.kill()
    assert (process.returncode, out) == (2, b""), err
    return _sentence(err.decode())


def _sentence(reported: str) -> str:
    assert "Traceback" not in reported
    sentences = [line for line in reported.splitlines() if line.startswith("Error: ")]
    assert len(sentences) == 1, reported
    assert len(reported.splitlines()) <= 2, reported
    assert ":." not in reported
    return sentences[0]


@pytest.mark.parametrize("name", BROKEN)
def test_credentials_that_cannot_be_had_are_one_sentence(somebody: Somebody, name: str) -> None:
    profile, named = BROKEN[name]
    reported = printed(somebody, ["ls"], somebody.environment(profile))
    assert named.lower() in reported.lower()
    assert "InvalidAccessKeyId" not in reported
    assert somebody.runner.buckets.here() == {"a": b"a"}


def test_aws_config_file_that_is_no_ini_file_is_named_and_not_quoted(somebody: Somebody) -> None:
    environment = somebody.environment("region = eu-central-1\nsecret-of-mine\n")
    ran = somebody.runner("ls", **environment)
    assert ran.code == 2, ran
    assert repr(str(somebody.config)) in _sentence(ran.err)
    assert "AWS_CONFIG_FILE" in ran.err
    assert "Sign in" not in ran.err
    assert "secret-of-mine" not in ran.err


SSO = """sso_session = s
sso_account_id = 123456789012
sso_role_name = r
[sso-session s]
sso_region = eu-central-1
sso_start_url = https://x.invalid/start
"""

TOKENS = {
    "missing": None,
    "expired": json.dumps({"accessToken": "t", "expiresAt": "2020-01-01T00:00:00Z"}),
    "cut off": "{",
    "empty": "{}",
}


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize("chained", [False, True])
def test_sso_without_a_token_says_how_to_sign_in(
    somebody: Somebody, name: str, chained: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    token = TOKENS[name]
    if token is not None:
        cache = tmp_path / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        (cache / f"{hashlib.sha1(b's').hexdigest()}.json").write_text(token)
    role = f"{ROLE}source_profile = person\n[profile person]\n"
    environment = somebody.environment(f"{role}{SSO}" if chained else SSO)
    ran = somebody.runner("ls", **environment)
    assert ran.code == 2, ran
    _sentence(ran.err)
    assert f"aws sso login --profile {'person' if chained else 'broken'}" in ran.err


def test_credential_process_that_fails_is_to_be_tried_alone(somebody: Somebody) -> None:
    ran = somebody.runner("ls", **somebody.environment(BROKEN["helper-fails"][0]))
    assert ran.code == 2
    assert "sign in first" in ran.err
    assert "Run the credential_process of the profile 'broken' yourself" in ran.err


def test_profile_that_is_not_there_is_named(somebody: Somebody) -> None:
    reported = printed(somebody, ["ls", "--profile", "nobody"], somebody.environment(""))
    assert "There is no profile 'nobody'" in reported


def test_credentials_that_were_never_sent_are_not_called_refused(somebody: Somebody) -> None:
    environment = somebody.environment("") | {"AWS_EC2_METADATA_DISABLED": "true"}
    assert "No credentials for" in printed(somebody, ["ls"], environment)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_credentials_that_are_stale_end_every_command(
    somebody: Somebody, command: list[str]
) -> None:
    environment = somebody.environment(BROKEN["helper-stale"][0])
    assert "expired" in said_without_terminal(somebody, command, environment)


def test_mfa_code_is_not_asked_for_without_a_terminal(somebody: Somebody) -> None:
    reported = said_without_terminal(somebody, ["ls"], somebody.environment(MFA))
    assert "MFA" in reported


def test_sts_refusal_names_sts(somebody: Somebody) -> None:
    profile = ROLE + "source_profile = base"
    denial = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
        "<Code>AccessDenied</Code><Message>base may not assume mover</Message>"
        "</Error></ErrorResponse>"
    )
    with canned_server((403, denial)) as sts:
        reported = printed(somebody, ["ls"], somebody.environment(profile, sts.endpoint_url))
    assert "AssumeRole" in reported
    assert "STS" in reported
    assert "base may not assume mover" in reported


def test_sts_that_does_not_answer_is_named_and_not_s3(somebody: Somebody) -> None:
    profile = ROLE + "source_profile = base"
    with nobody_listening() as sts:
        reported = printed(somebody, ["ls"], somebody.environment(profile, sts))
    assert sts in reported
    assert somebody.runner.buckets.server.endpoint_url not in reported


def test_credential_process_that_fails_after_s3_found_the_credentials_expired_is_reported(
    somebody: Somebody, tmp_path: Path
) -> None:
    once = tmp_path / "once"
    good = json.dumps({"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "s"})
    helper = tmp_path / "helper"
    helper.write_text(
        f"#!/bin/sh\n[ -e {once} ] && {{ echo sign in again >&2; exit 1; }}\n"
        f"touch {once}\necho '{good}'\n"
    )
    helper.chmod(0o755)
    environment = somebody.environment(f"credential_process = {helper}")
    with canned_server((400, error("ExpiredToken"))) as script:
        reported = printed(somebody, ["ls", "--endpoint-url", script.endpoint_url], environment)
    assert "sign in again" in reported
