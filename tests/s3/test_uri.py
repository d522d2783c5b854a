import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.uri import (
    MAX_KEY_BYTES,
    Location,
    check_key,
    is_directory_bucket,
    parse_location,
    split,
)
from tests.strategies import CHARACTERS

DOOR = "arn:aws:s3:eu-west-1:123456789012:accesspoint/door"
CHINESE = "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/door"
EVERYWHERE = "arn:aws:s3::123456789012:accesspoint/m1a2b3.mrap"

BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", fullmatch=True)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://bucket", "bucket", ""),
        ("s3://bucket/", "bucket", ""),
        ("s3://bucket/a", "bucket", "a"),
        ("s3://bucket//a", "bucket", "/a"),
        ("s3://bucket/a//b/", "bucket", "a//b/"),
        ("s3://bucket/a?b#c%20d+e f", "bucket", "a?b#c%20d+e f"),
        ("s3://bucket/../x", "bucket", "../x"),
        ("s3://bucket/s3://other/x", "bucket", "s3://other/x"),
        ("s3://my.dotted-bucket.1/é", "my.dotted-bucket.1", "é"),
        (f"s3://{'b' * 63}/k", "b" * 63, "k"),
        ("s3://abc/k", "abc", "k"),
        ("s3://Old_Bucket/k", "Old_Bucket", "k"),
        (f"s3://{'B' * 255}/k", "B" * 255, "k"),
        ("s3://fast--usw2-az1--x-s3/a/b", "fast--usw2-az1--x-s3", "a/b"),
        (f"s3://{DOOR}", DOOR, ""),
        (f"s3://{DOOR}/", DOOR, ""),
        (f"s3://{DOOR}/a/b", DOOR, "a/b"),
        (f"s3://{DOOR}//a", DOOR, "/a"),
        (f"s3://{DOOR.replace('/', ':')}/a", DOOR, "a"),
        (f"s3://{CHINESE}/a:b", CHINESE, "a:b"),
        (f"s3://{EVERYWHERE}/a", EVERYWHERE, "a"),
    ],
)
def test_uri_is_split_at_the_first_slash_and_nothing_is_decoded(
    uri: str, bucket: str, key: str
) -> None:
    assert split(uri) == (bucket, key)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "bucket",
        "bucket/key",
        "/bucket/key",
        "s3:/bucket/key",
        "s3:bucket",
        "S3://bucket/key",
        "https://bucket/key",
        " s3://bucket/key",
        "s3://",
        "s3:///key",
        "s3://ab/key",
        f"s3://{'b' * 256}/key",
        "s3://.../key",
        "s3://-bucket/key",
        "s3://bucket-/key",
        "s3://two..dots/key",
        "s3://bucket.",
        "s3://bücket/key",
        "s3://buck et/key",
        "s3://bucket\n/key",
        "s3://bucket?x=/key",
        "s3://arn:aws:s3:eu-west-1:1:accesspoint",
        "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint",
        "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/",
        "s3://arn:aws:s3:::bucket/key",
        "s3://arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/door/key",
        "s3://arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-1/accesspoint/door",
        "s3://arn:aws:sqs:eu-west-1:123456789012:queue",
    ],
)
def test_uri_that_is_none_of_s3_is_refused_with_its_own_words_and_a_remedy(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        split(uri)
    assert in_quotes(uri) in caught.value.message
    assert caught.value.remedy


@given(BUCKETS, KEYS)
def test_uri_gives_back_its_bucket_and_key(bucket: str, key: str) -> None:
    assert split(f"s3://{bucket}/{key}") == (bucket, key)


@given(st.text(CHARACTERS, max_size=60))
def test_uri_of_any_text_is_read_or_a_usage_error(text: str) -> None:
    try:
        bucket, key = split(text)
    except UsageError:
        return
    assert text in {f"s3://{bucket}", f"s3://{bucket}/{key}"}


@pytest.mark.parametrize(
    ("uri", "prefix", "shown"),
    [
        ("s3://bucket", "", "s3://bucket/"),
        ("s3://bucket/", "", "s3://bucket/"),
        ("s3://bucket/logs", "logs/", "s3://bucket/logs/"),
        ("s3://bucket/logs/", "logs/", "s3://bucket/logs/"),
        ("s3://bucket/logs//", "logs//", "s3://bucket/logs//"),
        ("s3://bucket//", "/", "s3://bucket//"),
        ("s3://bucket/a/b c", "a/b c/", "s3://bucket/a/b c/"),
    ],
)
def test_prefix_is_a_folder(uri: str, prefix: str, shown: str) -> None:
    location = parse_location(uri)
    assert location == Location("bucket", prefix)
    assert str(location) == shown
    assert parse_location(str(location)) == location


def test_prefix_that_leaves_no_room_for_a_key_is_refused() -> None:
    with pytest.raises(UsageError, match="1,025 bytes"):
        parse_location("s3://bucket/" + "p" * MAX_KEY_BYTES)


@pytest.mark.parametrize(
    "key", ["a", "/", " ", "\n", "é" * 512, "😀" * 256, "k" * 1024, "..", "\x00"], ids=ascii
)
def test_key_of_up_to_1024_bytes_is_a_key(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("", "empty"),
        ("k" * 1025, "1,025 bytes"),
        ("é" * 512 + "k", "1,025 bytes"),
        ("\ud800", "not UTF-8"),
    ],
    ids=["empty", "ascii", "two-byte", "surrogate"],
)
def test_key_that_s3_cannot_hold_is_refused(key: str, printed: str) -> None:
    with pytest.raises(UsageError, match=printed):
        check_key(key)


@pytest.mark.parametrize("uri", [f"s3://{DOOR}/logs/", f"s3://{EVERYWHERE}/", "s3://Old_Bucket/a/"])
def test_location_says_itself_again(uri: str) -> None:
    assert str(parse_location(uri)) == uri
    assert parse_location(str(parse_location(uri))) == parse_location(uri)


@pytest.mark.parametrize(
    ("bucket", "directory"),
    [
        ("fast--usw2-az1--x-s3", True),
        ("a-b--use1-az4--x-s3", True),
        ("fast--x-s3", False),
        ("fast-x-s3", False),
        ("fast--usw2-az1--x-s3x", False),
        (DOOR, False),
    ],
)
def test_directory_bucket_is_known_by_its_name(bucket: str, directory: bool) -> None:
    assert is_directory_bucket(bucket) is directory
