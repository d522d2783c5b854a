"""Takes over the user's pip settings for downloads, and no others.

A platform, target, root or constraint of the user would change the result.
https://pip.pypa.io/en/stable/topics/configuration/
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from frogmove.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = frozenset(
    {
        "cache-dir",
        "cert",
        "client-cert",
        "default-timeout",
        "extra-index-url",
        "find-links",
        "index-url",
        "keyring-provider",
        "no-cache-dir",
        "no-index",
        "proxy",
        "resume-retries",
        "retries",
        "timeout",
        "trusted-host",
    }
)

# A later section overrides an earlier one.
_SECTIONS = ("global", "install")
_LINE = re.compile(rf"({'|'.join(_SECTIONS)})\.([a-z-]+)=(['\"].*)")


def pip_environment(environment: Mapping[str, str], scratch: str) -> dict[str, str]:
    """Return an environment for pip with only the user's settings for downloads.

    Args:
        environment: the user's environment.
        scratch: the directory for pip's temporary files.

    Raises:
        RunError: when pip cannot read its configuration files.
    """
    bare = {name: value for name, value in environment.items() if not name.startswith("PIP_")}
    bare |= {"TMPDIR": scratch, "TEMP": scratch, "TMP": scratch}
    kept = _from_files(bare | _config_file(environment))
    for name, value in environment.items():
        setting = name.removeprefix("PIP_").lower().replace("_", "-")
        if name.startswith("PIP_") and setting in _KEPT:
            kept[setting] = value
    made = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in kept.items()}
    # If this is the null device, pip reads no configuration file.
    return bare | made | {"PIP_CONFIG_FILE": os.devnull, "PIP_ROOT_USER_ACTION": "ignore"}


def _config_file(environment: Mapping[str, str]) -> dict[str, str]:
    name = "PIP_CONFIG_FILE"
    return {name: environment[name]} if name in environment else {}


def _from_files(environment: dict[str, str]) -> dict[str, str]:
    """Return the settings for downloads in pip's configuration files."""
    if environment.get("PIP_CONFIG_FILE") == os.devnull:
        return {}
    # These settings may silence pip, or let it write a log or use another interpreter.
    command = [sys.executable, "-m", "pip", "config", "list", "-vvv", "--no-input"]
    ours = environment | {"PIP_LOG": os.devnull, "PIP_PYTHON": sys.executable}
    done = subprocess.run(command, env=ours, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or ["no reason given"]
        raise RunError(
            f"pip cannot read its configuration: {words[-1].rstrip('.')}.",
            "Correct it; see: pip config debug",
        )
    found = [match.groups() for line in done.stdout.splitlines() if (match := _LINE.match(line))]
    found.sort(key=lambda each: _SECTIONS.index(each[0]))
    return {name: str(ast.literal_eval(value)) for _, name, value in found if name in _KEPT}
