"""What stands between a client and :class:`tests.fake_s3.FakeS3`: where a test acts meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Interceptor(Protocol):
    """Decides when and whether a request takes place, and what its answer becomes."""

    def __call__(self, operation: str, request: Callable[[], T]) -> T: ...


def no_interception(operation: str, request: Callable[[], T]) -> T:
    return request()


@dataclass
class RequestHook:
    """An interceptor that does something when a request takes place.

    Attributes:
        deeds: what to do at which request, counted from 0, of those that ``only`` names.
        only: the operation that is counted; "" for every one.
        after: whether it is done right after the request took place, and not right before.
        operations: those that have come by.
    """

    deeds: dict[int, Callable[[], object]] = field(default_factory=dict)
    only: str = ""
    after: bool = False
    operations: list[str] = field(default_factory=list)
    counted: int = 0

    def __call__(self, operation: str, request: Callable[[], T]) -> T:
        self.operations.append(operation)
        deed = None
        if operation == (self.only or operation):
            deed = self.deeds.get(self.counted)
            self.counted += 1
        if deed is not None and not self.after:
            deed()
        answer = request()
        if deed is not None and self.after:
            deed()
        return answer


def before(operations: set[str], deed: Callable[[], object]) -> Interceptor:
    """Return an interceptor that does something before some requests take place."""

    def interceptor(operation: str, request: Callable[[], T]) -> T:
        if operation in operations:
            deed()
        return request()

    return interceptor
