"""S3's XML as servers write it: with and without a namespace, indented or not, odd keys within."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from frogmove.s3 import xml
from frogmove.s3.boto_shapes import decoded, decoded_keys, parse_timestamp
from frogmove.s3.errors import S3Error
from frogmove.s3.models import Deletion, Page, S3Object
from tests.factories import md5
from tests.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MOMENT = datetime(2026, 10, 12, 17, 50, 30, tzinfo=UTC)
AWS = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def listing(key: str, *, namespace: str = AWS, encoded: bool = True, gap: str = "") -> bytes:
    """Write a listing of one object and one prefix of that name."""
    name = quote(key, "/") if encoded else xml.escaped(key)
    leaves = [
        f"<Key>{name}</Key>",
        "<LastModified>2026-10-12T17:50:30.000Z</LastModified>",
        f"<ETag>&quot;{md5(b'x')}&quot;</ETag>",
        "<Owner><ID>1</ID><DisplayName>Key</DisplayName></Owner>",
        "<Size>7</Size>",
        "<StorageClass></StorageClass>",
    ]
    parts = [
        "<Name>external</Name>",
        "<Prefix></Prefix>",
        "<IsTruncated>true</IsTruncated>",
        "<NextContinuationToken>1/+=</NextContinuationToken>",
        "<EncodingType>url</EncodingType>" if encoded else "",
        f"<Contents>{gap}{gap.join(leaves)}{gap}</Contents>",
        f"<CommonPrefixes>{gap}<Prefix>{name}</Prefix>{gap}</CommonPrefixes>",
    ]
    return f"<ListBucketResult{namespace}>{gap}{gap.join(parts)}</ListBucketResult>".encode()


@pytest.mark.parametrize("gap", ["", "\n    "], ids=["dense", "indented"])
@pytest.mark.parametrize("namespace", [AWS, "", ' xmlns="http://example.com/"'])
@pytest.mark.parametrize(
    "key", [*KEYS.values(), "Key", "Contents", "http://s3.amazonaws.com/doc/2006-03-01/}Key"]
)
def test_listing_is_read_however_it_is_written(key: str, namespace: str, gap: str) -> None:
    expected = Page([S3Object(key, 7, md5(b"x"), MOMENT)], "1/+=", [key])
    assert xml.read_page(listing(key, namespace=namespace, gap=gap)) == expected
    if all(char >= " " for char in key) and "\uffff" not in key:
        assert xml.read_page(listing(key, namespace=namespace, gap=gap, encoded=False)) == expected


def as_s3_writes_it(keys: Sequence[str], prefixes: Sequence[str] = (), token: str = "") -> bytes:
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    objects = [
        f"<Contents><Key>{quote(key, '/')}</Key><LastModified>2026-10-12T17:50:30.000Z"
        f"</LastModified><ETag>&quot;{md5(key.encode())}&quot;</ETag>{checksum}"
        f"<Size>{size}</Size><StorageClass>GLACIER_IR</StorageClass></Contents>"
        for size, (key, checksum) in enumerate(zip(keys, cycle(CHECKSUMS), strict=False))
    ]
    folders = [
        f"<CommonPrefixes><Prefix>{quote(p, '/')}</Prefix></CommonPrefixes>" for p in prefixes
    ]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult{AWS}><Name>external</Name>'
        f"<Prefix></Prefix>{more}<KeyCount>{len(keys) + len(prefixes)}</KeyCount>"
        f"<MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>"
        f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>"
        f"{''.join(objects)}{''.join(folders)}</ListBucketResult>"
    ).encode()


CHECKSUMS = [
    "",
    "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>",
]


def by_the_parser(body: bytes) -> Page | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml, "_read_fast", lambda _: None)
        try:
            return xml.read_page(body)
        except xml.MalformedResponseError:
            return None


@given(
    keys=st.lists(st.sampled_from(list(KEYS.values())), max_size=4),
    prefixes=st.lists(st.sampled_from(list(KEYS.values())), max_size=2),
    token=st.sampled_from(["", "1/+="]),
)
def test_listing_as_s3_writes_it_is_read_like_any_other(
    keys: list[str], prefixes: list[str], token: str
) -> None:
    body = as_s3_writes_it(keys, prefixes, token)
    page = xml.read_page(body)
    assert page == by_the_parser(body)
    assert [item.key for item in page.objects] == keys
    assert page.prefixes == prefixes
    assert page.token == (token or None)


@pytest.mark.parametrize("word", ["True", "1", " true\n"])
def test_listing_that_says_otherwise_that_it_has_more_has_more(word: str) -> None:
    body = as_s3_writes_it(["a"], token="next").replace(b">true<", f">{word}<".encode())
    assert xml.read_page(body).token == "next"


@pytest.mark.parametrize("word", ["", "maybe", "trüe"])
def test_listing_that_does_not_say_whether_it_has_more_is_malformed(word: str) -> None:
    body = as_s3_writes_it(["a"], token="next").replace(b">true<", f">{word}<".encode())
    with pytest.raises(xml.MalformedResponseError, match="IsTruncated"):
        xml.read_page(body)


@example(["%2", "f"])
@given(st.lists(st.text("ab /%+0A\n\xe9") | st.sampled_from(["%ff", "a%0Ab", "a+b", "%C3", "%A9"])))
def test_keys_of_a_page_are_decoded_like_each_alone(keys: list[str]) -> None:
    def result(decode: Callable[[], Iterable[str]]) -> list[str] | str:
        try:
            return list(decode())
        except S3Error as error:
            return str(error)

    assert result(lambda: decoded_keys(keys)) == result(lambda: map(decoded, keys))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(
            "Modified>2026-10-12T17:50:30.000Z</LastModified><ETag>&quot;8f", "/Contents><C"
        ),
        pytest.param("/Contents><Contents><Key>d", "Common"),
        pytest.param("</Contents><Contents><Key>f", "<Common"),
    ],
)
def test_listing_with_a_gap_is_refused(first: str, last: str) -> None:
    body = as_s3_writes_it(["a/b c", "d&e", "f"], ["g/"], "1/+=").decode()
    start = body.index(first)
    damaged = (body[:start] + body[body.index(last, start) :]).encode()
    with pytest.raises(xml.MalformedResponseError):
        xml.read_page(damaged)


@given(data=st.data())
def test_listing_with_damage_is_never_read_as_another(data: st.DataObject) -> None:
    body = as_s3_writes_it(["a/b c", "d&e", "f"], ["g/"], "1/+=")
    first = data.draw(st.integers(0, len(body) - 1))
    last = data.draw(st.integers(first, min(len(body), first + 120)))
    patch = data.draw(st.sampled_from([b"", b"<", b"&", b"<!--", b"\xff", body[:first][-90:]]))
    damaged = body[:first] + patch + body[last:]
    try:
        page = xml.read_page(damaged)
        page = replace(page, objects=list(page.objects))
    except (xml.MalformedResponseError, S3Error):
        return
    assert page in (by_the_parser(damaged), by_the_parser(body))


@pytest.mark.parametrize(
    "body",
    [
        b"<CopyObjectResult>%s</CopyObjectResult>",
        (
            b'\n <?xml version="1.0"?>\n<CopyObjectResult xmlns="http://example.com/">%s'
            b"<ChecksumCRC32>a/+=</ChecksumCRC32></CopyObjectResult>\n"
        ),
        b"<CopyObjectResult><LastModified>now</LastModified> %s </CopyObjectResult>",
    ],
)
@pytest.mark.parametrize("etag", [b"&quot;a-1&quot;", b'"a-1"', b"a-1", b"&#34;a-1&#34;"])
def test_etag_of_a_copy_is_read_however_it_is_written(body: bytes, etag: bytes) -> None:
    assert xml.read_copied(body % (b"<ETag>" + etag + b"</ETag>")) == "a-1"


@pytest.mark.parametrize(
    "body",
    [
        b"<Error><Code>InternalError</Code></Error>",
        b"<CopyObjectResult></CopyObjectResult>",
        b"<CopyObjectResult><ETag>a</ETag>",
        b"",
    ],
)
def test_read_copied_refuses_what_is_no_copy(body: bytes) -> None:
    with pytest.raises(xml.MalformedResponseError):
        xml.read_copied(body)


@pytest.mark.parametrize(
    "broken",
    [
        listing("a").replace(b"<Key>a</Key>", b""),
        listing("a").replace(b"<Size>7", b"<Size>many"),
        listing("a").replace(b"17:50:30", b"25:00:00"),
        listing("a").replace(b"<IsTruncated>true</IsTruncated>", b""),
        listing("a").replace(b"<NextContinuationToken>1/+=</NextContinuationToken>", b""),
        listing("a")[:-5],
        listing("a").replace(b"ListBucketResult", b"ListBucket"),
        b"",
    ],
)
def test_read_page_refuses_half_a_listing(broken: bytes) -> None:
    with pytest.raises(xml.MalformedResponseError):
        xml.read_page(broken)


def test_timestamp_without_a_zone_is_utc() -> None:
    assert parse_timestamp("2026-10-12T17:50:30") == MOMENT
    assert parse_timestamp("2026-10-12T19:50:30+02:00") == MOMENT


@pytest.mark.parametrize("key", ["a<b>&\"'", "a\nb\rc", "é🐸", " a "])
def test_key_to_delete_is_read_back_as_it_was_written(key: str) -> None:
    body = xml.write_deletions([Deletion(key, "e<"), Deletion(key, None, "v&")])
    first, second = ElementTree.fromstring(body)
    assert [leaf.text for leaf in first] == [key, '"e<"']
    assert [leaf.text for leaf in second] == [key, "v&"]


@pytest.mark.parametrize("encoding", ["none-such", "shift_jis", "utf-16"])
def test_read_error_passes_over_an_encoding_that_cannot_be_read(encoding: str) -> None:
    assert (
        xml.read_error(b'<?xml version="1.0" encoding="%s"?><Error/>' % encoding.encode()) is None
    )


def test_read_error_reads_past_prefixes_comments_and_what_is_deeper() -> None:
    body = b"<s:Error xmlns:s='u'><s:Code>Slow<!-- a -->Down</s:Code><s:A><s:Code/></s:A></s:Error>"
    assert xml.read_error(body) == ("SlowDown", "")


def test_read_error_distinguishes_an_error_from_what_is_none() -> None:
    assert xml.read_error(b"<Error><Code>SlowDown</Code><Message/></Error>") == ("SlowDown", "")
    assert xml.read_error(b"<Fine/>") is None
    assert xml.read_error(b"") is None
