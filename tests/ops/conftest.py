"""The embedded AWS, as its own tests have it."""

from tests.local_aws.conftest import clients, eventually, server, stack_config

__all__ = ["clients", "eventually", "server", "stack_config"]
