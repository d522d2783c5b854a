"""Does one range of a run's keys: lists, plans, copies, verifies and deletes."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from frogmove.core.plan import plan_copy, plan_move, plan_sync
from frogmove.core.run_spec import Command
from frogmove.core.selection import HEAD_CONCURRENCY
from frogmove.core.sync_plan import resolve_comparisons
from frogmove.core.transfer import run
from frogmove.s3.listing import named_key
from frogmove.s3.range_listing import KeyRange, RangeListing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from threading import Event

    from frogmove.core.journal import Journal
    from frogmove.core.models import Action, Result
    from frogmove.core.options import TransferOptions
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object


class RangeRunner:
    """Does ranges of a run, one after the other.

    Args:
        s3: where both ends are.
        spec: the run.
        options: how objects are moved.
        journal: what takes them down.
        stop: once set, nothing more is begun.
        offer: see :class:`RangeListing`.
        wait: see :class:`RangeListing`.
        between: called before each object is taken.

    Attributes:
        planned: how many actions have been planned, in all ranges.
        listing: the listing of the range at hand.
    """

    def __init__(
        self,
        s3: S3,
        spec: RunSpec,
        options: TransferOptions,
        journal: Journal,
        stop: Event,
        *,
        offer: Callable[[KeyRange | None], None],
        wait: Callable[[], object] | None = None,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        self._s3 = s3
        self._spec = spec
        self._route = spec.route()
        self._options = options
        self._journal = journal
        self._stop = stop
        self._offer = offer
        self._wait = wait
        self._between = between
        self.planned = 0
        self.listing: RangeListing | None = None

    def begin(self, keys: KeyRange) -> RangeListing:
        """List the first page of a range.

        Raises:
            S3Error: when it cannot be had.
            RunError: when the server does not list in S3's order.
        """
        self.listing = RangeListing(
            self._s3,
            self._route.source.bucket,
            folder_prefix(self._spec),
            keys,
            self._offer,
            self._wait,
        )
        self.listing.begin()
        return self.listing

    def results(
        self, listing: RangeListing, keys: KeyRange, *, leaves_first: bool
    ) -> Iterator[Result]:
        """Do a range.

        Args:
            listing: what :meth:`begin` returned.
            keys: the range.
            leaves_first: whether its first key is done with the range before it.

        Raises:
            RunError: see :func:`frogmove.core.transfer.run`.
        """
        objects = listing.objects()
        if not keys.after:
            objects = chain(self._folder_itself(), objects)
        objects = self._taken(objects, listing.first if leaves_first else None)
        actions = self._plan(objects, keys)
        try:
            yield from run(actions, self._s3, self._route, self._options, self._stop, self._journal)
        finally:
            listing.close()

    def _folder_itself(self) -> Sequence[S3Object]:
        """Return the object that has the chosen folder's own name, without its slash."""
        folder = self._spec.folder or ""
        if self._spec.command == Command.SYNC or not folder or folder.endswith("/"):
            return ()
        return named_key(self._s3, self._route.source.bucket, folder)

    def _taken(self, objects: Iterable[S3Object], left: str | None) -> Iterator[S3Object]:
        for item in objects:
            self._between()
            if item.key != left:
                self.planned += 1
                yield item

    def _plan(self, objects: Iterable[S3Object], keys: KeyRange) -> Iterator[Action]:
        route, spec = self._route, self._spec
        if spec.command == Command.MOVE:
            return plan_move(objects, route)
        if spec.command == Command.COPY:
            return plan_copy(objects, route)
        after = route.destination_key(keys.after) if keys.after else ""
        there = RangeListing(
            self._s3, route.destination.bucket, route.destination.prefix, KeyRange(after, None)
        )
        there.begin()
        options = spec.sync_options()
        actions = plan_sync(objects, there.objects(), route, options.compare)
        return resolve_comparisons(actions, self._s3, route, HEAD_CONCURRENCY, self._stop, options)


def folder_prefix(spec: RunSpec) -> str:
    """Return what all keys of a run begin with."""
    if spec.command == Command.SYNC:
        return spec.route().source.prefix
    folder = spec.folder or ""
    return folder if not folder or folder.endswith("/") else folder + "/"
