# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One local Azure for all tests of this folder, and a plain HTTP client for it."""

from __future__ import annotations

import itertools
import ssl
import time
import typing as t
from functools import cache

import httpx
import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.switches import DEFAULTS

GROUPS = "2022-09-01"
NETWORK = "2024-05-01"
COMPUTE = "2024-07-01"
DISKS = "2024-03-02"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000000 test"
Json = dict[str, t.Any]
_numbers = itertools.count(1)


@cache
def _client(url: str, ca_file: str) -> httpx.Client:
    """One client, with its open connections, for each server."""
    context = ssl.create_default_context(cafile=ca_file)
    return httpx.Client(base_url=url, verify=context, trust_env=False, timeout=60)


class Arm:
    """Requests to one resource group, or anywhere below the server."""

    def __init__(self, azure: LocalAzure, group: str) -> None:
        self.azure = azure
        self.subscription = f"/subscriptions/{azure.subscription_id}"
        self.group = f"{self.subscription}/resourceGroups/{group}"
        self.name = group
        self.http = _client(azure.url, azure.ca_file)
        if "Authorization" not in self.http.headers:
            self.http.headers["Authorization"] = f"Bearer {self.token()}"

    def token(self, **form: str) -> str:
        """An access token."""
        return str(self.sign_in(**form).json()["access_token"])

    def sign_in(self, **form: str) -> httpx.Response:
        """An answer of the token endpoint."""
        azure = self.azure
        fields = {
            "grant_type": "client_credentials",
            "client_id": azure.client_id,
            "client_secret": azure.secret,
            "scope": f"{azure.url}/.default",
            **form,
        }
        data = {name: value for name, value in fields.items() if value}
        return self.http.post(f"/{azure.tenant}/oauth2/v2.0/token", data=data)

    def version(self, path: str) -> str:
        """The api-version for a path."""
        lower = path.lower()
        if "/microsoft.network/" in lower:
            return NETWORK
        if "/disks" in lower or "/snapshots" in lower:
            return DISKS
        return COMPUTE if "/microsoft.compute/" in lower else GROUPS

    def request(self, method: str, path: str, body: t.Any = None, **params: str) -> httpx.Response:
        """One request; ``path`` is below the group unless it is absolute."""
        url = path if path.startswith("/") else f"{self.group}/providers/{path}"
        headers = {name[7:].replace("_", "-"): params.pop(name) for name in list(params) if name.startswith("header_")}
        query = {"api-version": self.version(url), **params}
        query = {name.replace("dollar_", "$"): value for name, value in query.items() if value}
        return self.http.request(method, url, params=query, json=body, headers=headers)

    @staticmethod
    def code(response: httpx.Response) -> tuple[int, str]:
        """Status and code of an error."""
        return response.status_code, str(response.json()["error"]["code"])

    def get(self, path: str, **params: str) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **params)

    def put(self, path: str, body: t.Any, **params: str) -> httpx.Response:
        """PUT."""
        return self.request("PUT", path, body, **params)

    def patch(self, path: str, body: t.Any, **params: str) -> httpx.Response:
        """PATCH."""
        return self.request("PATCH", path, body, **params)

    def post(self, path: str, body: t.Any = None, **params: str) -> httpx.Response:
        """POST."""
        return self.request("POST", path, body, **params)

    def delete(self, path: str, **params: str) -> httpx.Response:
        """DELETE."""
        return self.request("DELETE", path, **params)

    def follow(self, response: httpx.Response) -> Json:
        """Poll the operation of a response to its end; the last body."""
        assert response.status_code < 300, response.text
        url = response.headers.get("azure-asyncoperation")
        if url is None:
            return {"status": "Succeeded"}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer = self.http.get(url)
            assert answer.status_code == 200, answer.text
            body: Json = answer.json()
            if body["status"] != "InProgress":
                return body
            time.sleep(0.01)
        raise AssertionError(f"the operation does not end: {url}")

    def done(self, response: httpx.Response) -> httpx.Response:
        """The response, after its operation has succeeded."""
        body = self.follow(response)
        assert body["status"] == "Succeeded", body
        return response

    # ready-made resources

    def vnet(self, name: str = "vnet", prefix: str = "10.0.0.0/16", **subnets: str) -> httpx.Response:
        """A virtual network with a subnet."""
        wanted = subnets or {"subnet": prefix.replace("/16", "/24")}
        parts = [{"name": key, "properties": {"addressPrefix": value}} for key, value in wanted.items()]
        properties = {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": parts}
        return self.put(f"Microsoft.Network/virtualNetworks/{name}", {"location": "eastus", "properties": properties})

    def address(self, name: str = "ip", label: str | None = None) -> httpx.Response:
        """A public address."""
        properties: Json = {"publicIPAllocationMethod": "Static"}
        if label is not None:
            properties["dnsSettings"] = {"domainNameLabel": label}
        body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": properties}
        return self.put(f"Microsoft.Network/publicIPAddresses/{name}", body)

    def nsg(self, name: str = "nsg", *rules: Json) -> httpx.Response:
        """A security group."""
        body = {"location": "eastus", "properties": {"securityRules": list(rules)}}
        return self.put(f"Microsoft.Network/networkSecurityGroups/{name}", body)

    def nic_body(self, address: str | None = None, nsg: str | None = None, subnet: str = "vnet/subnets/subnet") -> Json:
        """The body of an interface."""
        network = f"{self.group}/providers/Microsoft.Network"
        configuration: Json = {"subnet": {"id": f"{network}/virtualNetworks/{subnet}"}}
        if address is not None:
            configuration["publicIPAddress"] = {"id": f"{network}/publicIPAddresses/{address}"}
        properties: Json = {"ipConfigurations": [{"name": "primary", "properties": configuration}]}
        if nsg is not None:
            properties["networkSecurityGroup"] = {"id": f"{network}/networkSecurityGroups/{nsg}"}
        return {"location": "eastus", "properties": properties}

    def nic(self, name: str = "nic", **options: t.Any) -> httpx.Response:
        """An interface."""
        return self.put(f"Microsoft.Network/networkInterfaces/{name}", self.nic_body(**options))

    def vm_body(self, nic: str = "nic", name: str = "vm") -> Json:
        """The body of a virtual machine."""
        image = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}
        keys = [{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": KEY}]
        linux = {"disablePasswordAuthentication": True, "ssh": {"publicKeys": keys}}
        interface = {"id": f"{self.group}/providers/Microsoft.Network/networkInterfaces/{nic}"}
        return {
            "location": "eastus",
            "properties": {
                "hardwareProfile": {"vmSize": "Standard_B2s_v2"},
                "storageProfile": {"imageReference": image, "osDisk": {"createOption": "FromImage"}},
                "osProfile": {"computerName": name, "adminUsername": "azureuser", "linuxConfiguration": linux},
                "networkProfile": {"networkInterfaces": [interface]},
            },
        }

    def network(self) -> None:
        """A network with an address, a security group and an interface, ready."""
        for response in (self.vnet(), self.nsg(), self.address()):
            self.done(response)
        self.done(self.nic(address="ip", nsg="nsg"))

    def vm(self, name: str = "vm", body: Json | None = None) -> httpx.Response:
        """A virtual machine, ready."""
        response = self.put(f"Microsoft.Compute/virtualMachines/{name}", body or self.vm_body(name=name))
        return self.done(response)

    def extension_body(self, **properties: t.Any) -> Json:
        """The body of a CustomScript extension."""
        return {
            "location": "eastus",
            "properties": {
                "publisher": "Microsoft.Azure.Extensions",
                "type": "CustomScript",
                "typeHandlerVersion": "2.1",
                "autoUpgradeMinorVersion": True,
                "settings": {"timestamp": 1},
                "protectedSettings": {"script": "ZWNobyBoaQ=="},
                **properties,
            },
        }


@pytest.fixture(scope="session")
def azure() -> t.Iterator[LocalAzure]:
    """The server."""
    with LocalAzure(machines="none") as server:
        yield server


@pytest.fixture
def arm(azure: LocalAzure) -> t.Iterator[Arm]:
    """A client with a resource group of its own; everything is as at the start afterwards."""
    client = Arm(azure, f"group{next(_numbers)}")
    client.put(client.group, {"location": "eastus"})
    yield client
    azure.faults_clear()
    azure.control("PUT", "switches", dict(DEFAULTS))
    azure.hold(False)
    client.delete(client.group)
    azure.settle()


@pytest.fixture
def ready(arm: Arm) -> Arm:
    """A client whose group has a running machine ``vm``."""
    arm.azure.switch("cores_quota", 10_000)
    arm.network()
    arm.vm()
    return arm


@pytest.fixture
def no_ca_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the environment's CA bundles, which the SDK would prefer to the local Azure's own CA."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def sdk_credential(azure: LocalAzure) -> t.Any:
    """A credential of Microsoft's SDK for the local Azure's service principal."""
    identity = pytest.importorskip("azure.identity")
    return identity.ClientSecretCredential(
        azure.tenant,
        azure.client_id,
        azure.secret,
        authority=azure.url,
        disable_instance_discovery=True,
        connection_verify=azure.ca_file,
    )


@pytest.fixture
def compute(arm: Arm, no_ca_bundles: None) -> t.Any:
    """Microsoft's client for the compute provider."""
    sdk, azure = pytest.importorskip("azure.mgmt.compute"), arm.azure
    return sdk.ComputeManagementClient(
        sdk_credential(azure),
        azure.subscription_id,
        base_url=azure.url,
        credential_scopes=[f"{azure.url}/.default"],
        connection_verify=azure.ca_file,
    )
