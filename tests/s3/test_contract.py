"""What every implementation of S3 has to do, and the model with them."""

from dataclasses import replace

import pytest

from frogmove.core.deletion import fits_xml
from frogmove.s3 import LARGEST_DELETE, Copy, Deletion, Head, S3Object
from frogmove.s3.failure import Kind
from tests.keys import KEYS
from tests.objects import md5
from tests.s3.subjects import Subject, refusal

OTHER = "0" * 32
NOWHERE = "frogmove-has-no-such-bucket"


def copy_of(subject: Subject, item: S3Object, to_key: str = "copy", **more: object) -> Copy:
    made = Copy(subject.source, item, subject.destination, to_key)
    return replace(made, **more)  # type: ignore[arg-type]


# head, put, list_page


def test_an_object_is_seen_as_it_was_written(subject: Subject) -> None:
    written = subject.s3.put(subject.source, "a", b"frog").result()
    seen = subject.seen("a")
    assert (seen.key, seen.size, seen.etag) == ("a", 4, written.etag)
    assert written.etag == md5(b"frog")
    assert seen.last_modified.tzinfo is not None
    assert seen.storage_class == "STANDARD"
    assert seen.version_id is None


def test_a_listing_shows_what_a_head_shows(subject: Subject) -> None:
    subject.put("a", "b/c")
    page = subject.s3.list_page(subject.source, "").result()
    assert page.token is None
    for item in page.objects:
        seen = subject.seen(item.key)
        assert (item.key, item.size, item.etag) == (seen.key, seen.size, seen.etag)
        assert item.last_modified.tzinfo is not None
        assert item.storage_class == "STANDARD"


def test_a_range_is_read_while_the_object_is_what_was_seen(subject: Subject) -> None:
    subject.s3.put(subject.source, "a", b"frogs").result()
    seen = subject.seen("a")
    assert subject.s3.read(subject.source, seen, 1, 3).result() == b"rog"
    subject.s3.put(subject.source, "a", b"toads").result()
    error = refusal(subject.s3.read(subject.source, seen, 1, 3).exception())
    assert error.kind is Kind.CHANGED


def test_an_empty_bucket_is_an_empty_page(subject: Subject) -> None:
    page = subject.s3.list_page(subject.source, "").result()
    assert (list(page.objects), page.token) == ([], None)


def test_pages_hold_as_many_as_asked_for_and_every_key_once(subject: Subject) -> None:
    keys = [f"k{number}" for number in range(7)]
    subject.put(*keys)
    pages = [subject.s3.list_page(subject.source, "", limit=3).result()]
    while (token := pages[-1].token) is not None:
        pages.append(subject.s3.list_page(subject.source, "", token, limit=3).result())
    assert [len(page.objects) for page in pages] == [3, 3, 1]
    assert [item.key for page in pages for item in page.objects] == keys


def test_a_prefix_is_compared_byte_by_byte(subject: Subject) -> None:
    subject.put("log", "logs/a", "logs2/b", "Logs/c")
    page = subject.s3.list_page(subject.source, "logs").result()
    assert {item.key for item in page.objects} == {"logs/a", "logs2/b"}


def test_listings_are_in_the_order_of_utf8_bytes(subject: Subject) -> None:
    if not subject.ordered:
        pytest.skip(f"{subject.name} lists in the order of folders")
    keys = ["A", "a", "a!", "a/b", "a/c", "aa", "e\u0301", "é", "\uff5e", "🐸"]
    subject.put(*reversed(keys))
    assert subject.keys() == keys == sorted(keys, key=str.encode)


# Keys


@pytest.mark.parametrize("name", KEYS)
def test_a_key_goes_through_every_operation_unharmed(subject: Subject, name: str) -> None:
    if name in subject.lacks:
        pytest.skip(f"{subject.name} does not keep such a key as it is")
    key = KEYS[name]
    subject.put(key)
    item = subject.seen(key)
    assert (subject.keys(), item.key, item.etag) == ([key], key, md5(key.encode()))
    copy = copy_of(subject, item, key, guard_destination=subject.honours.copy_destination)
    assert subject.s3.copy(copy).result().etag == item.etag
    assert subject.keys(subject.destination) == [key]
    assert subject.s3.delete(subject.source, Deletion(key, item.etag)).result() is None
    if fits_xml(key):
        sent = subject.s3.delete_many(subject.destination, [Deletion(key, item.etag)])
        assert sent.result() == {key: None}
        assert subject.keys(subject.destination) == []
    assert subject.keys() == []


# Copies


def test_a_copy_leaves_the_source_and_holds_its_bytes(subject: Subject) -> None:
    subject.put("a")
    item = subject.seen("a")
    copied = subject.s3.copy(copy_of(subject, item)).result()
    there = subject.seen("copy", subject.destination)
    assert (there.etag, there.size) == (copied.etag, item.size) == (md5(b"a"), 1)
    assert subject.seen("a").etag == item.etag


def test_a_source_that_has_changed_is_not_copied(subject: Subject) -> None:
    subject.needs("copy_source")
    subject.put("a")
    stale = subject.seen("a")._replace(etag=OTHER)
    error = refusal(subject.s3.copy(copy_of(subject, stale)).exception())
    assert error.kind is Kind.CHANGED
    assert subject.keys(subject.destination) == []


def test_a_source_that_is_gone_is_missing(subject: Subject) -> None:
    subject.put("a")
    gone = subject.seen("a")._replace(key="gone")
    copy = copy_of(subject, gone, guard_destination=subject.honours.copy_destination)
    assert refusal(subject.s3.copy(copy).exception()).kind is Kind.MISSING
    assert subject.keys(subject.destination) == []


@pytest.mark.parametrize(
    ("there", "replaces", "written"),
    [
        (None, None, True),
        ("old", None, False),
        ("old", md5(b"old"), True),
        ("old", OTHER, False),
        (None, OTHER, False),
    ],
    ids=["free", "taken", "as-seen", "other-than-seen", "gone-since-seen"],
)
def test_a_guarded_copy_overwrites_exactly_what_it_names(
    subject: Subject, there: str | None, replaces: str | None, written: bool
) -> None:
    subject.needs("copy_destination")
    subject.put("a")
    if there is not None:
        subject.s3.put(subject.destination, "copy", there.encode()).result()
    error = subject.s3.copy(copy_of(subject, subject.seen("a"), replaces=replaces)).exception()
    held = {
        key: subject.seen(key, subject.destination) for key in subject.keys(subject.destination)
    }
    if written:
        assert error is None
        assert held["copy"].etag == md5(b"a")
    else:
        # S3 says 404 where If-Match finds nothing at all.
        assert refusal(error).kind in {Kind.CHANGED, Kind.MISSING}
        assert [item.etag for item in held.values()] == [md5(b"old")][: there is not None]


def test_an_unguarded_copy_overwrites_whatever_is_there(subject: Subject) -> None:
    subject.put("a")
    subject.put("copy", bucket=subject.destination)
    subject.s3.copy(copy_of(subject, subject.seen("a"), guard_destination=False)).result()
    assert subject.seen("copy", subject.destination).etag == md5(b"a")


# Deletes


def test_an_object_is_deleted_only_as_it_was_seen(subject: Subject) -> None:
    subject.needs("delete")
    subject.put("a")
    error = refusal(subject.s3.delete(subject.source, Deletion("a", OTHER)).exception())
    assert error.kind is Kind.CHANGED
    assert subject.keys() == ["a"]
    assert subject.s3.delete(subject.source, Deletion("a", md5(b"a"))).result() is None
    assert subject.keys() == []


def test_a_conditional_delete_of_what_is_gone_is_no_success(subject: Subject) -> None:
    subject.needs("delete")
    error = refusal(subject.s3.delete(subject.source, Deletion("gone", OTHER)).exception())
    assert error.kind in {Kind.MISSING, Kind.CHANGED}


def test_an_unconditional_delete_of_what_is_gone_succeeds(subject: Subject) -> None:
    assert subject.s3.delete(subject.source, Deletion("gone", None)).result() is None


def test_a_batch_tells_of_each_key(subject: Subject) -> None:
    subject.needs("delete_many")
    subject.put("a", "b", "c", "d")
    deletions = [
        Deletion("a", md5(b"a")),
        Deletion("b", OTHER),
        Deletion("c", None),
    ]
    fates = subject.s3.delete_many(subject.source, deletions).result()
    assert list(fates) == ["a", "b", "c"]
    assert (fates["a"], fates["c"]) == (None, None)
    assert refusal(fates["b"]).kind is Kind.CHANGED
    assert subject.keys() == ["b", "d"]


def test_the_largest_batch_is_one_request(subject: Subject) -> None:
    keys = [f"k{number:04}" for number in range(LARGEST_DELETE)]
    fates = subject.s3.delete_many(subject.source, [Deletion(key, None) for key in keys]).result()
    assert fates == dict.fromkeys(keys)


# Multipart uploads


def begun(subject: Subject, *keys: str) -> dict[str, str]:
    """Begin uploads to the destination and return their ids."""
    subject.put("a")
    source = Head(subject.seen("a"))
    copies = {key: copy_of(subject, source.object, key) for key in keys}
    return {
        key: subject.s3.create_upload(copy, source, {}, None).result()
        for key, copy in copies.items()
    }


def test_uploads_under_way_are_listed_by_prefix_at_once(subject: Subject) -> None:
    begun_so = begun(subject, "in/a b+%é", "in/b", "in2/c")
    listed = subject.s3.list_uploads(subject.destination, "in/").result()
    assert {each.key: each.upload_id for each in listed} == {
        key: upload_id for key, upload_id in begun_so.items() if key.startswith("in/")
    }
    assert len(subject.s3.list_uploads(subject.destination, "").result()) == 3
    assert subject.keys(subject.destination) == []


def test_what_was_thrown_away_is_not_listed(subject: Subject) -> None:
    begun_so = begun(subject, "a", "b")
    subject.s3.abort_upload(subject.destination, "a", begun_so["a"]).result()
    listed = subject.s3.list_uploads(subject.destination, "").result()
    assert [(each.key, each.upload_id) for each in listed] == [("b", begun_so["b"])]


def test_without_uploads_nothing_is_listed(subject: Subject) -> None:
    assert list(subject.s3.list_uploads(subject.destination, "").result()) == []


# Refusals


def test_a_missing_object_is_missing(subject: Subject) -> None:
    assert refusal(subject.s3.head(subject.source, "gone").exception()).kind is Kind.MISSING


@pytest.mark.parametrize("operation", ["ListObjectsV2", "CopyObject", "PutObject", "DeleteObjects"])
def test_a_missing_bucket_is_told_by_name(subject: Subject, operation: str) -> None:
    if (subject.name, operation) == ("seaweedfs", "CopyObject"):
        pytest.skip("seaweedfs answers 500 to a copy into a missing bucket")
    error = refusal(ask_nowhere(subject, operation))
    assert (error.operation, error.kind) == (operation, Kind.NO_BUCKET)


def ask_nowhere(subject: Subject, operation: str) -> BaseException | None:
    s3 = subject.s3
    if operation == "ListObjectsV2":
        return s3.list_page(NOWHERE, "").exception()
    if operation == "PutObject":
        return s3.put(NOWHERE, "a", b"").exception()
    if operation == "CopyObject":
        subject.put("a")
        copy = copy_of(subject, subject.seen("a"), to_bucket=NOWHERE, guard_destination=False)
        return s3.copy(copy).exception()
    sent = s3.delete_many(NOWHERE, [Deletion("a", None)])
    return sent.exception() or sent.result()["a"]


def test_requests_are_under_way_side_by_side(subject: Subject) -> None:
    subject.put(*map(str, range(50)))
    heads = [subject.s3.head(subject.source, str(number)) for number in range(50)]
    assert [head.result().object.key for head in heads] == [str(number) for number in range(50)]
