from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.key_mapping import KeyMapping
from frogmove.core.merge_join import merge_join
from frogmove.core.models import Route
from frogmove.s3.models import S3Object
from frogmove.s3.uri import parse_location
from tests.factories import an_object

KEYS = st.sets(st.text("a/\U0001f438\uffff", min_size=1, max_size=4))


def in_order(keys: set[str]) -> list[S3Object]:
    return [an_object(key) for key in sorted(keys, key=str.encode)]


@given(KEYS, KEYS)
def test_merge_join_pairs_every_key_once_as_two_dictionaries_would(
    one: set[str], other: set[str]
) -> None:
    pairs = list(merge_join(in_order(one), in_order(other), lambda item: item.key, extras=True))
    assert [key for _, key, _ in pairs] == sorted(one | other, key=str.encode)
    for source, key, there in pairs:
        assert (source is not None, there is not None) == (key in one, key in other)
        assert {each.key for each in (source, there) if each is not None} == {key}


@given(KEYS, KEYS)
def test_merge_join_without_extras_pairs_every_source_object(
    one: set[str], other: set[str]
) -> None:
    pairs = list(merge_join(in_order(one), in_order(other), lambda item: item.key))
    assert {key: there is not None for _, key, there in pairs} == {key: key in other for key in one}


@given(
    st.sampled_from(["", "in/", "a/"]),
    st.sampled_from(["", "out/", "a/"]),
    st.sampled_from(["", "a/", "a/a/"]),
    st.sampled_from(["", "a/", "new/"]),
    st.text("a/\U0001f438", min_size=1, max_size=4),
)
def test_source_key_of_a_destination_key_is_the_one_that_gets_it(
    source: str, destination: str, strip: str, to: str, name: str
) -> None:
    route = Route(parse_location(f"s3://src/{source}"), parse_location(f"s3://dst/{destination}"))
    mapping = KeyMapping(strip_prefix=strip, to_prefix=to)
    place = mapping.mapper(route)
    item = an_object(source + strip + name)
    assert mapping.source_key(place(item), route) == item.key
    found = mapping.source_key(destination + name, route)
    assert found is None or place(an_object(found)) == destination + name
