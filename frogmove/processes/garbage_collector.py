"""Settings of Python's garbage collector for processes that run one command."""

import gc


def defer() -> None:
    """Collect almost nothing while a command starts; to be called first of all.

    Modules, and boto3's client with its models, are no garbage, and half of what a command makes
    before its first request: scanning them again and again takes 50 ms (measured).
    """
    gc.set_threshold(500_000, 10, 10)


def tune() -> None:
    """Run the garbage collector less often: almost no objects here are in reference cycles.

    With the default (every 700 new objects), it scans each page of a listing and boto3's models
    several times: a tenth of a run's CPU time (measured). To be called when a command has started:
    what exists by then is never scanned.
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def skip_final_collection() -> None:
    """Let Python not scan everything once more when it exits: 20 ms, also of a short command.

    To be called when a command has ended.
    """
    gc.freeze()
