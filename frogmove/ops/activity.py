"""What the function did in the last hour and day: from CloudWatch's metrics, or from its log.

The metrics are those of :mod:`frogmove.function.telemetry`, which are in the log as well.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from frogmove.ops.aws_request import AwsRequestError, Cause, send_pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frogmove.ops.function_log import FunctionLog

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_NAMESPACE = "frogmove"
# Their sums; those of sweeps also tell when the last one was.
METRICS = (
    *("moved", "bytes", "failed", "conflict", "waiting", "quarantined"),
    *("threats", "unscanned", "rejected", "retried", "sweeps"),
)
# Seconds. CloudWatch keeps this resolution for 63 days.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
_PERIOD = 300


@dataclass(slots=True)
class Activity:
    """What the function did.

    Attributes:
        origin: where this was read: ``metrics`` or ``log``.
        hour: the sums of the last hour, by the names of the metrics.
        day: the sums of the last day.
        last_sweep: when the last sweep ended, to five minutes; None for none in the last day.
    """

    origin: str
    hour: Counter[str] = field(default_factory=Counter)
    day: Counter[str] = field(default_factory=Counter)
    last_sweep: datetime | None = None

    def add(self, name: str, time: datetime, value: float, now: datetime) -> None:
        """Add a value of a metric."""
        if not value:
            return
        self.day[name] += round(value)
        if now - time <= HOUR:
            self.hour[name] += round(value)
        if name == "sweeps" and (self.last_sweep is None or time > self.last_sweep):
            self.last_sweep = time

    def record(self) -> dict[str, Any]:
        """Return the JSON fields."""
        last = None if self.last_sweep is None else self.last_sweep.isoformat()
        sums = {"hour": dict(self.hour), "day": dict(self.day)}
        return {"origin": self.origin, **sums, "last_sweep": last}


def from_metrics(client: Any, route: str, now: datetime) -> Activity:  # noqa: ANN401
    """Read the metrics of the last day.

    Args:
        client: the client for CloudWatch.
        route: the dimension of the function's metrics.
        now: the end of the day.

    Raises:
        AwsRequestError: when they cannot be read.
    """
    dimensions = {"service": _NAMESPACE, "route": route[:1024]}
    queries = [_query(name, _NAMESPACE, name, dimensions, "Sum") for name in METRICS]
    activity = Activity("metrics")
    for name, points in _read(client, queries, now - DAY, now).items():
        for time, value in points:
            activity.add(name, time, value, now)
    return activity


def from_log(log: FunctionLog, now: datetime) -> Activity:
    """Add up the metrics in the log of the last day.

    Raises:
        AwsRequestError: when it cannot be read.
    """
    activity = Activity("log")
    for line in log.metrics(now - DAY):
        for name in METRICS:
            for value in _numbers(line.fields.get(name)):
                activity.add(name, line.time, value, now)
    return activity


def oldest_message(client: Any, queue: str, now: datetime) -> float | None:  # noqa: ANN401
    """Return the age in seconds of a queue's oldest message; None if there is no such metric.

    SQS publishes it each minute, if the queue was used in the last six hours.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html

    Args:
        client: the client for CloudWatch.
        queue: the queue's name.
        now: the current time.

    Raises:
        AwsRequestError: when it cannot be read.
    """
    name = "ApproximateAgeOfOldestMessage"
    query = _query("oldest", "AWS/SQS", name, {"QueueName": queue}, "Maximum")
    points = _read(client, [query], now - timedelta(seconds=2 * _PERIOD), now)["oldest"]
    return max(points)[1] if points else None


def _query(
    id_: str, namespace: str, name: str, dimensions: dict[str, str], statistic: str
) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": _PERIOD, "Stat": statistic}}


def _read(
    client: Any,  # noqa: ANN401
    queries: list[dict[str, Any]],
    start: datetime,
    end: datetime,
) -> dict[str, list[tuple[datetime, float]]]:
    """Return the points of each query, by its id."""
    found: dict[str, list[tuple[datetime, float]]] = {query["Id"]: [] for query in queries}
    results = send_pages(
        "cloudwatch:GetMetricData",
        client,
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=queries,
        StartTime=start,
        EndTime=end,
    )
    # A metric without values has a result, too.
    states = dict.fromkeys(found, "no result")
    # Of a metric with several pages, the last one tells.
    states |= {result["Id"]: result.get("StatusCode") or "Complete" for result in results}
    for name, state in states.items():
        if state != "Complete":
            detail = f"{name} is not complete: {state}"
            raise AwsRequestError("cloudwatch:GetMetricData", Cause.FAILED, detail)
    for result in results:
        times = (time.astimezone(UTC) for time in result.get("Timestamps", ()))
        found[result["Id"]] += zip(times, result.get("Values", ()), strict=True)
    return found


def _numbers(value: object) -> Iterable[float]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, int | float) and math.isfinite(each)]
