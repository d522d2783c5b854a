"""Pairs the objects of both sides of a route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.merge_join import merge_join
from frogmove.core.models import Action, Verb
from frogmove.core.plan import key_mapper
from frogmove.s3.listing import list_folder
from frogmove.s3.uri import folder_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from frogmove.core.merge_join import Pair
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object


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
    pairs = merge_join(
        list_folder(s3, route.source.bucket, folder),
        list_folder(s3, route.destination.bucket, mapping.destination_prefix(folder, route)),
        key_mapper(route, mapping),
        extras=True,
    )
    return selected_pairs(pairs, spec, folder)


def selected_pairs(pairs: Iterable[Pair], spec: RunSpec, folder: str) -> Iterator[Pair]:
    """Yield the pairs that are selected; see :func:`pair_folder`."""
    # Filters are applied to pairs: the copy of an excluded source object is not an extra.
    matches = spec.selection.matcher(folder)
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
