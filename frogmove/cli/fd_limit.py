"""As many connections as the system lets one process open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.s3.limits import Limits

# Files that are open besides the connections: journal, terminal, libraries, certificates.
OTHERS = 64


def fit_open_files(limits: Limits, console: Console) -> Limits:
    """Have the system allow a file for each connection; where it does not, use fewer and say so.

    macOS gives a process 256 unless it asks for more, and some systems allow no more.

    Args:
        limits: how much is asked of S3.
        console: where to say that it is less.

    Returns:
        the same, with the concurrency that there are files for.
    """
    # Windows has no such module, and at least the help has to work there.
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.concurrency + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return limits
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):
        # macOS calls its limit infinite and has one all the same.
        allowed = soft
    fitting = max(1, min(limits.concurrency, allowed - OTHERS))
    if fitting < limits.concurrency:
        noun = "connection" if fitting == 1 else "connections"
        console.warn(
            f"Using {fitting} {noun} at once instead of {limits.concurrency}: this process may "
            f"open only {allowed} files. Raise that with `ulimit -n {wanted}`."
        )
    return replace(limits, concurrency=fitting)
