"""What the preflight checks determined about a server and a source bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.core.attributes import warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from frogmove.core.options import TransferOptions
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

    def warnings(self, refused: Iterable[str], options: TransferOptions) -> Iterator[str]:
        """Yield the messages for the operator before a run.

        Args:
            refused: what the server refused, in words.
            options: how objects are moved.
        """
        for each in refused:
            yield f"This server refuses {each}; it is left out."
        if not self.capabilities.delete:
            what = "This server does not honour conditional deletes"
            if "delete" in self.capabilities.unknown:
                what = (
                    "Whether this server honours conditional deletes could not be tested, because "
                    "that needs s3:PutObject and s3:DeleteObject on the destination"
                )
            yield (
                f"{what}. Each source is checked by HEAD just before its delete. An overwrite "
                "between check and delete can be lost."
            )
        yield from warnings(self.features, options.carry)
