"""A server that sends its callers elsewhere without saying where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.function.app import LambdaApp
from tests.aws_events import batch, message, notification
from tests.buckets import Buckets
from tests.canned_server import canned_server, error
from tests.cli.cli_runner import FrogmoveRunner
from tests.cli.cli_runner import run as run_command
from tests.fault_fixture import ENGINES
from tests.function.fake_lambda import CONTEXT, ENDS
from tests.request_hooks import Reply, Request, RequestHooks, refusal

if TYPE_CHECKING:
    from tests.servers import Server


REGION = "<Region>eu-west-1</Region>"


@pytest.mark.parametrize("engine", ENGINES)
def test_region_that_is_wrong_leads_to_the_right_one(engine: str, moto: Server) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    wrong = error(
        "AuthorizationHeaderMalformed", f"The region is wrong.</Message>{REGION}<Message>"
    )
    with canned_server((400, wrong)) as script:
        ran = runner("ls", "--endpoint-url", script.endpoint_url, FROGMOVE_ENGINE=engine)
    assert (ran.code, "--region eu-west-1" in ran.err) == (2, True), ran


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("status", "words"), [(403, "Forbidden (403)"), (404, "Not Found (404)")])
def test_refusal_that_is_not_s3s_keeps_its_status(
    engine: str, status: int, words: str, moto: Server
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with canned_server((status, "<html>A gateway</html>")) as script:
        ran = runner("move", "--all", "--endpoint-url", script.endpoint_url, FROGMOVE_ENGINE=engine)
    assert (ran.code, words in ran.err) == (2, True), ran


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("status", [301, 302, 307])
@pytest.mark.parametrize("body", ["", error("PermanentRedirect", "Use another endpoint.")])
def test_redirect_without_a_region_is_one_sentence(
    engine: str, status: int, body: str, moto: Server
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with canned_server((status, body)) as script:
        ran = runner("ls", "--endpoint-url", script.endpoint_url, FROGMOVE_ENGINE=engine)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 2, ran.err
    assert "--region" in ran.err
    assert len(script.requests) < 8
    if body:
        assert "Use another endpoint (PermanentRedirect)" in ran.err


# Between two Regions, each request has to go to the Region of the bucket it is about.
REGIONS = {"external": "us-west-2", "internal": "eu-central-1"}


ETAG = "d41d8cd98f00b204e9800998ecf8427e"


ANSWERS = {
    "ListObjectsV2": "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
    "CopyObject": f"<CopyObjectResult><ETag>{ETAG}</ETag></CopyObjectResult>",
    "DeleteObjects": "<DeleteResult><Deleted><Key>a</Key></Deleted><Deleted><Key>b</Key></Deleted>"
    "</DeleteResult>",
}


OBJECT = {
    "Content-Length": "0",
    "ETag": f'"{ETAG}"',
    "Last-Modified": "Mon, 23 Nov 2026 07:30:12 GMT",
}


def two_regions(request: Request) -> Reply:
    """Answer as AWS does: a bucket is served in its own Region and nowhere else."""
    bucket = request.url.removeprefix("https://").partition(".")[0]
    region = REGIONS[bucket]
    if f".s3.{region}." not in request.url:
        return Reply(301, refusal(301, "PermanentRedirect").body, {"x-amz-bucket-region": region})
    assert f"/{region}/s3/" in request.headers["authorization"]
    headers = OBJECT if request.operation == "HeadObject" else {}
    return Reply(200, ANSWERS.get(request.operation, ""), headers)


@pytest.mark.parametrize("region", ["us-west-2", "eu-central-1", "us-east-1"])
def test_delete_goes_to_the_region_of_the_source(hooks: RequestHooks, region: str) -> None:
    """No server here has Regions: each request is answered in its place."""
    hooks.serve(two_regions)
    ran = run_command(
        *("move", "a", "-o", "json", "--region", region),
        *("--source", "s3://external", "--destination", "s3://internal"),
        environment={"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
    )
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    last = {request.operation: request.url for request in hooks.requests}
    assert last["DeleteObject"].startswith("https://external.s3.us-west-2.amazonaws.com/a")
    assert last["CopyObject"].startswith("https://internal.s3.eu-central-1.amazonaws.com/a")


@pytest.mark.parametrize("region", ["us-west-2", "eu-central-1"])
@pytest.mark.parametrize("keys", ["a", "ab"])
def test_function_sends_each_request_to_the_region_of_its_bucket(
    hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch, region: str, keys: str
) -> None:
    hooks.serve(two_regions)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    event = batch(message("1", notification("external", *keys)))
    assert LambdaApp(ENDS).handle(event, CONTEXT) == {"batchItemFailures": []}
    urls = {request.operation: request.url for request in hooks.requests}
    deleted = urls.get("DeleteObjects") or urls["DeleteObject"]
    assert deleted.startswith("https://external.s3.us-west-2.amazonaws.com/")
    assert urls["CopyObject"].startswith("https://internal.s3.eu-central-1.amazonaws.com/")
