"""Bash completion: like Click's, but a URI is one word, and a completed folder can be continued."""

from __future__ import annotations

import os

from click.shell_completion import BashComplete, CompletionItem, add_completion_class
from click.shell_completion import split_arg_string as split

# Bash splits words at colons, so the script passes the whole line.
_SOURCE = """\
%(complete_func)s() {
    local IFS=$'\\n' type value completion response

    response=$(env COMP_LINE="${COMP_LINE:0:$COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \
%(complete_var)s=bash_complete $1)

    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"

        if [[ $type == 'dir' ]]; then
            COMPREPLY=()
            compopt -o dirnames
        elif [[ $type == 'file' ]]; then
            COMPREPLY=()
            compopt -o default
        elif [[ $type == 'open' ]]; then
            COMPREPLY+=("$value")
            compopt -o nospace
        elif [[ $type == 'plain' ]]; then
            COMPREPLY+=("$value")
        fi
    done

    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class LineComplete(BashComplete):
    """Completes the last word of a line, parsed as by a shell."""

    source_template = _SOURCE
    _cut = 0

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the last one, and the last one."""
        line = os.environ.get("COMP_LINE")
        if line is None:
            return super().get_completion_args()
        words = split(line)
        incomplete = "" if line[-1:].isspace() else words.pop()
        # Bash replaces only the part after the last word break.
        value = incomplete.partition("=")[2] if incomplete.startswith("--") else incomplete
        if ":" in os.environ.get("COMP_WORDBREAKS", ""):
            self._cut = value.rfind(":") + 1
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Format a completion for the script above."""
        value = str(item.value)
        kind = "open" if item.type == "plain" and value.endswith("/") else item.type
        return f"{kind},{value[self._cut :]}"


def register() -> None:
    """Register this completion for bash."""
    add_completion_class(LineComplete, "bash")
