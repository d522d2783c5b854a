"""The connection to one server: the identity, and what the server supports."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from frogmove.config import Config
from frogmove.core import preflight
from frogmove.core.advice import explain_errors
from frogmove.core.run_spec import CONCURRENCY
from frogmove.core.server_facts import ServerFacts
from frogmove.credentials import account_of
from frogmove.engine import Engine, make_boto, select_engine
from frogmove.s3.aws_hosts import is_aws, is_default
from frogmove.s3.bucket_features import read_features, request_features
from frogmove.s3.capabilities import AWS, NONE_SUPPORTED, Capabilities, probe
from frogmove.s3.limits import Limits
from frogmove.s3.retry import RetryingS3
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from frogmove.core.models import Route
    from frogmove.s3.future import Future
    from frogmove.s3.models import Page
    from frogmove.s3.uri import Location

Guard = Callable[[], AbstractContextManager[Event | None]]


class Connection:
    """A connection to a server, with credentials; see :class:`frogmove.client.Client`."""

    def __init__(
        self,
        config: Config | None = None,
        limits: Limits | None = None,
        engine: Engine = Engine.AUTO,
    ) -> None:
        self.config = config or Config()
        self._limits = limits or Limits(CONCURRENCY)
        self._boto = boto = make_boto(self.config, self._limits)
        self._engine, self.engine = select_engine(boto, self.config, self._limits, engine)
        self.s3 = RetryingS3(self._engine, self._limits)
        self.endpoint_url = boto.endpoint_url
        self.region = boto.client.meta.region_name
        is_own = is_default(boto.endpoint_url, self.region)
        is_named = bool(self.config.endpoint_url) or not is_own
        self.named_endpoint = boto.endpoint_url if is_named else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop all threads."""
        self._engine.close()

    @property
    def account(self) -> str | None:
        """What identifies the account of the credentials; None for unsigned requests."""
        return None if self.config.no_sign_request else account_of(self._boto.client)

    @property
    def refused(self) -> list[str]:
        """Descriptions of the parameters that the server has refused and that are left out."""
        return self._boto.fallbacks.words

    @property
    def server_time(self) -> str | None:
        """The time of a recent response, in ISO 8601; None if the server sends none.

        The times of objects are by the same clock; the local one may be wrong.
        """
        time = self._boto.server_time
        return None if time is None else time.isoformat(timespec="seconds")

    def preflight(
        self,
        route: Route,
        *,
        probed: Location,
        listed: Collection[Location] = (),
        first: Mapping[Location, str] = MappingProxyType({}),
        dry_run: bool = False,
        checked: bool = True,
        guard: Guard = nullcontext,
    ) -> ServerFacts:
        """Check that both ends of a route can be used and differ; detect their capabilities.

        Args:
            route: the route.
            probed: the end to which temporary keys may be written.
            listed: the ends that must be listed.
            first: the prefix of each of these ends of which a listing will begin next.
            dry_run: whether writing is not allowed.
            checked: whether both ends are checked first; the function skips that to start faster,
                because the requests for the upload show the same errors.
            guard: a context for probes that write temporary keys and must not be interrupted; it
                may return an event that ends them early.

        Raises:
            UsageError: when both ends are one bucket under two names.
            UnreachableError: when a bucket cannot be used.
        """
        ends = (route.source, route.destination) if checked else ()
        self.s3.forget_early()
        pages = [(end, self.s3.list_early(end.bucket, prefix)) for end, prefix in first.items()]
        pages += preflight.request_pages(self.s3, *(end for end in ends if end not in first))
        features = None
        if pages and self._is_signed_in(pages):
            # Read below: they arrive with the pages, or while the capabilities are tested.
            features = request_features(self.s3, route.source.bucket)
        preflight.read_pages(pages, must_list=listed)
        if features is None:
            features = request_features(self.s3, route.source.bucket)
        with guard() as stop, explain_errors(probed.bucket):
            preflight.check_distinct(self.s3, route, probed, dry_run=dry_run)
            # A dry run never writes, so it tests nothing.
            capabilities = NONE_SUPPORTED if dry_run else self.capabilities(probed, stop)
        with explain_errors(route.source.bucket):
            return ServerFacts(capabilities, read_features(features))

    def _is_signed_in(self, pages: Iterable[tuple[Location, Future[Page]]]) -> bool:
        """Tell whether there are credentials for further requests, or none are needed.

        crt signs in the caller's thread. boto3 signs later, and each request without credentials
        would ask for them again, perhaps the operator for an MFA code.

        Args:
            pages: requests that have just been sent, and their responses.
        """
        failed = any(page.done() and page.exception() for _, page in pages)
        return self._engine is not self._boto and not failed

    def capabilities(self, destination: Location, stop: Event | None = None) -> Capabilities:
        """Return which conditional requests the server honours.

        They are known for AWS, except for directory buckets. Any other server is tested once per
        run, because it may change between runs.

        Args:
            destination: where two temporary keys may be written.
            stop: once set, no further test is started, and the temporary keys are deleted.

        Raises:
            S3Error: when the temporary keys cannot be written.
        """
        if is_aws(self.endpoint_url) and not is_directory_bucket(destination.bucket):
            return AWS
        return probe(self.s3, destination.bucket, destination.prefix, stop)
