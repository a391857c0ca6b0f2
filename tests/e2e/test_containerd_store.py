# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An engine that keeps its images in containerd, as Docker 29 does on a new machine, on a host with a data disk.

Debian 13's engine does it when it is told to (https://docs.docker.com/engine/storage/containerd/).
"""

from __future__ import annotations

import pytest

from azure_emulator.machines.base import DataDisk

from .machines import DISK, DISTRIBUTION, Machines

pytestmark = pytest.mark.guests

STORE = {"features": {"containerd-snapshotter": True}}
BLOBS = "find {} -path '*/io.containerd.content.v1.content/blobs/*' -type f | wc -l"


def test_images_and_containers_are_on_the_data_disk(machines: Machines, busybox_image: bytes) -> None:
    disk = DataDisk("/disks/data", "data", DISK["lun"], 1)
    web = machines.start("web", 4, data_disks=(disk,), image={"offer": "debian-13"})
    docker = {"engine": DISTRIBUTION, "data-disk": DISK, "daemon": STORE}
    machines.push(web, docker)
    assert "io.containerd.snapshotter.v1" in machines.sh(web, "docker info -f '{{.DriverStatus}}'")
    machines.sh(web, "docker import - busybox:test", stdin=busybox_image)
    assert machines.sh(web, "docker run --name kept busybox:test echo hello") == "hello\n"
    assert int(machines.sh(web, BLOBS.format("/srv/docker/containerd"))) > 0
    assert int(machines.sh(web, BLOBS.format("/var/lib/containerd"))) == 0
    machines.sh(web, "findmnt /srv/docker")
    assert machines.push(web, docker)["changes"] == []
    refused = machines.push(web, {"engine": DISTRIBUTION, "daemon": STORE}, fails=True)
    assert "is to move from /srv/docker" in refused["error"]
    machines.push(web, {}, state="absent", remove=["engine", "data"])
    left = "find /srv/docker /var/lib/containerd /var/lib/docker -type f 2>/dev/null || true"
    assert machines.sh(web, left) == ""
