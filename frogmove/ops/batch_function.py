"""Finds the function that a job of S3 Batch Operations invokes, and checks its route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.errors import UsageError
from frogmove.ops.aws_request import AwsRequestError, Cause
from frogmove.ops.deployment import ALIAS, Deployment
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frogmove.core.models import Route

# The parts of the ARN of a function without an alias or a version.
_PARTS = 7


@dataclass(frozen=True, slots=True)
class JobFunction:
    """A function.

    Attributes:
        arn: its ARN, with its alias or version.
        variables: its environment variables, as far as they can be read.
    """

    arn: str
    variables: Mapping[str, str]

    @property
    def partition(self) -> str:
        """The partition of its ARN."""
        return self.arn.split(":")[1]

    def role_arn(self) -> str:
        """Return the role of its jobs, as the Terraform module names it."""
        _, partition, _, region, account, _, name, *_ = self.arn.split(":")
        return f"arn:{partition}:iam::{account}:role/{name}-{region}-batch"

    def check_route(self, route: Route) -> None:
        """Refuse a route of which the function would refuse the objects.

        Raises:
            UsageError: in that case.
        """
        source, destination = (
            self.variables.get(f"FROGMOVE_{end}", "") for end in ("SOURCE", "DESTINATION")
        )
        if not source or not destination:
            return
        own, there = parse_location(source), parse_location(destination)
        inside = route.source.prefix.removeprefix(own.prefix)
        is_same = (
            (own.bucket, there.bucket) == (route.source.bucket, route.destination.bucket)
            and route.source.prefix.startswith(own.prefix)
            and there.prefix + inside == route.destination.prefix
        )
        if not is_same:
            raise UsageError(
                f"The function {self.arn} moves from {own} to {there}, not from {route.source} to "
                f"{route.destination}.",
                "Give the function's own route, or another --function.",
            )


def find_function(deployment: Deployment) -> JobFunction:
    """Look a function up; without an alias or a version, its alias ``live`` if it has one.

    Raises:
        AwsRequestError: when it does not exist or cannot be read.
    """
    if deployment.function != deployment.name:
        return _read(deployment)
    try:
        return _read(Deployment(f"{deployment.name}:{ALIAS}", deployment.services))
    except AwsRequestError as error:
        if error.cause is not Cause.MISSING:
            raise
        return _read(deployment)


def _read(deployment: Deployment) -> JobFunction:
    # Without what the server says after the name: it may be the version of the alias.
    arn = ":".join(deployment.configuration["FunctionArn"].split(":")[:_PARTS])
    if deployment.function.count(":") in {1, _PARTS}:
        arn = f"{arn}:{deployment.function.rpartition(':')[2]}"
    return JobFunction(arn, deployment.variables)
