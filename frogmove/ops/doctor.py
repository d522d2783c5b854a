"""Examines everything that a route depends on, with what to do for each fault."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from frogmove.core.advice import advise
from frogmove.errors import UsageError
from frogmove.ops import function_checks, leftovers
from frogmove.ops.aws_request import AwsRequestError
from frogmove.ops.bucket_checks import BucketChecks
from frogmove.ops.check import Check, State, until_unresponsive
from frogmove.ops.identity_checks import check_identity, check_invocation
from frogmove.ops.key_checks import KeyChecks
from frogmove.ops.permission_checks import check_permissions
from frogmove.ops.queue_checks import check_dead_letters
from frogmove.ops.tag_guard import check_tag_guard
from frogmove.ops.wiring_checks import WiringChecks
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from frogmove.client import Client
    from frogmove.config import Config
    from frogmove.ops.deployment import Deployment


class Doctor:
    """Examines a route.

    On servers other than AWS, two temporary keys are written to the destination and deleted, to
    find out which conditions the server honours.

    Args:
        config: the route.
        deployment: its function.
        client: the client for its buckets.
        s3: botocore's client for the same.
    """

    def __init__(
        self, config: Config, deployment: Deployment, client: Client, s3: S3Client
    ) -> None:
        self._config = config
        self._route = config.route()
        self._deployment = deployment
        deployment.services.pending.gives_up = True
        self._client = client
        self._s3 = s3
        self._now = datetime.now(UTC)
        self._is_conditional = False
        self._caller: str | None = None

    def checks(self) -> Iterator[Check]:
        """Yield each check as soon as it is known.

        Raises:
            UnreachableError: when AWS does not respond.
        """
        return until_unresponsive(
            chain(
                self._identity(),
                self._buckets(),
                self._endpoint(),
                self._permissions(),
                self._function(),
                self._leftovers(),
            )
        )

    def _identity(self) -> Iterator[Check]:
        for check in check_identity(self._deployment.services):
            self._caller = check.facts.get("arn", self._caller)
            yield check

    def _buckets(self) -> Iterator[Check]:
        region = role = None
        # If it cannot be read, the check of the function says so.
        with suppress(AwsRequestError):
            configuration = self._deployment.configuration
            region, role = configuration["FunctionArn"].split(":")[3], configuration.get("Role")
        for end in ("source", "destination"):
            location = getattr(self._route, end)
            owner = self._config.expected_bucket_owner
            facts: dict[str, Any] = {}
            is_gated = self._config.require_tag is not None
            for check in BucketChecks(self._s3, end, location, region, owner, is_gated).checks():
                facts |= check.facts
                yield check
            own = self._copies_key() if end == "destination" else None
            key, place = own or facts.get("kms_key_id"), facts.get("region")
            if key is not None:
                yield from KeyChecks(
                    self._s3,
                    self._deployment.services,
                    end,
                    location,
                    key,
                    place,
                    self._caller,
                    role,
                ).checks()

    def _copies_key(self) -> str | None:
        """Return the key that copies are encrypted with; None for the bucket's default."""
        function = None
        with suppress(AwsRequestError, UsageError):
            function = self._deployment.settings.client_config.kms_key_id
        return self._config.kms_key_id or function

    def _endpoint(self) -> Iterator[Check]:
        name = "endpoint"
        try:
            found = self._client.capabilities(self._route.destination)
        except S3Error as error:
            yield Check(name, State.UNKNOWN, error.detail, advise(error))
            return
        self._is_conditional = found.delete
        url, facts = self._client.endpoint_url, {"shortcomings": list(found.shortcomings)}
        if not found.shortcomings:
            yield Check(name, State.OK, f"{url} honours every condition", facts=facts)
            return
        # frogmove does without: with a HEAD request before each delete.
        yield Check(name, State.OK, f"{url} {'; '.join(found.shortcomings)}", facts=facts)

    def _permissions(self) -> Iterator[Check]:
        # What the server honours is known only when this is reached.
        yield from check_permissions(self._s3, self._route, is_conditional=self._is_conditional)

    def _function(self) -> Iterator[Check]:
        deployment = self._deployment
        function = function_checks.check_state(deployment)
        yield function
        if function.is_missing:
            return
        yield function_checks.check_concurrency(deployment)
        yield function_checks.check_settings(deployment, self._config)
        yield function_checks.check_scan_gate(deployment, self._config)
        yield from self._quarantine()
        yield from check_tag_guard(self._s3, deployment, self._route.source)
        yield from check_invocation(deployment)
        yield function_checks.check_log(deployment, self._now)
        yield from WiringChecks(self._s3, self._route.source, deployment).checks()
        yield check_dead_letters(deployment)

    def _quarantine(self) -> Iterator[Check]:
        quarantine = None
        # If it cannot be read, the check of the scan gate says so.
        with suppress(AwsRequestError, UsageError):
            quarantine = self._deployment.settings.scan_gate.quarantine
        if quarantine is not None:
            yield BucketChecks(self._s3, "quarantine", quarantine.destination, None).can_list()

    def _leftovers(self) -> Iterator[Check]:
        for end in ("source", "destination"):
            location = getattr(self._route, end)
            yield leftovers.check_uploads(self._s3, end, location, self._now)
            yield leftovers.check_probes(self._s3, end, location, self._now)
