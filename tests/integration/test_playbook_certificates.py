# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates as the playbooks renew, replace, repair and sign them, judged by the docker CLI and openssl."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.operations import OperationInfo

from .conftest import User, needs_docker
from .watch import Watch


@pytest.mark.slow
@needs_docker
def test_new_certificates_for_all(user: User) -> None:
    user.write_inventory(["n1", "n2"])
    arguments = ("-i", "inventory.json", "-e", "docker_host_targets=docker_hosts")
    user.play("create_docker_host", *arguments)
    old = user.contents()
    with Watch(user, ["n1", "n2"]) as watch:
        user.play("rotate_docker_certs", *arguments)
    watch.check()
    new = user.contents()
    for path in ("cert.pem", "servers/n1/cert.pem", "servers/n2/cert.pem"):
        assert new[f".docker/{path}"] != old[f".docker/{path}"]
    assert new[".docker/ca.pem"] == old[".docker/ca.pem"]
    assert new[".docker/key.pem"] == old[".docker/key.pem"]
    for name in ("n1", "n2"):
        user.docker("--context", name, "info")
    assert user.play("create_docker_host", *arguments).changed == {"n1": 0, "n2": 0}


@pytest.mark.slow
@needs_docker
def test_new_ca_with_an_interruption(user: User) -> None:
    user.write_inventory(["n1", "n2"])
    arguments = ("-i", "inventory.json", "-e", "docker_host_targets=docker_hosts")
    user.play("create_docker_host", *arguments)
    old = user.contents()
    with Watch(user, ["n1", "n2"]) as watch:
        user.azure.fault("status", method="PUT", path="/virtualMachines/n2/extensions/", nth=2, times=1, status=400)
        broken = user.play("rotate_docker_certs", *arguments, rotate="ca", fails=True)
        assert "n2" in broken.output
        user.azure.faults_clear()
        ran = user.play("rotate_docker_certs", *arguments, rotate="ca")
    watch.check()
    new = user.contents()
    assert new[".docker/ca.pem"] != old[".docker/ca.pem"]
    assert new[".docker/ca.pem"].count(b"BEGIN CERTIFICATE") == 1
    for name in ("n1", "n2"):
        user.docker("--context", name, "info")
    assert ran.changed["n2"] > 0
    assert user.play("create_docker_host", *arguments).changed == {"n1": 0, "n2": 0}


@pytest.mark.slow
@needs_docker
def test_new_address_mends_the_certificate(user: User) -> None:
    user.play("create_docker_host", name="web1")
    old = user.contents()
    gone = user.home / "gone.yml"
    options = {
        "name": "web1",
        "resource_group": user.variables["docker_host_resource_group"],
        "state": "absent",
    }
    task = {"dockerhost.azure.docker_vm_host": options}
    gone.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    user.play(str(gone))
    user.play("create_docker_host", name="web1")
    new = user.contents()
    assert new[".docker/ca.pem"] == old[".docker/ca.pem"]
    user.docker("--context", "web1", "info")
    user.docker("--tlsverify", "-H", f"tcp://{user.address('web1')}:4243", "info")


@pytest.mark.slow
@needs_docker
def test_another_public_address(user: User) -> None:
    """The machine stays and its address changes, by Azure's own means: the next run updates certificate and context."""
    user.play("create_docker_host", name="web1", assign_dns_label=False)
    before, old = user.address("web1"), user.contents()
    azure = user.azure
    options = {
        "cloud_environment": azure.url, "cloud_ca_path": azure.ca_file, "tenant": azure.tenant,
        "client_id": azure.client_id, "secret": azure.secret, "subscription_id": azure.subscription_id,
    }  # fmt: skip
    with AzureSession.from_params(options) as session:
        network = f"{session.group_id(user.variables['docker_host_resource_group'])}/providers/Microsoft.Network"
        interface = session.arm.get(f"{network}/networkInterfaces/web1-nic")
        (configuration,) = interface["properties"]["ipConfigurations"]
        public = configuration["properties"].pop("publicIPAddress")
        session.arm.put(interface["id"], interface)
        azure.settle()
        address = session.arm.get(public["id"])
        session.arm.begin(
            OperationInfo("web1", "address", "Deleting", "delete", "web1-ip"), "DELETE", public["id"]
        ).wait()
        kept = {key: address[key] for key in ("location", "sku", "tags", "zones") if key in address}
        for path in (f"{network}/publicIPAddresses/somebody-elses", public["id"]):
            session.arm.put(path, {**kept, "properties": {"publicIPAllocationMethod": "Static"}})
            azure.settle()
        configuration["properties"]["publicIPAddress"] = {"id": public["id"]}
        session.arm.put(interface["id"], interface)
        azure.settle()
    after = user.address("web1")
    assert after != before
    ran = user.play("create_docker_host", name="web1", assign_dns_label=False)
    assert ran.changed["localhost"] >= 3
    assert user.contents()[".docker/ca.pem"] == old[".docker/ca.pem"]
    assert f'"tcp://{after}:4243"' in user.docker("context", "inspect", "web1")
    user.docker("--context", "web1", "info")
    assert user.play("create_docker_host", name="web1", assign_dns_label=False).changed == {"localhost": 0}


@pytest.mark.slow
def test_lost_certificates_stop_before_anybody_is_cut_off(user: User) -> None:
    user.play("create_docker_host", name="web1")
    user.docker_directory.rename(user.home / "lost")
    user.writes()
    ran = user.play("create_docker_host", name="web1", fails=True)
    assert "its engine trusts the CA" in ran.output
    assert user.writes() == []


def test_a_person_gets_a_certificate_for_a_key_that_stays_where_it_is(user: User) -> None:
    request = user.make_request("anna")
    asked = {"client_name": "anna", "client_not_after": "+90d"}
    refused = user.play("sign_docker_client", fails=True, **asked, client_request=str(request)).output
    assert "needs the CA that the hosts trust" in refused
    arguments = ("-m", "dockerhost.azure.docker_tls_certs", "-a", json.dumps({"cert_dir": str(user.docker_directory)}))
    assert user.run("ansible", "localhost", "-c", "local", *arguments).code == 0
    # As a file, and as a survey sends it.
    for given in (str(request), request.read_text()):
        output = user.play("sign_docker_client", **asked, client_request=given).output
        assert "Signed for anna, valid until 20" in output
        pems = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", output, re.DOTALL)
        for name, pem in zip(("cert", "ca"), pems, strict=True):
            (user.home / f"{name}.pem").write_text(f"{pem}\n")
        verified = user.run("openssl", "verify", "-purpose", "sslclient", "-CAfile", "ca.pem", "cert.pem")
        assert verified.code == 0, verified.output
    assert (user.home / "ca.pem").read_bytes() == (user.docker_directory / "ca.pem").read_bytes()
    assert (
        "nothing was signed" in user.play("sign_docker_client", "--check", **asked, client_request=str(request)).output
    )
    assert user.writes() == []
