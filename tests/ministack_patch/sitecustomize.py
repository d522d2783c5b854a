"""Tells the tests' ministack the tags of a copy's source when it checks permissions, as S3 does.

Python imports it in ministack's process, whose PYTHONPATH contains this directory. ministack itself
knows ``s3:ExistingObjectTag`` only in GetObject and HeadObject.
"""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PATCHED = "ministack.core.iam_actions"


class _Finder(MetaPathFinder):
    """Changes the module when it is imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module as usual, and patch it after its execution."""
        del path, target
        if name != _PATCHED:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        loader: Any = spec and spec.loader
        execute = loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            _patch(module)

        loader.exec_module = exec_module
        return spec


class _Source(str):
    """The ARN of a copy's source, with the condition keys of its tags."""

    condition_keys: dict[str, str]


def _patch(module: Any) -> None:
    checks, resources = module.s3_additional_checks, module.s3_access_point_resources

    def additional_checks(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> list[tuple[str, str]]:
        named = module._s3_source_object(headers)
        return [
            (action, _with_tags(*named) if named and arn == named[0] else arn)
            for action, arn in checks(method, path, headers, body, query)
        ]

    module.s3_additional_checks = additional_checks
    module.s3_access_point_resources = lambda arn: [
        (each, keys | getattr(arn, "condition_keys", {})) for each, keys in resources(arn)
    ]


def _with_tags(arn: str, version: str) -> _Source:
    # Lazy: it is imported after the module that is patched.
    s3 = importlib.import_module("ministack.services.s3")
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    query = {"versionId": [version]} if version else {}
    tags = s3.object_tags_for_condition(bucket, key, query)
    source = _Source(arn)
    source.condition_keys = {f"s3:ExistingObjectTag/{name}": tags[name] for name in tags}
    return source


sys.meta_path.insert(0, _Finder())
