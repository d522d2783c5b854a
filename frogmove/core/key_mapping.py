"""Maps source keys to destination keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from string import Formatter
from typing import TYPE_CHECKING, Any

from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.uri import check_key, check_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from frogmove.core.models import Route
    from frogmove.s3.models import S3Object

_FIELDS = ("name", "stem", "suffix", "folder", "modified")

# Without those that depend on the machine: its time zone, its language, its C library.
_TIME = re.compile(r"([^%{}]|%[YGymBbdjHIMSpfAauwVUW%])*")


# Where a key is in the order of the destination's keys.
Place = tuple[int, str]


class UnmappableError(ValueError):
    """An object has no valid key at the destination; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMapping:
    """How keys change between source and destination; empty: not at all.

    The changes are applied in this order:

    Attributes:
        strip_prefix: the prefix that is removed from all keys; ends with a slash.
        rename: a template of the new key: ``{name}`` is the part after the last slash, ``{stem}``
            and ``{suffix}`` are its parts before the last dot and from the dot on, ``{folder}`` is
            the part before the last slash, and ``{modified:%Y/%m/%d}`` is the time of the last
            change, in UTC. If ``{folder}`` is empty, the slash after it is removed.
        to_prefix: the prefix that is added to all keys; ends with a slash.
        new_key: the new key of the only object.

    Raises:
        UsageError: when the template is not valid.
    """

    strip_prefix: str = ""
    rename: str | None = None
    to_prefix: str = ""
    new_key: str | None = None

    def __post_init__(self) -> None:
        for name in ("strip_prefix", "to_prefix"):
            text = getattr(self, name)
            if text and not text.endswith("/"):
                object.__setattr__(self, name, f"{text}/")
            if text:
                check_key(text)
        if self.new_key is not None:
            check_key(self.new_key)
            if self.strip_prefix or self.to_prefix or self.rename:
                raise UsageError(
                    "--as gives the whole key: it cannot be combined with options that change keys."
                )
        if self.rename is not None:
            _check_template(self.rename)

    @property
    def keeps_order(self) -> bool:
        """Whether the mapping keeps the order of keys and maps no two keys to one."""
        return self.rename is None and self.new_key is None

    def mapper(self, route: Route) -> Callable[[S3Object], str]:
        """Return a function from an object to its destination key; see :class:`UnmappableError`."""
        source, destination = route.source.prefix, route.destination.prefix
        if self == SAME_KEYS:
            # This runs for every object of a sync.
            return lambda item: destination + item.key.removeprefix(source)
        return lambda item: (
            destination + self._new_name(item.key.removeprefix(source), item.last_modified)
        )

    def destination_prefix(self, prefix: str, route: Route) -> str:
        """Return the destination prefix of a folder, if order is kept.

        Args:
            prefix: of keys of the source.
            route: the route.
        """
        name = prefix.removeprefix(route.source.prefix)
        # A folder above the stripped prefix contains all of it.
        kept = name[len(self.strip_prefix) :] if name.startswith(self.strip_prefix) else ""
        return route.destination.prefix + self.to_prefix + kept

    def place(self, key: str, route: Route) -> Place:
        """Return where a source key is in the order of the destination's keys, if order is kept.

        A key that has no destination key is before or after all of them.
        """
        start = route.source.prefix + self.strip_prefix
        if key.startswith(start):
            return self.place_there(self.destination_prefix(key, route))
        return (0 if key < start else 2), ""

    @staticmethod
    def place_there(destination_key: str) -> Place:
        """Return where a destination key is in that order."""
        return 1, destination_key

    def source_key(self, destination_key: str, route: Route) -> str | None:
        """Return the source key that gets a destination key, if order is kept.

        Args:
            destination_key: a key under the destination's prefix.
            route: the route.

        Returns:
            the key, whether or not the source has it; None if no source key gets it.
        """
        name = destination_key.removeprefix(route.destination.prefix)
        kept = name.removeprefix(self.to_prefix)
        if not kept or not name.startswith(self.to_prefix):
            return None
        return route.source.prefix + self.strip_prefix + kept

    def _new_name(self, name: str, modified: datetime) -> str:
        if self.new_key is not None:
            return self.new_key
        if not name.startswith(self.strip_prefix):
            raise UnmappableError(f"its key does not begin with {in_quotes(self.strip_prefix)}")
        name = name[len(self.strip_prefix) :]
        if self.rename is not None:
            name = _rendered(self.rename, name, modified)
        if not name and (self.strip_prefix or self.rename):
            raise UnmappableError("its new key would be empty")
        return self.to_prefix + name

    def record(self) -> dict[str, Any]:
        """Return the mapping as a JSON value; see :meth:`of_record`."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> KeyMapping:
        """Parse a record."""
        return cls(**record)


# Keys are not changed.
SAME_KEYS = KeyMapping()


def _rendered(template: str, name: str, modified: datetime) -> str:
    """Render the template for one object."""
    folder, _, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    if not stem:
        stem, dot, suffix = last, "", ""
    values = {"name": last, "stem": stem, "suffix": dot + suffix, "folder": folder}
    result = ""
    is_after_empty_folder = False
    for text, field, spec in _parsed(template):
        result += text.removeprefix("/") if is_after_empty_folder else text
        is_after_empty_folder = False
        if field == "modified":
            result += modified.astimezone(UTC).strftime(spec)
        elif field is not None:
            result += values[field]
            is_after_empty_folder = field == "folder" and not folder
    return result


def _parsed(template: str) -> Iterator[tuple[str, str | None, str]]:
    for text, field, spec, _ in Formatter().parse(template):
        yield text, field, spec or ""


def _check_template(template: str) -> None:
    known = "Use {name}, {stem}, {suffix}, {folder} and {modified:%Y/%m/%d}."
    check_text(template)
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise UsageError(
            f"The template {in_quotes(template, 200)} cannot be read: {error}.", known
        ) from error
    fields = [
        (field, spec or "", conversion)
        for _, field, spec, conversion in parsed
        if field is not None
    ]
    for field, spec, conversion in fields:
        is_time = "%" in spec and _TIME.fullmatch(spec) is not None
        if field not in _FIELDS or conversion or not (is_time if field == "modified" else not spec):
            shown = f"{field}!{conversion}" if conversion else field
            shown = f"{{{shown}:{spec}}}" if spec else f"{{{shown}}}"
            raise UsageError(f"The template {in_quotes(template, 200)} has {shown}.", known)
    if not fields:
        raise UsageError(
            f"The template {in_quotes(template, 200)} gives every object the same key.", known
        )
