# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One user's Docker configuration, docker_context run for that user, and no environment of Docker from outside."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._docker.context_task import BACKEND

DOCKER = shutil.which("docker")
needs_docker = pytest.mark.skipif(DOCKER is None, reason="the docker CLI is not installed")
HOST = "tcp://web1.example:4243"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA"


class Setup:
    """One user's directory, and how this user runs things."""

    def __init__(self, directory: pathlib.Path, certificates: t.Any) -> None:
        self.config = directory / "docker"
        self.known_hosts = directory / "ssh" / "known_hosts"
        self.warnings: list[str] = []
        client = certificates.client
        self.files: dict[str, t.Any] = {
            "ca_path": str(client / "ca.pem"),
            "client_cert": str(client / "cert.pem"),
            "client_key": str(client / "key.pem"),
        }

    def run(self, name: str = "web1", check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
        options = {
            "name": name,
            "docker_config": str(self.config),
            "known_hosts_path": str(self.known_hosts),
            **options,
        }
        spec = {key: dict(option) for key, option in BACKEND.spec.argument_spec.items()}
        result = ArgumentSpecValidator(spec, **BACKEND.spec.rules()).validate(options)
        assert result.error_messages == []
        request = Request(
            params=result.validated_parameters, check_mode=check_mode, diff=True, warn=self.warnings.append
        )
        return BACKEND.run(request)

    def docker(self, *arguments: str) -> str:
        assert DOCKER is not None
        env = {"PATH": os.environ["PATH"], "DOCKER_CONFIG": str(self.config), "HOME": str(self.config.parent)}
        run = subprocess.run([DOCKER, *arguments], env=env, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def tree(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.config.rglob("*")) if path.is_file()}


@pytest.fixture
def setup(tmp_path: pathlib.Path, certificates: t.Any) -> Setup:
    return Setup(tmp_path, certificates)


@pytest.fixture(autouse=True)
def _no_docker_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_TLS_HOSTNAME", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
