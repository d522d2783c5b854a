"""Servers that refuse exactly one thing: what can be done without it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fault_proxy import PASS, Fault, Request
from tests.refusals import BROKEN, HARMLESS, Refuses, header, refuse

if TYPE_CHECKING:
    from tests.cli.cli_runner import Ran
    from tests.fault_fixture import FaultFixture

KEYS = [f"{number:02}" for number in range(3)]
BODIES = {key: key.encode() for key in KEYS}

ALL_CASES = {**HARMLESS, **BROKEN}

# What a sync asks for, and what only its probe does.
SYNCED = [
    *("no batches (GCS)", "Content-MD5 (OVH)", "tagging (R2)", "checksums in HEAD", "tags"),
    *("source condition", "if-none-match on copies", "if-match on copies", "batches fail"),
    *("probe's copies denied", "batches hang up", "if-none-match never holds"),
    *("source condition never holds", "if-match on copies never holds"),
]


@pytest.fixture
def fault_fixture(fault_fixture: FaultFixture, few_retries: str) -> FaultFixture:
    fault_fixture.buckets.put(*KEYS)
    return fault_fixture


def there(fault_fixture: FaultFixture) -> dict[str, bytes]:
    """Return what the destination holds, but for throw-away keys that could not be deleted."""
    found = fault_fixture.buckets.there()
    return {key: body for key, body in found.items() if "frogmove-probe" not in key}


def assert_ran(ran: Ran, outcomes: dict[str, str]) -> None:
    assert (ran.code, ran.outcomes) == (0, outcomes), ran


@pytest.mark.parametrize("refuses", ALL_CASES.values(), ids=ALL_CASES)
def test_move_and_undo_do_without_what_is_refused(
    fault_fixture: FaultFixture, refuses: Refuses
) -> None:
    refuse(fault_fixture.proxy, refuses)
    moved = fault_fixture.frogmove("move", "--all", "-o", "json")
    assert_ran(moved, dict.fromkeys(KEYS, "moved"))
    assert (fault_fixture.buckets.here(), there(fault_fixture)) == ({}, BODIES)
    (run,) = fault_fixture.frogmove("runs", "-o", "json").of("run")
    undone = fault_fixture.frogmove("undo", run["id"], "-o", "json")
    assert_ran(undone, dict.fromkeys(KEYS, "moved"))
    assert (fault_fixture.buckets.here(), there(fault_fixture)) == (BODIES, {})


@pytest.mark.parametrize("case", SYNCED)
def test_sync_does_without_what_is_refused(fault_fixture: FaultFixture, case: str) -> None:
    fault_fixture.buckets.put_there("00", body=b"older and longer")
    refuse(fault_fixture.proxy, ALL_CASES[case])
    ran = fault_fixture.frogmove("sync", "--on-conflict", "overwrite", "-o", "json")
    assert_ran(ran, dict.fromkeys(KEYS, "copied"))
    assert (fault_fixture.buckets.here(), there(fault_fixture)) == (BODIES, BODIES)


@pytest.mark.parametrize("engine", ["boto3"], indirect=True)
@pytest.mark.parametrize("case", ["encoding", "checksums in HEAD"])
def test_dry_run_and_ls_do_without_what_is_refused(fault_fixture: FaultFixture, case: str) -> None:
    refuse(fault_fixture.proxy, HARMLESS[case])
    before = fault_fixture.buckets.state()
    assert fault_fixture.frogmove("ls").code == 0
    assert fault_fixture.frogmove("move", "--all", "-n").code == 0
    assert fault_fixture.frogmove("sync", "-n").code == 0
    assert fault_fixture.buckets.state() == before


@pytest.mark.usefixtures("whole_batches")
def test_batches_are_sent_with_their_md5_where_that_is_wanted(fault_fixture: FaultFixture) -> None:
    refuse(fault_fixture.proxy, HARMLESS["Content-MD5 (OVH)"])
    assert fault_fixture.frogmove("move", "--all").code == 0
    (batch,) = fault_fixture.proxy.of("DeleteObjects", "DeleteObject")
    assert "content-md5" in batch.headers
    assert "x-amz-checksum-crc32" not in batch.headers


def test_refused_header_is_reported_once(fault_fixture: FaultFixture) -> None:
    refuse(fault_fixture.proxy, HARMLESS["tagging (R2)"])
    ran = fault_fixture.frogmove("move", "--all")
    assert ran.code == 0
    assert ran.err.count("x-amz-tagging-directive") == 1
    assert len(fault_fixture.proxy.of("CopyObject")) == len(KEYS)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("if-match on deletes", "refuses if-match on deletes"),
        ("if-none-match on copies", "refuses if-none-match on copies"),
        ("if-match on copies", "refuses if-match on copies"),
        ("source condition", "refuses copy-source-if-match"),
        ("no batches (GCS)", "refuses ETags in batched deletes"),
        ("probe's deletes denied", "may not support copy-source-if-match"),
    ],
)
def test_require_conditional_names_what_is_missing(
    fault_fixture: FaultFixture, case: str, words: str
) -> None:
    refuse(fault_fixture.proxy, ALL_CASES[case])
    ran = fault_fixture.frogmove("move", "--all", "--require-conditional")
    assert ran.code == 2
    assert words in " ".join(ran.err.split()), ran.err
    assert "ignores" not in ran.err
    assert fault_fixture.buckets.here() == BODIES


@pytest.mark.parametrize(
    "name", ["x-amz-tagging-directive", "x-amz-copy-source-if-match", "if-none-match"]
)
@pytest.mark.usefixtures("whole_batches")
def test_conditions_stay_in_use_when_something_else_is_refused(
    fault_fixture: FaultFixture, name: str
) -> None:
    refuse(fault_fixture.proxy, (header(name), 501, "NotImplemented"))
    assert fault_fixture.frogmove("move", "--all").code == 0
    for request in fault_fixture.proxy.of("CopyObject")[-len(KEYS) :]:
        others = {"x-amz-copy-source-if-match", "if-none-match"} - {name}
        assert others <= request.headers.keys()
    assert [
        request for request in fault_fixture.proxy.of("DeleteObjects") if b"<ETag>" in request.body
    ]


@pytest.mark.parametrize("verify", ["auto", "strict"])
def test_tags_that_were_not_carried_are_reported(fault_fixture: FaultFixture, verify: str) -> None:
    fault_fixture.buckets.put("tagged", Tagging="scan=clean")
    matches = header("x-amz-tagging-directive")

    def decide(request: Request) -> Fault:
        return Fault("refused", "never", (501, "NotImplemented")) if matches(request) else PASS

    def lose_tags(request: Request) -> None:
        if request.operation == "CopyObject" and not request.is_probe:
            where = {"Bucket": fault_fixture.buckets.destination, "Key": "tagged"}
            fault_fixture.buckets.client.delete_object_tagging(**where)

    fault_fixture.proxy.schedule, fault_fixture.proxy.passed = decide, lose_tags
    ran = fault_fixture.frogmove("move", "tagged", "-o", "json", "--verify", verify)
    (result,) = ran.of("result")
    assert "tags" in result["reason"], result
    expected = {"auto": (0, "moved"), "strict": (1, "failed")}[verify]
    assert (ran.code, result["outcome"]) == expected
    assert ("tagged" in fault_fixture.buckets.here()) is (verify == "strict")


def test_upload_that_is_new_survives_where_conditional_deletes_are_refused(
    fault_fixture: FaultFixture,
) -> None:
    matches, *_ = HARMLESS["if-match on deletes"]

    def decide(request: Request) -> Fault:
        if matches(request):
            return Fault("refused", "never", (501, "NotImplemented"))
        if request.operation == "HeadObject" and fault_fixture.proxy.of("CopyObject"):
            fault_fixture.buckets.put("00", body=b"newer")
        return PASS

    fault_fixture.proxy.schedule = decide
    ran = fault_fixture.frogmove("move", "00", "-o", "json")
    assert ran.outcomes == {"00": "superseded"}, ran
    assert fault_fixture.buckets.here()["00"] == b"newer"


LARGE: dict[str, Refuses] = {
    "checksums": (header("x-amz-checksum-algorithm"), 400, "InvalidArgument"),
    "size": (header("x-amz-mp-object-size"), 501, "NotImplemented"),
    "size, 400": (header("x-amz-mp-object-size"), 400, "NotImplemented"),
    "tags": HARMLESS["tags"],
    "source condition": HARMLESS["source condition"],
}


@pytest.mark.parametrize("refuses", LARGE.values(), ids=LARGE)
def test_copies_in_parts_do_without_what_is_refused(
    fault_fixture: FaultFixture, refuses: Refuses
) -> None:
    body = b"sixteen bytes and" * (6 * 1024 * 1024 // 17)
    fault_fixture.buckets.put("large", body=body, ChecksumAlgorithm="CRC32", ContentType="text/csv")
    refuse(fault_fixture.proxy, refuses)
    ran = fault_fixture.frogmove("move", "large", "-o", "json", "--multipart-threshold", "5MiB")
    assert_ran(ran, {"large": "moved"})
    assert "large" not in fault_fixture.buckets.here()
    assert there(fault_fixture) == {"large": body}


def test_size_that_does_not_fit_is_no_header_that_is_not_known(
    fault_fixture: FaultFixture,
) -> None:
    fault_fixture.buckets.put("large", body=bytes(6 * 1024 * 1024))
    refuse(fault_fixture.proxy, (header("x-amz-mp-object-size"), 400, "InvalidRequest"))
    ran = fault_fixture.frogmove("move", "large", "-o", "json", "--multipart-threshold", "5MiB")
    assert (ran.code, ran.outcomes) == (1, {"large": "failed"})
    assert "large" in fault_fixture.buckets.here()
    assert there(fault_fixture) == {}
