"""Concludes from a trace where the bytes are, and what to do."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from frogmove.core.required_tags import parse_tag
from frogmove.core.typographic import typographic_hint
from frogmove.ops.trace import DESTINATION, QUARANTINE, SCAN_TAG, SOURCE
from frogmove.s3.etag import etags_match

if TYPE_CHECKING:
    from frogmove.ops.trace import Trace
    from frogmove.ops.trace_place import Place

# Keys that neither a shell nor a URL changes.
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")

_READ_REMEDY = (
    'Correct what "Not known" names (a permission, a bucket\'s name or the connection), then '
    "trace it again."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The conclusion of a trace.

    Attributes:
        text: where the bytes are.
        todo: what to do, one command or sentence each; empty if nothing.
    """

    text: str
    todo: tuple[str, ...] = ()

    def record(self, trace: Trace) -> dict[str, Any]:
        """Return the last JSON record of a trace."""
        return {
            "type": "trace",
            "key": trace.key,
            "places": {name: place.record() for name, place in trace.places.items()},
            "verdict": self.text,
            "todo": list(self.todo),
            "unknown": trace.unknown,
            "absent": trace.absent,
        }


def conclude(trace: Trace, argument: str, function: str) -> Verdict:
    """Conclude where the bytes are, and what to do.

    Args:
        trace: what is known.
        argument: the key as an argument of ``frogmove move``.
        function: the function's name.
    """
    here, there = trace.places[SOURCE], trace.places[DESTINATION]
    quarantine = trace.places.get(QUARANTINE)
    if here.exists:
        both = _describe_both(here, there)
        return Verdict(both, _steps_at_source(trace, argument, function))
    if here.exists is None or there.exists is None:
        known = f"The bytes are at {there.uri}." if there.exists else "The bytes were not found."
        left = "source" if here.exists is None else "destination"
        return Verdict(f"{known} The {left} could not be read.", (_READ_REMEDY,))
    if there.exists:
        version = there.current.version_id if there.current else None
        named = f", version {version}" if version else ""
        drop = [f"frogmove dlq drop {each}" for each in trace.dead_letters]
        return Verdict(
            f"The bytes are at {there.uri}{named}. The source does not have them.", tuple(drop)
        )
    if quarantine is not None and quarantine.exists:
        return Verdict(
            f"The bytes are in quarantine: {quarantine.uri}.", ("Contact the uploader.",)
        )
    return _conclude_missing(trace, argument)


def _describe_both(here: Place, there: Place) -> str:
    if not there.exists:
        also = "" if there.exists is False else " The destination could not be read."
        return f"The bytes are at {here.uri}.{also}"
    if _is_same(here, there):
        return f"The bytes are at {here.uri}, and the same ETag is at {there.uri}."
    return (
        f"The bytes are at {here.uri}; {there.uri} holds other bytes, or a copy in parts: "
        "`frogmove verify --compare content` compares them."
    )


def _is_same(here: Place, there: Place) -> bool:
    one, other = here.current, there.current
    return one is not None and other is not None and etags_match(one.etag, other.etag)


def _steps_at_source(trace: Trace, argument: str, function: str) -> tuple[str, ...]:
    """Return what to do with an object that waits at the source."""
    todo = []
    if trace.dead_letters:
        todo.append(f"frogmove dlq show {trace.dead_letters[-1]}")
        todo.append(f"Fix the cause, then: frogmove dlq redrive {trace.dead_letters[-1]}")
    scan = (trace.tags or {}).get(SCAN_TAG)
    if scan is not None and scan != "NO_THREATS_FOUND":
        return (*todo, f"Its scan says {scan}: contact the uploader before it is moved.")
    if trace.required_tag and trace.tags is not None:
        tag = parse_tag(trace.required_tag)
        if trace.tags.get(tag.key) != tag.value:
            return (*todo, f"It waits for the tag {trace.required_tag}, which the scanner sets.")
    if trace.is_paused:
        todo.append(f"frogmove lambda resume --function {shlex.quote(function)}")
    if trace.messages and trace.has_trigger is False:
        todo.append(
            "Its message waits in the queue, but no queue invokes the function: frogmove doctor"
        )
    elif trace.messages and not trace.is_paused:
        todo.append("Its message waits in the queue: the function moves it soon.")
    if not todo:
        todo.append(f"frogmove move {argument}{_policy(trace)}")
    return tuple(todo)


def _policy(trace: Trace) -> str:
    """Return the option that a move needs if the destination holds something else."""
    there = trace.places[DESTINATION]
    if not there.exists or _is_same(trace.places[SOURCE], there):
        return ""
    return " --on-conflict keep-both"


def _conclude_missing(trace: Trace, argument: str) -> Verdict:
    """Conclude about a key that neither side has."""
    here, there = trace.places[SOURCE], trace.places[DESTINATION]
    for place in (there, here):
        old = place.older
        if old is not None and old.version_id:
            return Verdict(
                f"Nothing is there now, but {place.uri} has an old version, {old.version_id}, of "
                f"{old.time:%Y-%m-%d %H:%M:%S} UTC.",
                (_restore(place, old.version_id, argument, is_source=place is here),),
            )
    if trace.events:
        return Verdict(
            "Neither side has it now, and no version is kept.",
            ("The lines above say what happened last. Look for a copy under another key.",),
        )
    hint = typographic_hint(shlex.split(argument)[0])
    return Verdict(
        "Neither side has it, and nothing is known about it.",
        (hint or "Check the key: `frogmove ls` prints the keys of the source.",),
    )


def _restore(place: Place, version: str, argument: str, *, is_source: bool) -> str:
    """Return how an old version is restored."""
    if is_source:
        return f"frogmove copy {argument} --version-id {version}"
    if not _PLAIN.fullmatch(place.key):
        return "Copy that version onto its key, such as in the S3 console."
    return (
        f"aws s3api copy-object --bucket {place.bucket} --key {place.key} "
        f"--copy-source '{place.bucket}/{place.key}?versionId={version}'"
    )
