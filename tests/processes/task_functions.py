"""Functions that a task pool's workers apply in tests; importing them takes no time."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass


class Unreadable(tuple[int, int]):
    """Cannot be read by the process that it is sent to."""

    __slots__ = ()

    def __reduce__(self) -> tuple[object, ...]:
        return _refuse, ()


def _refuse() -> None:
    raise MemoryError


class Exhausting(frozenset[str]):
    """A set that can be asked for some keys, before there is no memory for further ones."""

    left = 5

    def __contains__(self, key: object) -> bool:
        type(self).left -= 1
        if type(self).left < 0:
            raise MemoryError
        return super().__contains__(key)


@dataclass(frozen=True)
class Square:
    """Returns the square of a number, and the process that computed it.

    Attributes:
        pool: the process of the pool.
        killed: workers that get this number are killed.
        refused: this number is an error in every process.
        unreadable: the pool cannot read what a worker returns for this number.
        frozen: workers that get this number are stopped, as by SIGSTOP.
    """

    pool: int
    killed: int = -1
    refused: int = -1
    unreadable: int = -1
    frozen: int = -1

    def __call__(self, number: int) -> tuple[int, int]:
        if number == self.unreadable and os.getpid() != self.pool:
            return Unreadable((number * number, os.getpid()))
        if number == self.killed and os.getpid() != self.pool:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == self.frozen and os.getpid() != self.pool:
            os.kill(os.getpid(), signal.SIGSTOP)
        if number == self.refused:
            raise ValueError(number)
        return number * number, os.getpid()
