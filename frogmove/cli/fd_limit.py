"""Fits the concurrency to the number of files that this process may open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.s3.limits import Limits

# Open files other than connections: journal, terminal, libraries, certificates.
OTHERS = 64


def fit_open_files(limits: Limits, console: Console) -> Limits:
    """Raise the limit of open files to one per connection, or else lower the concurrency.

    The default on macOS is 256, and some systems do not allow a higher limit.

    Args:
        limits: the limits on requests to S3.
        console: where a lower concurrency is reported.

    Returns:
        the limits, with the concurrency that the open files allow.
    """
    # Windows has no such module, and --help must work there.
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.concurrency + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return limits
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):
        # macOS reports an infinite limit but enforces a finite one.
        allowed = soft
    fitting = max(1, min(limits.concurrency, allowed - OTHERS))
    if fitting < limits.concurrency:
        noun = "connection" if fitting == 1 else "connections"
        console.warn(
            f"Using {fitting} concurrent {noun} instead of {limits.concurrency}: this process may "
            f"open only {allowed} files. Raise the limit with `ulimit -n {wanted}`."
        )
    return replace(limits, concurrency=fitting)
