"""Compares both sides of a route; changes nothing."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from frogmove.core.advice import describe
from frogmove.core.content import ContentComparer
from frogmove.core.lookup import Lookup
from frogmove.core.merge_join import merge_join
from frogmove.core.models import Action, Verb
from frogmove.core.plan import key_mapper
from frogmove.core.scheduler import run_tasks
from frogmove.core.sync_plan import check_listing_order, compare_contents, head_both
from frogmove.core.verify import CompareBy, Comparison, Match, compare, same_etag
from frogmove.errors import RunError
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.listing import list_folder
from frogmove.s3.models import NO_TIME, S3Object
from frogmove.s3.uri import folder_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from frogmove.core.merge_join import Pair
    from frogmove.core.records import Record
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.interface import S3


class Status(StrEnum):
    """The result of comparing one key on both sides."""

    SAME = "same"
    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"
    NOT_DELETED = "not-deleted"
    NOT_COMPARED = "not-compared"


class VerifyResult(NamedTuple):
    """The result of comparing one key on both sides.

    Attributes:
        status: the result.
        key: the source key, even if the source does not have it.
        destination_key: the key at the destination; empty if there is none.
        reason: the evidence, or what to do, for the operator.
        source: the source's object, if it has one.
        destination: the destination's object, if it has one.
    """

    status: Status
    key: str
    destination_key: str
    reason: str = ""
    source: S3Object | None = None
    destination: S3Object | None = None

    def record(self) -> Record:
        """Return the JSON record of the result."""
        ends = {"source": self.source, "destination": self.destination}
        return {
            "type": "verified",
            "key": self.key,
            "destination_key": self.destination_key,
            "status": self.status.value,
            "reason": self.reason,
            **{name: None if item is None else _end(item) for name, item in ends.items()},
        }


def _end(item: S3Object) -> Record:
    modified = item.last_modified.isoformat()
    return {"size": item.size, "etag": item.etag, "last_modified": modified}


class VerifySummary:
    """Counts the results of a verification.

    Attributes:
        counts: the number of results of each status.
        bytes: the total size of the objects, each counted once.
        complete: whether everything was compared; False until the end of the iteration.
    """

    def __init__(self) -> None:
        self.counts: Counter[Status] = Counter(dict.fromkeys(Status, 0))
        self.bytes = 0
        self.complete = False

    def add(self, result: VerifyResult) -> None:
        """Count a result."""
        self.counts[result.status] += 1
        item = result.source or result.destination
        self.bytes += 0 if item is None else item.size

    @property
    def done(self) -> int:
        """The number of all results; may be read from any thread."""
        return self.counts.total()

    @property
    def unproven(self) -> int:
        """The number of results other than same; may be read from any thread."""
        return self.done - self.counts[Status.SAME]

    @property
    def same(self) -> bool:
        """Whether everything was compared, and nothing differs."""
        return self.complete and not self.unproven

    def record(self) -> Record:
        """Return the summary's JSON record."""
        return {
            "type": "summary",
            "counts": {status.value: self.counts[status] for status in Status},
            "complete": self.complete,
        }


class Verification:
    """A verification. Iterate over it for its results, once; it starts with the iteration.

    Args:
        results: the results, computed lazily.

    Attributes:
        summary: the counts so far.
    """

    def __init__(self, results: Iterable[VerifyResult]) -> None:
        self._results = results
        self.summary = VerifySummary()

    def __iter__(self) -> Iterator[VerifyResult]:
        """Yield the results.

        Raises:
            RunError: when a listing or every further request fails: the rest was not compared.
        """
        try:
            for result in self._results:
                self.summary.add(result)
                yield result
        except S3Error as error:
            raise RunError(
                f"The verification is incomplete: {describe(error, 'The rest was not compared')}.",
                "Fix the cause, then verify again.",
            ) from error
        self.summary.complete = True


def verify_sides(s3: S3, spec: RunSpec, size: int) -> Iterator[VerifyResult]:
    """Compare the selected objects of both sides.

    Args:
        s3: the client for both buckets.
        spec: route, selection, mapping, and how to compare.
        size: maximum concurrent comparisons.

    Yields:
        the results, in the order in which comparisons finish.

    Raises:
        S3Error: when a listing or every further request fails.
        RunError: when a listing is not in key order.
        UsageError: when a bucket never lists in key order.
    """
    comparer = _Comparer(s3, spec)
    if not spec.selection.is_of_folders:
        tasks = (comparer.compare_key(key) for key in spec.selection.named_keys())
    else:
        check_listing_order(spec.route())
        folders = spec.selection.folders
        pairs = chain.from_iterable(pair_folder(s3, spec, folder) for folder in folders)
        tasks = (comparer.compare_pair(pair) for pair in pairs)
    results = run_tasks(tasks, size)
    return (result for result in results if result is not None)


def pair_folder(s3: S3, spec: RunSpec, folder: str) -> Iterator[Pair]:
    """Pair the selected objects of a folder with those at the destination.

    An object that only the destination has is selected by the source key that maps to its key, and
    by its own size, time and storage class.

    Args:
        s3: the client for both buckets.
        spec: route, selection and mapping.
        folder: one of the selection's folders.

    Yields:
        see :class:`~frogmove.core.merge_join.Pair`. The marker of the source folder itself is
        omitted.

    Raises:
        S3Error: when a page cannot be listed.
        RunError: when a listing is not in key order.
    """
    route, mapping = spec.route(), spec.mapping
    matches = spec.selection.matcher(folder)
    # Filters are applied to pairs: the copy of an excluded source object is not an extra.
    pairs = merge_join(
        list_folder(s3, route.source.bucket, folder),
        list_folder(s3, route.destination.bucket, mapping.destination_prefix(folder, route)),
        key_mapper(route, mapping),
        extras=True,
    )
    is_extra = _extra_filter(spec, folder, matches)
    for pair in pairs:
        item, key, there_object = pair
        if item is not None:
            is_marker = isinstance(key, Action) and key.verb is Verb.SKIP
            if not is_marker and (matches is None or matches(item)):
                yield pair
        elif there_object is not None and is_extra(there_object):
            yield pair


def _extra_filter(
    spec: RunSpec, folder: str, matches: Callable[[S3Object], bool] | None
) -> Callable[[S3Object], bool]:
    route, mapping, start = spec.route(), spec.mapping, folder_prefix(folder)

    def is_extra(there: S3Object) -> bool:
        key = mapping.source_key(there.key, route)
        if key is None or not (key == folder or key.startswith(start)):
            return False
        return matches is None or matches(there._replace(key=key))

    return is_extra


class _Comparer:
    """Compares the objects of one key."""

    def __init__(self, s3: S3, spec: RunSpec) -> None:
        self._s3 = s3
        self._route = spec.route()
        self._mapping = spec.mapping
        self._by = spec.compare
        self._max_size = spec.max_compare_size
        self._matches = spec.selection.matcher()
        self._place = key_mapper(self._route, self._mapping)
        self._content = ContentComparer(s3, spec.max_compare_size)
        self._sources = Lookup(s3, self._route.source.bucket)
        self._destinations = Lookup(s3, self._route.destination.bucket)

    async def compare_key(self, key: str) -> VerifyResult | None:
        """Look up one key on both sides, and compare the objects; None if it is not selected."""
        place = self._place(S3Object(key, 0, "", NO_TIME))
        there = place if isinstance(place, str) else ""
        try:
            seen = await self._sources.head(key)
            there_object = await self._destinations.head(there) if there else None
        except S3Error as error:
            return _unknown(error, VerifyResult(Status.NOT_COMPARED, key, there))
        if seen is None and there_object is None:
            return VerifyResult(Status.MISSING, key, there, "on neither side")
        if seen is not None and self._matches is not None and not self._matches(seen.object):
            return None
        ends = (None if head is None else head.object for head in (seen, there_object))
        return await self.compare_pair((next(ends), place, next(ends)))

    async def compare_pair(self, pair: Pair) -> VerifyResult:
        """Compare two objects, by HEAD or their bytes if the listings are inconclusive."""
        item, place, there_object = pair
        if item is None:
            return self._extra(place, there_object)
        if isinstance(place, Action):
            return VerifyResult(Status.MISSING, item.key, "", place.reason, item)
        if there_object is None:
            reason = "not at the destination"
            return VerifyResult(Status.MISSING, item.key, place, reason, item)
        result = VerifyResult(Status.SAME, item.key, place, "", item, there_object)
        if item.size != there_object.size:
            reason = f"{item.size:,} bytes at the source, {there_object.size:,} at the destination"
            return result._replace(status=Status.DIFFERENT, reason=reason)
        if self._by is CompareBy.SIZE:
            return result._replace(reason="same size")
        if self._by is not CompareBy.CONTENT and same_etag(item.etag, there_object.etag):
            return result._replace(reason="same ETag")
        try:
            seen = await head_both(self._s3, self._route, item.key, place)
            comparison = compare(*seen)
            if self._by is CompareBy.CONTENT:
                comparison = await compare_contents(self._content, self._route, seen, comparison)
        except S3Error as error:
            return _unknown(error, result)
        return self._decided(result, comparison)

    def _extra(self, place: str | Action, there_object: S3Object | None) -> VerifyResult:
        there = place if isinstance(place, str) else ""
        key = self._mapping.source_key(there, self._route) or there
        return VerifyResult(Status.EXTRA, key, there, "not at the source", None, there_object)

    def _decided(self, result: VerifyResult, comparison: Comparison) -> VerifyResult:
        match comparison.match:
            case Match.SAME:
                return result._replace(reason=f"same {comparison.by}")
            case Match.DIFFERENT:
                reason = f"{comparison.by} differs"
                return result._replace(status=Status.DIFFERENT, reason=reason)
        reason = "same size, but no ETag or checksum proves the same bytes: use --compare content"
        if self._by is CompareBy.CONTENT:
            reason = f"same size, but larger than --max-compare-size ({self._max_size:,} bytes)"
        return result._replace(status=Status.NOT_COMPARED, reason=reason)


def _unknown(error: S3Error, result: VerifyResult) -> VerifyResult:
    """Return the result for objects that could not be looked up or read."""
    if error.ends_the_run:
        raise error
    reason = "changed while it was compared: verify again"
    if error.kind not in {Kind.MISSING, Kind.CHANGED}:
        reason = f"it could not be compared: {describe(error, '')}"
    return result._replace(status=Status.NOT_COMPARED, reason=reason)
