"""Compares the bytes of two objects."""

from collections import deque
from dataclasses import dataclass, field

from frogmove.core.scheduler import wait_for
from frogmove.core.verify import Match
from frogmove.s3.future import Future, LightFuture
from frogmove.s3.interface import S3
from frogmove.s3.models import S3Object

# Bytes of each object that are held in memory.
CHUNK = 8 * 1024 * 1024

# How many pairs of chunks are read at the same time: together they hold at most 64 MiB.
AT_ONCE = 4


@dataclass(slots=True)
class ContentComparer:
    """Compares objects byte by byte, a few concurrently, and reads ahead if they are fewer.

    Attributes:
        s3: the client for both buckets.
        largest: bytes; larger objects are not read.
    """

    s3: S3
    largest: int
    _free: int = AT_ONCE
    _waiting: deque[LightFuture[None]] = field(default_factory=deque)

    async def compare(self, one: tuple[str, S3Object], other: tuple[str, S3Object]) -> Match:
        """Compare two objects; stop reading at the first difference.

        Args:
            one: a bucket, and an object as it was listed.
            other: the other one.

        Returns:
            the verdict; UNKNOWN if they are too large.

        Raises:
            S3Error: when one cannot be read or has changed.
        """
        if one[1].size != other[1].size:
            return Match.DIFFERENT
        if one[1].size > self.largest:
            return Match.UNKNOWN
        if self._free:
            self._free -= 1
        else:
            slot = LightFuture[None]()
            self._waiting.append(slot)
            await wait_for(slot)
        try:
            return await self._read(one, other)
        finally:
            self._release()

    def _release(self) -> None:
        # Hand the slot directly to the comparison that has waited longest.
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1

    async def _read(self, one: tuple[str, S3Object], other: tuple[str, S3Object]) -> Match:
        reading: deque[tuple[Future[bytes], Future[bytes]]] = deque()
        chunks = iter(range(0, one[1].size, CHUNK))
        extra = 0
        try:
            while True:
                while not reading or self._free:
                    first = next(chunks, None)
                    if first is None:
                        break
                    if reading:
                        self._free -= 1
                        extra += 1
                    last = min(first + CHUNK, one[1].size) - 1
                    pair = self.s3.read(*one, first, last), self.s3.read(*other, first, last)
                    reading.append(pair)
                if not reading:
                    return Match.SAME
                chunk, other_chunk = reading.popleft()
                if await wait_for(chunk) != await wait_for(other_chunk):
                    return Match.DIFFERENT
                if extra:
                    extra -= 1
                    self._release()
        finally:
            for _ in range(extra):
                self._release()
