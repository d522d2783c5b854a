"""Builds the request that creates a job of S3 Batch Operations, and checks it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, StringShape, StructureShape
from botocore.validate import ParamValidator

from frogmove.errors import UsageError
from frogmove.ops.batch_jobs import DESCRIPTION, DESTINATION, SOURCE
from frogmove.ops.batch_manifest import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from botocore.model import OperationModel, Shape

    from frogmove.core.models import Route
    from frogmove.s3.uri import Location

_MAX_DESCRIPTION_LENGTH = 256


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job to be created.

    Attributes:
        run_id: what names its manifest and its report, and makes the request idempotent.
        route: the route of the function.
        function_arn: the function.
        role_arn: the role that S3 assumes.
        location: where the manifest and the report are.
        partition: of the ARNs: ``aws``, or that of another AWS.
        priority: jobs with a higher number run first.
        generator: the filter of a generated manifest; None for a manifest of our own.
    """

    run_id: str
    route: Route
    function_arn: str
    role_arn: str
    location: Location
    partition: str = "aws"
    priority: int = 10
    generator: Mapping[str, Any] | None = None

    @property
    def manifest_key(self) -> str:
        """The key of the manifest."""
        return f"{self.location.prefix}{self.run_id}/manifest.csv"

    def request(self, fields: Sequence[str] = (), etag: str = "") -> dict[str, Any]:
        """Return the parameters of CreateJob without the account.

        Args:
            fields: the columns of the manifest.
            etag: its ETag.
        """
        arn = f"arn:{self.partition}:s3:::"
        folder = f"{self.location.prefix}{self.run_id}"
        ends = {SOURCE: str(self.route.source), DESTINATION: str(self.route.destination)}
        if self.generator is None:
            spec = {"Format": FORMAT, "Fields": list(fields)}
            where = f"{arn}{self.location.bucket}/{self.manifest_key}"
            objects: dict[str, Any] = {
                "Manifest": {"Spec": spec, "Location": {"ObjectArn": where, "ETag": etag}}
            }
        else:
            generator = {
                "SourceBucket": f"{arn}{self.route.source.bucket}",
                "EnableManifestOutput": False,
                **({"Filter": dict(self.generator)} if self.generator else {}),
            }
            objects = {"ManifestGenerator": {"S3JobManifestGenerator": generator}}
        return {
            "ConfirmationRequired": False,
            "Operation": {
                "LambdaInvoke": {
                    "FunctionArn": self.function_arn,
                    "InvocationSchemaVersion": "2.0",
                    "UserArguments": ends,
                }
            },
            "Report": {
                "Bucket": f"{arn}{self.location.bucket}",
                "Format": "Report_CSV_20180820",
                "Enabled": True,
                "Prefix": folder,
                "ReportScope": "AllTasks",
            },
            "ClientRequestToken": self.run_id,
            "Description": f"{DESCRIPTION}{self.route.source} -> {self.route.destination}"[
                :_MAX_DESCRIPTION_LENGTH
            ],
            "Priority": self.priority,
            "RoleArn": self.role_arn,
            **objects,
        }


def check_request(model: OperationModel, request: Mapping[str, Any]) -> None:
    """Check a request against botocore's model of the operation, patterns and values included.

    Args:
        model: the model of CreateJob.
        request: its parameters.

    Raises:
        UsageError: when S3 would refuse it.
    """
    shape = model.input_shape
    if shape is None:
        raise UsageError(f"botocore does not know what {model.name} takes.", "Install another one.")
    report = ParamValidator().validate(dict(request), shape)
    problems = [line.strip() for line in report.generate_report().splitlines() if line.strip()]
    problems += _problems(shape, request, "")
    if ("Manifest" in request) is ("ManifestGenerator" in request):
        problems.append("a job has a Manifest or a ManifestGenerator")
    if problems:
        raise UsageError(
            f"S3 would refuse the job: {'; '.join(problems)}.",
            "Nothing was changed. Correct --role-arn, --function or --batch-location.",
        )


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - of a model
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, each in value.items():
            if name in shape.members:
                yield from _problems(shape.members[name], each, f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for each in value:
            yield from _problems(shape.member, each, path)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for name, each in value.items():
            yield from _problems(shape.key, name, path)
            yield from _problems(shape.value, each, f"{path}.{name}")
    elif isinstance(shape, StringShape) and isinstance(value, str):
        yield from _of_text(shape, value, path)


def _of_text(shape: StringShape, value: str, path: str) -> Iterator[str]:
    # botocore itself checks neither of these.
    known = shape.metadata
    if value not in known.get("enum", [value]):
        yield f"{path} is {value!a}, not one of {', '.join(known['enum'])}"
    if "pattern" in known and not re.fullmatch(known["pattern"], value):
        yield f"{path} {value!a} is not as S3 expects it ({known['pattern']})"
    if len(value) > known.get("max", len(value)):
        yield f"{path} has more than {known['max']:,} characters"
