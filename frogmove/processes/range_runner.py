"""Runs one range of keys: lists, plans, copies, verifies and deletes."""

from __future__ import annotations

import time
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from frogmove.core.destination_check import DestinationCheck
from frogmove.core.plan import plan_copy, plan_move, plan_sync
from frogmove.core.run_spec import Command
from frogmove.core.selection import HEAD_CONCURRENCY
from frogmove.core.sent_copies import claim_sent_copies
from frogmove.core.sync_plan import resolve_comparisons
from frogmove.core.tag_check import TagChecker, hold_back_untagged
from frogmove.core.transfer import listing_failed, run_live
from frogmove.s3.errors import S3Error
from frogmove.s3.listing import named_key
from frogmove.s3.range_listing import KeyRange, RangeListing
from frogmove.s3.uri import folder_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from threading import Event

    from frogmove.core.journal import Journal
    from frogmove.core.models import Action, Result
    from frogmove.core.options import TransferOptions
    from frogmove.core.run_spec import RunSpec
    from frogmove.core.sent_copies import SentCopy
    from frogmove.processes.messages import Take
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object

# Seconds without a selected object, after which the objects in flight are finished and reported.
PAUSE_SECONDS = 0.5


class RangeRunner:
    """Runs ranges of a run, one after the other.

    Args:
        s3: the client for both buckets.
        spec: the run.
        options: how objects are moved.
        journal: where copies and results are recorded.
        stop: once set, no new object is started.
        offer: see :class:`RangeListing`.
        sent: copies of a killed run; see :func:`frogmove.core.sent_copies.claim_sent_copies`.
        wait: see :class:`RangeListing`.
        before_each: called before each object.

    Attributes:
        planned: how many actions have been planned, in all ranges.
        is_planned: whether the current range is completely planned.
        listing: the listing of the current range.
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
        sent: Mapping[str, SentCopy] = MappingProxyType({}),
        wait: Callable[[], object] | None = None,
        before_each: Callable[[], None] = lambda: None,
    ) -> None:
        self._s3 = s3
        self._spec = spec
        self._route = spec.route()
        self._options = options
        self._journal = journal
        self._stop = stop
        self._offer = offer
        self._sent = sent
        self._wait = wait
        self._before_each = before_each
        self._folder = ""
        self.planned = 0
        self.is_planned = False
        self._is_paused = False
        self.listing: RangeListing | None = None

    def begin(self, folder: str, keys: KeyRange) -> RangeListing:
        """List the first page of a range of one of the selection's folders.

        Raises:
            RunError: when it cannot be listed, or the server does not list in key order.
        """
        self._folder = folder
        self.is_planned = False
        self.listing = RangeListing(
            self._s3,
            self._route.source.bucket,
            folder_prefix(folder),
            keys,
            self._offer,
            self._wait,
        )
        try:
            self.listing.begin()
        except S3Error as error:
            raise listing_failed(error) from error
        return self.listing

    def results(self, listing: RangeListing, work: Take) -> Iterator[Result | None]:
        """Run a range, and yield its results; None when there is none for a moment.

        Args:
            listing: what :meth:`begin` returned.
            work: the range.

        Raises:
            RunError: see :func:`frogmove.core.transfer.run_live`.
        """
        try:
            found = self._found(listing, work.keys, work.done)
            left = listing.first if work.skips_first else None
            self._is_paused = True
            while self._is_paused:
                objects = self._count(found, listing, left)
                actions = self._actions(objects, work)
                yield from run_live(
                    actions,
                    self._s3,
                    self._route,
                    self._options,
                    self._stop,
                    self._journal,
                    self._spec.max_group,
                )
                if self._stop.is_set():
                    break
            if self._stop.is_set() and not self.is_planned and listing.is_end_known:
                # The next key, or its absence, shows whether that was all.
                next(objects, None)
        except S3Error as error:
            raise listing_failed(error) from error
        finally:
            listing.close()

    def _found(
        self, listing: RangeListing, keys: KeyRange, done: frozenset[str]
    ) -> Iterator[S3Object]:
        objects = listing.objects()
        if not keys.after:
            objects = chain(self._folder_itself(), objects)
        if done:
            objects = (item for item in objects if item.key not in done)
        return objects

    def _actions(self, objects: Iterator[S3Object], work: Take) -> Iterable[Action]:
        actions: Iterable[Action] = self._plan(objects, work.keys)
        checker = TagChecker(self._s3, self._route.source.bucket, self._spec.required_tags())
        actions = hold_back_untagged(actions, checker, HEAD_CONCURRENCY, self._stop)
        if self._spec.command is not Command.SYNC:
            return actions
        check = DestinationCheck.make(self._s3, self._route, self._options)
        sent = {**self._sent, **work.sent}
        return claim_sent_copies(actions, sent, check, HEAD_CONCURRENCY, self._stop)

    def _folder_itself(self) -> Sequence[S3Object]:
        """Return the object whose key is the folder's name without its slash, if there is one."""
        folder = self._folder
        if not folder or folder.endswith("/"):
            return ()
        return named_key(self._s3, self._route.source.bucket, folder)

    def _count(
        self, objects: Iterable[S3Object], listing: RangeListing, left: str | None
    ) -> Iterator[S3Object]:
        """Yield the objects that are selected.

        It ends early once the run is stopped, and pauses where the filters leave everything out
        for a while: what is in flight then ends and is shown, and the run continues.
        """
        self._is_paused = False
        matches = self._spec.selection.matcher(self._folder)
        # A sync compares two listings in step.
        can_pause = matches is not None and self._spec.command is not Command.SYNC
        since = time.monotonic()
        for item in objects:
            self._before_each()
            if self._stop.is_set():
                # Something may be left, so the run has not come to its end.
                self.planned += item.key != left
                return
            if item.key != left and (matches is None or matches(item)):
                self.planned += 1
                yield item
                since = time.monotonic()
            elif can_pause and time.monotonic() - since > PAUSE_SECONDS:
                self._is_paused = True
                return
        self.is_planned = listing.is_end_known

    def _plan(self, objects: Iterable[S3Object], keys: KeyRange) -> Iterator[Action]:
        route, spec = self._route, self._spec
        if spec.command is Command.MOVE:
            return plan_move(objects, route, spec.mapping)
        if spec.command is Command.COPY:
            return plan_copy(objects, route, spec.mapping)
        options = spec.sync_options()
        actions = plan_sync(objects, self._there(keys), route, options.compare, spec.mapping)
        return resolve_comparisons(actions, self._s3, route, HEAD_CONCURRENCY, self._stop, options)

    def _there(self, keys: KeyRange) -> Iterable[S3Object]:
        """List the range of the destination that corresponds to a range of the source."""
        route, mapping = self._route, self._spec.mapping
        bucket, folder = route.destination.bucket, mapping.destination_prefix(self._folder, route)
        after = mapping.destination_prefix(keys.after, route) if keys.after else ""
        listing = RangeListing(self._s3, bucket, folder_prefix(folder), KeyRange(after, None))
        listing.begin()
        if keys.after or not folder or folder.endswith("/"):
            return listing.objects()
        return chain(named_key(self._s3, bucket, folder), listing.objects())
