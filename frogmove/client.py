"""The client: what the command line, the Lambda and programs all start from.

It knows the server and its credentials, asks both ends of a route before anything is touched, and
starts every run in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Self, Unpack

from frogmove.config import Config
from frogmove.core import preflight
from frogmove.core.advice import explained
from frogmove.core.attributes import warnings
from frogmove.core.options import MAX_COMPARE_SIZE, OnConflict, TransferOptions
from frogmove.core.run_spec import CONCURRENCY, Command, RunSpec
from frogmove.core.run_verification import verify_run
from frogmove.core.selection import HEAD_CONCURRENCY
from frogmove.core.verification import Verification, verify_sides
from frogmove.core.verify import CompareBy
from frogmove.engine import Engine, make_boto, select_engine
from frogmove.errors import UsageError
from frogmove.run import Plan, Run, Workers, known_total, plan_actions
from frogmove.run_config import new_spec, select_for, with_route
from frogmove.run_store import discard_key_list, journal_path
from frogmove.s3.aws_hosts import is_aws, is_default
from frogmove.s3.bucket_features import BucketFeatures, read_features
from frogmove.s3.capabilities import ALL_SUPPORTED, NONE_SUPPORTED, Capabilities, probe
from frogmove.s3.limits import Limits
from frogmove.s3.retry import RetryingS3
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path
    from types import TracebackType

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.models import Route
    from frogmove.core.selection_options import SelectionOptions
    from frogmove.s3.uri import Location


Guard = Callable[[], AbstractContextManager[Event | None]]


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What was found out about a route's server before anything was touched.

    Attributes:
        capabilities: which conditions it honours; nothing for a dry run, which never writes.
        features: what the source bucket has switched on.
    """

    capabilities: Capabilities
    features: BucketFeatures


# A dry run never writes to ask for capabilities, and needs none.
UNASKED = ServerFacts(NONE_SUPPORTED, BucketFeatures())


class Client:
    """S3 for one or more runs, or for one Lambda process.

    ::

        with Client() as client:
            for result in client.move(Route.parse("s3://in", "s3://out"), prefix="reports"):
                print(result.outcome, result.key)

    Args:
        config: the endpoint and the credentials; boto3's own defaults where nothing is said.
        limits: how much may be asked of S3.
        engine: what sends the requests, where the configuration does not say.

    Attributes:
        config: the configuration.
        s3: what to ask.
        endpoint_url: the address of the server.
        named_endpoint: the same where somebody named it, in whatever way; None where it is the
            Region's own.
        region: the AWS Region that is asked.
        engine: what sends the requests, in words.

    Raises:
        UsageError: when the profile, the Region, the endpoint URL or the engine cannot be used.
    """

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
        self._runs: list[Run] = []
        self._selected: list[RunSpec] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the runs that were not taken to their end, as interrupted, and all threads."""
        for run in self._runs:
            run.close()
        paths = {run.spec.id: run.path for run in self._runs}
        for spec in self._selected:
            discard_key_list(spec, paths.get(spec.id, journal_path(spec.id)))
        self._engine.close()

    @property
    def refused(self) -> list[str]:
        """What the server refused so far and is asked without, in words."""
        return self._boto.fallbacks.words

    def move(
        self,
        route: Route,
        *keys: str,
        options: TransferOptions | None = None,
        journal: Path | None = None,
        **chosen: Unpack[SelectionOptions],
    ) -> Run:
        """Move objects: copy, verify, and only then delete each, as it was seen.

        Args:
            route: where from and where to.
            keys: keys below the source's prefix, or S3 URIs inside the source.
            options: how; what the server honours is found out, whatever they say of it.
            journal: the file of the run's journal; by default one in the state directory.
            chosen: which objects instead of keys, which of them, and under which keys; see
                :class:`~frogmove.core.selection_options.SelectionOptions`.

        Returns:
            the run; iterate over it for its results.

        Raises:
            UsageError: when nothing can be selected so, or a key is not there.
            UnreachableError: when an end of the route cannot be used.
        """
        spec = self._spec(Command.MOVE, route, options, keys, chosen)
        return self.start(self.prepare(spec), journal)

    def copy(
        self,
        route: Route,
        *keys: str,
        options: TransferOptions | None = None,
        journal: Path | None = None,
        **chosen: Unpack[SelectionOptions],
    ) -> Run:
        """Copy objects as :meth:`move` does; the source keeps them."""
        spec = self._spec(Command.COPY, route, options, keys, chosen)
        return self.start(self.prepare(spec), journal)

    def sync(
        self,
        route: Route,
        *keys: str,
        options: TransferOptions | None = None,
        journal: Path | None = None,
        **chosen: Unpack[SelectionOptions],
    ) -> Run:
        """Copy what the destination lacks or holds differently; see :meth:`move`.

        By default it is everything, and replaces what the destination holds differently.
        """
        spec = self._spec(Command.SYNC, route, options, keys, chosen)
        return self.start(self.prepare(spec), journal)

    def plan(
        self,
        route: Route,
        *keys: str,
        command: Command = Command.MOVE,
        options: TransferOptions | None = None,
        **chosen: Unpack[SelectionOptions],
    ) -> Plan:
        """Tell what a run would do, and do nothing; see :meth:`move`.

        Returns:
            the plan; iterate over it for its actions.
        """
        return self.prepare(self._spec(command, route, options, keys, chosen), dry_run=True)

    def verify(
        self,
        route: Route,
        *keys: str,
        compare: CompareBy = CompareBy.AUTO,
        max_compare_size: int = MAX_COMPARE_SIZE,
        **chosen: Unpack[SelectionOptions],
    ) -> Verification:
        """Compare both sides, by default of everything, and change nothing; see :meth:`move`.

        Args:
            route: the route.
            keys: see :meth:`move`.
            compare: by default by ETags and checksums.
            max_compare_size: bytes; larger objects are not read.
            chosen: see :meth:`move`.
        """
        spec = self._spec(Command.SYNC, route, None, keys, chosen)
        spec = replace(spec, compare=CompareBy(compare), max_compare_size=max_compare_size)
        return self.prepare_verification(spec)

    def prepare_verification(self, spec: RunSpec) -> Verification:
        """Do the same for the selection, mapping and comparison of a run."""
        route = spec.route()
        listed = _listed(spec, route)
        self.preflight(route, probed=route.destination, listed=listed, dry_run=True)
        return Verification(verify_sides(self.s3, spec, HEAD_CONCURRENCY))

    def verify_run(self, *journals: JournalReader) -> Verification:
        """Check whether what a run and its resumes (oldest first) did is still so."""
        route = journals[0].spec.route()
        self.preflight(route, probed=route.destination, dry_run=True)
        return Verification(verify_run(self.s3, journals, HEAD_CONCURRENCY))

    def prepare(
        self,
        spec: RunSpec,
        earlier: tuple[JournalReader, ...] = (),
        *,
        dry_run: bool = False,
        guard: Guard = nullcontext,
    ) -> Plan:
        """Ask both ends of a run's route, and plan the run.

        Args:
            spec: the run.
            earlier: the runs that it resumes or undoes, the oldest first.
            dry_run: whether the plan is only to be shown; then nothing is written.
            guard: see :meth:`preflight`.

        Raises:
            UsageError: when the server is refused, or both ends are one.
            UnreachableError: when an end cannot be used.
        """
        stop = Event()
        spec = replace(spec, endpoint_url=self.named_endpoint)
        route = spec.route()
        is_undo = spec.command is Command.UNDO
        facts = self.preflight(
            route,
            # Uploads to a source set something off, so it is not the place for a throw-away key.
            probed=route.source if is_undo else route.destination,
            listed=_listed(spec, route),
            dry_run=dry_run,
            guard=guard,
        )
        if not dry_run and spec.require_conditional and facts.capabilities.shortcomings:
            raise UsageError(
                f"{self.endpoint_url} {'; '.join(facts.capabilities.shortcomings)}.",
                "Nothing was moved, as --require-conditional asks.",
            )
        options = spec.options(facts.capabilities, facts.features)
        actions = plan_actions(self.s3, spec, earlier, stop)
        said = () if dry_run else tuple(self._warnings(facts, options))
        total = known_total(spec, earlier)
        return Plan(spec, route, options, actions, said, earlier, stop, total)

    def start(self, plan: Plan, journal: Path | None = None) -> Run:
        """Start a run.

        Args:
            plan: what :meth:`prepare` returned.
            journal: the file of its journal; by default one in the state directory.

        Returns:
            the run; iterate over it for its results. Nothing is done before that.

        Raises:
            UsageError: when the journal cannot be written.
        """
        path = journal or journal_path(plan.spec.id)
        workers = None
        if plan.spec.processes > 1:
            workers = Workers(plan.spec.processes, self.config, self._limits)
        run = Run(self.s3, plan, path, workers)
        self._runs.append(run)
        return run

    def preflight(
        self,
        route: Route,
        *,
        probed: Location,
        listed: Collection[Location] = (),
        dry_run: bool = False,
        checked: bool = True,
        guard: Guard = nullcontext,
    ) -> ServerFacts:
        """Make sure that both ends of a route can be used and are two; see what they can do.

        Args:
            route: the route.
            probed: its end to which throw-away keys may be written.
            listed: which of its ends have to be listed.
            dry_run: whether nothing may be written.
            checked: whether both ends are asked first; the function, which starts for each
                upload, learns it from the upload's own requests.
            guard: a context for questions that write throw-away keys, which have to come to
                their end; it may give an event that ends them early.

        Raises:
            UsageError: when both ends are one bucket under two names.
            UnreachableError: when an end cannot be used.
        """
        if checked:
            preflight.check(self.s3, route.source, route.destination, must_list=listed)
        with guard() as stop, explained(probed.bucket):
            preflight.check_distinct(self.s3, route, probed, dry_run=dry_run)
            if dry_run:
                return UNASKED
            capabilities = self.capabilities(probed, stop)
        with explained(route.source.bucket):
            return ServerFacts(capabilities, read_features(self.s3, route.source.bucket))

    def capabilities(self, destination: Location, stop: Event | None = None) -> Capabilities:
        """Tell which conditional requests the server honours.

        AWS is known, but for its directory buckets. Any other server is asked, once a run: an
        answer kept for longer would outlive the server that gave it.

        Args:
            destination: where two throw-away keys may be written to ask.
            stop: once set, nothing more is asked, and what was written is deleted.

        Raises:
            S3Error: when they cannot be written.
        """
        if is_aws(self.endpoint_url) and not is_directory_bucket(destination.bucket):
            return ALL_SUPPORTED
        return probe(self.s3, destination.bucket, destination.prefix, stop)

    def _warnings(self, facts: ServerFacts, options: TransferOptions) -> Iterable[str]:
        for refused in self.refused:
            yield f"This server refuses {refused}: it is asked without."
        if not facts.capabilities.delete:
            what = "This server does not honour conditional deletes"
            if "delete" in facts.capabilities.unknown:
                what = (
                    "It could not be found out whether this server honours conditional deletes, "
                    "which takes s3:PutObject and s3:DeleteObject on the destination"
                )
            yield (
                f"{what}: each source is looked at just before its delete. An overwrite between "
                "check and delete can be lost."
            )
        yield from warnings(facts.features, options.carry)

    def _spec(
        self,
        command: Command,
        route: Route,
        options: TransferOptions | None,
        keys: tuple[str, ...],
        chosen: SelectionOptions,
    ) -> RunSpec:
        spec = new_spec(command, with_route(self.config, route))
        if command is Command.SYNC:
            spec = replace(spec, on_conflict=OnConflict.OVERWRITE)
        spec = replace(
            spec, concurrency=self._limits.concurrency, max_rate=self._limits.rate
        ).with_options(options)
        selected = select_for(spec, keys, chosen)
        self._selected.append(selected)
        return selected


def _listed(spec: RunSpec, route: Route) -> tuple[Location, ...]:
    if spec.command is Command.UNDO or not spec.selection.is_of_folders:
        return ()
    if spec.command is Command.SYNC:
        return (route.source, route.destination)
    return (route.source,)
