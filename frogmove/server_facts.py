"""What was found out about the server of a route, and what an operator should know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.core.attributes import warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from frogmove.core.attributes import Attribute
    from frogmove.s3.bucket_features import BucketFeatures
    from frogmove.s3.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The results of the preflight checks.

    Attributes:
        capabilities: which conditions the server honours; not tested in a dry run, which never
            writes.
        features: the enabled features of the source bucket.
    """

    capabilities: Capabilities
    features: BucketFeatures


def server_warnings(
    facts: ServerFacts, refused: Sequence[str], carry: frozenset[Attribute]
) -> Iterator[str]:
    """Yield what an operator should know before a run.

    Args:
        facts: what was found out.
        refused: what the server refuses to be asked, in words.
        carry: the attributes that are copied although S3 does not.
    """
    for each in refused:
        yield f"This server refuses {each}; it is left out."
    if not facts.capabilities.delete:
        what = "This server does not honour conditional deletes"
        if "delete" in facts.capabilities.unknown:
            what = (
                "Whether this server honours conditional deletes could not be tested, because "
                "that needs s3:PutObject and s3:DeleteObject on the destination"
            )
        yield (
            f"{what}. Each source is checked by HEAD just before its delete. An overwrite "
            "between check and delete can be lost."
        )
    yield from warnings(facts.features, carry)
