"""Work that each new S3 client repeats, done once a process: it is most of a short test.

That is botocore's and awscrt's start, and the test of which conditions a server honours.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore import hooks
from botocore.loaders import JSONFileLoader, Loader

from frogmove import connection
from frogmove.s3 import transport
from frogmove.s3.capabilities import probe
from tests import servers

if TYPE_CHECKING:
    from threading import Event

    import pytest

    from frogmove.s3.capabilities import Capabilities


def share_between_clients(patch: pytest.MonkeyPatch) -> None:
    """Share botocore's parsed files and awscrt's certificates between the clients of a process."""
    read = cache(JSONFileLoader().load_file)
    patch.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
    patch.setattr(Loader, "list_available_services", _list_services_once())
    aliaser: Any = hooks.EventAliaser(hooks.HierarchicalEmitter())
    alias = cache(aliaser._alias_event_name)
    patch.setattr(hooks.EventAliaser, "_alias_event_name", lambda _, name: alias(name))
    # A handler without ``**kwargs`` fails when it is called.
    patch.setattr(hooks, "accepts_kwargs", lambda _: True)
    patch.setattr(transport, "_tls_context", cache(transport._tls_context))
    patch.setattr(connection, "probe", _known_or_probed)


def _known_or_probed(s3: Any, bucket: str, prefix: str, stop: Event | None = None) -> Capabilities:
    """Return what a server of the tests is known to honour; ask any other, proxies included."""
    # The fake S3 has no address.
    endpoint_url = getattr(s3._s3, "endpoint_url", "")
    known = servers.capabilities_of(endpoint_url, os.environ.get("AWS_ACCESS_KEY_ID", ""))
    # A bucket that is not there is told by asking.
    if known is None or not bucket.startswith(("external-", "internal-")):
        return probe(s3, bucket, prefix, stop)
    return known


def _list_services_once() -> object:
    list_services = Loader.list_available_services
    found: dict[tuple[str, ...], list[str]] = {}

    def list_once(self: Loader, type_name: str) -> list[str]:
        place = (*self.search_paths, type_name)
        if place not in found:
            found[place] = list_services(self, type_name)
        return found[place]

    return list_once
