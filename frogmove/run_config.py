"""From a configuration to the description of a run, and back."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from frogmove.config import Config
from frogmove.core.run_spec import Command, RunSpec
from frogmove.run_store import new_run_id

if TYPE_CHECKING:
    from frogmove.core.models import Route


def new_spec(command: Command, config: Config) -> RunSpec:
    """Describe a run that begins now.

    Args:
        command: what it does.
        config: the route, the endpoint and the credentials.

    Raises:
        UsageError: when there is no route.
    """
    return RunSpec(
        **asdict(with_route(config, config.route())),
        id=new_run_id(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command.value,
    )


def config_of(spec: RunSpec) -> Config:
    """Return the configuration that a run was started with."""
    return Config(**{field.name: getattr(spec, field.name) for field in fields(Config)})


def with_route(config: Config, route: Route) -> Config:
    """Return the same configuration with another route."""
    return replace(config, source=str(route.source), destination=str(route.destination))
