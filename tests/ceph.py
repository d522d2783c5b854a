"""Ceph's RADOS gateway on one node, where its programs are installed.

It keeps every key as it is and lists in S3's order, but ignores every condition. On Debian:
``apt-get install --no-install-recommends ceph-mon ceph-osd radosgw ceph-common``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from frogmove.s3.capabilities import Capabilities
from tests.servers import HOST, Server, _answers, _folder, _process, _wait, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = {mon_host}
public addr = {host}
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
run dir = {folder}
admin socket = {folder}/$name.$pid.asok
log file = {folder}/$name.log
mon data = {folder}/mon
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
paxos propose interval = 0.05
paxos min wait = 0.01
mon cluster log file = {folder}/cluster.log
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw crypt require ssl = false
"""


@contextmanager
def ceph() -> Iterator[Server]:
    """Run a monitor, a store in memory and a gateway."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"Ceph is not installed: there is no {', '.join(missing)}")
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        http, *monitor = free_ports(3)
        mon_host = f"[v2:{HOST}:{monitor[0]},v1:{HOST}:{monitor[1]}]"
        fsid = str(uuid.uuid4())
        configuration = folder / "ceph.conf"
        configuration.write_text(
            CONFIGURATION.format(fsid=fsid, mon_host=mon_host, host=HOST, folder=folder)
        )
        environment = {"CEPH_CONF": str(configuration)}
        # One folder a daemon, as each has a log of its own.
        logs = {name: folder / f"log-{name}" for name in ("mon", "osd", "rgw")}
        for each in (folder / "mon", folder / "osd", *logs.values()):
            each.mkdir()
        monmap = str(folder / "monmap")
        _do(environment, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", mon_host, monmap)
        _do(environment, "ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        stack.enter_context(_process(["ceph-mon", "-f", "-i", "a"], logs["mon"], environment))
        osd = str(uuid.uuid4())
        _ceph(environment, "osd", "new", osd)
        _do(environment, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        command = ["ceph-osd", "-f", "-i", "0"]
        store = stack.enter_context(_process(command, logs["osd"], environment))
        _wait(store, logs["osd"], lambda: _is_up(environment))
        user = ["--uid=admin", "--display-name=admin", "--access-key=AKADMIN", "--secret=SKADMIN"]
        _do(environment, "radosgw-admin", "user", "create", *user)
        frontend = f"--rgw-frontends=beast endpoint={HOST}:{http}"
        command = ["radosgw", "-f", "-n", "client.rgw.a", frontend]
        gateway = stack.enter_context(_process(command, logs["rgw"], environment))
        _wait(gateway, logs["rgw"], lambda: _answers(http))
        ignores_all = Capabilities(
            copy_source=False, copy_destination=False, delete=False, delete_many=False
        )
        yield Server("ceph", f"http://{HOST}:{http}", "AKADMIN", "SKADMIN", ignores_all)


def _do(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{command!r} failed:\n{done.stderr[-2000:]}"
    return done.stdout


def _ceph(environment: dict[str, str], *command: str) -> str:
    return _do(environment, "ceph", "--connect-timeout", "20", *command)


def _is_up(environment: dict[str, str]) -> bool:
    return bool(json.loads(_ceph(environment, "osd", "stat", "--format=json"))["num_up_osds"])
