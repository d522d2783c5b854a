"""``python -m frogmove`` is ``frogmove``."""

from frogmove.cli import main

if __name__ == "__main__":
    main()
