"""Converts between a configuration and the description of a run."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from frogmove.config import Config
from frogmove.core.key_mapping import SAME_KEYS
from frogmove.core.options import OnConflict
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.selection import Selection
from frogmove.core.selection_options import choose
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.run_store import key_list_path, new_run_id, plan_path
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frogmove.core.models import Route
    from frogmove.core.selection_options import SelectionOptions
    from frogmove.s3.limits import Limits


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


# The settings of a plan that must not be others when it is applied.
_PLANNED = {
    "source": "source",
    "destination": "destination",
    "endpoint_url": "server",
    "kms_key_id": "KMS key",
    "expected_bucket_owner": "bucket owner",
    "require_tag": "required tag",
}

# What a plan without a setting has instead.
_DEFAULTS = dict.fromkeys(_PLANNED, "(the default)") | {"require_tag": "(none)"}

_NOT_THIS_PLAN = "Nothing was changed. Give the plan's own settings, or make the plan again."


def applied_spec(path: Path, given: Config) -> RunSpec:
    """Describe the run that applies a plan; a copy of the plan is kept beside its journal.

    Args:
        path: the plan's file.
        given: the settings of now; those that are not given are the plan's.

    Raises:
        UsageError: when the file is not a whole and unedited plan, or is for other settings.
    """
    # Lazy: other runs do not need it.
    from frogmove.core.plan_file import keep_plan, read_header

    planned = read_header(path).spec
    for name, noun in _PLANNED.items():
        then, now = getattr(planned, name), getattr(given, name)
        if now and not _is_same(name, then, now):
            raise UsageError(
                f"The plan {in_quotes(str(path))} is for the {noun} {then or _DEFAULTS[name]}, "
                f"not {now}.",
                _NOT_THIS_PLAN,
            )
    run_id = new_run_id()
    kept = plan_path(run_id)
    keep_plan(path, kept)
    if read_header(kept).spec != planned:
        kept.unlink()
        raise UsageError(
            f"The plan {in_quotes(str(path))} changed while it was read.", _NOT_THIS_PLAN
        )
    named = given.given()
    chosen = {name: named[name] for name in _CONNECTION if name in named}
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(planned, **chosen, id=run_id, started=started, plan=str(kept), continues=None)


# The settings that may be others when a plan is applied, or a run is continued.
_CONNECTION = (
    "profile",
    "region",
    "requester_pays",
    "no_sign_request",
    "engine",
    "expected_bucket_owner",
)


def _is_same(name: str, then: str | None, now: str) -> bool:
    if then is None:
        return name == "expected_bucket_owner"
    if name in {"source", "destination"}:
        return parse_location(then) == parse_location(now)
    return then.rstrip("/") == now.rstrip("/")


def check_identity(spec: RunSpec, endpoint: str | None, account: str | None) -> None:
    """Refuse to apply a plan on another server, or with the credentials of another account.

    Raises:
        UsageError: in that case.
    """
    # Lazy: other runs do not need it.
    from frogmove.core.plan_file import read_header

    header = read_header(Path(spec.plan or ""))
    if header.spec.endpoint_url != endpoint:
        raise UsageError(
            f"The plan is for the server {header.spec.endpoint_url or '(the default)'}, not "
            f"{endpoint or '(the default)'}.",
            _NOT_THIS_PLAN,
        )
    if header.account != account:
        raise UsageError(
            "The plan was made with the credentials of another account than these.",
            f"Nothing was changed. Use those it was made with{_profile(header.spec)}, or make the "
            "plan again.",
        )


def _profile(spec: RunSpec) -> str:
    return f" (--profile {spec.profile})" if spec.profile else ""


def config_of(spec: RunSpec) -> Config:
    """Return the configuration that a run was started with."""
    return Config(**{field.name: getattr(spec, field.name) for field in fields(Config)})


def with_route(config: Config, route: Route) -> Config:
    """Return the same configuration with another route."""
    return replace(config, source=str(route.source), destination=str(route.destination))


def continued_spec(earlier: RunSpec, given: Config) -> RunSpec:
    """Return the spec of a run that continues an earlier one, with its settings as defaults."""
    config = replace(config_of(earlier), **given.given())
    begun = new_spec(earlier.command, config)
    return replace(
        earlier, **asdict(config), id=begun.id, started=begun.started, continues=earlier.id
    )


def continuation(earlier: RunSpec, config: Config, limits: Limits, endpoint: str | None) -> RunSpec:
    """Return the spec of a run that continues an earlier one on a connection that already exists.

    Args:
        earlier: the earlier run.
        config: the connection's configuration; its route is not used.
        limits: the connection's limits.
        endpoint: the connection's address; None if it is the Region's default.

    Raises:
        UsageError: when the earlier run was on another server, which the configuration does not
            name.
    """
    if not config.endpoint_url and earlier.endpoint_url != endpoint:
        raise UsageError(
            f"The run {earlier.id} was on the server {earlier.endpoint_url or '(the default)'}, "
            f"not {endpoint or '(the default)'}.",
            "Give its endpoint URL.",
        )
    own = {name: getattr(config, name) for name in _CONNECTION}
    named = replace(config, source=None, destination=None)
    spec = continued_spec(earlier, named)
    return replace(spec, **own, concurrency=limits.concurrency, max_rate=limits.rate)


def undo_spec(spec: RunSpec) -> RunSpec:
    """Return the spec of the undo of a run: from its destination to its source.

    Without the KMS key, which is the destination's: in another Region, the source cannot use it.
    And without the run's conflict policy, which is for its destination: an undo must not overwrite
    what was uploaded to the source since.
    """
    return replace(
        spec,
        command=Command.UNDO,
        plan=None,
        on_conflict=OnConflict.FAIL,
        source=spec.destination,
        destination=spec.source,
        kms_key_id=None,
        selection=Selection(),
        mapping=SAME_KEYS,
    )
