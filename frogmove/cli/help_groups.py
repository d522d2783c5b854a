"""Commands whose help shows their options in groups."""

from __future__ import annotations

import click

_OTHERS = "Options"

# The parameters of each group; groups are shown in this order, other options first.
_GROUPS = {
    "Selection": (
        "prefix everything from_file nul version_id include exclude newer_than older_than min_size "
        "max_size storage_class tags require_scan allow_empty"
    ),
    "New keys": "to_prefix strip_prefix rename new_key",
    "Conflicts": "on_conflict compare verify require_conditional max_compare_size carry",
    "Deletes": "delete max_delete backup",
    "Speed": "max_rate concurrency processes multipart_threshold",
    "Connection": (
        "route source destination profile region endpoint_url expected_bucket_owner kms_key_id "
        "engine no_sign_request requester_pays"
    ),
    "Output": "output quiet verbose progress journal",
}
_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names.split()}


class GroupedCommand(click.Command):
    """A command whose help shows its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options; see :meth:`click.Command.format_options`."""
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in (_OTHERS, *_GROUPS)}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            # Arguments are in the usage line and in the help text.
            if record is not None and isinstance(param, click.Option):
                groups[_GROUP_OF.get(param.name or "", _OTHERS)].append(record)
        for name, records in groups.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)
