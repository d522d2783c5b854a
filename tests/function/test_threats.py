"""A file with threats is quarantined or stays with an alarm, whatever the function moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.buckets import Buckets
from tests.function.test_scan_gate import GATE, NOTHING, metrics, queued, scanned

if TYPE_CHECKING:
    from tests.function.invoke import Invoke
    from tests.servers import Server

# Each leaves out the key below.
FILTERS = [
    {"KEY_PREFIXES": "out/"},
    {"KEY_SUFFIXES": ".csv"},
    {"INCLUDE": "*.csv"},
    {"EXCLUDE": "in/**"},
    {"NEWER_THAN": "2999-01-01"},
    {"OLDER_THAN": "1h"},
    {"MIN_SIZE": "1MiB"},
    {"MAX_SIZE": "1"},
    {"STORAGE_CLASS": "GLACIER_IR"},
]


@pytest.fixture
def versioned(ministack: Server) -> Buckets:
    """Buckets of which the source keeps versions."""
    made = Buckets.make(ministack)
    made.version()
    return made


@pytest.mark.parametrize("filters", FILTERS, ids=lambda each: next(iter(each)))
@pytest.mark.parametrize("has_quarantine", [True, False])
def test_threats_that_the_filters_leave_out_are_treated_like_all(
    versioned: Buckets,
    invoke: Invoke,
    capsys: pytest.CaptureFixture[str],
    filters: dict[str, str],
    has_quarantine: bool,
) -> None:
    aside = Buckets.make(versioned.server).destination
    gate: dict[str, Any] = GATE | {f"FROGMOVE_{name}": value for name, value in filters.items()}
    if has_quarantine:
        gate["FROGMOVE_QUARANTINE"] = f"s3://{aside}/"
    versioned.put("in/key", body=b"evil")
    assert invoke(versioned, queued(scanned(versioned, "in/key", "THREATS_FOUND")), **gate) == (
        NOTHING
    )
    counted = metrics(capsys.readouterr().out)
    kept = {} if has_quarantine else {"in/key": b"evil"}
    assert (versioned.here(), versioned.there()) == (kept, {})
    assert ("Contents" in versioned.client.list_objects_v2(Bucket=aside)) is has_quarantine
    assert (counted["threats"], counted["quarantined" if has_quarantine else "waiting"]) == (1, 1)


def test_threat_without_its_tag_stays_and_is_reported_again(
    versioned: Buckets, invoke: Invoke
) -> None:
    """Somebody who may invoke the function says that a clean file is a threat."""
    aside = Buckets.make(versioned.server).destination
    gate = GATE | {"FROGMOVE_QUARANTINE": f"s3://{aside}/"}
    versioned.put("key")
    event = queued(scanned(versioned, "key", "THREATS_FOUND"))
    scanned(versioned, "key")
    assert invoke(versioned, event, **gate) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert versioned.here() == {"key": b"key"}
    assert "Contents" not in versioned.client.list_objects_v2(Bucket=aside)
    scanned(versioned, "key", "THREATS_FOUND")
    assert invoke(versioned, event, **gate) == NOTHING
    assert (versioned.here(), versioned.there()) == ({}, {})


def test_threat_of_another_route_stays_with_an_alarm(
    versioned: Buckets, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = GATE | {"FROGMOVE_SOURCE": f"s3://{versioned.source}/in/"}
    versioned.put("out/key", body=b"evil")
    event = queued(scanned(versioned, "out/key", "THREATS_FOUND"))
    assert invoke(versioned, event, **gate) == NOTHING
    assert (versioned.here(), versioned.there()) == ({"out/key": b"evil"}, {})
    assert metrics(capsys.readouterr().out)["threats"] == 1


def test_results_without_threats_of_files_that_are_not_moved_raise_no_alarm(
    versioned: Buckets, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    versioned.put("in/key")
    event = queued(scanned(versioned, "in/key", "UNSUPPORTED"), scanned(versioned, "in/key"))
    assert invoke(versioned, event, **GATE, FROGMOVE_KEY_PREFIXES="out/") == NOTHING
    assert (versioned.here(), versioned.there()) == ({"in/key": b"in/key"}, {})
    assert metrics(capsys.readouterr().out) == {"skipped": 2}
