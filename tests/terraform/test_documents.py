"""The documents of the module match it, and their sums are right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cogapp import Cog  # type: ignore[import-untyped]

from frogmove.ops.alarms import ALARMS
from tests.terraform.documents import inputs, outputs
from tests.terraform.module import MODULE, Plan

if TYPE_CHECKING:
    import pytest

README, RUNBOOK = ((MODULE / name).read_text("utf-8") for name in ("README.md", "RUNBOOK.md"))


def test_inputs_and_outputs_are_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(MODULE.parent)
    assert Cog().main(["cog", "--check", "terraform/REFERENCE.md"]) == 0


def test_inputs_and_outputs_are_all_described() -> None:
    for table in (inputs(), outputs()):
        rows = [re.split(r"(?<!\\)\|", row) for row in table.splitlines()[2:]]
        assert len(rows) > 20
        assert all(len(row[-2].strip()) > 5 for row in rows), table


def test_alarms_have_their_remedy(plan: Plan) -> None:
    alarms = [name.removeprefix("the-deployment-") for name in plan.outputs["alarm_names"]]
    described = re.findall(r"(?m)^## ([a-z-]+)\n\n\w(?:(?!## ).*\n)+?```sh\n", RUNBOOK)
    with_a_scan = ["threats", "unscanned"]
    assert sorted(described) == sorted(alarms + with_a_scan) == sorted(ALARMS)


def test_operators_may_run_each_command_of_the_aws_cli() -> None:
    """The policy without the options that it depends on: GuardDuty's actions need a scan."""
    allowed = set(re.findall(r'"([a-z]+:[A-Za-z]+)"', (MODULE / "operators.tf").read_text("utf-8")))
    commands = re.findall(r"aws ([a-z]+) ([a-z]+(?:-[a-z]+)+)", README + RUNBOOK)
    needed = {f"{service}:{verb.title().replace('-', '')}" for service, verb in commands}
    assert needed
    assert needed <= allowed


def test_costs_add_up() -> None:
    rows = [row.split("|")[2:4] for row in README.splitlines() if re.match(r"\| (S3|SQS|L|l)", row)]
    prices = [[float(cell.rpartition("$")[2]) for cell in row] for row in rows if "$" in row[0]]
    (together,) = re.findall(
        r"\*\*together\*\* \| \*\*\$([\d.]+)\*\* \| \*\*\$([\d.]+)\*\*", README
    )
    sums = [round(sum(column), 2) for column in zip(*prices, strict=True)]
    assert sums == [float(price) for price in together]


def test_files_that_are_linked_are_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        # Somebody else's page, which comes with the function.
        if target != "LAMBDA.md":
            assert (MODULE / target).exists(), target
