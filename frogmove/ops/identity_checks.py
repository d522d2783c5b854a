"""Checks of the credentials, of the clock, and of the versions here and in the function."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from frogmove import __version__
from frogmove.errors import FrogmoveError
from frogmove.ops.aws_request import SET_CLOCK, AwsRequestError, send
from frogmove.ops.check import Check, State, unknown_check
from frogmove.ops.function_checks import rollback_remedy
from frogmove.ops.invoke import call, lambda_client
from frogmove.s3.capabilities import probe_name
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from frogmove.ops.clients import Services
    from frogmove.ops.deployment import Deployment

# S3 refuses requests whose time differs by more than 15 minutes.
# https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
_REFUSED_SECONDS = 900
_NOTICED_SECONDS = 60


def check_identity(
    services: Services, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[Check]:
    """Check the credentials, and the clock by the server's.

    Args:
        services: clients for AWS.
        clock: returns the current time.
    """
    client = services.client("sts")
    before = clock()
    try:
        # It needs no permission.
        found: dict[str, Any] = send("sts:GetCallerIdentity", client.get_caller_identity)
        facts = {"account": found["Account"], "arn": found["Arn"]}
    except AwsRequestError as error:
        if isinstance(error.__cause__, ClientError):
            yield from _clock(error.__cause__.response, before, clock())
        yield unknown_check("credentials", error)
        return
    yield Check("credentials", State.OK, found["Arn"], facts=facts)
    yield from _clock(found, before, clock())


def _clock(response: Mapping[str, Any], before: datetime, after: datetime) -> Iterator[Check]:
    """Check the clock by a response, and the times before and after its request."""
    try:
        date = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
        # Without the zone that HTTP requires, they cannot be compared.
        seconds = max((before - date).total_seconds(), (date - after).total_seconds(), 0)
    except (KeyError, TypeError, ValueError):
        return
    yield _compare_clocks(seconds)


def _compare_clocks(seconds: float) -> Check:
    facts = {"seconds": round(seconds, 1)}
    message = f"differs from the server's by {seconds:.0f} s"
    if seconds > _REFUSED_SECONDS:
        return Check("clock", State.BROKEN, f"{message}: S3 refuses requests", SET_CLOCK, facts)
    if seconds > _NOTICED_SECONDS:
        return Check("clock", State.WARNING, message, SET_CLOCK, facts)
    return Check("clock", State.OK, message, facts=facts)


def check_invocation(deployment: Deployment) -> Iterator[Check]:
    """Invoke the function: for its version, and to look up a key that does not exist."""
    client = lambda_client(deployment.services)
    try:
        found = call(client, deployment.function, {"action": "ping"}).response
    except AwsRequestError as error:
        yield unknown_check("invocation", error)
        return
    except FrogmoveError as error:
        remedy = f"{error.remedy} frogmove lambda logs --failed {deployment.option}"
        yield Check("invocation", State.BROKEN, error.message, remedy.strip())
        return
    version = found.get("version") if isinstance(found, dict) else None
    facts = {"version": version, "own_version": __version__}
    if version == __version__:
        yield Check("version", State.OK, f"{version} here and in the function", facts=facts)
    else:
        message = f"{__version__} here, {version} in the function"
        remedy = "Upgrade the older one: frogmove lambda package, then apply; or this command."
        yield Check("version", State.WARNING, message, remedy, facts)
    yield _lookup(deployment)


def _lookup(deployment: Deployment) -> Check:
    """Let the function look for a key that does not exist, with its own permissions."""
    try:
        prefix = parse_location(deployment.variables.get("FROGMOVE_SOURCE", "")).prefix
    except FrogmoveError:
        prefix = ""
    asked = {"action": "move", "keys": [prefix + probe_name()], "dry_run": True}
    try:
        found = call(lambda_client(deployment.services), deployment.function, asked).response
    except FrogmoveError as error:
        remedy = f"{error.remedy} Then, if it worked before: {rollback_remedy(deployment)}".strip()
        return Check("invocation", State.BROKEN, error.message, remedy)
    response = found if isinstance(found, dict) else {}
    if response.get("counts") == {"gone": 1}:
        return Check("invocation", State.OK, "the function can read the source")
    results = response.get("results")
    reasons = "; ".join(
        str(each.get("reason"))
        for each in (results if isinstance(results, list) else [])
        if isinstance(each, dict)
    )
    message = f"the function cannot read the source: {reasons or found}"
    return Check("invocation", State.BROKEN, message, "Check the policy of its role.")
