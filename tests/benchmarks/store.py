"""ministack's S3 without ministack's HTTP server, quick enough not to be what is measured.

Requests are answered by ministack's own code, but for three things:

- Bucket keys are kept sorted and pages are written out as text. ministack sorts all keys of a
  bucket for each page, which a long listing cannot bear.
- Copies heed ``If-None-Match`` and ``If-Match``, as S3's do, by the very function that ministack
  holds its PutObject to; its own copies ignore them.
- Buckets are filled by one call, not by a million requests.

Signatures are not checked. Nothing here is of use to a test of correctness.
"""

from __future__ import annotations

import base64
import logging
import re
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

from ministack.services import s3  # type: ignore[import-untyped]
from sortedcontainers import SortedDict  # type: ignore[import-untyped]

from tests.benchmarks.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Response = tuple[int, dict[str, str], bytes]

# What else can be asked of a bucket with GET.
_ABOUT_A_BUCKET = {"location", "versioning", "uploads"}

# Keys that are themselves in a URL and in XML, as nearly all are.
_PLAIN = re.compile(r"[\w/.-]*", re.ASCII)

_XML = "<?xml version='1.0' encoding='UTF-8'?>\n"
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class Store:
    """The buckets of one server."""

    def __init__(self) -> None:
        # It warns of every key that an error is about.
        logging.disable(logging.CRITICAL)
        _heed_conditions_on_copies()

    def answer(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> Response:
        """Answer one request."""
        parameters = parse_qs(query, keep_blank_values=True)
        bucket, _, key = path[1:].partition("/")
        if method == "GET" and bucket and not key and not _ABOUT_A_BUCKET & parameters.keys():
            return _list(bucket, parameters)
        coroutine = s3.handle_request(method, path, headers, body, parameters)
        try:
            coroutine.send(None)
        except StopIteration as end:
            answer: Response = end.value
        else:
            raise AssertionError(f"{method} {path} did not end at once.")
        if method == "PUT" and not key and not parameters and answer[0] == 200:
            made = _bucket(bucket)
            made["objects"] = SortedDict(made["objects"])
        return answer

    def fill(self, bucket: str, prefix: str, count: int, size: int) -> None:
        """Write objects of one content, the keys of :mod:`tests.benchmarks.keys`."""
        objects = _bucket(bucket)["objects"]
        first = f"{prefix}first"
        self.answer("PUT", f"/{bucket}/{first}", "", {"content-type": "text/csv"}, b"x" * size)
        one = objects.pop(first)
        # All share it: nothing that is measured changes an object in its place.
        objects.update((prefix + key_of(number), one) for number in range(count))

    def count(self, bucket: str, prefix: str) -> int:
        """Count the objects under a prefix."""
        return sum(1 for _ in _behind(_bucket(bucket)["objects"], prefix, ""))

    def empty(self, bucket: str, prefix: str) -> None:
        """Remove the objects under a prefix."""
        objects = _bucket(bucket)["objects"]
        for key in list(_behind(objects, prefix, "")):
            del objects[key]


def _heed_conditions_on_copies() -> None:
    copy = s3._copy_object

    def conditional(bucket: str, key: str, headers: dict[str, str]) -> Response:
        place = s3._buckets.get(bucket)
        existing = place["objects"].get(key) if place is not None else None
        refused: Response | None = s3._check_put_preconditions(headers, existing)
        made: Response = refused or copy(bucket, key, headers)
        return made

    s3._copy_object = conditional


def _bucket(name: str) -> dict[str, Any]:
    found: dict[str, Any] = s3._buckets[name]
    return found


def _list(name: str, query: Mapping[str, list[str]]) -> Response:
    """List one page, as ministack would."""
    if name not in s3._buckets:
        missing: Response = s3._no_such_bucket(name)
        return missing

    def given(parameter: str) -> str:
        return query.get(parameter, [""])[0]

    prefix, delimiter, encoding = given("prefix"), given("delimiter"), given("encoding-type")
    most = int(given("max-keys") or 1000)
    token, after = given("continuation-token"), given("start-after") or given("marker")
    start = base64.b64decode(token).decode() if token else after

    def text(value: str) -> str:
        if _PLAIN.fullmatch(value):
            return value
        return quote(value, safe="/-_.~") if encoding == "url" else escape(value)

    objects = _bucket(name)["objects"]
    rows = list(islice(_rows(objects, prefix, start, delimiter), most + 1))
    shown = rows[:most]
    parts = [
        f'{_XML}<ListBucketResult xmlns="{_NAMESPACE}"><Name>{name}</Name>',
        f"<Prefix>{text(prefix)}</Prefix><MaxKeys>{most}</MaxKeys><KeyCount>{len(shown)}</KeyCount>",
    ]
    if encoding:
        parts.append(f"<EncodingType>{encoding}</EncodingType>")
    if delimiter:
        parts.append(f"<Delimiter>{text(delimiter)}</Delimiter>")
    if after:
        parts.append(f"<StartAfter>{text(after)}</StartAfter>")
    if token:
        parts.append(f"<ContinuationToken>{token}</ContinuationToken>")
    parts.append(f"<IsTruncated>{'true' if len(rows) > most else 'false'}</IsTruncated>")
    if len(rows) > most:
        last = shown[-1]
        following = base64.b64encode(last.encode()).decode()
        parts.append(f"<NextContinuationToken>{following}</NextContinuationToken>")
        parts.append(f"<NextMarker>{text(last)}</NextMarker>")
    for row in shown:
        item = objects.get(row)
        if item is None or (delimiter and row.endswith(delimiter) and row != prefix):
            parts.append(f"<CommonPrefixes><Prefix>{text(row)}</Prefix></CommonPrefixes>")
            continue
        parts.append(
            f"<Contents><Key>{text(row)}</Key><LastModified>{item['last_modified']}</LastModified>"
            f"<ETag>{escape(item['etag'])}</ETag><Size>{item['size']}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )
    parts.append("</ListBucketResult>")
    return 200, {"Content-Type": "application/xml"}, "".join(parts).encode()


def _behind(objects: Any, prefix: str, start: str) -> Iterator[str]:
    """Give out the keys under a prefix that are behind another, in order."""
    lowest = max(prefix, start)
    for key in objects.irange(lowest):
        if not key.startswith(prefix):
            return
        if key != start:
            yield key


def _rows(objects: Any, prefix: str, start: str, delimiter: str) -> Iterator[str]:
    """Give out keys, and in place of those that have the delimiter, what rolls them up."""
    if not delimiter:
        yield from _behind(objects, prefix, start)
        return
    while True:
        key = next(_behind(objects, prefix, start), None)
        if key is None:
            return
        end = key.find(delimiter, len(prefix))
        if end < 0:
            yield key
            start = key
        else:
            folder = key[: end + len(delimiter)]
            if folder > start:
                yield folder
            # Behind everything that begins with the folder.
            start = folder + "\U0010ffff"
