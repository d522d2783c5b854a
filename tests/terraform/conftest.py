"""The module's plan, made once for all test processes."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from tests.terraform import module
from tests.terraform.deployment import Deployment

if TYPE_CHECKING:
    from tests.servers import Server


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> module.Plan:
    """What the module creates by default, under the names of :data:`tests.terraform.module`."""
    module.require_stand_in()
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept = folder / "terraform-plan.json"
    with (folder / "terraform-plan.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(module.plan(module.MODULE), "utf-8")
    return module.Plan.read(kept.read_text("utf-8"))


@pytest.fixture
def deployment(ministack: Server, plan: module.Plan) -> Deployment:
    """The plan under names that no other test knows, with its buckets created."""
    return Deployment.make(ministack, plan)
