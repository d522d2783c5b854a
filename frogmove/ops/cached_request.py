"""A property that is read once, also if reading it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from frogmove.ops.aws_request import AwsRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class cached_request(Generic[_T]):  # noqa: N801 - like functools.cached_property
    """Like :class:`functools.cached_property`, but keeps an AwsRequestError as well.

    Several checks need the same resource, and a request without a response takes long.

    Args:
        read: reads the value.
    """

    def __init__(self, read: Callable[[Any], _T]) -> None:
        self._read = read
        self.__doc__ = read.__doc__
        self._name = read.__name__

    def __get__(self, owner: Any, _: type | None = None) -> _T:  # noqa: ANN401
        values = owner.__dict__.setdefault("_cached_requests", {})
        if self._name not in values:
            try:
                values[self._name] = self._read(owner)
            except AwsRequestError as error:
                values[self._name] = error
        found = values[self._name]
        if isinstance(found, AwsRequestError):
            raise found
        return found  # type: ignore[no-any-return]
