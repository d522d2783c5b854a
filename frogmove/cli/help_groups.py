"""Commands whose help shows their options in groups: the common ones, or all of them."""

from __future__ import annotations

import textwrap

import click

from frogmove.cli.missing_values import refuse_options_as_values

_OTHERS = "Options"

# The options of each group that --help explains; it only names the others.
_COMMON = {
    *("prefix", "everything", "from_file", "include", "exclude", "newer_than"),
    *("to_prefix", "rename", "new_key"),
    *("on_conflict", "compare", "delete", "max_delete", "backup", "output"),
}

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


_SHOWS_ALL = "frogmove.help_all"

# The widest option beside its text, in characters; the text of a wider one is below it.
_WIDEST = 25


class GroupedCommand(click.Command):
    """A command whose help shows its options in groups, and whose options are no values."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; see :meth:`click.Command.parse_args`."""
        if not ctx.resilient_parsing:
            refuse_options_as_values(ctx, self.get_params(ctx), args)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, --help-all among them; see :meth:`click.Command.get_params`."""
        help_all = click.Option(
            ["--help-all"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_all,
            help="Explain every option.",
        )
        return [*super().get_params(ctx), help_all]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options; see :meth:`click.Command.format_options`."""
        explained: dict[str, list[tuple[str, str]]] = {name: [] for name in (_OTHERS, *_GROUPS)}
        named: dict[str, list[str]] = {name: [] for name in explained}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            # Arguments are in the usage line and in the help text.
            if record is None or not isinstance(param, click.Option):
                continue
            group = _GROUP_OF.get(param.name or "", _OTHERS)
            if group == _OTHERS or param.name in _COMMON or ctx.meta.get(_SHOWS_ALL):
                explained[group].append(record)
            else:
                named[group].append("/".join([param.opts[-1], *param.secondary_opts[-1:]]))
        for group, records in explained.items():
            if not (records or named[group]):
                continue
            with formatter.section(group):
                if records:
                    formatter.write_dl(records, col_max=_WIDEST)
                _write_names(formatter, named[group])


def _write_names(formatter: click.HelpFormatter, names: list[str]) -> None:
    """Write names of options, of which none is broken at its hyphens."""
    indent = " " * formatter.current_indent
    lines = textwrap.wrap(
        ", ".join(names),
        formatter.width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    formatter.write("".join(f"{line}\n" for line in lines))


def _show_all(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[_SHOWS_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
