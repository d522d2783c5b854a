"""The embedded AWS for the duration of one command."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType

from frogmove.local_aws.batch_operations import batch_operations, invoke_by
from frogmove.local_aws.clients import Clients, clients_for
from frogmove.local_aws.scanner import REQUIRED_TAG
from frogmove.local_aws.server import Server, running_server
from frogmove.local_aws.stack import Stack, StackConfig, build_stack
from frogmove.packaging.function_zip import build_package
from frogmove.termination_signals import TERMINATION_SIGNALS


@dataclass(frozen=True)
class EmbeddedAws:
    """A server with a stack, without the notification.

    Attributes:
        server: the server.
        clients: its clients.
        stack: the stack.
        batch_url: the URL of its S3 Batch Operations.
        interrupted: holds the signal that ends it, once it has arrived.
    """

    server: Server
    clients: Clients
    stack: Stack
    batch_url: str
    interrupted: SimpleQueue[int]

    def environment(self) -> dict[str, str]:
        """Return the environment variables for frogmove, and any AWS SDK, to use this stack."""
        return self.server.client_environment() | {
            "AWS_ENDPOINT_URL_S3_CONTROL": self.batch_url,
            "FROGMOVE_ENDPOINT_URL": self.server.endpoint_url,
            "FROGMOVE_SOURCE": self.stack.source,
            "FROGMOVE_DESTINATION": self.stack.destination,
            # The user's own routes may name a profile, and the user's later runs must not find
            # these journals.
            "FROGMOVE_CONFIG": os.devnull,
            "FROGMOVE_STATE": str(self.server.folder / "runs"),
            **({"FROGMOVE_REQUIRE_TAG": REQUIRED_TAG} if self.stack.scan_queue_url else {}),
        }


@contextmanager
def embedded_aws(
    port: int | None = None, *, quarantine_bucket: str | None = None
) -> Iterator[EmbeddedAws]:
    """Run the embedded AWS during the context.

    Args:
        port: the TCP port to listen on; by default a free one.
        quarantine_bucket: the bucket that infected uploads are moved to; None: nothing is scanned.

    Yields:
        the server, its clients and the stack.

    Raises:
        FrogmoveError: when ministack is not installed or the port is in use.
        RunError: when it could not be started or set up.
        KeyboardInterrupt: on SIGINT, SIGTERM or SIGHUP.
    """
    with _interrupted_by_signals() as interrupted, running_server(port) as server:
        clients = clients_for(server.endpoint_url)
        stack_config = StackConfig(quarantine_bucket=quarantine_bucket)
        stack = build_stack(clients, build_package(), stack_config)
        with batch_operations(clients.s3, invoke_by(clients.functions)) as batch_url:
            if not interrupted.empty():
                raise KeyboardInterrupt
            yield EmbeddedAws(server, clients, stack, batch_url, interrupted)


@contextmanager
def _interrupted_by_signals() -> Iterator[SimpleQueue[int]]:
    """Raise KeyboardInterrupt on the first signal, and ignore later ones.

    The signal is also put into the queue: Python drops exceptions that are raised in finalizers.

    The clean-up ends processes and removes directories, which is fast: a second Ctrl-C must not
    interrupt it.
    """

    def interrupt(received: int, _frame: FrameType | None) -> None:
        for number in heeded:
            signal.signal(number, signal.SIG_IGN)
        interrupted.put(received)
        raise KeyboardInterrupt

    # Unlike an event, it may be used in a signal handler.
    interrupted: SimpleQueue[int] = SimpleQueue()

    # A signal that is already ignored stays ignored, as nohup wants it.
    heeded = [
        number for number in TERMINATION_SIGNALS if signal.getsignal(number) != signal.SIG_IGN
    ]
    earlier = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield interrupted
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
