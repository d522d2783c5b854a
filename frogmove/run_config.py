"""Converts between a configuration and the description of a run."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from frogmove.config import Config
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.selection_options import choose
from frogmove.run_store import key_list_path, new_run_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frogmove.core.models import Route
    from frogmove.core.selection_options import SelectionOptions


def new_spec(command: Command, config: Config) -> RunSpec:
    """Return the description of a new run.

    Args:
        command: the command.
        config: the route, the endpoint and the credentials.

    Raises:
        UsageError: when there is no route.
    """
    return RunSpec(
        **asdict(with_route(config, config.route())),
        id=new_run_id(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
    )


def select_for(spec: RunSpec, keys: Sequence[str], chosen: SelectionOptions) -> RunSpec:
    """Return a run with a selection; a list of keys is copied next to its journal.

    Args:
        spec: the run.
        keys: keys below the source's prefix, or S3 URIs inside the source.
        chosen: the other options.

    Raises:
        UsageError: when the selection is not valid, or the list cannot be read or copied.
    """
    path = key_list_path(spec.id)
    selected = choose(spec, keys, chosen, path)
    source = chosen.get("from_file")
    if source is not None:
        # It needs a database, and other runs start without.
        from frogmove.core.key_list import read_keys, write_key_list

        keys_of_list = read_keys(source, spec.route().source, nul=chosen.get("nul", False))
        write_key_list(keys_of_list, path)
    return selected


def config_of(spec: RunSpec) -> Config:
    """Return the configuration that a run was started with."""
    return Config(**{field.name: getattr(spec, field.name) for field in fields(Config)})


def with_route(config: Config, route: Route) -> Config:
    """Return the same configuration with another route."""
    return replace(config, source=str(route.source), destination=str(route.destination))
