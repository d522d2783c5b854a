"""One invocation: what its work is done with, and within which time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Event

    from frogmove.core.route import Route
    from frogmove.core.terms import Terms
    from frogmove.function.telemetry import Telemetry
    from frogmove.s3 import S3


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation.

    Attributes:
        s3: what to ask.
        route: what is moved where.
        terms: how.
        stop: once set, no more work is taken.
        telemetry: what to tell of it.
    """

    s3: S3
    route: Route
    terms: Terms
    stop: Event
    telemetry: Telemetry
