"""A process ends, however it leaves awscrt."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.canned_server import XML, canned_server
from tests.factories import md5

COPIED = f'{XML}<CopyObjectResult><ETag>"{md5(b"x")}"</ETag></CopyObjectResult>'


LEAVES = """
import os, sys
from frogmove.client import Client
from frogmove.engine import Engine
from frogmove.s3.models import Copy
from frogmove.s3.limits import Limits
from frogmove.config import Config
from tests.factories import an_object
made = Client(Config(endpoint_url=sys.argv[1]), Limits(attempts=1), Engine.CRT)
copies = [made.s3.copy(Copy("external", an_object("a"), "internal", "a")) for _ in range(8)]
if sys.argv[2] == "killed":
    os._exit(130)
if sys.argv[2] == "answered":
    print({future.exception() is None for future in copies})
if sys.argv[2] == "closed":
    made.close()
"""


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("answered", marks=pytest.mark.matrix),
        pytest.param("closed", marks=pytest.mark.matrix),
        "left",
        "killed",
    ],
)
def test_process_ends_however_its_engine_is_left(how: str) -> None:
    with canned_server((200, COPIED)) as script:
        done = subprocess.run(
            [sys.executable, "-c", LEAVES, script.endpoint_url, how],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (130 if how == "killed" else 0, "")
