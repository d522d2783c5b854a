"""Moves and failures are read from CloudWatch's metrics, or from the log, which holds the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.ops import activity
from frogmove.ops.aws_request import AwsRequestError
from frogmove.ops.function_log import FunctionLog

if TYPE_CHECKING:
    from tests.servers import Server

ROUTE = "s3://in -> s3://out"
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTES_AGO, HOURS_AGO = NOW - timedelta(minutes=20), NOW - timedelta(hours=5)


@pytest.fixture
def session(moto: Server) -> Any:
    def client(service: str) -> Any:
        made: Any = moto.session()
        return made.client(service, endpoint_url=moto.endpoint_url)

    return client


def test_metrics_are_added_up_by_the_hour_and_the_day(session: Any) -> None:
    cloudwatch = session("cloudwatch")
    dimensions = [{"Name": "service", "Value": "frogmove"}, {"Name": "route", "Value": ROUTE}]
    for name, time, value in (
        ("moved", MINUTES_AGO, 3),
        ("moved", HOURS_AGO, 4),
        ("failed", HOURS_AGO, 1),
        ("sweeps", HOURS_AGO, 1),
        ("moved", NOW - timedelta(days=3), 100),
    ):
        data = {"MetricName": name, "Dimensions": dimensions, "Timestamp": time, "Value": value}
        cloudwatch.put_metric_data(Namespace="frogmove", MetricData=[data])
    found = activity.from_metrics(cloudwatch, ROUTE, NOW)
    assert found.hour == {"moved": 3}
    assert found.day == {"moved": 7, "failed": 1, "sweeps": 1}
    assert found.last_sweep is not None
    assert abs(found.last_sweep - HOURS_AGO) <= timedelta(minutes=5)


def test_oldest_message_is_the_newest_data_point_of_its_metric(session: Any) -> None:
    cloudwatch = session("cloudwatch")
    assert activity.oldest_message(cloudwatch, "no-such-queue", NOW) is None
    data = {
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": "uploads"}],
        "Timestamp": NOW - timedelta(minutes=3),
        "Value": 4000,
    }
    cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[data])
    assert activity.oldest_message(cloudwatch, "uploads", NOW) == 4000


def test_metrics_that_are_not_complete_are_not_added_up() -> None:
    results = [
        {"Id": "moved", "Timestamps": [NOW], "Values": [3.0], "StatusCode": "PartialData"},
        {"Id": "failed", "Timestamps": [], "Values": [], "StatusCode": "InternalError"},
        {"Id": "moved", "Timestamps": [NOW], "Values": [4.0], "StatusCode": "Complete"},
    ]

    def metrics(*numbers: int, others: tuple[str, ...] = activity.METRICS) -> Any:
        found = [{"Id": name, "StatusCode": "Complete"} for name in others]
        page = {"MetricDataResults": found + [results[number] for number in numbers]}
        pages = SimpleNamespace(paginate=lambda **_: [page])
        return SimpleNamespace(get_paginator=lambda _name: pages)

    assert activity.from_metrics(metrics(0, 2), ROUTE, NOW).hour == {"moved": 7}
    for incomplete in ((0,), (0, 2, 1)):
        with pytest.raises(AwsRequestError, match="is not complete"):
            activity.from_metrics(metrics(*incomplete), ROUTE, NOW)
    for others in ((), activity.METRICS[1:]):
        with pytest.raises(AwsRequestError, match="moved is not complete: no result"):
            activity.from_metrics(metrics(others=others), ROUTE, NOW)


def test_log_holds_the_same_numbers(session: Any) -> None:
    logs = session("logs")
    logs.create_log_group(logGroupName="/aws/lambda/f")
    for stream, time, values in (
        ("one", HOURS_AGO, {"moved": [4.0], "failed": [1.0], "sweeps": 1}),
        ("two", MINUTES_AGO, {"moved": [1.0, 2.0]}),
    ):
        logs.create_log_stream(logGroupName="/aws/lambda/f", logStreamName=stream)
        wrong = '{"_aws": {}, "moved": [NaN, Infinity]}'
        lines = (
            "START",
            wrong,
            json.dumps({"_aws": {"Timestamp": 1}} | values),
            '{"moved": 9}',
            "{",
        )
        events = [{"timestamp": int(time.timestamp() * 1000), "message": line} for line in lines]
        logs.put_log_events(logGroupName="/aws/lambda/f", logStreamName=stream, logEvents=events)
    found = activity.from_log(FunctionLog(logs, "/aws/lambda/f"), NOW)
    assert found.hour == {"moved": 3}
    assert found.day == {"moved": 7, "failed": 1, "sweeps": 1}
    assert found.last_sweep == HOURS_AGO
