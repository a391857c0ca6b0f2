# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the task with its CA in a vault of a local Azure, from homes that are thrown away."""

from __future__ import annotations

import itertools
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.key_vault import KeyVault
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import render
from ansible_collections.dockerhost.azure.plugins.module_utils._vault import task
from azure_emulator.launcher import CLEARED, LocalAzure
from azure_emulator.vault.testing import make_vault, resolved

SETTLE = 1.5
"""Seconds; the service's clock counts whole ones."""
_numbers = itertools.count(1)


class Job:
    """A job with a directory of its own, and a vault that it shares with others."""

    def __init__(self, vault: str, directory: Path) -> None:
        self.vault = vault
        self.directory = directory
        self.warnings: list[str] = []

    def params(self, **options: t.Any) -> dict[str, t.Any]:
        """All options, as the argument spec fills them in."""
        options = {"cert_dir": str(self.directory), "store": "key_vault", "key_vault": self.vault, **options}
        spec = {name: dict(option) for name, option in task.SPEC.argument_spec.items()}
        validation = ArgumentSpecValidator(spec, **task.SPEC.rules()).validate(options)
        assert not validation.error_messages, validation.error_messages
        return t.cast("dict[str, t.Any]", validation.validated_parameters)

    def run(self, *, check: bool = False, settle: float = SETTLE, **options: t.Any) -> dict[str, t.Any]:
        """Run the task; the diff is always asked for."""
        self.warnings = []
        request = Request(
            self.params(**options), check_mode=check, diff=True, warn=lambda text: self.warnings.append(render(text))
        )
        return task.run(request, settle=settle)

    def files(self) -> list[str]:
        """The files of the set, but for the lock."""
        found = (path for path in self.directory.rglob("*") if path.is_file() and path.name != "lock")
        return sorted(str(path.relative_to(self.directory)) for path in found)

    def client(self) -> KeyVault:
        return KeyVault.from_params(self.params(), self.vault)

    def document(self, secret: str = "docker-ca") -> dict[str, t.Any]:
        """What the vault has."""
        result = self.run(check=True)
        with self.client() as client:
            return t.cast("dict[str, t.Any]", json.loads(client.value(secret, result["key_vault"]["version"])))


class Jobs:
    """Makes jobs for one vault."""

    def __init__(self, vault: str, directory: Path) -> None:
        self.vault = vault
        self.directory = directory

    def new(self) -> Job:
        """A job with an empty home."""
        return Job(self.vault, self.directory / f"job{next(_numbers)}")


@pytest.fixture(scope="session")
def azure() -> t.Iterator[LocalAzure]:
    with LocalAzure(machines="none") as running:
        yield running


@pytest.fixture
def signed_in(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[LocalAzure]:
    """The environment of a job."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "AWX_", "JOB_ID")) or name in CLEARED:
            monkeypatch.delenv(name)
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
    with resolved():
        yield azure
    azure.faults_clear()
    azure.switch("forbidden", [])


@pytest.fixture
def jobs(signed_in: LocalAzure, tmp_path: Path) -> Jobs:
    return Jobs(make_vault(signed_in), tmp_path)


@pytest.fixture
def job(jobs: Jobs) -> Job:
    return jobs.new()
