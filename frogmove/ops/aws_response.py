"""Refuses responses that are not AWS's, such as the login page of a proxy.

botocore reads them as responses without content, as if nothing was there.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from botocore.model import OperationModel

_FIRST_ERROR = 300
_HTML = re.compile(rb"\s*<(?:!doctype\s+)?html", re.IGNORECASE)


class ForeignResponseError(BotoCoreError):
    """A response that AWS would not send."""

    fmt = "the response is {what}, so it is not from AWS: check the proxy and the endpoint"


def refuse_foreign_responses(client: Any) -> None:  # noqa: ANN401 - each service has its own class
    """Let a client of botocore raise ForeignResponseError for responses that are not AWS's."""
    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-parse.{service}", _check)


def _check(operation_model: OperationModel, response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] >= _FIRST_ERROR or not _has_fields(operation_model):
        return
    body = response_dict["body"]
    if _HTML.match(body):
        raise ForeignResponseError(what="an HTML page")
    if not body.strip():
        raise ForeignResponseError(what="empty")
    if "json" in str(operation_model.service_model.resolved_protocol) and not _is_object(body):
        raise ForeignResponseError(what="not a JSON object")


def _has_fields(operation: OperationModel) -> bool:
    """Tell whether the body of a response has fields, which are not all headers."""
    shape = operation.output_shape
    if shape is None or operation.has_streaming_output:
        return False
    payload = shape.serialization.get("payload")
    if payload is not None:
        return shape.members[payload].type_name == "structure"
    return any("location" not in each.serialization for each in shape.members.values())


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
