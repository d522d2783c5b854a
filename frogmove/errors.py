"""The errors an operator is meant to read: one sentence on what happened, one on what to do."""

from frogmove.redaction import redact


class FrogmoveError(Exception):
    """Something frogmove cannot go on from, said for people.

    Args:
        message: what happened and to which bucket, key or file, in one sentence.
        remedy: what the reader can do about it, in one sentence; empty when there is nothing.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = redact(message)
        self.remedy = redact(remedy)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(FrogmoveError):
    """The request itself is wrong; it was refused before anything was touched."""


class UnreachableError(FrogmoveError):
    """A bucket or an endpoint cannot be used as asked: missing, refused, or not answering."""


class RunError(FrogmoveError):
    """A run had to stop before its end; what it had done stays done and is reported."""


def no_threads() -> UsageError:
    """Return the refusal of a system that allows not even one thread."""
    return UsageError(
        "This system allows no further thread or memory, so no request can be sent.",
        "Raise its limits (`ulimit -u`, `ulimit -v`), or end other programs.",
    )
