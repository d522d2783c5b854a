"""A server is found out by what it does, and nothing is left behind by asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED, Capabilities, probe
from frogmove.s3.errors import Kind, S3Error
from tests.buckets import Buckets

if TYPE_CHECKING:
    from tests.s3.contract_cases import ContractCase
    from tests.servers import Server


def test_a_probe_finds_what_each_server_is_known_to_ignore(case: ContractCase) -> None:
    assert probe(case.s3, case.destination, "") == case.honours


def test_a_probe_leaves_nothing_behind_and_never_writes_to_the_source(case: ContractCase) -> None:
    case.put("kept", bucket=case.destination)
    probe(case.s3, case.destination, "folder/")
    assert case.keys(case.destination) == ["kept"]
    assert case.keys(case.source) == []


def test_a_probe_leaves_no_versions_behind(server: Server) -> None:
    buckets = Buckets.make(server)
    buckets.version()
    probe(BotoS3(buckets.client, 1), buckets.destination, "folder/")
    if not (server.honours.delete and server.honours.delete_many):
        pytest.skip(f"{server.name} deletes against the condition, which leaves a marker")
    assert buckets.state() == []


def test_a_bucket_that_cannot_be_written_to_cannot_be_probed(seaweedfs: Server) -> None:
    buckets = Buckets.make(seaweedfs)
    bob = BotoS3(seaweedfs.spoken_to_as("AKBOB", "SKBOB").client(), 1)
    with pytest.raises(S3Error) as caught:
        probe(bob, buckets.destination, "")
    assert caught.value.kind is Kind.DENIED
    assert buckets.there() == {}


NAMES = ["copy_source", "copy_destination", "delete", "delete_many", "copy_replace"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_honoured_is_told_in_words(name: str) -> None:
    def without(*refused: str, unknown: tuple[str, ...] = ()) -> Capabilities:
        honours: dict[str, Any] = {each: each != name for each in NAMES}
        return Capabilities(**honours, refused=frozenset(refused), unknown=frozenset(unknown))

    (told,) = without().shortcomings
    words = told.removeprefix("ignores ")
    assert words != told
    assert " " in words or "-" in words
    assert without(name).shortcomings == [f"refuses {words}"]
    assert without(unknown=(name,)).shortcomings == [f"may not support {words}"]
    assert [without().sends(name), without(name).sends(name)] == [False, False]
    assert without(unknown=(name,)).sends(name)


def test_aws_lacks_nothing() -> None:
    assert ALL_SUPPORTED.shortcomings == []
    assert all(ALL_SUPPORTED.sends(name) for name in NAMES)
