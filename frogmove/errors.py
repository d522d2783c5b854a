"""Errors for the operator: a message about what happened, and a remedy."""

from frogmove.redaction import redact


class FrogmoveError(Exception):
    """An error that ends an operation of frogmove.

    Args:
        message: what happened, to which bucket, key or file, in one sentence.
        remedy: what the operator can do, in one sentence; may be empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = redact(message)
        self.remedy = redact(remedy)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(FrogmoveError):
    """The request is not valid; it was refused before anything was changed."""


class UnreachableError(FrogmoveError):
    """A bucket or an endpoint cannot be used: it is missing, denied, or does not respond."""


class RunError(FrogmoveError):
    """A run ended early; what it has done stays done and is reported."""


def no_threads() -> UsageError:
    """Return the error for a system that allows no more threads."""
    return UsageError(
        "The system allows no more threads or memory, so no request can be sent.",
        "Raise the limits (`ulimit -u`, `ulimit -v`), or end other programs.",
    )
