"""The commands of terraform/RUNBOOK.md, run as an operator."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.cli.cli_runner import Ran, run
from tests.terraform.module import MODULE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terraform.deployment import Running


@cache
def sections() -> dict[str, list[str]]:
    """Return the commands of each section of the page, by its heading."""
    page = (MODULE / "RUNBOOK.md").read_text("utf-8")
    found = {}
    for section in page.split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        blocks = re.findall(r"(?s)```sh\n(.*?)```", text)
        lines = [line for block in blocks for line in block.splitlines()]
        found[heading] = [re.sub(r"\s+#.*", "", line) for line in lines]
    return found


@dataclass(frozen=True)
class Operator:
    """Somebody with the operators' policy, the module's configuration file, and the page.

    Attributes:
        running: the deployment.
        environment: the variables of their commands.
    """

    running: Running
    environment: dict[str, str | None]

    @classmethod
    def of(cls, running: Running, folder: Path) -> Operator:
        """Create one, whose journals and configuration are in a folder."""
        deployment = running.deployment
        file = folder / "config.toml"
        file.write_text(deployment.plan.outputs["config_toml"], "utf-8")
        environment: dict[str, str | None] = {
            **deployment.person("operators").environment(),
            "AWS_ENDPOINT_URL": deployment.server.endpoint_url,
            "FROGMOVE_CONFIG": str(file),
            "FROGMOVE_STATE": str(folder / "state"),
        }
        return cls(running, environment)

    def __call__(self, *arguments: str) -> Ran:
        """Run a command of frogmove."""
        return run(*arguments, environment=self.environment)

    def follow(self, heading: str, command: str, **values: str) -> Ran:
        """Run a command of the page, with values in the place of its words in capitals.

        Args:
            heading: of the section that has the command.
            command: the command, as it is written there.
            values: the values.
        """
        assert command in sections()[heading]
        program, *arguments = (values.get(word, word) for word in shlex.split(command))
        if program == "aws":
            return self._aws(arguments)
        return self(*arguments, "-o", "json")

    def _aws(self, arguments: list[str]) -> Ran:
        """Do what the AWS CLI does, which is not installed."""
        service, operation, *options = arguments
        names = (name.removeprefix("--").title().replace("-", "") for name in options[::2])
        client = self.client(service)
        method = getattr(client, operation.replace("-", "_"))
        method(**dict(zip(names, options[1::2], strict=True)))
        return Ran(0, "", "")

    def client(self, service: str) -> Any:
        """Return a boto3 client of the operator."""
        keys = (
            self.environment[f"AWS_{name}"] or "" for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        )
        server = self.running.deployment.server.spoken_to_as(*keys)
        session: Any = server.session()
        return session.client(service, endpoint_url=server.endpoint_url)
