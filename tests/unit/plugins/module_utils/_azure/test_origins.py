# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens stay with the service that they were issued for, whatever its answers refer to."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.errors import AzureError
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.key_vault import KeyVault
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import OperationInfo
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.origins import (
    check_same_service,
    foreign_host_error,
    is_same_service,
)
from azure_emulator.self_signed import self_signed

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-000000000002"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic"
WORK = OperationInfo("web1", "nic", "Writing", "write it", "nic")

Answer = tuple[int, dict[str, str], t.Any]


class Server:
    """An HTTPS server on loopback whose answers a test decides.

    :ivar answers: by method and path without the query.
    :ivar seen: the requests: method, path, and the value of Authorization.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.answers: dict[tuple[str, str], Answer] = {}
        self.seen: list[tuple[str, str, str | None]] = []
        own = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                own.seen.append((self.command, path, self.headers.get("Authorization")))
                status, headers, body = own.answers.get((self.command, path), (404, {}, {}))
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815  (http.server calls them so)

            def log_message(self, *_arguments: t.Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key, which is its own authority."""
    made = self_signed("localhost", names=["localhost", "127.0.0.1"])
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(made.pem)
    return path


@pytest.fixture
def servers(certificate: Path) -> t.Iterator[tuple[Server, Server]]:
    """A cloud, and a host that is not the cloud's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    cloud, foreign = Server(context), Server(context)
    endpoints = {
        "name": "Local",
        "resourceManager": cloud.url,
        "authentication": {"loginEndpoint": cloud.url, "audiences": [cloud.url]},
    }
    tokens = f"{cloud.url}/{TENANT}/oauth2/v2.0"
    directory = {"token_endpoint": f"{tokens}/token", "authorization_endpoint": f"{tokens}/authorize"}
    directory["issuer"] = f"{cloud.url}/{TENANT}/v2.0"
    cloud.answers["GET", "/metadata/endpoints"] = (200, {}, endpoints)
    cloud.answers["GET", f"/{TENANT}/v2.0/.well-known/openid-configuration"] = (200, {}, directory)
    token = {"token_type": "Bearer", "access_token": "the-token", "expires_in": 3600}
    cloud.answers["POST", f"/{TENANT}/oauth2/v2.0/token"] = (200, {}, token)
    yield cloud, foreign
    cloud.close()
    foreign.close()


@pytest.fixture
def session(servers: tuple[Server, Server], certificate: Path) -> t.Iterator[AzureSession]:
    """A session with the cloud."""
    params = {
        "cloud_environment": servers[0].url,
        "cloud_ca_path": str(certificate),
        "client_id": "me",
        "tenant": TENANT,
        "secret": "secret",
        "subscription_id": SUBSCRIPTION,
    }
    with AzureSession.from_params(params, wait_timeout=30) as session:
        yield session


def follow_next_link(session: AzureSession) -> None:
    session.arm.list(GROUP)


def follow_next_link_of_compute(session: AzureSession) -> None:
    session.pages("list", "VMs", session.compute.virtual_machines.list, "g")


def wait_for_operation(session: AzureSession) -> None:
    session.arm.begin(WORK, "PUT", NIC, {}).wait()


def delete(session: AzureSession) -> None:
    session.arm.begin(WORK, "DELETE", NIC).wait()


VMS = f"{GROUP}/providers/Microsoft.Compute/virtualMachines"
BODY = {"id": NIC, "properties": {"provisioningState": "Updating"}}
CASES = [
    (follow_next_link, "GET", GROUP, (200, {}, {"value": [], "nextLink": "{foreign}/next"})),
    (follow_next_link_of_compute, "GET", VMS, (200, {}, {"value": [], "nextLink": "{foreign}/next"})),
    (follow_next_link, "GET", GROUP, (200, {}, {"value": [], "nextLink": "{foreign}\\@{cloud_host}/next"})),
    (follow_next_link, "GET", GROUP, (307, {"Location": "{foreign}/there"}, {})),
    (follow_next_link, "GET", GROUP, (307, {"Location": "{foreign}\\@{cloud_host}/there"}, {})),
    (wait_for_operation, "PUT", NIC, (201, {"Azure-AsyncOperation": "{foreign}/operation"}, BODY)),
    (wait_for_operation, "PUT", NIC, (202, {"Location": "{foreign}/operation"}, BODY)),
    (wait_for_operation, "PUT", NIC, (202, {"Location": "{foreign}\\@{cloud_host}/operation"}, BODY)),
    (delete, "DELETE", NIC, (202, {"Location": "{foreign}/operation"}, {})),
    (wait_for_operation, "PUT", NIC, (307, {"Location": "{foreign}/there"}, {})),
    (wait_for_operation, "PUT", NIC, (308, {"Location": "{cloud}/there"}, {})),
]


@pytest.mark.parametrize(("act", "method", "path", "answer"), CASES)
def test_no_answer_leads_a_token_or_a_body_elsewhere(
    servers: tuple[Server, Server],
    session: AzureSession,
    act: t.Callable[[AzureSession], None],
    method: str,
    path: str,
    answer: Answer,
) -> None:
    cloud, foreign = servers
    text = json.dumps(answer).replace("{foreign}", foreign.url).replace("{cloud}", cloud.url)
    text = text.replace("{cloud_host}", cloud.url.partition("://")[2])
    cloud.answers[method, path] = tuple(json.loads(text))
    for port in (cloud, foreign):
        for verb in ("GET", "PUT"):
            port.answers[verb, "/there"] = port.answers[verb, "/operation"] = (200, {}, {"status": "Succeeded"})
    with pytest.raises(AzureError) as caught:
        act(session)
    assert foreign.seen == []
    assert not any(path == "/there" for _method, path, _authorization in cloud.seen)
    if answer[0] not in (307, 308) or method == "GET":
        assert foreign.url in str(caught.value)


def test_a_redirect_of_a_read_within_the_cloud_is_followed(
    servers: tuple[Server, Server], session: AzureSession
) -> None:
    cloud, _foreign = servers
    cloud.answers["GET", GROUP] = (307, {"Location": f"{cloud.url}/there"}, {})
    cloud.answers["GET", "/there"] = (200, {}, {"value": [1]})
    assert session.arm.list(GROUP) == [1]


def test_a_key_vault_leads_nowhere_else(servers: tuple[Server, Server], session: AzureSession) -> None:
    vault, foreign = servers
    vault.answers["GET", "/secrets/ca/versions"] = (307, {"Location": f"{foreign.url}/there"}, {})
    with (
        KeyVault(session.auth_method, session.auth_target, vault.url) as client,
        pytest.raises(AzureError, match="another host"),
    ):
        client.versions("ca")
    assert foreign.seen == []


def test_a_password_in_netrc_replaces_no_token(
    servers: tuple[Server, Server], session: AzureSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    cloud, _foreign = servers
    cloud.answers["GET", GROUP] = (200, {}, {"value": []})
    session.arm.list(GROUP)
    assert [sent for _method, path, sent in cloud.seen if path == GROUP] == ["Bearer the-token"]
    # Neither does one go to the token service, which wants none.
    assert {sent for _method, path, sent in cloud.seen if path != GROUP} == {None}


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://management.azure.com/subscriptions", True),
        ("https://MANAGEMENT.azure.com:443/", True),
        ("https://westeurope.management.azure.com/operations/1", True),
        ("http://management.azure.com/", False),
        ("https://management.azure.com:8443/", False),
        ("https://management.azure.com.evil.example/", False),
        ("https://evilmanagement.azure.com/", False),
        ("https://management.azure.com@evil.example/", False),
        (r"https://evil.example\@management.azure.com/", False),
        (r"https://evil.example\.management.azure.com/", False),
        ("https://management.azure.com:port/", False),
        ("https://[management.azure.com/", False),
        ("/relative", False),
        ("", False),
    ],
)
def test_regional_endpoints_belong_to_the_service_and_others_do_not(url: str, same: bool) -> None:
    assert is_same_service(url, "https://management.azure.com") is same


def test_an_address_that_cannot_be_read_is_refused_as_another_host() -> None:
    with pytest.raises(foreign_host_error(), match="an invalid address, which is another host"):
        check_same_service("https://[management.azure.com/", "https://management.azure.com")
