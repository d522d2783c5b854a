"""Moves keys between two S3 buckets without losing one.

::

    from frogmove import Client, Route

    with Client() as client:
        for result in client.move(Route.parse("s3://in", "s3://out"), prefix="reports"):
            print(result.outcome, result.key)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frogmove.client import Client
    from frogmove.config import Config
    from frogmove.core.attributes import Attribute
    from frogmove.core.models import Action, Outcome, Result, Route, Verb
    from frogmove.core.options import Multipart, OnConflict, TransferOptions
    from frogmove.core.run_spec import Command
    from frogmove.core.selection_options import SelectionOptions
    from frogmove.core.verify import CompareBy, Verify
    from frogmove.core.verify_results import Status, Verification, VerifyResult
    from frogmove.engine import Engine
    from frogmove.errors import FrogmoveError, RunError, UnreachableError, UsageError
    from frogmove.run import Run
    from frogmove.run_plan import Plan
    from frogmove.s3.errors import S3Error
    from frogmove.s3.limits import Limits
    from frogmove.s3.models import S3Object

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Attribute",
    "Client",
    "Command",
    "CompareBy",
    "Config",
    "Engine",
    "FrogmoveError",
    "Limits",
    "Multipart",
    "OnConflict",
    "Outcome",
    "Plan",
    "Result",
    "Route",
    "Run",
    "RunError",
    "S3Error",
    "S3Object",
    "SelectionOptions",
    "Status",
    "TransferOptions",
    "UnreachableError",
    "UsageError",
    "Verb",
    "Verification",
    "Verify",
    "VerifyResult",
]

_MODULES = {
    "Client": "client",
    "Engine": "engine",
    "Config": "config",
    "Attribute": "core.attributes",
    "Action": "core.models",
    "Outcome": "core.models",
    "Result": "core.models",
    "Route": "core.models",
    "Verb": "core.models",
    "Multipart": "core.options",
    "OnConflict": "core.options",
    "TransferOptions": "core.options",
    "Command": "core.run_spec",
    "SelectionOptions": "core.selection_options",
    "Status": "core.verify_results",
    "Verification": "core.verify_results",
    "VerifyResult": "core.verify_results",
    "CompareBy": "core.verify",
    "Verify": "core.verify",
    "FrogmoveError": "errors",
    "RunError": "errors",
    "UnreachableError": "errors",
    "UsageError": "errors",
    "Plan": "run_plan",
    "Run": "run",
    "S3Error": "s3.errors",
    "Limits": "s3.limits",
    "S3Object": "s3.models",
}


def __getattr__(name: str) -> object:
    """Import a name when it is first used: ``frogmove --help`` starts without botocore."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
