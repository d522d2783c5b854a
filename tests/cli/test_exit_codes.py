import pytest

from frogmove.cli import exit_codes
from frogmove.core.models import Outcome
from frogmove.core.records import Summary
from frogmove.errors import FrogmoveError, RunError, UnreachableError, UsageError
from tests.factories import a_result


@pytest.mark.parametrize(
    ("outcomes", "interrupted", "code"),
    [
        ([], False, 0),
        ([Outcome.MOVED, Outcome.COPIED], False, 0),
        ([Outcome.SKIPPED, Outcome.GONE, Outcome.SUPERSEDED], False, 0),
        ([Outcome.MOVED, Outcome.CONFLICT], False, 1),
        ([Outcome.MOVED, Outcome.FAILED], False, 1),
        ([Outcome.MOVED], True, 130),
        ([Outcome.FAILED], True, 130),
    ],
)
def test_exit_code_of_a_run_is_as_documented(
    outcomes: list[Outcome], interrupted: bool, code: int
) -> None:
    summary = Summary()
    for outcome in outcomes:
        summary.add(a_result(outcome))
    summary.interrupted = interrupted
    assert exit_codes.of_summary(summary) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (UnreachableError("x"), 2),
        (FrogmoveError("x"), 2),
        (RunError("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exit_code_1_is_only_for_a_run_that_had_begun(error: FrogmoveError, code: int) -> None:
    assert exit_codes.of_error(error) == code
