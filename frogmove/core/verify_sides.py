"""Compares both sides of a route; changes nothing."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.content import ContentComparer
from frogmove.core.lookup import Lookup
from frogmove.core.plan import key_mapper
from frogmove.core.scheduler import run_tasks
from frogmove.core.section_comparison import ListedComparison, SectionComparison
from frogmove.core.sections import folder_sections
from frogmove.core.sync_plan import check_listing_order, compare_contents, head_both
from frogmove.core.verify import CompareBy, Comparison, Match, compare
from frogmove.core.verify_results import Status, VerifyResult
from frogmove.errors import UsageError
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.models import NO_TIME, S3Object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from frogmove.core.key_mapping import KeyMapping
    from frogmove.core.run_spec import RunSpec
    from frogmove.core.scheduler import Task
    from frogmove.core.section_comparison import SectionResults
    from frogmove.core.sections import Section
    from frogmove.core.verify_results import SameObjects
    from frogmove.s3.interface import S3

    CompareSections = Callable[[Iterable[Section]], Iterable[SectionResults]]


def check_mapping(mapping: KeyMapping) -> None:
    """Check that both sides of a mapping can be compared.

    Raises:
        UsageError: when keys are renamed by a template.
    """
    if mapping.rename is not None:
        raise UsageError(
            "A verification cannot rename keys: it compares both sides in key order.",
            "Use `frogmove verify RUN` to check a run.",
        )


def verify_sides(
    s3: S3, spec: RunSpec, size: int, compare_sections: CompareSections | None = None
) -> Iterator[VerifyResult | SameObjects]:
    """Compare the selected objects of both sides.

    Args:
        s3: the client for both buckets.
        spec: route, selection, mapping, and how to compare.
        size: maximum concurrent comparisons.
        compare_sections: applies a
            :class:`~frogmove.core.section_comparison.SectionComparison`; by default here.

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
        return (result for result in run_tasks(tasks, size) if result is not None)
    check_listing_order(spec.route())
    folders = spec.selection.folders
    sections = chain.from_iterable(folder_sections(s3, spec, folder) for folder in folders)
    compare_here = partial(map, SectionComparison(spec, counts_same=False))
    found = (compare_sections or compare_here)(sections)
    return chain.from_iterable(run_tasks(chain.from_iterable(map(comparer.tasks, found)), size))


class _Comparer:
    """Compares the objects of one key."""

    def __init__(self, s3: S3, spec: RunSpec) -> None:
        self._s3 = s3
        self._route = spec.route()
        self._mapping = spec.mapping
        self._by = spec.compare
        self._max_size = spec.max_compare_size
        self._matches = spec.selection.matcher()
        self._listed = ListedComparison(spec)
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
        result = self._listed.compare((next(ends), place, next(ends)))
        return await self._further(result) if result.status is Status.NOT_COMPARED else result

    def tasks(self, found: SectionResults) -> Iterator[Task[Sequence[VerifyResult | SameObjects]]]:
        """Yield a task that returns what is known of a section, and one for each unclear pair."""

        async def known() -> Sequence[VerifyResult | SameObjects]:
            return [found.same, *found.results]

        async def further(result: VerifyResult) -> Sequence[VerifyResult]:
            return [await self._further(result)]

        yield known()
        yield from map(further, found.unclear)

    async def _further(self, result: VerifyResult) -> VerifyResult:
        """Compare two objects by HEAD or their bytes."""
        try:
            seen = await head_both(self._s3, self._route, result.key, result.destination_key)
            comparison = compare(*seen)
            if self._by is CompareBy.CONTENT:
                comparison = await compare_contents(self._content, self._route, seen, comparison)
        except S3Error as error:
            return _unknown(error, result)
        return self._decided(result, comparison)

    def _decided(self, result: VerifyResult, comparison: Comparison) -> VerifyResult:
        match comparison.match:
            case Match.SAME:
                return result._replace(status=Status.SAME, reason=f"same {comparison.by}")
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
