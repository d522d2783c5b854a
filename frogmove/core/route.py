"""A route: where keys come from and where they go. Pure."""

from dataclasses import dataclass

from frogmove.errors import UsageError
from frogmove.s3.uri import Location, check_key, split


@dataclass(frozen=True, slots=True)
class Route:
    """A source and a destination; a key keeps its name relative to the two prefixes.

    Raises:
        UsageError: when the two are one place or lie one inside the other: moving an object onto
            itself deletes it (aws-cli#831, mc#5170), and a destination inside the source would
            be moved again and again.
    """

    source: Location
    destination: Location

    def __post_init__(self) -> None:
        one, other = self.source, self.destination
        if one.bucket != other.bucket:
            return
        if one.prefix == other.prefix:
            raise UsageError(
                f"Source and destination are the same place, {one}.",
                "A move onto itself would delete the objects.",
            )
        if one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix):
            raise UsageError(
                f"{one} and {other} lie one inside the other.",
                "Choose two prefixes of which neither contains the other.",
            )

    def destination_key(self, key: str) -> str:
        """Return where a source key goes: the same name under the destination prefix."""
        return self.destination.prefix + key.removeprefix(self.source.prefix)

    def source_key(self, name: str) -> str:
        """Read a key as an operator writes it: relative to the source, or as an S3 URI in it.

        Raises:
            UsageError: when it cannot be a key or does not lie inside the source.
        """
        if not name.startswith("s3://"):
            if not name:
                check_key(name)
            return check_key(self.source.prefix + name)
        bucket, key = split(name)
        inside = bucket == self.source.bucket and key.startswith(self.source.prefix)
        if not inside or key == self.source.prefix:
            raise UsageError(
                f"{name!r} is not inside the route's source {self.source}.",
                "Name a key under the source, or give another --source.",
            )
        return check_key(key)
