"""What programs do to an object when something goes wrong: ``python -m tests.benchmarks.safety``.

Each program moves one object on a local server, once for each situation; what is then in both
buckets is printed as a Markdown table. The README's comparison with other tools quotes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.benchmarks.peers import peers
from tests.benchmarks.servers import HOST, Server
from tests.benchmarks.tools import Place, frogmove
from tests.buckets import Buckets
from tests.fault_proxy import PASS, Fault, Request, proxied
from tests.servers import ministack, seaweedfs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import servers
    from tests.benchmarks.tools import Tool
    from tests.fault_proxy import FaultProxy

KEY = "in/report.csv"
SECONDS = 120
USAGE = 2
DENIED = Fault("denied", "never", (403, "AccessDenied"))


def overwritten_before_the_delete(tool: Tool, buckets: Buckets, proxy: FaultProxy) -> str:
    """Upload a new object after the copy and before the delete."""
    buckets.put(KEY, body=b"first")

    def passed(request: Request) -> None:
        if request.operation == "CopyObject" and not request.is_probe:
            buckets.put(KEY, body=b"second")

    proxy.passed = passed
    code = move(tool, buckets, proxy)
    kept = buckets.here().get(KEY) == b"second"
    return f"{'kept' if kept else 'LOST'}, exit {code}"


def another_object_at_the_destination(tool: Tool, buckets: Buckets, proxy: FaultProxy) -> str:
    """Move an object to a key that holds another one."""
    buckets.put(KEY, body=b"new")
    buckets.put_there(KEY, body=b"somebody else's")
    code = move(tool, buckets, proxy)
    kept = buckets.there()[KEY] == b"somebody else's"
    return f"{'kept' if kept else 'REPLACED'}, exit {code}"


def a_delete_that_is_denied(tool: Tool, buckets: Buckets, proxy: FaultProxy) -> str:
    """Refuse every delete of the source."""
    buckets.put(KEY)

    def schedule(request: Request) -> Fault:
        is_delete = request.operation in {"DeleteObject", "DeleteObjects"}
        return DENIED if is_delete and request.bucket == buckets.source else PASS

    proxy.reset(schedule)
    return f"exit {move(tool, buckets, proxy)}"


def metadata_and_tags(tool: Tool, buckets: Buckets, proxy: FaultProxy) -> str:
    """Move an object with a content type, metadata and a tag."""
    buckets.put(KEY, ContentType="text/csv", Metadata={"batch": "7"}, Tagging="team=frog")
    code = move(tool, buckets, proxy)
    where = {"Bucket": buckets.destination, "Key": KEY}
    found = buckets.client.head_object(**where)
    tags = buckets.client.get_object_tagging(**where)["TagSet"]
    has = {
        "content type": found["ContentType"] == "text/csv",
        "metadata": found["Metadata"] == {"batch": "7"},
        "tags": tags == [{"Key": "team", "Value": "frog"}],
    }
    lost = [name for name, is_there in has.items() if not is_there]
    return f"{'LOST: ' + ', '.join(lost) if lost else 'kept'}, exit {code}"


SITUATIONS: tuple[tuple[str, str, Callable[[Tool, Buckets, FaultProxy], str]], ...] = (
    ("a new upload between copy and delete", "seaweedfs", overwritten_before_the_delete),
    ("the destination holds another object", "seaweedfs", another_object_at_the_destination),
    ("the delete is denied", "seaweedfs", a_delete_that_is_denied),
    ("content type, metadata and tags", "ministack", metadata_and_tags),
)


def attempt(
    situation: Callable[[Tool, Buckets, FaultProxy], str], tool: Tool, server: servers.Server
) -> str:
    """Put a program into a situation, in buckets of its own; return what became of the object."""
    buckets = Buckets.make(server)
    with proxied(server) as proxy:
        return situation(tool, buckets, proxy)


def move(tool: Tool, buckets: Buckets, proxy: FaultProxy) -> int:
    """Run a program's move of the folder of the key; return its exit code."""
    port = urlsplit(proxy.endpoint_url).port
    assert port is not None
    server = Server("proxy", HOST, port, buckets.server.access_key, buckets.server.secret_key)
    ends = Place(buckets.source, "in/"), Place(buckets.destination, "in/")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **tool.environment(server, Path(folder))}
        words = tool.command("move", server, *ends)
        done = subprocess.run(
            words, env=environment, capture_output=True, timeout=SECONDS, check=False
        )
    if done.returncode == USAGE:
        raise RuntimeError(done.stderr.decode())
    return done.returncode


def main() -> None:
    """Print the table."""
    tools = [frogmove()]
    for tool in peers(()):
        if isinstance(tool, str):
            print(tool, file=sys.stderr)
        else:
            tools.append(tool)
    print("| situation |", " | ".join(f"{tool.name} {tool.version}" for tool in tools), "|")
    print("|---" * (len(tools) + 1) + "|")
    with seaweedfs() as weed, ministack() as mini:
        running = {"seaweedfs": weed, "ministack": mini}
        for name, server, situation in SITUATIONS:
            cells = [attempt(situation, tool, running[server]) for tool in tools]
            print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
