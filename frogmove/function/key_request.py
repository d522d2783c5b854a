"""The keys that an event names, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.models import Outcome
from frogmove.function.telemetry import QUARANTINED
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from frogmove.errors import FrogmoveError
    from frogmove.function.scan_results import ScanResult


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key of the source bucket, or one version of it.

    Attributes:
        key: the complete key.
        version_id: the version; None for the current one.
        alternative_key: another key that may be meant instead.
        scan: a scan result; then exactly the scanned object is meant.
        is_upload: whether an event reported it, so that the function's filters apply.
    """

    key: str
    version_id: str | None = None
    alternative_key: str | None = None
    scan: ScanResult | None = None
    is_upload: bool = False

    @property
    def is_threat(self) -> bool:
        """Whether the scan found threats."""
        return self.scan is not None and self.scan.is_threat


@dataclass(frozen=True, slots=True)
class KeyResult:
    """The result of a requested key.

    Attributes:
        outcome: the outcome.
        reason: why, for the operator.
        retrying_helps: whether the request is not complete, and a retry may succeed.
        unfinished: whether only the time ran out.
        is_quarantined: whether it was moved to the quarantine instead of the destination.
    """

    outcome: Outcome
    reason: str = ""
    retrying_helps: bool = False
    unfinished: bool = False
    is_quarantined: bool = False

    @classmethod
    def of_error(cls, error: S3Error) -> KeyResult:
        """Return the result of a key that could not be looked up."""
        return cls(Outcome.FAILED, describe(error, "It was not changed"), _may_pass(error))

    @classmethod
    def of_unusable(cls, error: FrogmoveError) -> KeyResult:
        """Return the result of a key that was not moved because the destination is unusable."""
        cause = error.__cause__
        retrying_helps = isinstance(cause, S3Error) and _may_pass(cause)
        return cls(Outcome.FAILED, f"{error} The source is kept.", retrying_helps)

    @property
    def word(self) -> str:
        """The name of its metric."""
        return QUARANTINED if self.is_quarantined else self.outcome.value

    @property
    def is_done(self) -> bool:
        """Whether the request is complete."""
        return not self.outcome.needs_attention and not self.retrying_helps


def _may_pass(error: S3Error) -> bool:
    return error.retrying_helps or error.is_expired


KeyResults = dict[KeyRequest, KeyResult]
