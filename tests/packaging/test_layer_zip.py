"""The layer: out of pinned wheels alone, without what a function cannot use, always the same."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from email import message_from_string
from importlib.resources import files
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from frogmove.errors import RunError
from frogmove.packaging.bytecode import find_compiler
from frogmove.packaging.layer_zip import PYTHONS, Architecture, layer, pip_command, run_pip
from frogmove.packaging.wheel_check import check_built
from tests.cli.cli_runner import COMMAND
from tests.packaging.wheels import Wheels, names_in
from tests.zips import LAYER, PYTHON, fetched_layer, skip_without_index, zips

NEEDED = {
    "aws-lambda-powertools",
    "awscrt",
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "typing-extensions",
    "urllib3",
}
X86_64 = Architecture.X86_64


@pytest.fixture
def built(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The real layer for x86_64."""
    return zipfile.ZipFile(zips(tmp_path_factory) / LAYER)


def _pinned() -> dict[str, tuple[str, int]]:
    """Return the version of each pin, and how many hashes it has."""
    text = (files("frogmove.packaging") / "layer.txt").read_text("utf-8")
    return {
        match[1]: (match[2], match[3].count("--hash=sha256:"))
        for match in re.finditer(r"^([a-z0-9-]+)==(\S+) \\\n((?: .*\n)+)", text, re.MULTILINE)
    }


def test_pins_are_all_that_boto3_and_powertools_need() -> None:
    pinned = _pinned()
    assert pinned.keys() == NEEDED
    assert all(hashes for _, hashes in pinned.values())
    # Each architecture has two: with Python's stable interface of 3.11, and with that of 3.13.
    assert pinned["awscrt"][1] >= 4


def test_pins_are_within_what_frogmove_itself_asks_for() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    pinned = _pinned()
    for wanted in (files("frogmove.packaging") / "layer.in").read_text("utf-8").splitlines():
        assert f'"{wanted}"' in project
        requirement = Requirement(wanted)
        assert pinned[requirement.name][0] in requirement.specifier


@pytest.mark.matrix
def test_pins_satisfy_one_another(built: zipfile.ZipFile) -> None:
    pinned = _pinned()
    found = set()
    for name in built.namelist():
        if not name.endswith(".dist-info/METADATA"):
            continue
        about = message_from_string(built.read(name).decode())
        project = about["Name"].lower().replace("_", "-")
        found.add(project)
        assert about["Version"] == pinned[project][0]
        for told in about.get_all("Requires-Dist", []):
            needed = Requirement(told)
            extra = "crt" if project == "boto3" else ""
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                version = pinned[needed.name.lower().replace("_", "-")][0]
                assert version in needed.specifier, told
    assert found == NEEDED


@pytest.mark.long
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("architecture", Architecture)
def test_pins_have_wheels_for_every_runtime_and_architecture(
    architecture: Architecture, python: str, tmp_path: Path
) -> None:
    skip_without_index()
    pins = Path(str(files("frogmove.packaging") / "layer.txt"))
    command = pip_command(architecture, python, tmp_path)
    report = run_pip(
        [*command, *("--dry-run", "--quiet", "--report", "-", "--require-hashes"), "-r", str(pins)]
    )
    installed = json.loads(report)["install"]
    found = {item["metadata"]["name"].lower().replace("_", "-"): item for item in installed}
    assert found.keys() == NEEDED
    assert {name: item["metadata"]["version"] for name, item in found.items()} == {
        name: version for name, (version, _) in _pinned().items()
    }


@pytest.mark.matrix
def test_layer_holds_the_services_that_a_function_uses_and_every_licence(
    built: zipfile.ZipFile,
) -> None:
    names = built.namelist()
    described = {name.split("/")[3] for name in names if name.startswith("python/botocore/data/")}
    assert {name for name in described if "." not in name} == {
        "s3",
        "signin",
        "sso",
        "sqs",
        "sso-oidc",
        "sts",
    }
    assert {"endpoints.json", "partitions.json", "_retry.json"} <= described
    about = {name.split("/")[1] for name in names if ".dist-info/" in name}
    licensed = {
        name.split("/")[1] for name in names if re.search(r"\.dist-info/.*LICEN[CS]E", name)
    }
    assert about == licensed
    assert not [name for name in names if name.endswith(("RECORD", "INSTALLER", "REQUESTED"))]
    assert all(name.startswith("python/") for name in names)


@pytest.mark.matrix
def test_layer_is_small(built: zipfile.ZipFile) -> None:
    assert sum(entry.compress_size for entry in built.infolist()) < 10_000_000
    assert sum(entry.file_size for entry in built.infolist()) < 30_000_000


@pytest.mark.long
def test_layer_for_arm64_holds_what_arm64_runs() -> None:
    archive = fetched_layer(Architecture.ARM64)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        (library,) = [name for name in opened.namelist() if name.endswith(".so")]
        head = opened.read(library)[:20]
    # The ELF header's e_machine is 0xB7 for AArch64.
    assert (head[:4], head[18]) == (b"\x7fELF", 0xB7)
    assert archive.name == "frogmove-layer-arm64.zip"


CREDENTIALS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import boto3, botocore
assert botocore.__file__.startswith(sys.argv[1])
from botocore.config import Config
config = Config(retries={"total_max_attempts": 1})
for name in ("s3", "sqs", "sts", "sso", "sso-oidc", "signin"):
    client = boto3.client(name, region_name="eu-central-1", config=config)
    assert client.meta.endpoint_url.startswith("https://"), name
for region in ("us-gov-west-1", "cn-north-1", "ap-southeast-5"):
    boto3.client("s3", region_name=region)
s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
for bucket in ("bucket", "arn:aws:s3:us-west-2:123456789012:accesspoint/name"):
    url = s3.generate_presigned_url("head_object", {"Bucket": bucket, "Key": "k"})
    print(url.partition("?")[0])
assert s3.get_paginator("list_objects_v2") and s3.get_waiter("object_exists")
boto3.resource("s3", region_name="us-east-1").Bucket("b").Object("k")
import awscrt.checksums
assert awscrt.checksums.crc64nvme(b"123456789") == 0xAE8B14860A799888
import aws_lambda_powertools.event_handler
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.batch import BatchProcessor
"""


@pytest.mark.matrix
def test_boto3_of_the_layer_does_what_s3_takes(built: zipfile.ZipFile, tmp_path: Path) -> None:
    compiler = find_compiler(PYTHON)
    if compiler is None:
        pytest.skip(f"there is no Python {PYTHON}")
    if sys.platform != "linux":
        pytest.skip("awscrt's library in the layer is for Linux")
    built.extractall(tmp_path)
    done = subprocess.run(
        [compiler.path, "-I", "-S", "-c", CREDENTIALS, str(tmp_path / "python")],
        capture_output=True,
        text=True,
        env={"AWS_EC2_METADATA_DISABLED": "true"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "https://bucket.s3.amazonaws.com/k",
        "https://name-123456789012.s3-accesspoint.us-west-2.amazonaws.com/k",
    ]


def test_layer_leaves_out_what_no_function_can_use(wheels: Wheels) -> None:
    wheels.add(
        "frog",
        {
            "frog/__init__.py": "x = 1\n",
            "boto3/data/s3/resources-1.json": "{}",
            "boto3/data/ec2/resources-1.json": "{}",
            "boto3/examples/s3.rst": "",
            "botocore/data/endpoints.json": "{}",
            "botocore/data/ec2/2016-11-15/service-2.json.gz": "",
            "botocore/data/s3/2006-03-01/service-2.json.gz": "",
            "botocore/data/s3/2006-03-01/examples-1.json": "{}",
            "frog-1.0.data/scripts/jump": "#!python\n",
        },
    )
    assert names_in(layer(X86_64, PYTHON)) == [
        "python/boto3/data/s3/resources-1.json",
        "python/botocore/data/endpoints.json",
        "python/botocore/data/s3/2006-03-01/service-2.json.gz",
        "python/frog-1.0.dist-info/LICENSE",
        "python/frog-1.0.dist-info/METADATA",
        "python/frog-1.0.dist-info/WHEEL",
        "python/frog/__init__.py",
    ]


def test_bytecode_shows_where_lambda_unpacks_it(wheels: Wheels) -> None:
    wheels.add("frog", {"frog/__init__.py": "x = 1\n"})
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    archive = layer(X86_64, version if version in PYTHONS else PYTHON, find_compiler(version))
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        (compiled,) = [name for name in opened.namelist() if name.endswith(".pyc")]
        assert b"/opt/python/frog/__init__.py" in opened.read(compiled)


def test_wheel_with_other_bytes_is_refused(wheels: Wheels) -> None:
    wheels.add("frog", {"frog.py": ""}, digest="0" * 64)
    with pytest.raises(RunError, match=r"DO NOT MATCH THE HASHES[\s\S]*frog"):
        layer(X86_64, PYTHON)


def test_package_that_cannot_be_fetched_is_named(wheels: Wheels) -> None:
    wheels.pin("newt", "0" * 64)
    with pytest.raises(RunError, match=r"could not download .* newt==1\.0") as told:
        layer(X86_64, PYTHON)
    assert "pip config list" in told.value.remedy


ELF = "\x7fELF\x02\x01\x01" + "\x00" * 11


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (ELF + "\x28\x00rest", "frog.so", "another machine"),
        (ELF + "\x3e\x00rest", "frog.so", ""),
        (ELF + "\x28\x00rest", "frog", "another machine"),
        ("\x00MZ", "frog.pyd", "another system"),
        ("", "frog.so.1.2", "another system"),
        ("text", "frog.txt", ""),
    ],
)
def test_check_built_refuses_what_another_machine_runs(
    tmp_path: Path, content: str, name: str, found: str
) -> None:
    path = tmp_path / "frog" / name
    path.parent.mkdir()
    path.write_text(content, "latin-1")
    if not found:
        check_built(tmp_path, "", "x86_64")
        return
    with pytest.raises(RunError, match=rf"frog/{re.escape(name)}.*{found}"):
        check_built(tmp_path, "", "x86_64")


def test_layer_is_not_made_of_what_another_machine_runs(wheels: Wheels) -> None:
    wheels.add("frog", {"frog/frog.so": ELF + "\x28\x00rest"})
    with pytest.raises(RunError, match="another machine"):
        layer(X86_64, PYTHON)


def test_package_that_pip_did_not_install_is_named(tmp_path: Path) -> None:
    (tmp_path / "frog_pond-1.0.dist-info").mkdir()
    check_built(tmp_path, "frog-pond==1.0 --hash=sha256:0\n", "x86_64")
    with pytest.raises(RunError, match=r"lacks newt-2\.0"):
        check_built(tmp_path, "frog-pond==1.0\nnewt==2.0 \\\n    --hash=x\n", "x86_64")


def test_layer_without_a_folder_to_work_in_is_one_sentence(
    wheels: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(RunError) as told:
        layer(X86_64, PYTHON)
    assert "TMPDIR" in told.value.remedy


@pytest.mark.matrix
def test_sigterm_leaves_nothing(tmp_path: Path) -> None:
    """An index that does not answer holds pip up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/simple"
        scratch, out = tmp_path / "scratch", tmp_path / "out"
        scratch.mkdir()
        environment = {**os.environ, "TMPDIR": str(scratch), "PIP_INDEX_URL": url}
        running = subprocess.Popen(
            [*COMMAND, "lambda", "package", "-d", str(out)], env=environment, stderr=subprocess.PIPE
        )
        listening.settimeout(60)
        connection, _ = listening.accept()
        assert list(scratch.iterdir())
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
        connection.close()
    assert running.returncode == 130
    assert list(scratch.iterdir()) == []
    assert list(out.iterdir()) == []
