"""Finds botocore's model of a service without looking for those of all other services.

What one session has read is kept for others, and for forks of this process: 45 ms. botocore changes
it only in a way that all clients of S3 share: botocore.handlers takes the bucket out of URL paths.
"""

from __future__ import annotations

import gzip
import json
import os
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader, create_loader

if TYPE_CHECKING:
    from botocore.session import Session


class DictFileLoader(JSONFileLoader):
    """Reads JSON into dicts, in half the time that botocore's OrderedDicts take."""

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - any JSON value
        """See botocore's."""
        for suffix, open_file in ((".json", open), (".json.gz", gzip.open)):
            # In a folder that this user may not search there is none; Path.is_file would raise.
            if os.path.isfile(file_path + suffix):  # noqa: PTH113
                with open_file(file_path + suffix, "rb") as file:
                    return json.loads(file.read())
        return None


class ServiceLoader(Loader):
    """The loader of a session that only creates clients.

    Before botocore loads a model, it lists all services that have one, to see whether the name is
    known. For one client that reads more than 1,000 directories: 15 ms.
    """

    FILE_LOADER_CLASS = DictFileLoader

    def list_available_services(self, type_name: str) -> KnownServices:
        """Return a list in which a service is looked up when it is asked for."""
        return KnownServices(self, type_name)


class KnownServices(list[str]):
    """The services that have a model of one type; they cannot be listed.

    Args:
        loader: finds the models.
        type_name: botocore's name of the type.
    """

    def __init__(self, loader: Loader, type_name: str) -> None:
        super().__init__()
        self._loader = loader
        self._type_name = type_name

    def __contains__(self, name: object) -> bool:
        try:
            return bool(self._loader.determine_latest_version(str(name), self._type_name))
        except DataNotFoundError:
            return False


def find_directly(session: Session) -> None:
    """Let a session find models with :class:`ServiceLoader`."""
    paths = session.get_component("data_loader").search_paths
    session.register_component("data_loader", _loader(*paths))


def read_s3() -> None:
    """Read what a client for S3 will need, unless the configuration has models of its own."""
    loader = _loader(*create_loader().search_paths)
    # Whatever cannot be read is reported when the client is created.
    with suppress(Exception):
        for kind in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model("s3", kind)
        for name in ("endpoints", "partitions", "sdk-default-configuration"):
            loader.load_data(name)


@cache
def _loader(*paths: str) -> ServiceLoader:
    return ServiceLoader(extra_search_paths=list(paths), include_default_search_paths=False)
