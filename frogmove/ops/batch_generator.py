"""Translates a selection into the filter of S3's manifest generator, if that is possible.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobManifestGeneratorFilter.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from frogmove.errors import UsageError

if TYPE_CHECKING:
    from frogmove.core.selection import Selection

# S3's times of objects are whole seconds.
_MILLISECOND = timedelta(milliseconds=1)


def generator_filter(selection: Selection) -> dict[str, Any]:
    """Return the filter of a manifest generator that selects the same objects.

    Args:
        selection: the selection.

    Raises:
        UsageError: when the filter cannot express it.
    """
    filters = selection.filters
    if not selection.is_of_folders:
        raise _refusal("it selects keys")
    if filters.patterns:
        raise _refusal("it has patterns")
    for folder in selection.folders:
        if folder and not folder.endswith("/"):
            raise _refusal(f"the folder {folder!a} also selects the key of that name", "a slash")
    found: dict[str, Any] = {}
    if selection.folders != ("",):
        found["KeyNameConstraint"] = {"MatchAnyPrefix": list(selection.folders)}
    # "At or after" is "after" a time that is a millisecond earlier.
    if filters.newer_than is not None:
        found["CreatedAfter"] = filters.newer_than - _MILLISECOND
    if filters.older_than is not None:
        found["CreatedBefore"] = filters.older_than
    if filters.min_size:
        found["ObjectSizeGreaterThanBytes"] = filters.min_size - 1
    if filters.max_size is not None:
        found["ObjectSizeLessThanBytes"] = filters.max_size + 1
    if filters.storage_classes:
        found["MatchAnyStorageClass"] = list(filters.storage_classes)
    return found


def _refusal(why: str, end: str = "") -> UsageError:
    remedy = "Leave out --generate; then frogmove lists the objects."
    if end:
        remedy = f"Write the folder with {end} at its end, or leave out --generate."
    return UsageError(f"S3 cannot generate the manifest of this selection: {why}.", remedy)
