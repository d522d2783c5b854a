"""``frogmove`` and ``python -m frogmove``: heeds signals before the imports, which take longest."""

import signal
import sys


def main() -> None:
    """Run the command line."""
    early: list[int] = []
    # Windows has no SIGHUP, and nohup has it ignored.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda heard, _frame: early.append(heard))
    try:
        from frogmove.cli import last_resort, signals
        from frogmove.cli import main as command_line
    except Exception as error:
        print(
            f"Error: this installation of frogmove cannot be used ({type(error).__name__}: "
            f"{error}). Nothing was changed; install it again.",
            file=sys.stderr,
        )
        sys.exit(2)
    # First of all: no pipe may get the number of a standard stream that is closed.
    last_resort.take_over()
    signals.listen(early)
    command_line()


if __name__ == "__main__":
    main()
