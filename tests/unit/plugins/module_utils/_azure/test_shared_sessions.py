# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps in one process sign in once, as long as they sign in alike."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession, shared_sessions
from azure_emulator.launcher import LocalAzure


def ask(**params: str) -> AzureSession:
    """Ask Azure something, as a step does."""
    with AzureSession.from_params(params) as session:
        session.arm.list(f"/subscriptions/{session.subscription_id}/resourceGroups")
    return session


def signings_in(azure: LocalAzure) -> int:
    return len([entry for entry in azure.requests() if entry["path"].endswith("/oauth2/v2.0/token")])


def test_alike_is_once(principal: LocalAzure) -> None:
    principal.clear_requests()
    with shared_sessions():
        assert ask() is ask() is ask()
    assert signings_in(principal) == 1
    assert len([entry for entry in principal.requests() if "/metadata/endpoints" in entry["path"]]) == 1


def test_each_scope_and_each_step_outside_signs_in_anew(principal: LocalAzure) -> None:
    principal.clear_requests()
    with shared_sessions():
        first = ask()
    with shared_sessions():
        assert ask() is not first
    assert ask() is not ask()
    assert signings_in(principal) == 4


def test_another_subscription_or_cloud_is_another_session(
    principal: LocalAzure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shared_sessions():
        own = ask()
        with AzureSession.from_params({"subscription_id": "00000000-0000-0000-0000-000000000001"}) as other:
            assert other is not own
            assert other.subscription_id.endswith("1")
        with AzureSession.from_params({"cloud_environment": f"{principal.url}/"}) as same_cloud:
            assert same_cloud is not own
        monkeypatch.setenv("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000002")
        with AzureSession.from_params({}) as somebody_else:
            assert somebody_else is not own


def test_it_is_over_when_a_step_fails(principal: LocalAzure) -> None:
    sessions = []

    def steps() -> None:
        with shared_sessions():
            sessions.append(ask())
            raise ValueError("a step")

    with pytest.raises(ValueError, match="a step"):
        steps()
    assert ask() is not sessions[0]
