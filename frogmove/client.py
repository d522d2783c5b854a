"""The client, used by the command line, the Lambda and programs.

It knows the server and the credentials, checks both ends of a route before anything is changed, and
starts every run.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Unpack

from frogmove.connection import Connection, Guard
from frogmove.core import preflight
from frogmove.core.delete_plan import check_deletes
from frogmove.core.options import MAX_COMPARE_SIZE, OnConflict, TransferOptions
from frogmove.core.run_spec import MAX_DELETE, Command, RunSpec
from frogmove.core.verify import CompareBy
from frogmove.core.verify_results import Verification
from frogmove.core.verify_run import verify_run
from frogmove.core.verify_sides import check_mapping, verify_sides
from frogmove.engine import Engine
from frogmove.past_runs import resumed_runs, run_to_resume, run_to_undo, undone_completely
from frogmove.run import Run, Workers
from frogmove.run_config import (
    applied_spec,
    check_identity,
    continuation,
    new_spec,
    select_for,
    undo_spec,
    with_route,
)
from frogmove.run_plan import Plan, find_deletions, forecast_actions, known_total, plan_run
from frogmove.run_store import discard_lists, journal_path

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.config import Config
    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.models import Route
    from frogmove.core.selection_options import SelectionOptions
    from frogmove.core.server_facts import ServerFacts
    from frogmove.core.verify_sides import CompareSections
    from frogmove.processes.spares import Spare
    from frogmove.s3.limits import Limits


class Client(Connection):
    """A client for one or more runs, or for one Lambda process.

    ::

        with Client() as client:
            for result in client.move(Route.parse("s3://in", "s3://out"), prefix="reports"):
                print(result.outcome, result.key)

    Args:
        config: the endpoint and the credentials; by default those of boto3.
        limits: the limits on requests to S3.
        engine: the HTTP engine, if the configuration names none.

    Attributes:
        config: the configuration.
        s3: the S3 client.
        endpoint_url: the address of the server.
        named_endpoint: the same if it was configured; None if it is the Region's default.
        region: the AWS Region.
        engine: a description of the HTTP engine.

    Raises:
        UsageError: when the profile, the Region, the endpoint URL or the engine cannot be used.
    """

    def __init__(
        self,
        config: Config | None = None,
        limits: Limits | None = None,
        engine: Engine = Engine.AUTO,
    ) -> None:
        super().__init__(config, limits, engine)
        self._runs: list[Run] = []
        self._selected: list[RunSpec] = []

    def close(self) -> None:
        """End unfinished runs as interrupted, and stop all threads."""
        for run in self._runs:
            run.close()
        paths = {run.spec.id: run.path for run in self._runs}
        for spec in self._selected:
            discard_lists(spec, paths.get(spec.id, journal_path(spec.id)))
        super().close()

    def move(
        self,
        route: Route,
        *keys: str,
        options: TransferOptions | None = None,
        journal: Path | None = None,
        **chosen: Unpack[SelectionOptions],
    ) -> Run:
        """Move objects: copy, verify, then delete each, if it has not changed.

        Args:
            route: source and destination.
            keys: keys below the source's prefix, or S3 URIs inside the source.
            options: how objects are moved; their ``capabilities`` are ignored and detected.
            journal: the file for the run's journal; by default in the state directory.
            chosen: further options that select objects and map keys; see
                :class:`~frogmove.core.selection_options.SelectionOptions`.

        Returns:
            the run; iterate over it for its results.

        Raises:
            UsageError: when the selection is not valid, or a key does not exist.
            UnreachableError: when a bucket cannot be used.
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
        """Copy objects like :meth:`move`, but do not delete them."""
        spec = self._spec(Command.COPY, route, options, keys, chosen)
        return self.start(self.prepare(spec), journal)

    def sync(
        self,
        route: Route,
        *keys: str,
        options: TransferOptions | None = None,
        journal: Path | None = None,
        delete: bool = False,
        max_delete: str | int = MAX_DELETE,
        backup: str | None = None,
        **chosen: Unpack[SelectionOptions],
    ) -> Run:
        """Copy objects that are missing or different at the destination; see :meth:`move`.

        By default it syncs everything, and replaces different objects at the destination. For
        ``delete``, ``max_delete`` and ``backup`` see :class:`~frogmove.core.run_spec.RunSpec`.
        """
        spec = self._spec(Command.SYNC, route, options, keys, chosen)
        spec = replace(spec, delete=delete, max_delete=str(max_delete), backup=backup)
        return self.start(self.prepare(spec), journal)

    def plan(
        self,
        route: Route,
        *keys: str,
        command: Command = Command.MOVE,
        options: TransferOptions | None = None,
        delete: bool = False,
        max_delete: str | int = MAX_DELETE,
        backup: str | None = None,
        **chosen: Unpack[SelectionOptions],
    ) -> Plan:
        """Plan a run without executing it; see :meth:`move` and :meth:`sync`.

        Returns:
            the plan; iterate over it for its actions.
        """
        spec = self._spec(command, route, options, keys, chosen)
        spec = replace(spec, delete=delete, max_delete=str(max_delete), backup=backup)
        return self.prepare(spec, dry_run=True)

    def apply(self, plan: Path, journal: Path | None = None) -> Run:
        """Execute exactly a plan that was written to a file.

        What has changed meanwhile at the source is superseded, and at the destination a conflict.

        Args:
            plan: the file that :meth:`frogmove.run_plan.Plan.write` wrote.
            journal: see :meth:`move`.

        Returns:
            the run; iterate over it for its results.

        Raises:
            UsageError: when the file is not a whole and unedited plan for this route, server and
                account.
            UnreachableError: when a bucket cannot be used.
        """
        spec = applied_spec(plan, self.config)
        self._selected.append(spec)
        return self.start(self.prepare(spec), journal)

    def resume(self, run: str | Path | None = None, journal: Path | None = None) -> Run | None:
        """Finish a run that was interrupted or failed, with the settings of its start.

        The connection is this client's. Objects that are done are skipped; if the run came to its
        end, only its failures are tried again.

        Args:
            run: its id, a prefix of it, its journal, or ``last``; by default the last run that is
                not finished.
            journal: see :meth:`move`.

        Returns:
            the run; iterate over it for its results. None if the run, or every run, is finished.

        Raises:
            UsageError: when there is no such run, or it is still running, is an undo, or was on
                another server.
            UnreachableError: when a bucket cannot be used.
        """
        earlier = run_to_resume(run)
        if earlier is None:
            return None
        spec = continuation(earlier.spec, self.config, self._limits, self.named_endpoint)
        return self.start(self.prepare(spec, resumed_runs(earlier)), journal)

    def undo(
        self,
        run: str | Path,
        *,
        options: TransferOptions | None = None,
        journal: Path | None = None,
    ) -> Run:
        """Move the objects of a run and of its resumes back; delete copies; restore the replaced.

        Objects that have changed since are left. Pause a function that moves uploads before: it
        would move the objects again.

        Args:
            run: its id, a prefix of it, its journal, or ``last``.
            options: how objects are moved back; by default as the run moved them, but nothing
                at the source is overwritten.
            journal: see :meth:`move`.

        Returns:
            the run; iterate over it for its results.

        Raises:
            UsageError: when there is no such run, it is still running, was on another server, a
                part of its journal is damaged or missing, or it is not recorded whether a copy took
                place.
            UnreachableError: when a bucket cannot be used.
        """
        undone = run_to_undo(run)
        spec = continuation(undone.spec, self.config, self._limits, self.named_endpoint)
        spec = replace(undo_spec(spec), kms_key_id=self.config.kms_key_id).with_options(options)
        return self.start(self.prepare(spec, undone_completely(undone)), journal)

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

    def prepare_verification(
        self, spec: RunSpec, compare_sections: CompareSections | None = None
    ) -> Verification:
        """Do the same for a run; see :func:`~frogmove.core.verify_sides.verify_sides`.

        Raises:
            UsageError: also when keys are renamed by a template.
        """
        check_mapping(spec.mapping)
        route, listed = spec.route(), preflight.listed_ends(spec)
        self.preflight(route, probed=route.destination, listed=listed, dry_run=True)
        return Verification(verify_sides(self.s3, spec, self._limits.concurrency, compare_sections))

    def verify_run(self, *journals: JournalReader) -> Verification:
        """Check whether what a run and its resumes (oldest first) did is still so."""
        route = journals[0].spec.route()
        self.preflight(route, probed=route.destination, dry_run=True)
        return Verification(verify_run(self.s3, journals, self._limits.concurrency))

    def prepare(
        self,
        spec: RunSpec,
        earlier: tuple[JournalReader, ...] = (),
        *,
        dry_run: bool = False,
        guard: Guard = nullcontext,
    ) -> Plan:
        """Check both ends of a run's route, and plan the run.

        Args:
            spec: the run.
            earlier: the journals of the runs that it resumes or undoes, oldest first.
            dry_run: whether the plan is only shown; then nothing is written.
            guard: see :meth:`preflight`.

        Raises:
            UsageError: when the server does not meet the requirements, or both ends are the same.
            UnreachableError: when a bucket cannot be used.
        """
        stops = _, planning_stop = Event(), Event()
        if spec.plan is not None:
            check_identity(spec, self.named_endpoint, self.account)
        undoes = [each.spec.id for each in earlier] if spec.command is Command.UNDO else []
        spec = replace(spec, endpoint_url=self.named_endpoint, undoes=undoes)
        check_deletes(spec)
        facts = self._check_ends(spec, dry_run=dry_run, guard=guard)
        spec = replace(spec, started=self.server_time or spec.started)
        options = spec.options(facts.capabilities, facts.features)
        if options.backup is not None:
            preflight.check(self.s3, options.backup)
        deletions = find_deletions(self.s3, spec, earlier, planning_stop, dry_run=dry_run)
        actions, sent = plan_run(self.s3, spec, earlier, options, planning_stop)
        if dry_run:
            actions = forecast_actions(self.s3, spec, options, actions, planning_stop)
        warnings = () if dry_run else tuple(facts.warnings(self.refused, options))
        return Plan(
            spec,
            spec.route(),
            options,
            actions,
            warnings,
            earlier,
            *stops,
            total=known_total(spec, earlier),
            account=self.account,
            deletions=deletions,
            sent=sent,
        )

    def _check_ends(self, spec: RunSpec, *, dry_run: bool, guard: Guard) -> ServerFacts:
        route = spec.route()
        facts = self.preflight(
            route,
            # No temporary keys at the source, where uploads may trigger something.
            probed=route.source if spec.command is Command.UNDO else route.destination,
            listed=preflight.listed_ends(spec),
            first=preflight.first_prefixes(spec),
            dry_run=dry_run,
            guard=guard,
        )
        if not dry_run and spec.require_conditional:
            preflight.check_conditional(facts.capabilities, self.endpoint_url)
        return facts

    def start(
        self,
        plan: Plan,
        journal: Path | None = None,
        spares: list[Spare] | None = None,
        *,
        counts_skips: bool = False,
    ) -> Run:
        """Start a run.

        Args:
            plan: what :meth:`prepare` returned.
            journal: the file for its journal; by default in the state directory.
            spares: see :func:`frogmove.processes.spares.spare_workers`.
            counts_skips: whether objects that are skipped need no result, only to be counted.

        Returns:
            the run; iterate over it for its results. Nothing is done before that.

        Raises:
            UsageError: when the journal cannot be written.
        """
        spec = plan.spec
        workers = Workers(spec.processes, self.config, self._limits, spares or [], counts_skips)
        self._runs.append(Run(self.s3, plan, journal or journal_path(spec.id), workers))
        return self._runs[-1]

    def _spec(
        self,
        command: Command,
        route: Route,
        options: TransferOptions | None,
        keys: tuple[str, ...],
        chosen: SelectionOptions,
    ) -> RunSpec:
        spec = new_spec(command, with_route(self.config, route))
        spec = replace(spec, concurrency=self._limits.concurrency, max_rate=self._limits.rate)
        if command is Command.SYNC:
            spec = replace(spec, on_conflict=OnConflict.OVERWRITE)
        selected = select_for(spec.with_options(options), keys, chosen)
        self._selected.append(selected)
        return selected
