"""``frogmove`` and ``python -m frogmove``: heeds signals before the imports, which take longest."""

import signal


def main() -> None:
    """Run the command line."""
    early: list[int] = []
    # Windows has no SIGHUP, and nohup has it ignored.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda heard, _frame: early.append(heard))
    from frogmove.cli import main as command_line
    from frogmove.cli import signals

    signals.listen(early)
    command_line()


if __name__ == "__main__":
    main()
