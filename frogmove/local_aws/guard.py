"""Runs ministack so that it ends with the process that started it.

It is run by its path, with the server's directory as its only argument and a pipe as its standard
input. When the other end of the pipe closes, the parent process has ended, even by SIGKILL. Then
the guard removes the directory and kills its process group: ministack and its Lambda workers. It
imports only the standard library and ministack, because frogmove may not be importable here.
"""

import os
import runpy
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

_REMOVE_SECONDS = 5.0
_RETRY_SECONDS = 0.02


def end_with_parent(folder: str) -> None:
    """Wait until the parent process has ended, then remove everything of this server.

    Args:
        folder: the server's directory.
    """
    # os.read instead of sys.stdin: a thread that is blocked in a buffered reader holds a lock that
    # the interpreter needs for its shutdown.
    while os.read(0, 1):
        pass
    remove(folder)
    os.killpg(0, signal.SIGKILL)


def remove(folder: str) -> None:
    """Remove a directory that processes may still write to while they end.

    Args:
        folder: the directory; may not exist.
    """
    deadline = time.monotonic() + _REMOVE_SECONDS
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists() or time.monotonic() > deadline:
            return
        time.sleep(_RETRY_SECONDS)


def main() -> None:
    """Watch the parent process and run ministack."""
    folder = sys.argv[1]
    threading.Thread(target=end_with_parent, args=(folder,), daemon=True).start()
    sys.argv[1:] = []
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
