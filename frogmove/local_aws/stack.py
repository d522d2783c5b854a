"""The automatic move as a stack: bucket -> queue -> function -> bucket."""

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from frogmove.errors import RunError
from frogmove.local_aws.clients import Clients, translate_errors
from frogmove.local_aws.iam_policies import (
    invoke_policy,
    queue_policy,
    role_policy,
    trust_policy,
)
from frogmove.local_aws.scanner import REQUIRED_TAG, plan_arn
from frogmove.local_aws.server import REGION
from frogmove.packaging.function_zip import HANDLER

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.literals import RuntimeType
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleTypeDef
    from mypy_boto3_sqs import SQSClient

_SECONDS_TO_ACTIVE = 30.0
_POLL_SECONDS = 0.05

# As in the Terraform module.
_ABORT_INCOMPLETE_UPLOADS: "LifecycleRuleTypeDef" = {
    "ID": "abort-incomplete-uploads",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


@dataclass(frozen=True)
class StackConfig:
    """The configuration of a stack.

    Attributes:
        source_bucket: the bucket for uploads.
        destination_bucket: the bucket that files are moved to; it is versioned.
        name: the name of the queue, the function and its role, and part of the DLQ's name.
        function_seconds: the function's timeout.
        visibility_seconds: the queue's visibility timeout; AWS recommends six times
            function_seconds.
        tries: deliveries of a message before it goes to the DLQ.
        quarantine_bucket: the bucket that infected uploads are moved to; None: nothing is scanned.
    """

    source_bucket: str = "frogtech-sharara-external"
    destination_bucket: str = "frogtech-sharara-internal"
    name: str = "frogmove"
    function_seconds: int = 30
    visibility_seconds: int = 180
    tries: int = 5
    quarantine_bucket: str | None = None


@dataclass(frozen=True)
class Stack:
    """A stack.

    Attributes:
        config: its configuration.
        queue_url: the queue of notifications.
        queue_arn: its ARN.
        dead_letter_url: the DLQ.
        dead_letter_arn: its ARN.
        role_arn: the function's role.
        function_arn: the function.
        scan_queue_url: the queue of uploads to scan; empty if nothing is scanned.
    """

    config: StackConfig
    queue_url: str
    queue_arn: str
    dead_letter_url: str
    dead_letter_arn: str
    role_arn: str
    function_arn: str
    scan_queue_url: str = ""

    @property
    def source(self) -> str:
        """The source as an s3:// URI."""
        return f"s3://{self.config.source_bucket}"

    @property
    def destination(self) -> str:
        """The destination as an s3:// URI."""
        return f"s3://{self.config.destination_bucket}"


def build_stack(clients: Clients, package: bytes, stack_config: StackConfig | None = None) -> Stack:
    """Create buckets, queues, role and function, but not the notification.

    Args:
        clients: the clients.
        package: the function's zip; see frogmove.packaging.function_zip.
        stack_config: names and times; the defaults are those of the Terraform module.

    Returns:
        the stack; uploads move nothing until connect() is called.

    Raises:
        RunError: when a request failed, or the function did not become active.
    """
    stack_config = stack_config or StackConfig()
    with translate_errors("creating the stack"):
        _create_buckets(clients.s3, stack_config)
        dead_letter_url, dead_letter_arn = _create_queue(
            clients.sqs, f"{stack_config.name}-dead", {}
        )
        queue_url, queue_arn = _create_queue(
            clients.sqs, stack_config.name, _queue_attributes(stack_config, dead_letter_arn)
        )
        account = queue_arn.split(":")[4]
        policy = queue_policy(queue_arn, stack_config.source_bucket, account)
        clients.sqs.set_queue_attributes(
            QueueUrl=queue_url, Attributes={"Policy": json.dumps(policy)}
        )
        role_arn = _create_role(clients.iam, stack_config, queue_arn, account)
        function_arn = _create_function(clients.functions, stack_config, role_arn, package, account)
        _map_queue(clients.functions, queue_arn, function_arn)
        scan_queue_url = ""
        if stack_config.quarantine_bucket:
            scan_queue_url = _create_scan_queue(clients, stack_config, account)
    return Stack(
        stack_config,
        queue_url,
        queue_arn,
        dead_letter_url,
        dead_letter_arn,
        role_arn,
        function_arn,
        scan_queue_url,
    )


def connect(clients: Clients, stack: Stack) -> None:
    """Switch the automatic move on: new objects are announced to the queue, sweeps find the rest.

    If uploads are scanned, the scanner announces them.

    Args:
        clients: the clients.
        stack: the stack.

    Raises:
        RunError: when a request failed.
    """
    with translate_errors("connecting the Lambda"):
        if not stack.scan_queue_url:
            _notify(clients.s3, stack.config, stack.queue_arn)
        _schedule_sweeps(clients, stack)


def _notify(s3: "S3Client", stack_config: StackConfig, queue_arn: str) -> None:
    s3.put_bucket_notification_configuration(
        Bucket=stack_config.source_bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )


def _create_buckets(s3: "S3Client", stack_config: StackConfig) -> None:
    s3.create_bucket(Bucket=stack_config.source_bucket)
    s3.create_bucket(Bucket=stack_config.destination_bucket)
    s3.put_bucket_versioning(
        Bucket=stack_config.destination_bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    for bucket in (stack_config.source_bucket, stack_config.destination_bucket):
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [_ABORT_INCOMPLETE_UPLOADS]}
        )
    if stack_config.quarantine_bucket:
        # Exactly the scanned version is moved.
        s3.put_bucket_versioning(
            Bucket=stack_config.source_bucket, VersioningConfiguration={"Status": "Enabled"}
        )
        s3.create_bucket(Bucket=stack_config.quarantine_bucket)


def _create_queue(sqs: "SQSClient", name: str, attributes: dict[Any, str]) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    response = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, response["Attributes"]["QueueArn"]


def _queue_attributes(stack_config: StackConfig, dead_letter_arn: str) -> dict[Any, str]:
    redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": stack_config.tries}
    return {
        "VisibilityTimeout": str(stack_config.visibility_seconds),
        "RedrivePolicy": json.dumps(redrive),
    }


def _create_role(iam: "IAMClient", stack_config: StackConfig, queue_arn: str, account: str) -> str:
    trust = trust_policy("lambda.amazonaws.com")
    role = iam.create_role(RoleName=stack_config.name, AssumeRolePolicyDocument=json.dumps(trust))
    logs_arn = f"arn:aws:logs:{REGION}:{account}:log-group:/aws/lambda/{stack_config.name}"
    quarantine = [stack_config.quarantine_bucket] if stack_config.quarantine_bucket else []
    policy = role_policy(
        stack_config.source_bucket,
        [stack_config.destination_bucket, *quarantine],
        queue_arn,
        logs_arn,
    )
    iam.put_role_policy(
        RoleName=stack_config.name, PolicyName="move", PolicyDocument=json.dumps(policy)
    )
    return role["Role"]["Arn"]


def _create_function(
    functions: "LambdaClient",
    stack_config: StackConfig,
    role_arn: str,
    package: bytes,
    account: str,
) -> str:
    # ministack runs a function with its own interpreter, so this must be the runtime.
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    function = functions.create_function(
        FunctionName=stack_config.name,
        Runtime=cast("RuntimeType", runtime),
        Role=role_arn,
        Handler=HANDLER,
        Code={"ZipFile": package},
        Timeout=stack_config.function_seconds,
        MemorySize=512,
        Environment={
            "Variables": {
                "FROGMOVE_SOURCE": f"s3://{stack_config.source_bucket}",
                "FROGMOVE_DESTINATION": f"s3://{stack_config.destination_bucket}",
                # Otherwise the function would inherit the server's log level.
                "POWERTOOLS_LOG_LEVEL": "INFO",
            }
            | _scan_variables(stack_config, account)
        },
    )
    _wait_until_active(functions, stack_config.name)
    return function["FunctionArn"]


def _scan_variables(stack_config: StackConfig, account: str) -> dict[str, str]:
    """Return the function's variables with which only scanned uploads are moved."""
    if not stack_config.quarantine_bucket:
        return {}
    return {
        "FROGMOVE_REQUIRE_TAG": REQUIRED_TAG,
        "FROGMOVE_SCAN_PLAN": plan_arn(account),
        "FROGMOVE_QUARANTINE": f"s3://{stack_config.quarantine_bucket}",
    }


def _create_scan_queue(clients: Clients, stack_config: StackConfig, account: str) -> str:
    """Create the queue through which the scanner hears of uploads."""
    url, arn = _create_queue(clients.sqs, f"{stack_config.name}-to-scan", {})
    policy = json.dumps(queue_policy(arn, stack_config.source_bucket, account))
    clients.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    _notify(clients.s3, stack_config, arn)
    return url


def _wait_until_active(functions: "LambdaClient", name: str) -> None:
    # boto3's waiter checks only once per second.
    deadline = time.monotonic() + _SECONDS_TO_ACTIVE
    while time.monotonic() < deadline:
        state = functions.get_function_configuration(FunctionName=name)
        if state["State"] == "Active":
            return
        if state["State"] == "Failed":
            break
        time.sleep(_POLL_SECONDS)
    raise RunError(
        f"The function {name} did not become active within {_SECONDS_TO_ACTIVE:.0f} seconds "
        f"(state {state['State']}: {state.get('StateReason') or 'no reason given'})."
    )


def _schedule_sweeps(clients: Clients, stack: Stack) -> None:
    """Have the function sweep once an hour, as the Terraform module does."""
    name = f"{stack.config.name}-sweep"
    trust = json.dumps(trust_policy("scheduler.amazonaws.com"))
    role = clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    policy = json.dumps(invoke_policy(stack.function_arn))
    clients.iam.put_role_policy(RoleName=name, PolicyName="sweep", PolicyDocument=policy)
    clients.scheduler.create_schedule(
        Name=name,
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": stack.function_arn,
            "RoleArn": role["Role"]["Arn"],
            "Input": json.dumps({"action": "sweep"}),
        },
    )


def _map_queue(functions: "LambdaClient", queue_arn: str, function_arn: str) -> None:
    functions.create_event_source_mapping(
        EventSourceArn=queue_arn,
        FunctionName=function_arn,
        BatchSize=10,
        # The minimum on AWS: each further worker would be another cold start on this machine.
        ScalingConfig={"MaximumConcurrency": 2},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
