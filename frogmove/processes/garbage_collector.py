"""Settings of Python's garbage collector for processes that run one command."""

import gc


def tune() -> None:
    """Run the garbage collector less often: almost no objects here are in reference cycles.

    With the default (every 700 new objects), it scans each page of a listing and boto3's models
    several times: a tenth of a run's CPU time (measured). So it does while modules are imported and
    boto3's client is created. To be called before that and after it: what exists is never scanned.
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
