# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job on Debian 13: another engine, another Python, systemd and agent than Debian 12's."""

from __future__ import annotations

import json

from .conftest import Controller
from .test_main_job import HOST, fqdn

ON_DEBIAN_13 = {**HOST, "docker_host_image": "debian-13"}


def test_the_main_job(controller: Controller, busybox_image: bytes) -> None:
    run = controller.playbook("create_docker_host", ON_DEBIAN_13)
    assert run.changed >= 4, run.output
    name = fqdn(controller)
    status, said = controller.docker(name, "info", "--format", "{{json .}}")
    assert status == 0, said
    info = json.loads(said)
    assert info["OperatingSystem"].startswith("Debian GNU/Linux 13")
    assert info["ServerVersion"].startswith("26.1")
    assert controller.docker(name, "import", "-", "busybox:test", input=busybox_image)[0] == 0
    mounted = ["-v", "/usr/bin:/programs:ro"]
    status, said = controller.docker(name, "run", "--rm", *mounted, "busybox:test", "/bin/busybox", "ls", "/programs")
    assert status == 0, said
    assert "python3.13" in said.split(), "the setup program ran with Debian 13's Python"
    assert controller.playbook("create_docker_host", ON_DEBIAN_13).changed == 0
