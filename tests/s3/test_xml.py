"""S3's XML as servers write it: with and without a namespace, indented or not, odd keys within."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from frogmove.s3 import Deletion, Page, S3Object, xml
from tests.keys import KEYS
from tests.objects import md5

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
def test_a_listing_is_read_however_it_is_written(key: str, namespace: str, gap: str) -> None:
    expected = Page([S3Object(key, 7, md5(b"x"), MOMENT)], "1/+=", [key])
    assert xml.read_page(listing(key, namespace=namespace, gap=gap)) == expected
    if all(char >= " " for char in key) and "\uffff" not in key:
        assert xml.read_page(listing(key, namespace=namespace, gap=gap, encoded=False)) == expected


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
def test_half_a_listing_is_none(broken: bytes) -> None:
    with pytest.raises(xml.MalformedAnswerError):
        xml.read_page(broken)


def test_a_time_without_a_zone_is_utc() -> None:
    assert xml.moment("2026-10-12T17:50:30") == MOMENT
    assert xml.moment("2026-10-12T19:50:30+02:00") == MOMENT


@pytest.mark.parametrize("key", ["a<b>&\"'", "a\nb\rc", "é🐸", " a "])
def test_a_key_to_delete_is_read_back_as_it_was_written(key: str) -> None:
    body = xml.write_deletions([Deletion(key, "e<"), Deletion(key, None, "v&")])
    first, second = ElementTree.fromstring(body)
    assert [leaf.text for leaf in first] == [key, '"e<"']
    assert [leaf.text for leaf in second] == [key, "v&"]


def test_an_error_is_told_from_what_is_none() -> None:
    assert xml.read_error(b"<Error><Code>SlowDown</Code><Message/></Error>") == ("SlowDown", "")
    assert xml.read_error(b"<Fine/>") is None
    assert xml.read_error(b"") is None
