"""The options of ``frogmove report`` and ``frogmove batch report``."""

from __future__ import annotations

import click

from frogmove.cli.parameter_types import choice
from frogmove.cli.report_formats import RENDERERS
from frogmove.core.models import Outcome

report_format = click.option(
    "-o",
    "--output",
    type=click.Choice(list(RENDERERS)),
    default="text",
    show_default=True,
    help="A table, JSON lines, CSV for a spreadsheet, or one HTML page.",
)
outcomes = click.option(
    "--outcome",
    "outcomes",
    type=choice(Outcome),
    multiple=True,
    help="Only objects with this outcome; repeatable.",
)
