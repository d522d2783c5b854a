"""The tags that an object must have to be moved."""

from __future__ import annotations

from dataclasses import dataclass

from frogmove.errors import UsageError

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
_MAX_KEY_LENGTH = 128
_MAX_VALUE_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of an object."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


def parse_tag(text: str) -> Tag:
    """Parse a tag written as ``KEY=VALUE``; the first ``=`` separates the two.

    Raises:
        UsageError: when it is not a tag.
    """
    key, sign, value = text.partition("=")
    if not sign or not key or len(key) > _MAX_KEY_LENGTH or len(value) > _MAX_VALUE_LENGTH:
        raise UsageError(
            f"{text!a} is not a tag.",
            f"Write KEY=VALUE, with at most {_MAX_KEY_LENGTH} and {_MAX_VALUE_LENGTH} characters.",
        )
    return Tag(key, value)
