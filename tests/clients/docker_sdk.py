# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's program with the docker SDK for Python. Usage: ``docker_sdk.py FILE``, with DOCKER_* in the environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import docker
from docker.tls import TLSConfig


def main() -> None:
    """Run a container by the connection values in a file, and read its log by those in the environment."""
    values = json.loads(Path(sys.argv[1]).read_text())
    tls = TLSConfig(
        client_cert=(values["client_cert"], values["client_key"]),
        ca_cert=values["ca_path"],
        verify=values["validate_certs"],
    )
    by_values = docker.DockerClient(base_url=values["docker_host"], tls=tls)
    container = by_values.containers.run("busybox:test", ["echo", "hello from the SDK"], detach=True)
    container.wait()
    by_environment = docker.from_env()
    same = by_environment.containers.get(container.id)
    sys.stdout.write(same.logs().decode())
    same.remove()


if __name__ == "__main__":
    main()
