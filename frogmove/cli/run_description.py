"""The first and the last lines of a run: its description, and the possible next commands."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from frogmove.cli.key_argument import key_argument
from frogmove.cli.quantities import objects
from frogmove.core.models import Outcome
from frogmove.core.run_spec import Command
from frogmove.core.typographic import typographic_hint
from frogmove.plural import count_bytes
from frogmove.quoting import in_quotes
from frogmove.s3.uri import is_like_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from frogmove.core.filters import Filters
    from frogmove.core.key_mapping import KeyMapping
    from frogmove.core.records import Summary
    from frogmove.core.run_spec import RunSpec
    from frogmove.core.selection import Selection
    from frogmove.s3.uri import Location

# How many keys are shown; the others are counted.
_SHOWN_KEYS = 2


def first_line(spec: RunSpec, region: str, environment: Mapping[str, str], *, dry_run: bool) -> str:
    """Return the first line of a run, with its route.

    Args:
        spec: the run.
        region: the AWS Region.
        environment: the environment variables, which may contain credentials.
        dry_run: whether it is a dry run.
    """
    what: str = spec.command
    if spec.command is Command.UNDO:
        what = f"undo {spec.continues}"
    elif spec.continues:
        what = f"resume {spec.continues}: {what}"
    elif spec.plan is not None:
        what = f"apply a plan: {what}"
    if dry_run:
        what = f"dry run: {what}"
    identity = identity_words(spec, region, environment)
    chosen = selection_words(spec)
    if spec.command is Command.UNDO:
        # Results name the ends as of this run.
        chosen = "source and destination are exchanged"
    text = f"{what} {spec.source} -> {spec.destination}; {chosen} ({identity})"
    return text[0].upper() + text[1:]


def selection_words(spec: RunSpec) -> str:
    """Describe the selection of a run."""
    if spec.command is Command.UNDO:
        return f"the objects of {spec.continues}"
    selection, source = spec.selection, spec.route().source
    if selection.key_list is not None:
        text = "the keys of a list"
    elif selection.keys:
        noun = "key" if len(selection.keys) == 1 else "keys"
        text = f"{noun} {_some(selection.keys, source)}"
        if selection.version_id:
            text += f", version {selection.version_id}"
    elif selection.folders == (source.prefix,):
        text = "everything"
    else:
        noun = "prefix" if len(selection.folders) == 1 else "prefixes"
        text = f"{noun} {_some(selection.folders, source)}"
    return ", ".join([text, *_filter_words(selection.filters), *_mapping_words(spec.mapping)])


def nothing_selected(spec: RunSpec) -> str:
    """Return a warning that the selection is empty."""
    what = f"Nothing at {spec.source} was selected: {selection_words(spec)}."
    return " ".join([what, *selection_hints(spec.selection), ALLOW_EMPTY])


_WILDCARDS = frozenset("*?[")

ALLOW_EMPTY = "If that is expected, use --allow-empty."


def selection_hints(selection: Selection) -> Iterator[str]:
    """Yield what may be wrong with a selection that is empty."""
    globs = [each.glob for each in selection.filters.patterns if each.is_include]
    if any("*" in glob and "**" not in glob for glob in globs):
        yield "'*' does not match '/': use '**/*.csv' for keys in folders."
    if any(not _WILDCARDS.intersection(glob) for glob in globs):
        yield "A pattern must match the whole key below the prefix. For a folder, use --prefix."
    if any(glob.startswith("/") for glob in globs):
        yield "A pattern that begins with '/' matches keys that begin with '/'."
    folders = [folder.removeprefix(selection.base) for folder in selection.folders]
    if any(folder.startswith("/") for folder in folders):
        yield "A folder that begins with '/' has only keys that begin with '/'."
    if selection.base and any(f"{folder}/".startswith(selection.base) for folder in folders):
        yield "A prefix is relative to the source."
    if any(is_like_uri(folder) for folder in folders):
        yield "A URI begins with s3://."
    yield from dict.fromkeys(filter(None, map(typographic_hint, [*folders, *globs])))
    if any(_WILDCARDS.intersection(folder) for folder in folders):
        yield "A folder is not a pattern: use --include."
    partial = next((folder for folder in folders if folder and not folder.endswith("/")), None)
    if partial is not None:
        yield (
            f"A prefix is a folder: this selects only the key {in_quotes(partial)} and keys under "
            f"{in_quotes(f'{partial}/')}."
        )


def unexpected_objects(spec: RunSpec, summary: Summary) -> str:
    """Return a warning about objects that an applied plan or an undo did not find as expected."""
    changed, gone = summary.counts[Outcome.SUPERSEDED], summary.counts[Outcome.GONE]
    if spec.command is Command.UNDO and changed:
        return f"Left as it is, because it changed after the run: {objects(changed)}."
    if spec.plan is None or not changed + gone:
        return ""
    text = ", ".join(
        f"{objects(count)} {word}"
        for count, word in (
            (changed, "changed after the plan was made"),
            (gone, "already gone"),
        )
        if count
    )
    hint = "The plan may have been applied before: see `frogmove runs`."
    return f"Not done as planned: {text}.{f' {hint}' if gone else ''}"


def _some(keys: tuple[str, ...], source: Location) -> str:
    shown = ", ".join(key_argument(key, source) for key in keys[:_SHOWN_KEYS])
    more = len(keys) - _SHOWN_KEYS
    return f"{shown} and {more:,} more" if more > 0 else shown


def _filter_words(filters: Filters) -> Iterator[str]:
    for is_include, glob in filters.patterns:
        yield f"{'matching' if is_include else 'not matching'} {in_quotes(glob)}"
    if filters.newer_than is not None:
        yield f"newer than {filters.newer_than:%Y-%m-%d %H:%M:%S} UTC"
    if filters.older_than is not None:
        yield f"older than {filters.older_than:%Y-%m-%d %H:%M:%S} UTC"
    if filters.min_size is not None:
        yield f"at least {count_bytes(filters.min_size)}"
    if filters.max_size is not None:
        yield f"at most {count_bytes(filters.max_size)}"
    if filters.storage_classes:
        yield f"storage class {' or '.join(filters.storage_classes)}"


def _mapping_words(mapping: KeyMapping) -> Iterator[str]:
    if mapping.strip_prefix:
        yield f"without {in_quotes(mapping.strip_prefix)}"
    if mapping.rename:
        yield f"renamed {in_quotes(mapping.rename)}"
    if mapping.to_prefix:
        yield f"into {in_quotes(mapping.to_prefix)}"
    if mapping.new_key:
        yield f"as {in_quotes(mapping.new_key)}"


def identity_words(spec: RunSpec, region: str, environment: Mapping[str, str]) -> str:
    """Describe the credentials of a run, and the server or Region."""
    # Keys in the environment take precedence over a profile in the environment.
    profile = spec.profile
    if profile is None and not environment.get("AWS_ACCESS_KEY_ID"):
        profile = environment.get("AWS_PROFILE")
    if spec.no_sign_request:
        who = "unsigned"
    elif profile:
        who = f"profile {profile}"
    elif environment.get("AWS_ACCESS_KEY_ID"):
        who = "credentials of the environment"
    else:
        who = "default credentials"
    return f"{who}, {spec.endpoint_url}" if spec.endpoint_url else f"{who}, Region {region}"


def resume_command(spec: RunSpec, journal: Path | None) -> str:
    """Return the command that finishes a run.

    Args:
        spec: the run.
        journal: the file of its journal, if one was given.
    """
    if spec.command is Command.UNDO:
        return f"frogmove undo {spec.continues}"
    return shlex.join(["frogmove", "resume", _name(spec, journal)])


def last_lines(
    spec: RunSpec, summary: Summary, journal: Path | None, *, is_unfinished: bool
) -> list[str]:
    """Return the last lines of a run: its id, and the commands to finish or undo it.

    Args:
        spec: the run.
        summary: its summary.
        journal: the file of its journal, if one was given.
        is_unfinished: whether it ended early.
    """
    counts = {outcome.value: count for outcome, count in summary.counts.items()}
    commands = next_commands(spec, counts, journal, is_unfinished=is_unfinished)
    if not commands:
        report = shlex.join(["frogmove", "report", _name(spec, journal)])
        commands = [("To see it again", report)]
    # Each command is at the end of its line, so that it is easy to copy.
    first, *others = (f"{purpose}: {command}" for purpose, command in commands)
    return [f"Run {spec.id}. {first}", *others]


def next_commands(
    spec: RunSpec, counts: Mapping[str, int], journal: Path | None, *, is_unfinished: bool
) -> list[tuple[str, str]]:
    """Return the possible next commands after a run, with their purposes.

    Args:
        spec: the run.
        counts: the number of objects of each outcome.
        journal: the file of its journal, if one was given.
        is_unfinished: whether it ended early.
    """
    again = resume_command(spec, journal)
    commands = []
    if is_unfinished:
        commands.append(("To finish this run", again))
    elif counts.get(Outcome.FAILED, 0):
        commands.append(("To retry the failures", again))
    changed = any(counts.get(each, 0) for each in _UNDONE)
    if spec.command is not Command.UNDO and changed:
        commands.append(("To undo it", shlex.join(["frogmove", "undo", _name(spec, journal)])))
    return commands


# The outcomes that an undo reverts.
_UNDONE = (Outcome.MOVED, Outcome.COPIED, Outcome.DELETED)


def _name(spec: RunSpec, journal: Path | None) -> str:
    return str(journal) if journal else spec.id
