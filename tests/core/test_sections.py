"""Both sides cut into sections give the results of the whole, however their pages are cut."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core import sections
from frogmove.core.folder_pairs import selected_pairs
from frogmove.core.key_mapping import KeyMapping
from frogmove.core.merge_join import merge_join
from frogmove.core.plan import key_mapper
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.section_comparison import ListedComparison, SectionComparison
from frogmove.core.selection import Selection
from frogmove.core.verify_results import SameObjects, Status, VerifyResult, VerifySummary
from frogmove.errors import RunError
from tests.factories import an_object, md5
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from frogmove.s3.models import S3Object

NAMES = st.sets(st.text("ab/\U0001f438\uffff", min_size=1, max_size=4), max_size=12)
ETAGS = st.sampled_from([md5(b"one"), md5(b"two"), f"{md5(b'parts')}-2"])
CUTS = st.lists(st.integers(0, 4), min_size=12, max_size=12)


@st.composite
def sides(draw: st.DrawFn, prefix: str) -> list[list[S3Object]]:
    """Draw the pages of one side; some are empty."""
    names = sorted(draw(NAMES), key=str.encode)
    items = [an_object(prefix + name, etag=draw(ETAGS)) for name in names]
    return cut(items, draw(CUTS))


def cut(items: list[S3Object], sizes: list[int]) -> list[list[S3Object]]:
    pages = []
    for size in sizes:
        pages.append(items[:size])
        items = items[size:]
    return [*pages, items]


def a_spec(strip: str = "", to: str = "") -> RunSpec:
    mapping = KeyMapping(strip_prefix=strip, to_prefix=to)
    selection = Selection(folders=("",))
    return RunSpec(
        id="1",
        started="",
        command=Command.SYNC,
        source="s3://external/",
        destination="s3://internal/",
        selection=selection,
        mapping=mapping,
    )


def cut_up(
    spec: RunSpec, here: list[list[S3Object]], there: list[list[S3Object]]
) -> Iterator[sections.Section]:
    def pages(_: object, bucket: str, folder: str) -> Iterator[Sequence[S3Object]]:
        chosen = here if bucket == "external" else there
        for page in chosen:
            yield [item for item in page if item.key.startswith(folder)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sections, "folder_pages", pages)
        yield from sections.folder_sections(FakeS3(FakeS3State()), spec, "")


@given(
    here=sides(""),
    there=sides("") | sides("b/"),
    strip=st.sampled_from(["", "a/", "b/", "\uffff/"]),
    to=st.sampled_from(["", "b/"]),
)
def test_sections_are_compared_like_the_whole(
    here: list[list[S3Object]], there: list[list[S3Object]], strip: str, to: str
) -> None:
    spec = a_spec(strip, to)
    in_folder = (item for item in chain(*there) if item.key.startswith(to))
    place = key_mapper(spec.route(), spec.mapping)
    pairs = merge_join(chain(*here), in_folder, place, extras=True)
    compare = ListedComparison(spec).compare
    whole = [compare(pair) for pair in selected_pairs(pairs, spec, "")]

    def by_sections(*, counts_same: bool) -> tuple[list[VerifyResult], VerifySummary]:
        found: list[VerifyResult] = []
        summary = VerifySummary()
        for section in cut_up(spec, here, there):
            one = SectionComparison(spec, counts_same)(section)
            found += [*one.results, *one.unclear]
            counted: list[VerifyResult | SameObjects] = [one.same, *one.results, *one.unclear]
            for result in counted:
                summary.add(result)
        return found, summary

    found, summary = by_sections(counts_same=False)
    assert sorted(map(repr, found)) == sorted(map(repr, whole))
    found, counted = by_sections(counts_same=True)
    assert sorted(map(repr, found)) == sorted(
        repr(each) for each in whole if each.status is not Status.SAME
    )
    assert (counted.counts, counted.bytes) == (summary.counts, summary.bytes)


@given(here=sides(""), there=sides(""), side=st.booleans(), data=st.data())
def test_listing_in_another_order_is_an_error(
    here: list[list[S3Object]], there: list[list[S3Object]], side: bool, data: st.DataObject
) -> None:
    chosen = there if side else here
    items = list(chain(*chosen))
    shuffled = data.draw(st.permutations(items))
    pages = cut(shuffled, [len(page) for page in chosen])
    both = (here, pages) if side else (pages, there)
    spec = a_spec()
    compare = SectionComparison(spec, counts_same=True)
    if shuffled == items:
        list(map(compare, cut_up(spec, *both)))
    else:
        with pytest.raises(RunError, match="after a key that must follow it"):
            list(map(compare, cut_up(spec, *both)))
