"""The ceiling: how fast the server does the least that a row's work can be done with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks import load, requests
from tests.benchmarks.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.rows import Row
    from tests.benchmarks.servers import Server
    from tests.benchmarks.tools import Place

# As many as the quickest programs use; answers that are held back take more.
CONNECTIONS = 64
CONNECTIONS_FAR_AWAY = 256

PAGE = 1000


def seconds(row: Row, server: Server, source: Place, destination: Place) -> float:
    """Send a row's work as requests that were signed before the clock started.

    A move is one copy an object, under the condition that frogmove copies it under, and one
    delete for a thousand; a listing and either side of a sync is one page for a thousand.

    Returns:
        the seconds that it took.
    """
    connections = CONNECTIONS_FAR_AWAY if row.latency else CONNECTIONS
    signer = requests.Signer(server)
    stages = [
        [signer.hooks(request) for request in stage]
        for stage in _stages(row, server, source, destination)
    ]
    return sum(load.send(server, stage, connections).wall for stage in stages)


def _stages(
    row: Row, server: Server, source: Place, destination: Place
) -> Iterator[list[requests.Request]]:
    names = [key_of(number) for number in range(row.objects)]
    batches = [names[place : place + PAGE] for place in range(0, len(names), PAGE)]
    if row.is_transfer:
        etag = server.etag(source.bucket, source.prefix + names[0])
        yield [
            requests.copy(
                *(source.bucket, source.prefix + name),
                *(destination.bucket, destination.prefix + name),
                etag,
            )
            for name in names
        ]
    if row.verb == "move":
        yield [
            requests.delete_many(source.bucket, [source.prefix + name for name in batch])
            for batch in batches
        ]
    if row.verb in {"list", "sync"}:
        places = [source] if row.verb == "list" else [source, destination]
        starts = ["", *(batch[-1] for batch in batches[:-1])]
        yield [
            requests.list_page(place.bucket, place.prefix, place.prefix + name if name else "")
            for place in places
            for name in starts
        ]
