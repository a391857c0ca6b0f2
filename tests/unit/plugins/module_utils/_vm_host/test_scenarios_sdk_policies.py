# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What azure-mgmt-core's own policies do for a run: they register providers, and answer challenges."""

from __future__ import annotations

import json
import time
import types
import typing as t

import pytest
from azure.core.credentials import AccessToken
from azure.identity import ClientSecretCredential
from azure.mgmt.core.policies import _base

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError

from .conftest import KEY, Cloud

CLAIMS = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1700000000"}}})


@pytest.fixture(autouse=True)
def registered_again(cloud: Cloud) -> t.Iterator[None]:
    """The switch goes back when a test has ended."""
    yield
    cloud.azure.switch("unregistered", [])


def test_the_provider_of_networks_is_registered_without_preflight_too(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The policy waits ten seconds before it looks again.
    monkeypatch.setattr(_base, "time", types.SimpleNamespace(sleep=lambda _seconds: time.sleep(0.05)))
    # Microsoft.Compute is not: the policy cannot read the answers that newer azure-mgmt-compute streams.
    cloud.azure.switch("unregistered", ["Microsoft.Network"])
    done = cloud.run(preflight=False, ssh_public_keys=[KEY])
    assert done["host"]["power_state"] == "running"
    posts = [entry["path"] for entry in cloud.azure.requests() if entry["path"].endswith("/register")]
    assert {path.split("/")[-2] for path in posts} == {"Microsoft.Network"}
    assert cloud.run(preflight=False, ssh_public_keys=[KEY])["changed"] is False


@pytest.fixture
def cloud(cloud: Cloud) -> Cloud:
    """A group whose runs sign in each by itself, because the requests for tokens are counted."""
    cloud.token_cache = None
    return cloud


PLACES = {
    "arm": ("GET", "/resourcegroups/[^/]+$"),
    "network": ("PUT", "/virtualNetworks/docker-vnet$"),
    "compute": ("PUT", "/virtualMachines/web1$"),
    "poll": ("GET", "/operations/"),
}


@pytest.mark.parametrize("place", list(PLACES))
def test_a_challenge_for_claims_is_answered(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    asked: list[str] = []
    original = ClientSecretCredential.get_token

    def get_token(self: ClientSecretCredential, *scopes: str, **keywords: t.Any) -> AccessToken:
        asked.extend(filter(None, [keywords.get("claims")]))
        return original(self, *scopes, **keywords)

    monkeypatch.setattr(ClientSecretCredential, "get_token", get_token)
    method, path = PLACES[place]
    cloud.azure.fault("status", method=method, path=path, status=401, claims=CLAIMS)
    done = cloud.run(ssh_public_keys=[KEY])
    assert done["host"]["power_state"] == "running"
    assert [fault["struck"] for fault in cloud.azure.faults()] == [1]
    assert [json.loads(text) for text in asked] == [json.loads(CLAIMS)]
    tokens = [entry for entry in cloud.azure.requests() if entry["path"].endswith("/oauth2/v2.0/token")]
    assert len(tokens) == 2


def test_a_challenge_that_is_not_met_ends_the_run(cloud: Cloud) -> None:
    cloud.azure.fault("status", path="/virtualNetworks/docker-vnet$", status=401, claims=CLAIMS, times=0)
    with pytest.raises(AzureError, match="InvalidAuthenticationToken") as caught:
        cloud.run(ssh_public_keys=[KEY])
    assert caught.value.status == 401
