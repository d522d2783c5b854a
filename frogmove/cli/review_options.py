"""The options for looking at a run before it starts."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from frogmove.cli.options import dry_run
from frogmove.cli.parameter_types import NewFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Command = TypeVar("_Command", bound="Callable[..., Any] | click.Command")


@dataclass(frozen=True, slots=True)
class Review:
    """How a run is looked at before it starts.

    Attributes:
        dry_run: whether it is only shown.
        plan: the file for its plan, if it is only planned.
        yes: whether it begins without a question.
    """

    dry_run: bool = False
    plan: Path | None = None
    yes: bool = False

    @property
    def is_only_shown(self) -> bool:
        """Whether nothing is moved or copied."""
        return self.dry_run or self.plan is not None


def yes_option(before: str) -> Callable[[_Command], _Command]:
    """Return ``--yes``, which begins without the question that a command asks before something."""
    return click.option("-y", "--yes", is_flag=True, help=f"Do not ask before {before}.")


_OPTIONS = [
    dry_run,
    click.option(
        "--plan",
        type=NewFile(),
        metavar="FILE",
        help="Only write what would be done to FILE, for `frogmove apply FILE`.",
    ),
    yes_option("it moves all, over 1,000 objects, or replaces or deletes something"),
]


def review_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options for looking at its run, as ``review``."""

    @functools.wraps(command)
    def wrapper(*, dry_run: bool, plan: Path | None, yes: bool, **own: object) -> None:
        command(review=Review(dry_run, plan, yes), **own)

    made: Callable[..., None] = wrapper
    for option in reversed(_OPTIONS):
        made = option(made)
    return made
