"""Compares the bytes of two objects, or those of one with an ETag."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from frogmove.core.scheduler import wait_for
from frogmove.core.verify import Match, etag_of_parts
from frogmove.s3.future import Future, LightFuture
from frogmove.s3.interface import S3
from frogmove.s3.models import S3Object

# Bytes of each object that are held in memory.
CHUNK = 8 * 1024 * 1024

# How many pairs of chunks, or parts, are read at the same time: pairs hold at most 64 MiB.
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
        size = one[1].size
        if size > self.largest:
            return Match.UNKNOWN
        chunks = ((first, min(first + CHUNK, size) - 1) for first in range(0, size, CHUNK))
        pairs = ([self.s3.read(*side, *chunk) for side in (one, other)] for chunk in chunks)
        same = await self._read(pairs, lambda pair: pair[0] == pair[1])
        return Match.SAME if same else Match.DIFFERENT

    async def etag_in_parts(
        self, bucket: str, item: S3Object, layout: Iterable[tuple[int, int, int]]
    ) -> str | None:
        """Read an object, and return the ETag that it would have in these parts.

        Args:
            bucket: its bucket.
            item: an object as it was listed.
            layout: number, first and last byte of each part.

        Returns:
            the ETag; None if the object is too large.

        Raises:
            S3Error: when it cannot be read or has changed.
        """
        if item.size > self.largest:
            return None
        digests: list[bytes] = []

        def take(digest: list[bytes]) -> bool:
            digests.extend(digest)
            return True

        parts = ([self.s3.read_md5(bucket, item, first, last)] for _, first, last in layout)
        await self._read(parts, take)
        return etag_of_parts(digests)

    async def _read(
        self,
        requests: Iterator[list[Future[bytes]]],
        take: Callable[[list[bytes]], bool],
    ) -> bool:
        """Read step by step, and some steps ahead while no other object needs their slots.

        Args:
            requests: sends the requests of the next step.
            take: gets the responses of each step, in order; returns whether to continue.

        Returns:
            whether all steps were taken.
        """
        if self._free:
            self._free -= 1
        else:
            slot = LightFuture[None]()
            self._waiting.append(slot)
            await wait_for(slot)
        reading: deque[list[Future[bytes]]] = deque()
        slots = 1
        try:
            while True:
                while not reading or self._free:
                    step = next(requests, None)
                    if step is None:
                        break
                    if reading:
                        self._free -= 1
                        slots += 1
                    reading.append(step)
                if not reading:
                    return True
                if not take([await wait_for(response) for response in reading.popleft()]):
                    return False
                if slots > 1:
                    slots -= 1
                    self._release()
        finally:
            for _ in range(slots):
                self._release()

    def _release(self) -> None:
        # Hand the slot directly to the object that has waited longest.
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1
