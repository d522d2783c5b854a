"""A report shows what outsiders chose, and none of it acts on its reader."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from frogmove.cli import report_html
from frogmove.cli.escaping import printable
from frogmove.cli.key_argument import key_argument
from frogmove.cli.report_formats import render
from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.key_list import read_keys
from frogmove.core.models import Outcome, VerifiedCopy
from frogmove.core.records import Summary
from frogmove.core.run_spec import Command, RunSpec
from frogmove.s3.uri import Location
from tests.factories import RUN_SPEC, a_result
from tests.keys import KEYS

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.core.models import Result


HOSTILE = [
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)",
    "&lt;b&gt;",
    "<!--",
    "]]>",
    "<style>*{display:none}</style>",
    "javascript:alert(1)",
    *KEYS.values(),
]

FORMULAS = [
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "=cmd|'/c calc'!A0",
    '=HYPERLINK("http://evil.example","x")',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
]


def journal_of(folder: Path, *results: Result, header: RunSpec = RUN_SPEC) -> JournalReader:
    """Write a journal as a run with these results does."""
    journal, summary = JournalWriter(folder / "run.jsonl", header), Summary()
    for result in results:
        journal.finished(result)
        summary.add(result)
    journal.end(summary)
    return JournalReader(journal.path)


def rendered(folder: Path, output: str, *results: Result, header: RunSpec = RUN_SPEC) -> str:
    return "".join(render(journal_of(folder, *results, header=header), output))


def cut_off(folder: Path, *keys: str, command: Command = Command.MOVE) -> JournalReader:
    """Write a journal as a run does that is killed before any but the first key has its result."""
    journal = JournalWriter(folder / "run.jsonl", replace(RUN_SPEC, command=command))
    for key in keys:
        result = a_result(Outcome.MOVED, key)
        journal.copied(result.action.object, VerifiedCopy(key, result.action.object.etag))
    journal.finished(a_result(Outcome.MOVED, keys[0]))
    journal.commit()
    return JournalReader(journal.path)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


class Page(HTMLParser):
    """What a browser makes of a page: its elements, their attributes, and the table's texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.comments: list[str] = []
        self.cells: list[list[str]] = []
        self.text = ""
        self._in_cell = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "tr":
            self.cells.append([])
        self._in_cell = tag in {"td", "th"}
        if self._in_cell:
            self.cells[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.cells[-1][-1] += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@pytest.mark.parametrize("output", ["text", "csv", "html"])
def test_report_shows_each_result_with_its_reason(tmp_path: Path, output: str) -> None:
    results = [a_result(outcome, f"key-{outcome}", f"why {outcome}") for outcome in Outcome]
    text = rendered(tmp_path, output, *results)
    for outcome in set(Outcome) - {Outcome.SKIPPED, Outcome.WAITING}:
        assert f"key-{outcome}" in text
        assert f"why {outcome}" in text
    assert "key-skipped" not in text
    assert "key-waiting" not in text


def test_report_table_says_which_run_and_what_it_came_to(tmp_path: Path) -> None:
    text = rendered(tmp_path, "text", a_result(Outcome.MOVED), a_result(Outcome.FAILED, "b", "No."))
    lines = text.splitlines()
    assert lines[0] == "move s3://external/ -> s3://internal/"
    assert lines[1] == "run 20261123-073012-ab12, begun 2026-11-23T07:30:12+00:00"
    assert "moved                   4  key" in lines
    assert "failed                  4  b  (No.)" in lines
    # What needs attention comes first.
    assert lines.index("failed                  4  b  (No.)") == 3
    assert lines[-3].startswith("1 moved, 1 failed; 4 bytes in ")
    assert lines[-2:] == [
        "To retry the failures: frogmove resume 20261123-073012-ab12",
        "To undo it: frogmove undo 20261123-073012-ab12",
    ]


def test_report_shows_both_places_of_a_key_that_changed_it(tmp_path: Path) -> None:
    result = a_result(Outcome.MOVED)
    object.__setattr__(result, "destination_key", "kept/beside")
    assert "key -> kept/beside\n" in rendered(tmp_path, "text", result)
    line = rows(rendered(tmp_path / "2", "csv", result))[1]
    assert line[4:8] == ["external", "key", "internal", "kept/beside"]


@pytest.mark.parametrize("output", ["text", "csv", "html"])
def test_report_lets_no_key_act_on_a_terminal_or_an_editor(tmp_path: Path, output: str) -> None:
    results = [a_result(Outcome.FAILED, key, reason=key) for key in HOSTILE + FORMULAS]
    text = rendered(tmp_path, output, *results)
    assert {char for char in text if not char.isprintable()} <= {"\n", "\r"}
    assert text.count("\r") == (text.count("\r\n") if output == "csv" else 0)


def test_report_table_has_one_line_for_each_result(tmp_path: Path) -> None:
    results = [a_result(Outcome.MOVED, key) for key in HOSTILE + FORMULAS]
    lines = rendered(tmp_path, "text", *results).splitlines()
    shown = [key_argument(key, Location("external")) for key in HOSTILE + FORMULAS]
    assert lines[3:-3] == [f"moved       {4:>13}  {key}" for key in shown]


def test_report_json_is_the_journal_line_by_line(tmp_path: Path) -> None:
    results = [a_result(Outcome.MOVED, key) for key in HOSTILE]
    text = rendered(tmp_path, "json", *results)
    records = [json.loads(line) for line in text.splitlines()]
    assert [record["key"] for record in records[:-1]] == HOSTILE
    assert records[-1]["type"] == "end"
    assert text.isascii()


def test_report_csv_has_a_row_for_each_result_whatever_the_key(tmp_path: Path) -> None:
    results = [a_result(Outcome.MOVED, key) for key in HOSTILE]
    table = rows(rendered(tmp_path, "csv", *results))
    assert table[0] == [
        *("run", "time", "outcome", "size", "source_bucket", "key"),
        *("destination_bucket", "destination_key", "etag", "reason"),
    ]
    assert all(len(row) == 10 for row in table)
    assert {row[0] for row in table[1:]} == {RUN_SPEC.id}
    assert all(datetime.fromisoformat(row[1]).tzinfo for row in table[1:])
    assert {row[8] for row in table[1:]} == {results[0].action.object.etag}
    keys = [row[5] for row in table[1:]]
    assert [key.removeprefix("'") for key in keys] == [printable(key) for key in HOSTILE]


@pytest.mark.parametrize("formula", FORMULAS)
def test_report_csv_has_no_cell_that_is_a_formula(tmp_path: Path, formula: str) -> None:
    text = rendered(tmp_path, "csv", a_result(Outcome.FAILED, formula, reason=formula))
    (row,) = rows(text)[1:]
    for cell in row:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert formula.strip() in row[5]
    assert formula.strip() in row[9]


def test_report_csv_has_another_cell_for_every_key(tmp_path: Path) -> None:
    keys = ["=1", "'=1", "''=1"]
    text = rendered(tmp_path, "csv", *(a_result(Outcome.MOVED, key) for key in keys))
    assert {row[5] for row in rows(text)[1:]} == {f"'{key}" for key in keys}


def test_report_html_has_no_element_of_somebody_elses(tmp_path: Path) -> None:
    results = [a_result(Outcome.FAILED, key, reason=key) for key in HOSTILE + FORMULAS]
    page = Page(rendered(tmp_path, "html", *results))
    plain = Page(rendered(tmp_path / "plain", "html", a_result(Outcome.FAILED)))
    assert (page.tags, page.attributes) == (plain.tags, plain.attributes)
    assert page.comments == []
    results_ = [row for row in page.cells if len(row) == 6][1:]
    assert [row[2] for row in results_] == [printable(key) for key in HOSTILE + FORMULAS]
    assert [row[4] for row in results_] == [printable(key) for key in HOSTILE + FORMULAS]


def test_report_html_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = rendered(tmp_path, "html", a_result(Outcome.MOVED))
    for word in ("http://", "https://", "//cdn", "url(", "@import", "src=", "href="):
        assert word not in text


def test_report_trusts_a_journals_header_no_more_than_its_keys(tmp_path: Path) -> None:
    """A journal may have come by mail."""
    evil = "<script>alert(1)</script>"
    source, destination = (f"s3://{bucket}/{evil}" for bucket in ("external", "internal"))
    header = RunSpec(
        id=evil, started=evil, command=Command.MOVE, source=source, destination=destination
    )
    page = Page(rendered(tmp_path, "html", a_result(Outcome.MOVED), header=header))
    plain = Page(rendered(tmp_path / "plain", "html", a_result(Outcome.MOVED)))
    assert (page.tags, page.attributes) == (plain.tags, plain.attributes)
    assert page.text.count(evil) >= 5
    bell = "\x07\x1b[2J"
    ringing = replace(header, source=f"s3://external/{bell}", destination=f"s3://internal/{bell}")
    for output in ("text", "html"):
        text = rendered(tmp_path / output, output, a_result(Outcome.MOVED), header=ringing)
        assert "\x1b" not in text
        assert "\x07" not in text


@pytest.mark.parametrize("output", ["text", "html"])
def test_report_of_a_run_that_did_not_end_names_the_command_to_finish_it(
    tmp_path: Path, output: str
) -> None:
    journal = JournalWriter(tmp_path / "run.jsonl", RUN_SPEC)
    journal.finished(a_result(Outcome.MOVED))
    journal.close()
    text = "".join(render(JournalReader(journal.path), output))
    assert "frogmove resume 20261123-073012-ab12" in text


@pytest.mark.parametrize("output", ["text", "html"])
def test_report_of_a_run_that_was_interrupted_says_so(tmp_path: Path, output: str) -> None:
    journal, summary = JournalWriter(tmp_path / "run.jsonl", RUN_SPEC), Summary()
    journal.finished(a_result(Outcome.MOVED))
    summary.interrupted = True
    journal.end(summary)
    assert "interrupted" in "".join(render(JournalReader(journal.path), output))


def test_report_of_a_run_that_was_interrupted_before_a_result_does_not_call_it_done(
    tmp_path: Path,
) -> None:
    journal, summary = JournalWriter(tmp_path / "run.jsonl", RUN_SPEC), Summary()
    summary.interrupted = True
    journal.end(summary)
    text = "".join(render(JournalReader(journal.path), "text"))
    assert "interrupted; nothing was finished; 0 bytes" in text
    assert list(read_keys(io.BytesIO(text.encode()), Location("external"), nul=False)) == []


# Runs that were cut off


@pytest.mark.parametrize("output", ["text", "json", "csv", "html"])
def test_report_has_a_copy_whose_result_is_not_known(tmp_path: Path, output: str) -> None:
    text = "".join(render(cut_off(tmp_path, "first", "second"), output))
    if output == "json":
        reported = [record for record in map(json.loads, text.splitlines()) if "outcome" in record]
        cells = [[each["outcome"], each["key"], each["reason"]] for each in reported]
    elif output == "csv":
        cells = [[row[2], row[5], row[9]] for row in rows(text)[1:]]
    elif output == "html":
        results = [row for row in Page(text).cells if len(row) == 6][1:]
        cells = [[row[0], row[2], row[4]] for row in results]
    else:
        line = next(line for line in text.splitlines() if "second" in line)
        cells = [["moved", "first", ""], [line.split()[0], "second", line.split("(")[1][:-1]]]
    assert sorted(cells, reverse=True) == [
        ["moved", "first", ""],
        ["copied", "second", "the run was cut off; its source may have been deleted"],
    ]


def test_report_of_a_sync_that_was_cut_off_speaks_of_no_deletes(tmp_path: Path) -> None:
    text = "".join(render(cut_off(tmp_path, "first", "second", command=Command.SYNC), "text"))
    assert "(the run was cut off)" in text
    assert "delete" not in text


def test_report_has_what_is_not_known_before_the_end(tmp_path: Path) -> None:
    """As where nobody read the results any more."""
    reader = cut_off(tmp_path, "first", "second")
    with (tmp_path / "run.jsonl").open("a") as file:
        file.write(json.dumps({**Summary().record(), "type": "end"}) + "\n")
    records = [json.loads(line) for line in render(reader, "json")]
    assert [record["type"] for record in records][-2:] == ["result", "end"]


@pytest.mark.parametrize("output", ["text", "json", "csv", "html"])
def test_report_shows_only_the_outcomes_that_were_asked_for(tmp_path: Path, output: str) -> None:
    results = [a_result(outcome, f"key-{outcome}") for outcome in Outcome]
    reader = journal_of(tmp_path, *results)
    text = "".join(render(reader, output, {"failed", "conflict"}))
    shown = {outcome.value for outcome in Outcome if f"key-{outcome}" in text}
    assert shown == {"failed", "conflict"}


def test_report_html_of_a_large_run_says_where_the_rest_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_html, "MAX_ROWS", 3)
    results = [a_result(Outcome.MOVED, f"key-{number}") for number in range(5)]
    text = rendered(tmp_path, "html", *results, a_result(Outcome.FAILED, "bad"))
    assert [key in text for key in ("bad", "key-1", "key-2")] == [True, True, False]
    assert "3 more: <code>frogmove report 20261123-073012-ab12 -o csv" in text
