"""Compares objects of both sides by what their listings say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from frogmove.core.folder_pairs import selected_pairs
from frogmove.core.merge_join import merge_join
from frogmove.core.models import Action
from frogmove.core.plan import key_mapper
from frogmove.core.verify import CompareBy, same_etag
from frogmove.core.verify_results import SameObjects, Status, VerifyResult
from frogmove.plural import count_bytes

if TYPE_CHECKING:
    from frogmove.core.merge_join import Pair
    from frogmove.core.run_spec import RunSpec
    from frogmove.core.sections import Section


class SectionResults(NamedTuple):
    """The results of a section.

    Attributes:
        same: the objects that are only counted.
        results: the results that the listings prove.
        unclear: pairs that are not compared, because the listings prove nothing.
    """

    same: SameObjects
    results: list[VerifyResult]
    unclear: list[VerifyResult]


@dataclass(frozen=True, slots=True)
class SectionComparison:
    """Compares sections, in any process.

    Attributes:
        spec: route, selection, mapping, and how to compare.
        counts_same: whether objects that are the same are only counted.
    """

    spec: RunSpec
    counts_same: bool

    def __call__(self, section: Section) -> SectionResults:
        """Compare a section.

        Raises:
            S3Error: when a page is malformed.
            RunError: when a listing is not in key order.
        """
        spec = self.spec
        pairs = merge_join(
            section.sources,
            section.destinations,
            key_mapper(spec.route(), spec.mapping),
            extras=True,
            after=section.after,
        )
        compare = ListedComparison(spec).compare
        count = size = 0
        results, unclear = [], []
        for pair in selected_pairs(pairs, spec, section.folder):
            result = compare(pair)
            if result.status is Status.NOT_COMPARED:
                unclear.append(result)
            elif self.counts_same and result.status is Status.SAME:
                count += 1
                size += result.size
            else:
                results.append(result)
        return SectionResults(SameObjects(count, size), results, unclear)


class ListedComparison:
    """Compares pairs of objects.

    Args:
        spec: route, mapping, and how to compare.
    """

    def __init__(self, spec: RunSpec) -> None:
        self._route = spec.route()
        self._mapping = spec.mapping
        self._by = spec.compare

    def compare(self, pair: Pair) -> VerifyResult:
        """Compare two objects; NOT_COMPARED, without a reason, if that is inconclusive."""
        item, place, there_object = pair
        if item is None:
            there = place if isinstance(place, str) else ""
            key = self._mapping.source_key(there, self._route) or there
            return VerifyResult(Status.EXTRA, key, there, "not at the source", None, there_object)
        if isinstance(place, Action):
            return VerifyResult(Status.MISSING, item.key, "", place.reason, item)
        if there_object is None:
            reason = "not at the destination"
            return VerifyResult(Status.MISSING, item.key, place, reason, item)
        if item.size != there_object.size:
            status = Status.DIFFERENT
            sizes = count_bytes(item.size), f"{there_object.size:,}"
            reason = f"{sizes[0]} at the source, {sizes[1]} at the destination"
        elif self._by is CompareBy.SIZE:
            status, reason = Status.SAME, "same size"
        elif self._by is not CompareBy.CONTENT and same_etag(item.etag, there_object.etag):
            status, reason = Status.SAME, "same ETag"
        else:
            status, reason = Status.NOT_COMPARED, ""
        return VerifyResult(status, item.key, place, reason, item, there_object)
