from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.merge_join import in_order
from frogmove.core.models import Action, Route, Verb
from frogmove.core.plan import plan_move, plan_sync
from frogmove.errors import RunError
from frogmove.s3.models import S3Object
from frogmove.s3.uri import parse_location
from tests.factories import ROUTE, an_object, md5

FOLDERS = Route(parse_location("s3://src/in"), parse_location("s3://dst/archive/2026"))
# U+FF5E sorts before U+1F438 in UTF-8 and behind it in UTF-16.
BMP, ASTRAL = "\uff5e", "\U0001f438"
MULTIPART = md5(b"parts") + "-2"


def listing(contents: dict[str, bytes]) -> list[S3Object]:
    keys = sorted(contents, key=str.encode)
    return [an_object(key, contents[key]) for key in keys]


def sync(sources: dict[str, bytes], others: dict[str, bytes], route: Route = ROUTE) -> list[Action]:
    return list(plan_sync(listing(sources), listing(others), route))


def verbs(actions: list[Action]) -> dict[str, Verb]:
    return {action.object.key: action.verb for action in actions}


def test_plan_move_takes_every_object_to_its_place_in_the_order_given() -> None:
    items = [an_object(key) for key in ("in/b", "in/a", "in//c", "in/d/")]
    actions = list(plan_move(items, FOLDERS))
    assert [action.destination_key for action in actions] == [
        "archive/2026/b",
        "archive/2026/a",
        "archive/2026//c",
        "archive/2026/d/",
    ]
    assert [action.object for action in actions] == items
    assert {action.verb for action in actions} == {Verb.MOVE}
    assert {action.replaces for action in actions} == {None}


def test_plan_move_leaves_the_marker_of_the_source_folder() -> None:
    (action,) = plan_move([an_object("in/", b"")], FOLDERS)
    assert action.verb is Verb.SKIP
    (full,) = plan_move([an_object("in/", b"data")], FOLDERS)
    assert (full.verb, full.destination_key) == (Verb.MOVE, "archive/2026/")
    (nameless,) = plan_move(
        [an_object("in/", b"data")], Route(FOLDERS.source, parse_location("s3://dst"))
    )
    assert nameless.verb is Verb.REFUSE
    (other,) = plan_move([an_object("in/sub/", b"")], FOLDERS)
    assert other.verb is Verb.MOVE


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("k" * 1011, Verb.MOVE),
        ("k" * 1012, Verb.REFUSE),
        ("é" * 505, Verb.MOVE),
        ("é" * 506, Verb.REFUSE),
    ],
    ids=["fits", "one-too-many", "two-byte-fits", "two-byte-too-many"],
)
def test_plan_move_refuses_a_key_that_grows_past_1024_bytes(name: str, verb: Verb) -> None:
    (action,) = plan_move([an_object("in/" + name)], FOLDERS)
    assert action.verb is verb


def test_plan_move_takes_an_object_of_any_size() -> None:
    (action,) = plan_move([an_object(size=48 * 2**40)], ROUTE)
    assert action.verb is Verb.MOVE


@pytest.mark.parametrize(
    ("here", "there", "verb", "replaces"),
    [
        ({}, None, Verb.COPY, None),
        ({}, {"body": b"another size"}, Verb.COPY, md5(b"another size")),
        ({}, {}, Verb.SKIP, None),
        ({}, {"body": b"ydob"}, Verb.COMPARE, md5(b"ydob")),
        ({"etag": MULTIPART}, {}, Verb.COMPARE, md5(b"body")),
        ({"etag": MULTIPART}, {"etag": MULTIPART}, Verb.COMPARE, MULTIPART),
    ],
    ids=["absent", "size", "same", "bytes", "multipart", "two-multiparts"],
)
def test_sync_copies_what_is_absent_or_other_and_leaves_the_rest(
    here: dict[str, object], there: dict[str, object] | None, verb: Verb, replaces: str | None
) -> None:
    sources = [an_object("key", **here)]  # type: ignore[arg-type]
    others = [] if there is None else [an_object("key", **there)]  # type: ignore[arg-type]
    (action,) = plan_sync(sources, others, ROUTE)
    assert (action.verb, action.replaces) == (verb, replaces)
    assert action.reason


def test_sync_never_touches_what_only_the_destination_has() -> None:
    others = {"0": b"", "a/": b"", "b": b"b", "z": b""}
    assert verbs(sync({"a": b"a", "b": b"b"}, others)) == {"a": Verb.COPY, "b": Verb.SKIP}


def test_sync_of_nothing_is_nothing() -> None:
    assert sync({}, {"a": b""}) == []


def test_sync_merges_in_the_order_of_utf8_bytes() -> None:
    contents = dict.fromkeys(("a", "a!", "a/b", "é", BMP, ASTRAL), b"same")
    assert set(verbs(sync(contents, contents)).values()) == {Verb.SKIP}
    assert [item.key for item in listing(contents)][-2:] == [BMP, ASTRAL]


def test_sync_finds_twins_across_different_prefixes() -> None:
    there = {"archive/2026/a": b"a", "archive/2026/a/b": b"other", "archive/2026/z": b""}
    actions = sync({"in/a": b"a", "in/a/b": b"a/b", "in/c": b"c"}, there, FOLDERS)
    assert verbs(actions) == {"in/a": Verb.SKIP, "in/a/b": Verb.COPY, "in/c": Verb.COPY}


@pytest.mark.parametrize(
    "keys",
    [("b", "a"), ("a", "a"), ("a/", "a!"), (ASTRAL, BMP), ("é", "e")],
    ids=["reversed", "twice", "tree-order", "utf16-order", "accent"],
)
@pytest.mark.parametrize("side", ["source", "destination"])
def test_sync_ends_at_a_listing_out_of_order(keys: tuple[str, str], side: str) -> None:
    wrong, right = [an_object(key) for key in keys], [an_object("zz"), an_object(chr(0x10FFFF))]
    pair = (wrong, right) if side == "source" else (right, wrong)
    with pytest.raises(RunError, match="listings in key order") as caught:
        list(plan_sync(*pair, ROUTE))
    assert repr(keys[1]) in caught.value.message


def test_in_order_passes_on_what_came_before_the_first_key_out_of_order() -> None:
    passed = in_order([an_object("a"), an_object("b"), an_object("a")])
    assert [next(passed).key, next(passed).key] == ["a", "b"]
    with pytest.raises(RunError):
        next(passed)


def test_plan_takes_objects_one_by_one_on_demand() -> None:
    taken: list[str] = []

    def endless() -> Iterator[S3Object]:
        while True:
            taken.append(f"{len(taken):09}")
            yield an_object(taken[-1])

    plan = plan_sync(endless(), iter(()), ROUTE)
    for _ in range(5):
        next(plan)
    assert len(taken) == 5


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
CONTENTS = st.dictionaries(KEYS, st.sampled_from([b"", b"a", b"b", b"longer"]), max_size=12)


@given(CONTENTS, CONTENTS)
def test_sync_decides_as_a_comparison_of_two_dictionaries_would(
    here: dict[str, bytes], there: dict[str, bytes]
) -> None:
    def expected(key: str, body: bytes) -> Verb:
        if key not in there or len(there[key]) != len(body):
            return Verb.COPY
        return Verb.SKIP if there[key] == body else Verb.COMPARE

    actions = sync(here, there)
    assert verbs(actions) == {key: expected(key, body) for key, body in here.items()}
    for action in actions:
        if action.verb in {Verb.COPY, Verb.COMPARE}:
            twin = there.get(action.destination_key)
            assert action.replaces == (None if twin is None else md5(twin))
