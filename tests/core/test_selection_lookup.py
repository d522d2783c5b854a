from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.core.models import Route
from frogmove.core.selection import Selection, find, head_each
from frogmove.errors import UsageError
from frogmove.s3.boto import BotoS3
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.models import S3Object
from frogmove.s3.uri import Location
from tests.buckets import Buckets

if TYPE_CHECKING:
    from tests.servers import Server


def test_find_returns_keys_in_the_order_they_were_named(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put("a", "b//c", "d")
    found = find(Selection(keys=("d", "b//c")), s3, buckets.route, 4)
    assert [item.key for item in found] == ["d", "b//c"]
    assert list(found) == [buckets.seen("d"), buckets.seen("b//c")]


def test_find_returns_a_folder_with_its_own_name_and_without_its_namesakes(
    buckets: Buckets, s3: BotoS3
) -> None:
    buckets.put("logs", "logs/a", "logs2/b")
    found = find(Selection(folders=("logs",)), s3, buckets.route, 4)
    assert [item.key for item in found] == ["logs", "logs/a"]


def test_find_in_an_empty_folder_is_no_error(buckets: Buckets, s3: BotoS3) -> None:
    assert list(find(Selection(folders=("nothing",)), s3, buckets.route, 4)) == []


@pytest.mark.parametrize(
    ("named", "printed"),
    [(("a", "gone"), "no key 'gone' in"), (("gone", "a", "lost"), "'gone' and 1 more")],
)
def test_find_refuses_a_key_that_is_not_there_before_anything_is_done(
    buckets: Buckets, s3: BotoS3, named: tuple[str, ...], printed: str
) -> None:
    buckets.put("a")
    with pytest.raises(UsageError, match=printed) as caught:
        find(Selection(keys=named), s3, buckets.route, 4)
    assert buckets.source in caught.value.message
    assert caught.value.remedy


def test_find_does_not_take_a_missing_version_for_its_key(ministack: Server) -> None:
    buckets = Buckets.make(ministack)
    buckets.put("a")
    s3 = BotoS3(ministack.client(), 1)
    with pytest.raises(UsageError, match="no version 'nope' of the key 'a' in"):
        find(Selection(keys=("a",), version_id="nope"), s3, buckets.route, 4)
    s3.close()


@pytest.mark.parametrize("dash", ["\u2013prefix", "\u2014-prefix", "\u2212n"])
def test_find_hints_at_a_dash_that_is_no_hyphen(buckets: Buckets, s3: BotoS3, dash: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(Selection(keys=(dash, "in")), s3, buckets.route, 4)
    assert "plain hyphens" in caught.value.remedy


def test_find_looks_for_keys_in_the_source_alone(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put_there("a")
    with pytest.raises(UsageError):
        find(Selection(keys=("a",)), s3, buckets.route, 4)


def test_find_does_not_take_a_denied_key_for_gone(seaweedfs: Server) -> None:
    buckets = Buckets.make(seaweedfs)
    buckets.put("a")
    bob = BotoS3(seaweedfs.spoken_to_as("AKBOB", "SKBOB").client(), 1)
    with pytest.raises(S3Error) as caught:
        find(Selection(keys=("a",)), bob, buckets.route, 4)
    assert caught.value.kind is Kind.DENIED


def test_head_each_answers_with_what_is_there_now(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put("a", "b")
    answers = dict(head_each(["a", "gone", "k" * 1025, "b"], s3, buckets.source, 2))
    assert answers["a"] == buckets.seen("a")
    assert answers["b"] == buckets.seen("b")
    assert answers["gone"] is None
    assert isinstance(answers["k" * 1025], S3Error | None)


def test_head_each_answers_more_keys_than_may_be_asked_for_at_once(
    buckets: Buckets, s3: BotoS3
) -> None:
    keys = [str(number) for number in range(30)]
    buckets.put(*keys)
    answers = dict(head_each(keys, s3, buckets.source, 3))
    assert all(isinstance(answers[key], S3Object) for key in keys)


def test_find_does_not_take_a_missing_bucket_for_an_empty_folder(
    buckets: Buckets, s3: BotoS3
) -> None:
    route = Route(Location("frogmove-has-no-such-bucket"), buckets.route.destination)
    with pytest.raises(S3Error) as caught:
        list(find(Selection(folders=("",)), s3, route, 4))
    assert caught.value.kind is Kind.NO_BUCKET
