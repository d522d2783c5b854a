"""The options that say how a run moves, and what they come to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from frogmove.cli.transfer_options import TransferFlags, transfer_options
from frogmove.config import Config
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.run_spec import Command
from frogmove.core.verify import Verify
from frogmove.run_config import new_spec
from frogmove.s3.bucket_features import BucketFeatures
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.limits import Limits
from frogmove.s3.models import MAX_COPY_SIZE
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner

if TYPE_CHECKING:
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

MIB = 1024 * 1024


def policy_of(*arguments: str) -> TransferFlags:
    """Return what a command gets of its options."""
    got: list[TransferFlags] = []

    @click.command()
    @transfer_options
    def command(flags: TransferFlags) -> None:
        got.append(flags)

    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    if result.exit_code:
        raise click.UsageError(result.stderr)
    return got[0]


def options_of(flags: TransferFlags) -> TransferOptions:
    """Return the transfer options of a run with these flags."""
    spec = flags.on(new_spec(Command.MOVE, Config(source="s3://src", destination="s3://dst")))
    return spec.options(ALL_SUPPORTED, BucketFeatures())


def test_transfer_options_are_careful_by_default() -> None:
    flags = policy_of()
    assert flags == TransferFlags()
    options = options_of(flags)
    assert (options.on_conflict, options.verify) == (OnConflict.FAIL, Verify.AUTO)
    assert options.multipart.threshold == MAX_COPY_SIZE
    assert (options.capabilities, options.concurrency) == (ALL_SUPPORTED, 384)
    assert options.probe_source is False


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux has affinities")
@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (64, 64), (96, 64)])
def test_default_of_processes_is_one_per_core_and_never_too_many(
    cores: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cores)))
    monkeypatch.setattr("frogmove.cli.transfer_options.CPU_MAX", Path("/no/such/file"))
    assert policy_of().processes == processes


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux has affinities")
@pytest.mark.parametrize(
    ("limit", "processes"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("max 100000", 16),
        ("9900000 100000", 16),
        ("", 16),
        ("1 0", 16),
    ],
)
def test_default_of_processes_is_within_the_limit_of_a_container(
    limit: str, processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpu.max"
    path.write_text(f"{limit}\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)))
    monkeypatch.setattr("frogmove.cli.transfer_options.CPU_MAX", path)
    assert policy_of().processes == processes


def test_transfer_options_arrive(tmp_path: Path) -> None:
    journal = tmp_path / "run.jsonl"
    flags = policy_of(
        *("--on-conflict", "keep-both", "--verify", "strict", "--require-conditional"),
        *("--max-rate", "2.5", "--concurrency", "7", "--multipart-threshold", "64MiB"),
        *("--processes", "3", "--max-errors", "9"),
        *("--max-compare-size", "1MiB", "--carry", "redirect,acl", "--journal", str(journal)),
    )
    carry = ("acl", "redirect")
    assert flags == TransferFlags(
        "keep-both", "strict", True, 2.5, 7, 3, 9, 64 * MIB, MIB, carry, journal
    )
    spec = flags.on(new_spec(Command.MOVE, Config(source="s3://src", destination="s3://dst")))
    assert spec.limits() == Limits(7, 2.5)
    options = options_of(flags)
    assert (options.on_conflict, options.verify) == (OnConflict.KEEP_BOTH, Verify.STRICT)
    assert (options.multipart.threshold, options.concurrency) == (64 * MIB, 7)
    assert options.max_compare_size == MIB


@pytest.mark.parametrize("flags", list(OnConflict))
def test_on_conflict_names_each_policy(flags: OnConflict) -> None:
    assert options_of(policy_of("--on-conflict", flags.value)).on_conflict is flags


@pytest.mark.parametrize(
    "arguments",
    [
        ["--on-conflict", "delete"],
        ["--verify", "never"],
        ["--max-rate", "0"],
        ["--max-rate", "-1"],
        ["--max-rate", "nan"],
        ["--max-rate", "inf"],
        ["--max-rate", "fast"],
        ["--concurrency", "many"],
        ["--concurrency", "0"],
        ["--concurrency", "1025"],
        ["--multipart-threshold", "1MiB"],
        ["--multipart-threshold", "5001MB"],
        ["--journal", "."],
    ],
    ids=" ".join,
)
def test_transfer_options_that_cannot_be_meant_are_refused(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError, match="Invalid value") as caught:
        policy_of(*arguments)
    assert "valid float" not in caught.value.message
    assert "valid integer range" not in caught.value.message


@pytest.mark.parametrize("threshold", ["5MiB", "64MiB", "512MiB", "1GB", "5GB"])
def test_multipart_threshold_is_never_smaller_than_a_part(threshold: str) -> None:
    multipart = options_of(policy_of("--multipart-threshold", threshold)).multipart
    assert 5 * MIB <= multipart.part_size <= multipart.threshold


def test_require_conditional_refuses_a_server_that_ignores_conditions(
    ministack: Server, hooks: RequestHooks
) -> None:
    buckets = Buckets.make(ministack)
    buckets.version()
    buckets.put("a")
    before = buckets.state()
    ran = FrogmoveRunner(buckets)("move", "a", "--require-conditional")
    assert (ran.code, ran.out) == (2, "")
    assert "if-none-match on copies" in ran.err
    assert hooks.of("CopyObject", "DeleteObject", "DeleteObjects") == []
    assert buckets.state() == before


def test_require_conditional_does_not_refuse_a_server_that_honours_all_conditions(
    seaweedfs: Server,
) -> None:
    buckets = Buckets.make(seaweedfs)
    buckets.put("a")
    assert FrogmoveRunner(buckets)("move", "a", "--require-conditional").code == 0
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"a"})


def test_max_rate_holds_for_a_whole_run(ministack: Server, hooks: RequestHooks) -> None:
    buckets = Buckets.make(ministack)
    buckets.put("a", "b", "c")
    ran = FrogmoveRunner(buckets)("move", "--all", "--max-rate", "8", "-o", "json")
    assert ran.code == 0
    # The probe's copies count too, so the run cannot be quicker than its own three.
    assert ran.summary["seconds"] >= 2 / 8


@pytest.mark.parametrize(
    ("flags", "code", "there"),
    [
        ("fail", 1, {"a": b"theirs"}),
        ("skip", 0, {"a": b"theirs"}),
        ("overwrite", 0, {"a": b"a"}),
        ("keep-both", 0, {"a": b"theirs", "a.0cc175b9": b"a"}),
    ],
)
@pytest.mark.parametrize("server", ["ministack", "seaweedfs"], indirect=True)
def test_on_conflict_does_what_each_policy_says(
    buckets: Buckets, frogmove: FrogmoveRunner, flags: str, code: int, there: dict[str, bytes]
) -> None:
    buckets.put("a")
    buckets.put_there("a", body=b"theirs")
    assert frogmove("move", "a", "--on-conflict", flags).code == code
    assert buckets.there() == there
    assert bool(buckets.here()) is (flags in {"fail", "skip"})


@pytest.mark.parametrize("verify", ["auto", "strict"])
@pytest.mark.parametrize(("limit", "code", "outcome"), [("1GiB", 0, "moved"), ("1", 1, "conflict")])
def test_size_is_no_proof(
    ministack: Server, verify: str, limit: str, code: int, outcome: str
) -> None:
    """Of parts, without a checksum of the whole: its ETag is not that of a copy."""
    buckets = Buckets.make(ministack)
    where = {"Bucket": buckets.source, "Key": "a"}
    upload = buckets.client.create_multipart_upload(**where)["UploadId"]
    part = buckets.client.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"frog")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    buckets.client.complete_multipart_upload(
        **where, UploadId=upload, MultipartUpload={"Parts": parts}
    )
    flags = ("--verify", verify, "--max-compare-size", limit)
    ran = FrogmoveRunner(buckets)("move", "a", *flags, "-o", "json")
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (code, outcome)
    assert buckets.here() == ({} if outcome == "moved" else {"a": b"frog"})
    assert buckets.there() == {"a": b"frog"}
