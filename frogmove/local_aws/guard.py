"""ministack, run so that it cannot outlive the process that started it.

Run by its path, with the folder that belongs to the server as its only argument and a pipe as its
standard input. When the pipe's other end closes, the starter is gone, whatever ended it (SIGKILL
included): the guard then removes the folder and ends its whole process group, which is
ministack and the Lambda workers it has started. Only the standard library and ministack are
imported here: frogmove need not be importable where this runs.
"""

import os
import runpy
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

_SECONDS_TO_REMOVE = 5.0
_SECONDS_BETWEEN_TRIES = 0.02


def end_with_starter(folder: str) -> None:
    """Wait for the starter to be gone, then remove every trace of this server.

    Args:
        folder: the server's private folder.
    """
    # os.read and not sys.stdin: a thread blocked in a buffered reader holds its lock, and the
    # interpreter refuses to shut down around that.
    while os.read(0, 1):
        pass
    remove(folder)
    os.killpg(0, signal.SIGKILL)


def remove(folder: str) -> None:
    """Remove a folder that processes may still be writing to as they end.

    Args:
        folder: what to remove; it is no error when it is gone already.
    """
    deadline = time.monotonic() + _SECONDS_TO_REMOVE
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists() or time.monotonic() > deadline:
            return
        time.sleep(_SECONDS_BETWEEN_TRIES)


def main() -> None:
    """Watch the starter and become ministack."""
    folder = sys.argv[1]
    threading.Thread(target=end_with_starter, args=(folder,), daemon=True).start()
    sys.argv[1:] = []
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
