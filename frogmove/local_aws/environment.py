"""The embedded AWS as the commands use it: started for one command, ended whatever happens."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from frogmove.local_aws.clients import Clients, clients_for
from frogmove.local_aws.server import Server, running_server
from frogmove.local_aws.stack import Stack, build_stack
from frogmove.packaging.function_zip import build_package

# Windows has no SIGHUP.
_ENDING = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if name in signal.Signals.__members__
)


@dataclass(frozen=True)
class EmbeddedAws:
    """A server with the pipeline built on it, the notification not yet connected."""

    server: Server
    clients: Clients
    stack: Stack

    def environment(self) -> dict[str, str]:
        """Return the variables that lead frogmove, and any AWS SDK, to this pipeline."""
        return self.server.client_environment() | {
            "FROGMOVE_ENDPOINT_URL": self.server.endpoint_url,
            "FROGMOVE_SOURCE": self.stack.source,
            "FROGMOVE_DESTINATION": self.stack.destination,
            # The user's own routes may name a profile, and a later resume would come upon these
            # journals when this server is gone.
            "FROGMOVE_CONFIG": os.devnull,
            "FROGMOVE_STATE": str(self.server.folder / "runs"),
        }


@contextmanager
def embedded_aws(port: int | None = None) -> Iterator[EmbeddedAws]:
    """Run the embedded AWS for as long as the context lasts.

    Args:
        port: the TCP port to listen on; a free one when not given.

    Yields:
        the server, clients for it, and what was built on it.

    Raises:
        FrogmoveError: ministack is not installed or the port is taken.
        RunError: it could not be started or set up.
        KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP arrived.
    """
    with _interrupted_by_signals(), running_server(port) as server:
        clients = clients_for(server.endpoint_url)
        yield EmbeddedAws(server, clients, build_stack(clients, build_package()))


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Unwind on the first signal that would end the process, and ignore any later one.

    What is unwound is short and bounded, and ends processes and removes folders: a second Ctrl-C
    must not cut it short.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in heeded:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    # One that is ignored from the start stays so: that is what nohup is for.
    heeded = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
    earlier = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
