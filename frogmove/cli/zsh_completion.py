"""Zsh completion: like Click's, but a completed folder can be continued."""

from __future__ import annotations

from click.shell_completion import CompletionItem, ZshComplete, add_completion_class

# A suffix of "" adds no space.
_SOURCE = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local type value about
    local -a completions described open response
    (( ! $+commands[%(prog_name)s] )) && return 1

    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete %(prog_name)s)}")

    for type value about in ${response}; do
        if [[ $type == 'open' ]]; then
            open+=("$value":"$about")
        elif [[ $type == 'plain' && $about == '_' ]]; then
            completions+=("$value")
        elif [[ $type == 'plain' ]]; then
            described+=("$value":"$about")
        elif [[ $type == 'dir' ]]; then
            _path_files -/
        elif [[ $type == 'file' ]]; then
            _path_files -f
        fi
    done

    (( $#open )) && _describe -V unsorted open -U -S ''
    (( $#described )) && _describe -V unsorted described -U
    (( $#completions )) && compadd -U -V unsorted -a completions
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    # Loaded from fpath.
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class FolderComplete(ZshComplete):
    """Completes folders without a space after them."""

    source_template = _SOURCE

    def format_completion(self, item: CompletionItem) -> str:
        """Format a completion for the script above."""
        line = super().format_completion(item)
        is_open = item.type == "plain" and str(item.value).endswith("/")
        return f"open{line.removeprefix(item.type)}" if is_open and item.help else line


def register() -> None:
    """Register this completion for zsh."""
    add_completion_class(FolderComplete, "zsh")
