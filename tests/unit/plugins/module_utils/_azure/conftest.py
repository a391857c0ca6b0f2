# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local Azure to sign in to, from an environment that says nothing."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import CLEARED, LocalAzure


@pytest.fixture(scope="module")
def azure() -> t.Iterator[LocalAzure]:
    """A local Azure with nothing behind its machines, empty at first."""
    with LocalAzure(machines="none") as local:
        yield local


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials anywhere, and a home of its own."""
    import os

    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_", "ANSIBLE_AZURE")) or name in CLEARED:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "home").mkdir()
    (tmp_path / "bin").mkdir()


@pytest.fixture
def place(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> LocalAzure:
    """The local Azure, with its address and CA in the environment, and no credentials."""
    for name in ("AZURE_CLOUD_ENVIRONMENT", "AZURE_CLOUD_CA_PATH", "AZURE_SUBSCRIPTION_ID"):
        monkeypatch.setenv(name, azure.environment[name])
    return azure


@pytest.fixture
def principal(place: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> LocalAzure:
    """The local Azure, with a service principal in the environment."""
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return place
