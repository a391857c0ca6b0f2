# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is sent to Azure goes through the proxy, whose password nobody sees."""

from __future__ import annotations

import typing as t
import urllib.parse

import pytest
import urllib3.util.connection

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clouds import find_cloud
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.credentials import AuthMethod, AuthTarget
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.settings import Settings
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from azure_emulator.launcher import LocalAzure

from .proxy import Proxy

USER = "jane:not-to-be-seen"


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where this process connects to, ``host:port``."""
    found: list[str] = []
    really = urllib3.util.connection.create_connection

    def connect(address: tuple[str, int], *rest: t.Any, **more: t.Any) -> t.Any:
        found.append("{}:{}".format(*address))
        return really(address, *rest, **more)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    return found


def by_sdk(session: AzureSession) -> None:
    session.pages("list the VMs", "x", session.compute.virtual_machines.list_all)


def by_arm_client(session: AzureSession) -> None:
    session.arm.list(f"/subscriptions/{session.subscription_id}/resourcegroups")


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("user", ["", USER])
@pytest.mark.parametrize("send", [by_sdk, by_arm_client])
def test_everything_goes_through_the_proxy(
    principal: LocalAzure,
    connections: list[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    user: str,
    send: t.Callable[[AzureSession], None],
) -> None:
    with Proxy(user) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        with AzureSession.from_params({}) as session:
            send(session)
    assert set(connections) == {proxy.address}
    # The cloud's metadata, the token service, the Resource Manager: three clients, each with connections of its own.
    assert proxy.asked == [urllib.parse.urlsplit(principal.url).netloc] * 3


def test_what_needs_no_proxy(principal: LocalAzure, connections: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    address = urllib.parse.urlsplit(principal.url)
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", str(address.hostname))
        with AzureSession.from_params({}) as session:
            by_arm_client(session)
    assert proxy.asked == []
    assert set(connections) == {address.netloc}


@pytest.mark.parametrize("cloud", ["private", "AzureCloud"])
@pytest.mark.parametrize(
    "url",
    [
        "http://jane:hidden-and-wrong@{address}",
        "http://jane:hidden-and-wrong@127.0.0.1:1",
        "http://jane:hidden-and-wrong@127.0.0.1:x",
        "http://jane:hidden/and-wrong@{address}",
        "http://jane:hidden#and-wrong@{address}",
        "http://jane:hidden@and-wrong@{address}",
    ],
)
def test_the_password_is_not_shown(
    principal: LocalAzure, monkeypatch: pytest.MonkeyPatch, url: str, cloud: str
) -> None:
    if cloud != "private":
        monkeypatch.setenv("AZURE_CLOUD_ENVIRONMENT", cloud)
        monkeypatch.delenv("AZURE_CLOUD_CA_PATH")
    monkeypatch.setattr("azure.core.pipeline.transport.RequestsTransport.sleep", lambda _transport, _seconds: None)
    with Proxy(USER) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", url.format(address=proxy.address))
        with pytest.raises(DockerHostError) as caught, AzureSession.from_params({}) as session:
            by_arm_client(session)
    shown = f"{caught.value} {caught.value.details}"
    assert "hidden" not in shown
    assert "and-wrong" not in shown


class Token(t.NamedTuple):
    """What azure-core takes for a token."""

    token: str
    expires_on: int


class Anybody:
    """A credential that has a token for everything, and remembers what for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_keywords: t.Any) -> Token:
        self.scopes += scopes
        return Token("abc", 4070908800)


class HasToken(AuthMethod):
    """A way to sign in that asks nobody."""

    known: t.ClassVar[Anybody]

    @property
    def label(self) -> str:
        return "a token"

    def credential(self, target: AuthTarget) -> t.Any:
        return self.known


@pytest.mark.parametrize(
    ("name", "authority", "manager"),
    [
        ("AzureCloud", "login.microsoftonline.com", "management.azure.com"),
        ("AzureChinaCloud", "login.chinacloudapi.cn", "management.chinacloudapi.cn"),
        ("AzureUSGovernment", "login.microsoftonline.us", "management.usgovcloudapi.net"),
        ("azureusgovernment", "login.microsoftonline.us", "management.usgovcloudapi.net"),
    ],
)
@pytest.mark.parametrize("send", [by_sdk, by_arm_client])
def test_clouds_by_name_are_asked_where_they_are(
    principal: LocalAzure,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    authority: str,
    manager: str,
    send: t.Callable[[AzureSession], None],
) -> None:
    """A proxy that lets nothing through tells which hosts were wanted."""
    monkeypatch.setenv("AZURE_CLOUD_ENVIRONMENT", name)
    monkeypatch.delenv("AZURE_CLOUD_CA_PATH")
    with Proxy(refuses=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setattr("azure.core.pipeline.transport.RequestsTransport.sleep", lambda _transport, _seconds: None)
        with AzureSession.from_params({"disable_instance_discovery": True}) as session, pytest.raises(DockerHostError):
            send(session)
        assert set(proxy.asked) == {f"{authority}:443"}
        proxy.asked.clear()
        HasToken.known = Anybody()
        place = AuthTarget(find_cloud(name))
        way = HasToken(Settings("here"))
        with AzureSession(way, place, principal.subscription_id) as session, pytest.raises(DockerHostError):
            send(session)
        assert set(proxy.asked) == {f"{manager}:443"}
        assert set(HasToken.known.scopes) == {f"https://{manager}/.default"}
