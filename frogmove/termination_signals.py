"""The signals by which people and supervisors end a process."""

import signal

# Windows has no SIGHUP.
TERMINATION_SIGNALS = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if name in signal.Signals.__members__
)
