# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source ``me``: the address of this machine, as an HTTPS service on loopback sees it."""

from __future__ import annotations

import http.server
import ssl
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.host_spec import read_host_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.own_address import with_own_address
from azure_emulator.self_signed import self_signed

from .conftest import parameters


class Service:
    """An HTTPS service on loopback.

    :ivar answer: what it answers.
    :ivar asked: how often it was asked.
    """

    def __init__(self, directory: Path) -> None:
        self.answer = "203.0.113.9\n"
        self.asked = 0
        self.certificate = directory / "service.pem"
        made = self_signed("service", names=["127.0.0.1"])
        self.certificate.write_bytes(made.cert_pem)
        key = directory / "service.key"
        key.write_bytes(made.key_pem)
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(service.answer.encode())

            def log_message(self, *_arguments: t.Any) -> None:
                """Keep the output of the tests clean."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Service]:
    running = Service(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.certificate))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield running
    running.server.shutdown()
    running.server.server_close()


def resolved(service: Service, **given: t.Any) -> t.Mapping[str, t.Any]:
    return with_own_address(parameters(address_service=service.url, **given))


def test_every_source_me_is_the_address_that_the_service_sees(service: Service) -> None:
    opened = [80, {"port": 443, "allowed_sources": ["me", "192.0.2.0/24"]}, {"port": 53, "allowed_sources": "me"}]
    params = resolved(service, allowed_sources=["me"], ssh_allowed_sources=["192.0.2.1", "me"], open_ports=opened)
    assert params["allowed_sources"] == ["203.0.113.9"]
    assert params["ssh_allowed_sources"] == ["192.0.2.1", "203.0.113.9"]
    assert params["open_ports"] == [
        80,
        {"port": 443, "allowed_sources": ["192.0.2.0/24", "203.0.113.9"]},
        {"port": 53, "allowed_sources": ["203.0.113.9"]},
    ]
    assert service.asked == 1
    rules = {rule.ports: rule.sources for rule in read_host_spec(params).inbound_rules}
    assert rules["4243"] == ("203.0.113.9",)


def test_an_address_within_another_source_is_left_out(service: Service) -> None:
    assert resolved(service, allowed_sources=["203.0.113.0/24", "me"])["allowed_sources"] == ["203.0.113.0/24"]


def test_nobody_is_asked_without_me(service: Service) -> None:
    assert resolved(service, allowed_sources=["203.0.113.0/24"], open_ports=[80])["open_ports"] == [80]
    assert service.asked == 0


@pytest.mark.parametrize("answer", ["", "<html>sign in</html>", "2001:db8::1", "203.0.113.9, 10.0.0.1"])
def test_an_answer_that_is_not_an_address_is_an_error_with_a_remedy(service: Service, answer: str) -> None:
    service.answer = answer
    with pytest.raises(
        OptionError, match=r"allowed_sources: 'me' needs the IPv4 address of this machine, but .* answers"
    ):
        resolved(service, allowed_sources=["me"])


def test_a_service_that_cannot_be_asked_is_an_error_with_a_remedy(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(
        OptionError, match=r"cannot be queried \(.*certificate.*set address_service to an HTTPS service"
    ):
        resolved(service, ssh_allowed_sources=["me"])


def test_me_stands_beside_addresses_and_not_beside_a_service_tag() -> None:
    assert read_host_spec(parameters(allowed_sources=["me", "192.0.2.1"]))
    with pytest.raises(OptionError, match="must not contain anything else with 'Internet'"):
        read_host_spec(parameters(allowed_sources=["me", "Internet"]))


@pytest.mark.parametrize("spelling", ["ME", "Me", " me"])
def test_me_in_another_spelling_is_no_service_tag(spelling: str) -> None:
    with pytest.raises(OptionError, match=r"allowed_sources\[1\].* must be written 'me'"):
        read_host_spec(parameters(allowed_sources=["10.0.0.0/8", spelling]))
