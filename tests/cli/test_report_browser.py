"""The report's page in a real browser: what needs attention first, a filter, a phone, the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import CHROMIUM, Browser, browser
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")

HOSTILE = "<img src=x onerror=document.title='owned'>.csv"
KEYS = [
    HOSTILE,
    *(f"reports/a rather long name of a report {number:02}.csv" for number in range(30)),
]


@pytest.fixture(scope="module")
def page(ministack: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The page of a run with conflicts, in a browser."""
    buckets = Buckets.make(ministack)
    buckets.put(*KEYS)
    buckets.put_there(KEYS[7], HOSTILE, body=b"something else")
    frogmove = FrogmoveRunner(buckets)
    folder = tmp_path_factory.mktemp("report")
    state = {"FROGMOVE_STATE": str(folder / "state")}
    assert frogmove("move", "--all", **state).code == 1
    file = folder / "report.html"
    file.write_text(frogmove("report", "-o", "html", **state).out)
    with browser(folder / "profile") as made:
        made.open(file)
        yield made


def rows(page: Browser) -> list[str]:
    """Return the keys of the rows that are seen."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('table.results tbody tr')]"
        ".filter(row => row.offsetParent !== null).map(row => row.cells[2].textContent)"
    )
    return found


def choose(page: Browser, text: str, outcome: str) -> None:
    page.evaluate(
        f"text.value = {text!r}; outcome.value = {outcome!r};text.dispatchEvent(new Event('input'))"
    )


def test_report_page_shows_first_what_needs_attention_and_no_key_acts(page: Browser) -> None:
    assert set(rows(page)[:2]) == {KEYS[7], HOSTILE}
    assert len(rows(page)) == len(KEYS)
    assert page.evaluate("document.title").startswith("frogmove move ")
    assert page.evaluate("document.images.length") == 0
    assert page.evaluate("document.querySelectorAll('rect').length") >= 1
    totals = page.evaluate("document.querySelector('ul.totals').innerText")
    assert "29\nmoved" in totals
    assert "2\nconflict" in totals
    assert page.problems == []


def test_report_page_filters_by_text_and_by_outcome(page: Browser) -> None:
    choose(page, "REPORT 0", "")
    assert len(rows(page)) == 10
    choose(page, "", "conflict")
    assert len(rows(page)) == 2
    assert page.evaluate("shown.textContent") == f"2 of {len(KEYS)} rows"
    choose(page, "report", "conflict")
    assert rows(page) == [KEYS[7]]
    choose(page, "", "")
    assert len(rows(page)) == len(KEYS)


def test_report_page_is_readable_on_a_phone_and_in_the_dark(page: Browser) -> None:
    light = page.evaluate("getComputedStyle(document.querySelector('.bad')).color")
    page.be_a_phone()
    page.be_dark()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("getComputedStyle(document.querySelector('.bad')).color") != light
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert len(rows(page)) == len(KEYS)


def test_report_page_runs_only_its_own_script(page: Browser) -> None:
    page.evaluate(
        "document.body.appendChild(document.createElement('script')).textContent"
        " = 'document.title = \"owned\"'"
    )
    assert page.evaluate("document.title") != "owned"
    assert any("Content Security Policy" in problem for problem in page.problems)
