"""Listings as streams, read by concurrent requests and yielded in S3's order.

A long listing is split into ranges that are read concurrently. The split point is a guess, from the
folders or half way between two keys, and it is checked: the first range is read up to its first key
after the split point, which must be the first key of the second range. If it is not (a server with
another order, or a key that was added or deleted meanwhile), the later ranges are discarded and the
listing continues page by page. So it is as complete as a plain listing.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from queue import SimpleQueue

from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.future import Future
from frogmove.s3.interface import S3
from frogmove.s3.key_ranges import midpoint, sample_keys, spread
from frogmove.s3.models import Page, S3Object
from frogmove.s3.page_checks import CycleCheck, EncodingCheck
from frogmove.s3.unparsed_objects import keys_of
from frogmove.s3.uri import folder_prefix, is_directory_bucket

# Maximum concurrent requests of one listing.
LISTING_CONCURRENCY = 8

# Pages that are read ahead; a page has 1,000 objects.
READ_AHEAD = 48

# Shorter listings are not split.
PAGES_BEFORE_SPLIT = 2


@dataclass(eq=False, slots=True)
class _Range:
    """Keys after ``after`` up to and including ``last``; None for no end."""

    after: str
    last: str | None
    pages: deque[Page] = field(default_factory=deque)
    request: Future[Page] | None = None
    token: str | None = None
    reached: str = ""
    sample: Sequence[str] = ()
    begun: bool = False
    cycle: CycleCheck = field(default_factory=CycleCheck)

    def is_read(self) -> bool:
        """Tell whether no further page is needed."""
        if not self.begun or self.request is not None:
            return False
        return self.token is None or (self.last is not None and self.reached > self.last)

    def is_unread(self) -> bool:
        """Tell whether nothing of it has been read, so that it can be replaced."""
        return self.token is None and self.after != "" and not self.reached

    def take(self, page: Page) -> bool:
        """Add a page.

        Returns:
            whether its keys are in S3's order, after those before.

        Raises:
            S3Error: when its token was returned before: the listing would never end.
        """
        self.cycle.check(page.token)
        self.token = page.token
        self.pages.append(page)
        if not page.objects:
            return True
        keys = keys_of(page.objects)
        is_ordered = keys[0] > (self.reached or self.after) and sorted(keys) == list(keys)
        self.reached = keys[-1]
        self.sample = sample_keys(keys)
        return is_ordered


class _Listing:
    """One listing; driven by the iteration over its objects."""

    def __init__(self, s3: S3, bucket: str, prefix: str, concurrency: int) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix
        self._concurrency = concurrency
        self._ranges = deque([_Range(after="", last=None)])
        self._received: SimpleQueue[_Range | None] = SimpleQueue()
        self._folder_page: Future[Page] | None = None
        self._in_flight = 0
        self._pages = 0
        self._may_split = concurrency > 1
        self._checks = EncodingCheck(s3, bucket)

    def pages(self) -> Iterator[Sequence[S3Object]]:
        """Yield the objects of one page after the other."""
        while self._ranges:
            self._schedule()
            front = self._ranges[0]
            if front.pages:
                yield self._take_page(front)
            elif front.is_read():
                # It reached the end of all keys, so later keys are newer.
                self._ranges.clear()
            else:
                self._receive()

    def _take_page(self, front: _Range) -> Sequence[S3Object]:
        """Return the next page of the first range, and check the split point to the next range."""
        objects = front.pages.popleft().objects
        last = front.last
        if last is None:
            return objects
        keys = keys_of(objects)
        inside = next((place for place, key in enumerate(keys) if key > last), None)
        if inside is None:
            return objects
        if self._first_key(self._ranges[1]) == keys[inside]:
            self._ranges.popleft()
            return objects[:inside]
        self._continue_unsplit(front)
        return objects

    def _first_key(self, following: _Range) -> str | None:
        while following in self._ranges and not following.pages and not following.is_read():
            self._schedule(following)
            self._receive()
        if following not in self._ranges:
            return None
        page = next((page for page in following.pages if page.objects), None)
        return keys_of(page.objects)[0] if page is not None else None

    def _continue_unsplit(self, front: _Range) -> None:
        """Discard all ranges but the first one."""
        self._may_split = False
        self._ranges = deque([front])
        front.last = None

    def _schedule(self, needed: _Range | None = None) -> None:
        """Send as many requests as allowed, the earliest range first."""
        buffered = sum(len(each.pages) for each in self._ranges)
        for place, each in enumerate(self._ranges):
            if each.request is not None or each.is_read():
                continue
            # The iteration waits for these; the others are read ahead.
            is_awaited = (place == 0 or each is needed) and len(each.pages) < 2
            if is_awaited or (self._in_flight < self._concurrency and buffered < READ_AHEAD):
                self._request(each)
        if self._may_split and self._pages >= PAGES_BEFORE_SPLIT and buffered < READ_AHEAD:
            self._split()

    def _request(self, each: _Range) -> None:
        if each.token is not None:
            each.request = self._s3.list_page(self._bucket, self._prefix, each.token)
        else:
            each.request = self._s3.list_page(self._bucket, self._prefix, start_after=each.after)
        each.begun = True
        self._in_flight += 1
        each.request.add_done_callback(partial(self._notify, each))

    def _notify(self, each: _Range | None, _: Future[Page]) -> None:
        self._received.put(each)

    def _receive(self) -> None:
        """Wait for any response and add it."""
        each = self._received.get()
        self._in_flight -= 1
        if each is None:
            self._split_at_folders()
            return
        request, each.request = each.request, None
        if request is None or each not in self._ranges:
            return
        if request.exception() is not None and each.is_unread():
            # Not every server supports StartAfter; directory buckets do not.
            self._continue_unsplit(self._ranges[0])
            return
        page = request.result()
        self._checks.check(page)
        self._pages += 1
        # In another order, splitting would not end.
        if not each.take(page) and self._may_split:
            self._continue_unsplit(self._ranges[0])

    def _split(self) -> None:
        """Split unread ranges, the earliest first, while more requests are allowed."""
        if self._folder_page is None:
            self._folder_page = self._request_folders(self._prefix)
        for place, each in enumerate(list(self._ranges)):
            if self._in_flight >= self._concurrency:
                return
            if each.sample and not each.is_read():
                split_point = midpoint(each.reached, each.last, each.sample)
                # Only once per page: a second split would have no new information.
                each.sample = ()
                if split_point is not None:
                    self._insert(place, each, split_point)
                    return

    def _insert(self, place: int, each: _Range, split_point: str) -> _Range:
        following = _Range(after=split_point, last=each.last)
        each.last = split_point
        self._ranges.insert(place + 1, following)
        self._request(following)
        return following

    def _request_folders(self, prefix: str) -> Future[Page]:
        self._in_flight += 1
        page = self._s3.list_page(self._bucket, prefix, delimiter="/")
        page.add_done_callback(partial(self._notify, None))
        return page

    def _split_at_folders(self) -> None:
        """Split at the folders; if there is only one, list its subfolders."""
        listed = self._folder_page
        if listed is None or listed.exception() is not None or not self._may_split:
            return
        page = listed.result()
        if len(page.prefixes) == 1 and not page.objects:
            self._folder_page = self._request_folders(page.prefixes[0])
            return
        place = len(self._ranges) - 1
        each = self._ranges[place]
        reached = each.reached or each.after
        prefixes = [prefix for prefix in page.prefixes if prefix > reached]
        for prefix in spread(prefixes, self._concurrency):
            each = self._insert(place, each, prefix)
            place += 1


def _pages(s3: S3, bucket: str, prefix: str, concurrency: int) -> Iterator[Sequence[S3Object]]:
    # Directory buckets do not list in key order and do not support StartAfter.
    return _Listing(s3, bucket, prefix, 1 if is_directory_bucket(bucket) else concurrency).pages()


def list_prefix(
    s3: S3, bucket: str, prefix: str, concurrency: int = LISTING_CONCURRENCY
) -> Iterator[S3Object]:
    """List all objects with a prefix, in the server's order.

    Args:
        s3: the client.
        bucket: the bucket.
        prefix: the prefix of the keys.
        concurrency: maximum concurrent requests; 1 reads page by page.

    Raises:
        S3Error: when a page cannot be listed; the objects before are incomplete.
    """
    return chain.from_iterable(_pages(s3, bucket, prefix, concurrency))


class Level:
    """What is directly in a folder. Memory holds one page; several are requested twice.

    Args:
        s3: the client.
        bucket: the bucket.
        folder: its name, with or without its slash; ``""`` is the whole bucket.

    Raises:
        S3Error: when a page cannot be listed; the methods raise it as well.
    """

    def __init__(self, s3: S3, bucket: str, folder: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._folder = folder
        self._prefix = folder_prefix(folder)
        self._first = s3.list_page(bucket, self._prefix, delimiter="/").result()

    def folders(self) -> Iterator[str]:
        """Yield the prefixes of the folders in it."""
        for page in self._pages():
            yield from page.prefixes

    def objects(self) -> Iterator[S3Object]:
        """Yield the objects: the one that has the folder's name, then those in it."""
        if self._folder != self._prefix:
            yield from named_key(self._s3, self._bucket, self._folder)
        for page in self._pages():
            yield from page.objects

    def _pages(self) -> Iterator[Page]:
        encoding, cycle = EncodingCheck(self._s3, self._bucket), CycleCheck()
        page = self._first
        while True:
            encoding.check(page)
            cycle.check(page.token)
            yield page
            if page.token is None:
                return
            request = self._s3.list_page(self._bucket, self._prefix, page.token, delimiter="/")
            page = request.result()


def named_key(s3: S3, bucket: str, key: str) -> Sequence[S3Object]:
    """List one key, if it exists.

    Raises:
        S3Error: when a request fails.
    """
    if is_directory_bucket(bucket):
        # Their prefixes must end with a slash.
        try:
            return [s3.head(bucket, key).result().object]
        except S3Error as error:
            if error.kind is Kind.MISSING:
                return []
            raise
    # A key sorts before all others with it as prefix.
    first = s3.list_page(bucket, key, limit=1).result().objects
    return [item for item in first if item.key == key]


def list_folder(
    s3: S3, bucket: str, folder: str, concurrency: int = LISTING_CONCURRENCY
) -> Iterator[S3Object]:
    """List the object ``folder`` and those under ``folder/``; ``""`` lists everything.

    Args:
        s3: the client.
        bucket: the bucket.
        folder: the folder, with or without its final slash.
        concurrency: see :func:`list_prefix`.

    Raises:
        S3Error: when a page cannot be listed.
    """
    return chain.from_iterable(folder_pages(s3, bucket, folder, concurrency))


def folder_pages(
    s3: S3, bucket: str, folder: str, concurrency: int = LISTING_CONCURRENCY
) -> Iterator[Sequence[S3Object]]:
    """List the same, page by page; see :func:`list_folder`."""
    prefix = folder_prefix(folder)
    if prefix != folder:
        yield named_key(s3, bucket, folder)
    yield from _pages(s3, bucket, prefix, concurrency)
