"""Whatever may be sent to the function: any JSON, and known events with something wrong."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Any text; hypothesis takes two seconds to make the alphabet of ``st.text()``, which is the same.
CHARACTERS = st.characters(exclude_categories=["Cs"])

_NAMES = st.sampled_from(
    [
        *("Records", "s3", "body", "x", "action", "keys", "age", "detail", "detail-type", "source"),
        *("Type", "Message", "Sns", "EventSource", "eventSource", "messageId", "tasks", "taskId"),
        *("invocationSchemaVersion", "invocationId", "s3Key", "key", "bucket", "object", "name"),
    ]
)
_TEXTS = st.text(CHARACTERS, max_size=8) | st.sampled_from(
    ["aws:s3", "aws:sqs", "aws:sns", "aws.s3", "Object Created", "Notification", "1.0", "2.1"]
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def mutations(draw: st.DrawFn, samples: Sequence[object], values: st.SearchStrategy[Any]) -> object:
    """Draw one of some events, with up to three places of it changed, moved or taken out."""
    event = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(event))
        if not places:
            break
        holder, place = draw(st.sampled_from(places))
        deed = draw(st.sampled_from(["change", "remove", "swap"]))
        if deed == "change":
            holder[place] = draw(values)
        elif deed == "remove":
            del holder[place]
        else:
            other, there = draw(st.sampled_from(places))
            with suppress(LookupError, TypeError):
                holder[place] = copy.deepcopy(other[there])
    return event


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    """Find every place in an event, also inside of texts that are JSON themselves."""
    if isinstance(value, dict):
        for name in list(value):
            if isinstance(value[name], str):
                with suppress(ValueError):
                    yield from ((_Text(value, name), at) for at in _names(value[name]))
            yield value, name
            yield from _places(value[name])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from _places(value[index])


def _names(text: str) -> list[str]:
    inner = json.loads(text)
    return list(inner) if isinstance(inner, dict) else []


class _Text:
    """A JSON object that is kept as text; changed through here, it is written anew."""

    def __init__(self, holder: Any, place: str) -> None:
        self._holder, self._place = holder, place

    def _inner(self) -> dict[str, Any]:
        return dict(json.loads(self._holder[self._place]))

    def __getitem__(self, name: str) -> Any:
        return self._inner()[name]

    def __setitem__(self, name: str, value: object) -> None:
        self._holder[self._place] = json.dumps(self._inner() | {name: value})

    def __delitem__(self, name: str) -> None:
        inner = self._inner()
        del inner[name]
        self._holder[self._place] = json.dumps(inner)
