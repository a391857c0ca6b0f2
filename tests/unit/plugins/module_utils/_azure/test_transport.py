# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections share what they trust, and trust nothing else."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import transport
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from azure_emulator.launcher import LocalAzure


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known from before, and nobody pauses between attempts."""
    transport._read.cache_clear()
    monkeypatch.setattr("azure.core.pipeline.transport.RequestsTransport.sleep", lambda _transport, _seconds: None)


def ask(times: int = 1) -> None:
    """Ask Azure something, several times at once."""
    with AzureSession.from_params({}) as session:
        path = f"/subscriptions/{session.subscription_id}/resourceGroups"
        threads = [threading.Thread(target=session.arm.list, args=(path,)) for _time in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        session.arm.list(path)


def test_authorities_are_read_once(principal: LocalAzure) -> None:
    principal.clear_requests()
    ask(4)
    # The cloud's endpoints, the token service, and four at once.
    assert transport._read.cache_info().misses == 1
    assert transport._read.cache_info().hits >= 6
    assert len([entry for entry in principal.requests() if entry["path"].endswith("/resourceGroups")]) == 5


def test_they_are_read_again_when_they_are_others(principal: LocalAzure, tmp_path: Path) -> None:
    copy = tmp_path / "ca.pem"
    shutil.copy(principal.ca_file, copy)
    first = transport.tls_context(str(copy))
    assert transport.tls_context(str(copy)) is first
    os.utime(copy, ns=(1, 1))
    assert transport.tls_context(str(copy)) is not first


def test_what_is_not_signed_by_them_is_refused(principal: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    monkeypatch.delenv("AZURE_CLOUD_CA_PATH")
    for _time in range(2):
        with pytest.raises(AzureError, match="certificate verify failed"):
            ask()
    # As every program on requests has it.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", principal.ca_file)
    ask()


def test_a_directory_of_authorities(principal: LocalAzure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AZURE_CLOUD_CA_PATH", str(tmp_path))
    with pytest.raises(AzureError, match="certificate verify failed"):
        ask()


def test_no_certificates_are_an_error_of_azures(principal: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLOUD_CA_PATH", __file__)
    with pytest.raises(AzureError, match="read the cloud's endpoints"):
        ask()
