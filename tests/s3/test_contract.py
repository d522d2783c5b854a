"""What every implementation of S3 has to do, and the model with them."""

from dataclasses import replace

import pytest

from frogmove.core.batch_delete import fits_xml
from frogmove.s3.errors import Kind
from frogmove.s3.models import MAX_BATCH_DELETES, Copy, Deletion, Head, S3Object
from tests.factories import md5
from tests.keys import KEYS
from tests.s3.contract_cases import ContractCase, refusal

OTHER = "0" * 32
NOWHERE = "frogmove-has-no-such-bucket"


def copy_of(case: ContractCase, item: S3Object, to_key: str = "copy", **more: object) -> Copy:
    made = Copy(case.source, item, case.destination, to_key)
    return replace(made, **more)  # type: ignore[arg-type]


# head, put, list_page


def test_head_shows_an_object_as_it_was_written(case: ContractCase) -> None:
    written = case.s3.put(case.source, "a", b"frog").result()
    seen = case.seen("a")
    assert (seen.key, seen.size, seen.etag) == ("a", 4, written.etag)
    assert written.etag == md5(b"frog")
    assert seen.last_modified.tzinfo is not None
    assert seen.storage_class == "STANDARD"
    assert seen.version_id is None


def test_listing_shows_what_a_head_shows(case: ContractCase) -> None:
    case.put("a", "b/c")
    page = case.s3.list_page(case.source, "").result()
    assert page.token is None
    for item in page.objects:
        seen = case.seen(item.key)
        assert (item.key, item.size, item.etag) == (seen.key, seen.size, seen.etag)
        assert item.last_modified.tzinfo is not None
        assert item.storage_class == "STANDARD"


def test_read_needs_the_object_as_it_was_seen(case: ContractCase) -> None:
    case.s3.put(case.source, "a", b"frogs").result()
    seen = case.seen("a")
    assert case.s3.read(case.source, seen, 1, 3).result() == b"rog"
    assert case.s3.read_md5(case.source, seen, 1, 3).result().hex() == md5(b"rog")
    case.s3.put(case.source, "a", b"toads").result()
    for read in (case.s3.read, case.s3.read_md5):
        error = refusal(read(case.source, seen, 1, 3).exception())
        assert error.kind is Kind.CHANGED


def test_listing_of_an_empty_bucket_is_an_empty_page(case: ContractCase) -> None:
    page = case.s3.list_page(case.source, "").result()
    assert (list(page.objects), page.token) == ([], None)


def test_pages_hold_as_many_as_asked_for_and_every_key_once(case: ContractCase) -> None:
    keys = [f"k{number}" for number in range(7)]
    case.put(*keys)
    pages = [case.s3.list_page(case.source, "", limit=3).result()]
    while (token := pages[-1].token) is not None:
        pages.append(case.s3.list_page(case.source, "", token, limit=3).result())
    assert [len(page.objects) for page in pages] == [3, 3, 1]
    assert [item.key for page in pages for item in page.objects] == keys


def test_prefix_is_compared_byte_by_byte(case: ContractCase) -> None:
    case.put("log", "logs/a", "logs2/b", "Logs/c")
    page = case.s3.list_page(case.source, "logs").result()
    assert {item.key for item in page.objects} == {"logs/a", "logs2/b"}


def test_listings_are_in_the_order_of_utf8_bytes(case: ContractCase) -> None:
    if not case.ordered:
        pytest.skip(f"{case.name} lists in the order of folders")
    keys = ["A", "a", "a!", "a/b", "a/c", "aa", "e\u0301", "é", "\uff5e", "🐸"]
    case.put(*reversed(keys))
    assert case.keys() == keys == sorted(keys, key=str.encode)


# Keys


@pytest.mark.parametrize("name", KEYS)
def test_key_goes_through_every_operation_unharmed(case: ContractCase, name: str) -> None:
    if name in case.lacks:
        pytest.skip(f"{case.name} does not keep such a key as it is")
    key = KEYS[name]
    case.put(key)
    item = case.seen(key)
    assert (case.keys(), item.key, item.etag) == ([key], key, md5(key.encode()))
    copy = copy_of(case, item, key, guard_destination=case.honours.copy_destination)
    assert case.s3.copy(copy).result().etag == item.etag
    assert case.keys(case.destination) == [key]
    assert case.s3.delete(case.source, Deletion(key, item.etag)).result() is None
    if fits_xml(key):
        sent = case.s3.delete_many(case.destination, [Deletion(key, item.etag)])
        assert sent.result() == {key: None}
        assert case.keys(case.destination) == []
    assert case.keys() == []


# Copies


def test_copy_leaves_the_source_and_holds_its_bytes(case: ContractCase) -> None:
    case.put("a")
    item = case.seen("a")
    copied = case.s3.copy(copy_of(case, item)).result()
    there = case.seen("copy", case.destination)
    assert (there.etag, there.size) == (copied.etag, item.size) == (md5(b"a"), 1)
    assert case.seen("a").etag == item.etag


def test_copy_of_a_source_that_has_changed_is_refused(case: ContractCase) -> None:
    case.needs("copy_source")
    case.put("a")
    stale = case.seen("a")._replace(etag=OTHER)
    error = refusal(case.s3.copy(copy_of(case, stale)).exception())
    assert error.kind is Kind.CHANGED
    assert case.keys(case.destination) == []


def test_copy_of_a_source_that_is_gone_is_missing(case: ContractCase) -> None:
    case.put("a")
    gone = case.seen("a")._replace(key="gone")
    copy = copy_of(case, gone, guard_destination=case.honours.copy_destination)
    assert refusal(case.s3.copy(copy).exception()).kind is Kind.MISSING
    assert case.keys(case.destination) == []


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
def test_copy_that_is_guarded_overwrites_exactly_what_it_names(
    case: ContractCase, there: str | None, replaces: str | None, written: bool
) -> None:
    case.needs("copy_destination")
    case.put("a")
    if there is not None:
        case.s3.put(case.destination, "copy", there.encode()).result()
    error = case.s3.copy(copy_of(case, case.seen("a"), replaces=replaces)).exception()
    held = {key: case.seen(key, case.destination) for key in case.keys(case.destination)}
    if written:
        assert error is None
        assert held["copy"].etag == md5(b"a")
    else:
        # S3 says 404 where If-Match finds nothing at all.
        assert refusal(error).kind in {Kind.CHANGED, Kind.MISSING}
        assert [item.etag for item in held.values()] == [md5(b"old")][: there is not None]


def test_copy_that_is_unguarded_overwrites_whatever_is_there(case: ContractCase) -> None:
    case.put("a")
    case.put("copy", bucket=case.destination)
    case.s3.copy(copy_of(case, case.seen("a"), guard_destination=False)).result()
    assert case.seen("copy", case.destination).etag == md5(b"a")


# Deletes


def test_delete_takes_an_object_only_as_it_was_seen(case: ContractCase) -> None:
    case.needs("delete")
    case.put("a")
    error = refusal(case.s3.delete(case.source, Deletion("a", OTHER)).exception())
    assert error.kind is Kind.CHANGED
    assert case.keys() == ["a"]
    assert case.s3.delete(case.source, Deletion("a", md5(b"a"))).result() is None
    assert case.keys() == []


def test_delete_under_a_condition_of_what_is_gone_is_no_success(case: ContractCase) -> None:
    case.needs("delete")
    error = refusal(case.s3.delete(case.source, Deletion("gone", OTHER)).exception())
    assert error.kind in {Kind.MISSING, Kind.CHANGED}


@pytest.mark.parametrize("etag", [None, md5(b"a")], ids=["looked-at", "with-a-condition-too"])
def test_delete_can_be_held_to_a_look(case: ContractCase, etag: str | None) -> None:
    case.put("a", "b")
    error = refusal(case.s3.delete(case.source, Deletion("a", None, seen=OTHER)).exception())
    assert error.kind is Kind.CHANGED
    error = refusal(case.s3.delete(case.source, Deletion("gone", None, seen=OTHER)).exception())
    assert error.kind is Kind.MISSING
    assert case.keys() == ["a", "b"]
    assert case.s3.delete(case.source, Deletion("a", etag, seen=md5(b"a"))).result() is None
    assert case.keys() == ["b"]


def test_delete_without_a_condition_of_what_is_gone_succeeds(case: ContractCase) -> None:
    assert case.s3.delete(case.source, Deletion("gone", None)).result() is None


def test_batch_tells_of_each_key(case: ContractCase) -> None:
    case.needs("delete_many")
    case.put("a", "b", "c", "d")
    deletions = [
        Deletion("a", md5(b"a")),
        Deletion("b", OTHER),
        Deletion("c", None),
    ]
    results = case.s3.delete_many(case.source, deletions).result()
    assert list(results) == ["a", "b", "c"]
    assert (results["a"], results["c"]) == (None, None)
    assert refusal(results["b"]).kind is Kind.CHANGED
    assert case.keys() == ["b", "d"]


def test_batch_of_the_largest_size_is_accepted(case: ContractCase) -> None:
    keys = [f"k{number:04}" for number in range(MAX_BATCH_DELETES)]
    results = case.s3.delete_many(case.source, [Deletion(key, None) for key in keys]).result()
    assert results == dict.fromkeys(keys)


# Multipart uploads


def begun(case: ContractCase, *keys: str) -> dict[str, str]:
    """Begin uploads to the destination and return their ids."""
    case.put("a")
    source = Head(case.seen("a"))
    copies = {key: copy_of(case, source.object, key) for key in keys}
    return {
        key: case.s3.create_upload(copy, source, {}, None).result() for key, copy in copies.items()
    }


def test_uploads_in_flight_are_listed_by_prefix_at_once(case: ContractCase) -> None:
    begun_so = begun(case, "in/a b+%é", "in/b", "in2/c")
    listed = case.s3.list_uploads(case.destination, "in/").result()
    assert {each.key: each.upload_id for each in listed} == {
        key: upload_id for key, upload_id in begun_so.items() if key.startswith("in/")
    }
    assert len(case.s3.list_uploads(case.destination, "").result()) == 3
    assert case.keys(case.destination) == []


def test_upload_that_was_aborted_is_not_listed(case: ContractCase) -> None:
    begun_so = begun(case, "a", "b")
    case.s3.abort_upload(case.destination, "a", begun_so["a"]).result()
    listed = case.s3.list_uploads(case.destination, "").result()
    assert [(each.key, each.upload_id) for each in listed] == [("b", begun_so["b"])]


def test_uploads_of_a_bucket_without_any_are_none(case: ContractCase) -> None:
    assert list(case.s3.list_uploads(case.destination, "").result()) == []


# Versions


def test_versions_of_a_key_are_listed_the_newest_first(case: ContractCase) -> None:
    keys = ["a b+é", "a b+éa"]
    case.keep_versions(case.destination)
    for body in (b"1", b"22", b"333"):
        for key in keys:
            case.s3.put(case.destination, key, body).result()
    for key in keys:
        listed = case.s3.list_versions(case.destination, key).result()
        assert [(item.key, item.size) for item in listed] == [(key, 3), (key, 2), (key, 1)]
        newest = case.s3.head(case.destination, key).result()
        assert newest.version_id == listed[0].version_id
        oldest = case.s3.head(case.destination, key, listed[2].version_id).result()
        assert oldest.object.etag == listed[2].etag != newest.object.etag


def test_version_that_is_earlier_is_put_over_a_later_one(case: ContractCase) -> None:
    case.needs("copy_replace")
    case.keep_versions(case.destination)
    for body in (b"earlier", b"later"):
        case.s3.put(case.destination, "a", body).result()
    later, earlier = case.s3.list_versions(case.destination, "a").result()
    copy = Copy(case.destination, earlier, case.destination, "a", replaces=later.etag)
    copied = case.s3.copy(copy).result()
    assert case.seen("a", case.destination).etag == copied.etag == earlier.etag
    assert len(case.s3.list_versions(case.destination, "a").result()) == 3


# Refusals


def test_head_of_a_missing_object_is_missing(case: ContractCase) -> None:
    assert refusal(case.s3.head(case.source, "gone").exception()).kind is Kind.MISSING


@pytest.mark.parametrize("operation", ["ListObjectsV2", "CopyObject", "PutObject", "DeleteObjects"])
def test_missing_bucket_is_reported_by_name(case: ContractCase, operation: str) -> None:
    if (case.name, operation) == ("seaweedfs", "CopyObject"):
        pytest.skip("seaweedfs answers 500 to a copy into a missing bucket")
    error = refusal(ask_nowhere(case, operation))
    assert (error.operation, error.kind) == (operation, Kind.NO_BUCKET)


def ask_nowhere(case: ContractCase, operation: str) -> BaseException | None:
    s3 = case.s3
    if operation == "ListObjectsV2":
        return s3.list_page(NOWHERE, "").exception()
    if operation == "PutObject":
        return s3.put(NOWHERE, "a", b"").exception()
    if operation == "CopyObject":
        case.put("a")
        copy = copy_of(case, case.seen("a"), to_bucket=NOWHERE, guard_destination=False)
        return s3.copy(copy).exception()
    sent = s3.delete_many(NOWHERE, [Deletion("a", None)])
    return sent.exception() or sent.result()["a"]


def test_requests_are_in_flight_side_by_side(case: ContractCase) -> None:
    case.put(*map(str, range(50)))
    heads = [case.s3.head(case.source, str(number)) for number in range(50)]
    assert [head.result().object.key for head in heads] == [str(number) for number in range(50)]
