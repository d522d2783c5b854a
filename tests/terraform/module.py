"""The Terraform module as tests see it: run by the real terraform, and what it would create."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.cli_runner import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODULE = ROOT / "terraform"

# The stand-in for hashicorp/aws: its schema without AWS. Read now, as tests run without the
# developer's own FROGMOVE_ variables.
TOOL = Path(
    os.environ.get(
        "FROGMOVE_OFFLINE_TERRAFORM", ROOT.parent / "shared/tools/terraform/offline-terraform"
    )
)
SECONDS = 300

# What stands in the plan for a test's own names.
ACCOUNT = "123456789012"
NAMES = {"name": "the-deployment", "source_bucket": "the-source", "destination_bucket": "the-dest"}
PACKAGES = {"function_zip": "tests/function.zip", "layer_zip": "tests/layer.zip"}
GIVEN = PACKAGES | {
    "source_bucket": "frogtech-sharara-external",
    "destination_bucket": "frogtech-sharara-internal",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the module would create.

    Attributes:
        resources: the planned values of each resource, by its address.
        outputs: the outputs whose values are known beforehand.
        references: for each resource, by its address without an index, what it refers to or
            says that it depends on.
    """

    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]
    references: dict[str, set[str]]

    @classmethod
    def read(cls, text: str) -> Plan:
        """Read what ``terraform show -json`` prints of a plan."""
        document = json.loads(text)
        planned = document["planned_values"]
        return cls(
            {
                item["address"]: item.get("values", {})
                for item in planned["root_module"]["resources"]
            },
            {name: output.get("value") for name, output in planned["outputs"].items()},
            {
                item["address"]: _references(item.get("expressions", {}))
                | set(item.get("depends_on", ()))
                for item in document["configuration"]["root_module"]["resources"]
            },
        )

    def policy(self, address: str, attribute: str = "policy") -> dict[str, Any]:
        """Return a policy document of a resource."""
        document: dict[str, Any] = json.loads(self.resources[address][attribute])
        return document

    def named(self, names: Mapping[str, str]) -> Plan:
        """Return the same plan with other names in the place of its own."""
        return Plan(_renamed(self.resources, names), _renamed(self.outputs, names), self.references)


def require_terraform() -> None:
    """Skip the test where terraform is not installed."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")


def require_stand_in() -> None:
    """Skip the test where a plan would need AWS."""
    require_terraform()
    if not TOOL.exists():
        pytest.skip("a plan needs AWS: the stand-in for its provider is not here")


def terraform(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run terraform on a copy of a folder, initialised with the stand-in or from the registry.

    Args:
        folder: the module.
        arguments: of terraform.
        variables: of the environment, for the stand-in.

    Skips the test where there is neither.
    """
    require_terraform()
    if TOOL.exists():
        venv = users_cache() / "offline-terraform/venv"
        environment = {**os.environ, "PROVIDER_VENV": str(venv), **variables}
        with alone(venv.parent):
            # Its first use makes its environment.
            if not (venv.parent / "made").exists():
                _run([str(TOOL), str(MODULE), "version"], folder, environment)
                (venv.parent / "made").touch()
        return _run([str(TOOL), str(folder), *arguments], folder, environment)
    copy = _from_the_registry(folder)
    return _run(["terraform", *arguments], copy, dict(os.environ))


def plan(folder: Path, **more: str) -> str:
    """Return the plan of the module as JSON.

    Args:
        folder: the module.
        more: further variables of the module.
    """
    given = NAMES | PACKAGES | more
    variables = (f"-var={name}={value}" for name, value in given.items())
    command = ["plan", "-no-color", "-out=plan.bin", *variables, ";", "show", "-json", "plan.bin"]
    done = terraform(folder, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout[done.stdout.index('{"format_version"') :]


@cache
def _from_the_registry(folder: Path) -> Path:
    own = Path(tempfile.mkdtemp(prefix="frogmove-test-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    copy = own / folder.name
    shutil.copytree(folder, copy)
    done = _run(["terraform", "init", "-input=false", "-backend=false"], copy, dict(os.environ))
    if done.returncode:
        pytest.skip("neither the stand-in provider nor the Terraform registry is there")
    return copy


def users_cache() -> Path:
    """Return the user's own cache, not the test's: what is kept there is made once."""
    return Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(
    command: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _references(expression: object) -> set[str]:
    if isinstance(expression, list):
        return set().union(*map(_references, expression))
    if isinstance(expression, dict):
        found = expression.get("references", [])
        return set(found).union(*map(_references, expression.values()))
    return set()


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    text = json.dumps(value)
    for old, new in names.items():
        text = text.replace(old, new)
    return json.loads(text)
