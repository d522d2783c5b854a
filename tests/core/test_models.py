import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from frogmove.core.models import Action, Outcome, Result, Route, Verb, VerifiedCopy
from frogmove.errors import UsageError
from frogmove.s3.models import S3Object
from frogmove.s3.uri import Location, parse_location

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


def route(source: str = "s3://src/in", destination: str = "s3://dst/out") -> Route:
    return Route(parse_location(source), parse_location(destination))


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("s3://one", "s3://one"),
        ("s3://one", "s3://one/"),
        ("s3://one/a", "s3://one/a/"),
        ("s3://one", "s3://one/a"),
        ("s3://one/a", "s3://one"),
        ("s3://one/a", "s3://one/a/b"),
        ("s3://one/a/b", "s3://one/a"),
        ("s3://one/a", "s3://one/a//"),
    ],
)
def test_route_onto_or_into_itself_is_refused(source: str, destination: str) -> None:
    with pytest.raises(UsageError, match="s3://one") as caught:
        route(source, destination)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("s3://one", "s3://two"),
        ("s3://one/a", "s3://two/a"),
        ("s3://one/a", "s3://one/b"),
        ("s3://one/logs", "s3://one/logs2"),
        ("s3://one//", "s3://one/a"),
    ],
)
def test_route_between_two_places_is_accepted(source: str, destination: str) -> None:
    assert route(source, destination).source == parse_location(source)


@pytest.mark.parametrize(
    ("key", "goes_to"),
    [
        ("in/a", "out/a"),
        ("in/in/a", "out/in/a"),
        ("in//a", "out//a"),
        ("in/a/", "out/a/"),
        ("in/../a", "out/../a"),
    ],
)
def test_destination_key_keeps_the_name_under_the_other_prefix(key: str, goes_to: str) -> None:
    assert route().destination_key(key) == goes_to


def test_destination_key_keeps_a_leading_slash() -> None:
    assert route("s3://src", "s3://dst").destination_key("/a") == "/a"


@given(st.lists(KEYS, unique=True, max_size=20))
def test_destination_key_is_another_for_every_key(names: list[str]) -> None:
    there = [route().destination_key("in/" + name) for name in names]
    assert len(set(there)) == len(names)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a", "in/a"),
        ("/a", "in//a"),
        ("in/a", "in/in/a"),
        ("a b+%20", "in/a b+%20"),
        ("s3://src/in/a", "in/a"),
        ("s3://src/in//a", "in//a"),
        ("S3://src/in/a", "in/S3://src/in/a"),
    ],
)
def test_source_key_is_named_relative_to_the_source_or_by_its_uri(name: str, key: str) -> None:
    assert route().source_key(name) == key


@pytest.mark.parametrize(
    "name",
    [
        "s3://other/in/a",
        "s3://src/a",
        "s3://src/in2/a",
        "s3://src/in/",
        "s3://src/in",
        "s3://src",
        "s3://",
        "",
        "k" * 1022,
        "\udcff",
    ],
    ids=ascii,
)
def test_source_key_refuses_a_name_that_is_no_key_of_the_source(name: str) -> None:
    with pytest.raises(UsageError):
        route().source_key(name)


@given(KEYS)
def test_source_key_of_a_listed_name_is_its_key(name: str) -> None:
    assume(not name.startswith("s3://"))
    assert route().source_key(name) == "in/" + name
    bare = Route(Location("src"), Location("dst"))
    assert bare.source_key(f"s3://src/{name}") == name


# Two sources, one destination key: the second overwrites the first.
names = st.text(st.sampled_from("/.ab"), min_size=1, max_size=6)


prefixes = st.sampled_from(["", "a", "a/b", "a//b", "b/"])


@given(st.sets(names), prefixes, prefixes)
def test_destination_key_is_another_for_every_key_of_any_route(
    keys: set[str], source: str, destination: str
) -> None:
    route = Route(
        parse_location(f"s3://external/{source}"), parse_location(f"s3://int/{destination}")
    )
    inside = {route.source.prefix + key for key in keys}
    assert len({route.destination_key(key) for key in inside}) == len(inside)


def test_result_is_the_same_in_another_process() -> None:
    item = S3Object("a", 1, "e", datetime(2026, 1, 2, tzinfo=UTC), "GLACIER", "v")
    copy = VerifiedCopy("b", "f", held=True)
    action = Action(Verb.RESTORE, item, "b", "why", "r", copy, "f", "p")
    result = Result(action, Outcome.FAILED, "because", "c", retrying_helps=True, resumes=True)
    assert pickle.loads(pickle.dumps(result)) == result
