# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Local Azures and the clients that talk to them."""

from __future__ import annotations

import typing as t

import pytest

from azure_emulator.launcher import LocalAzure

from . import client_venvs
from .public_names import PublicNames
from .support import Az, Playbooks, ours


def need(client: str) -> None:
    """Skip where a client is not installed, and say why."""
    if not client_venvs.ready(client):
        pytest.skip(f"{client_venvs.VENVS / client} is not there; `make client-venvs` installs it from PyPI")


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    """A local Azure whose machines are stand-ins."""
    with LocalAzure(machines="stand-in") as azure:
        yield azure


@pytest.fixture(scope="module")
def az(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> Az:
    """The az CLI, signed in."""
    need("az")
    client = Az(azure, tmp_path_factory.mktemp("az"))
    client.sign_in()
    return client


@pytest.fixture(scope="module")
def azcollection(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Playbooks]:
    """Playbooks with azure.azcollection.

    It cannot be pointed at a private cloud (https://github.com/ansible-collections/azure/issues/2157), so public
    Azure's names lead to the local one.
    """
    need("ansible")
    with PublicNames(azure.url, azure.ca_file, tmp_path_factory.mktemp("proxy")) as names:
        environment = {k: v for k, v in azure.environment.items() if not k.startswith("AZURE_CLOUD")}
        environment.update(names.environment, AZURE_DISABLE_INSTANCE_DISCOVERY="true")
        yield Playbooks(client_venvs.python("ansible"), tmp_path_factory.mktemp("ansible"), environment)


@pytest.fixture(scope="module")
def user(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> Playbooks:
    """Playbooks with this collection."""
    return ours(azure, tmp_path_factory.mktemp("user"))


@pytest.fixture(scope="session")
def ssh_public_key() -> str:
    """A public key for machines that nobody signs in to."""
    return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q nobody"
