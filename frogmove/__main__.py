"""``frogmove`` and ``python -m frogmove``: handles signals even during the slow imports."""

import signal
import sys

from frogmove.processes import garbage_collector


def main() -> None:
    """Run the command line."""
    early: list[int] = []
    # Windows has no SIGHUP, and nohup ignores it.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda heard, _frame: early.append(heard))
    garbage_collector.defer()
    try:
        from frogmove.cli import crash_handler, signals
        from frogmove.cli import main as command_line
    except Exception as error:
        print(
            f"Error: this installation of frogmove cannot be used ({type(error).__name__}: "
            f"{error}). Nothing was changed. Reinstall it.",
            file=sys.stderr,
        )
        sys.exit(2)
    # First of all, so that no pipe gets the descriptor of a closed standard stream.
    crash_handler.install_hooks()
    signals.listen(early)
    try:
        command_line(prog_name="frogmove")
    finally:
        garbage_collector.skip_final_collection()
        signals.finish()


if __name__ == "__main__":
    main()
