# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that do not go together, and what becomes of those that do."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.options import azure_argument_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host import machine
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.facts import Facts
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.layout import lay_out
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.names import Names
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.options import SPEC

from .conftest import KEY, SUBSCRIPTION, plan_of, wanted

GOOD = "Abcdefghij12"


BAD: list[tuple[str, dict[str, t.Any]]] = [
    ("name", {"name": "_web"}),
    ("resource_group", {"resource_group": "rg."}),
    ("location", {"location": "west-europe"}),
    ("vm_size", {"vm_size": "big"}),
    ("image", {"image": "nonsense"}),
    ("image", {"image": "a:b:c"}),
    ("image", {"image": {"publisher": "a"}}),
    ("image", {"image": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"}),
    ("docker_port", {"docker_port": 0}),
    ("docker_port", {"docker_port": 22}),
    ("docker_port", {"docker_port": 2222, "ssh_port": 2222}),
    ("ssh_port", {"ssh_port": 70000}),
    ("allowed_sources", {"allowed_sources": ["Internet", "10.0.0.0/8"]}),
    ("ssh_allowed_sources[0]", {"ssh_allowed_sources": ["10.0.0.0/33"]}),
    ("open_ports[1]", {"open_ports": [80, "x"]}),
    ("open_ports[0]", {"open_ports": [{"port": 80, "from": "x"}]}),
    ("open_ports[0]", {"open_ports": ["80/icmp"]}),
    ("open_ports[0]", {"open_ports": ["4000-5000"]}),
    ("open_ports", {"open_ports": [80, "80/tcp"]}),
    ("admin_username", {"admin_username": "root"}),
    ("admin_password", {"admin_password": "short"}),
    ("ssh_password_enabled", {"admin_password": GOOD, "ssh_password_enabled": False}),
    ("ssh_password_enabled", {"ssh_password_enabled": True}),
    ("ssh_private_key_path", {"ssh_private_key_path": "/x", "admin_password": GOOD}),
    ("ssh_public_keys", {"ssh_public_keys": ["/does/not/exist.pub"]}),
    ("ssh_public_keys", {"ssh_public_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"]}),
    ("ssh_public_keys", {"ssh_public_keys": ["ecdsa-sha2-nistp256 " + "A" * 60]}),
    ("ssh_public_keys", {"ssh_public_keys": ["ssh-rsa " + "A" * 200]}),
    ("zone", {"zone": "4"}),
    ("dns_label", {"dns_label": "x"}),
    ("dns_label", {"dns_label": "abc", "assign_dns_label": False}),
    ("dns_label", {"dns_label": "abc", "assign_public_ip": False}),
    ("public_ip_address", {"public_ip_address": "ip", "assign_public_ip": False}),
    ("availability_set", {"availability_set": "a", "priority": "Spot"}),
    ("eviction_policy", {"eviction_policy": "Delete"}),
    ("max_price", {"max_price": 0.1}),
    ("max_price", {"max_price": -2, "priority": "Spot"}),
    ("eviction_policy", {"priority": "Spot", "ephemeral_os_disk": True, "eviction_policy": "Deallocate"}),
    ("virtual_network_prefix", {"virtual_network_prefix": "10.0.0.1/16"}),
    ("subnet_prefix", {"subnet_prefix": "10.1.0.0/24"}),
    ("subnet_prefix", {"subnet_prefix": "10.0.0.0/30"}),
    ("private_ip_address", {"private_ip_address": "10.0.0.3"}),
    ("private_ip_address", {"private_ip_address": "10.0.1.4"}),
    ("private_ip_address", {"private_ip_address": "x"}),
    ("wait_timeout", {"wait_timeout": 0}),
    ("data_disks", {"data_disks": [{"lun": 0, "disk_size_gb": 8}, {"lun": 0, "disk_size_gb": 9}]}),
    ("data_disks[0].lun", {"data_disks": [{"lun": 64, "disk_size_gb": 8}]}),
    ("data_disks[0].disk_size_gb", {"data_disks": [{"lun": 0, "disk_size_gb": 0}]}),
    ("os_disk_size_gb", {"os_disk_size_gb": 9999}),
    ("custom_data", {"custom_data": "x" * 65536}),
    ("custom_data", {"custom_data": "Content-Type: x", "ssh_port": 2222}),
    ("vm_identity", {"vm_identity": {"type": "UserAssigned"}}),
    ("vm_identity", {"vm_identity": {"type": "None", "user_assigned_identities": ["a"]}}),
    ("tags", {"tags": {"docker-host": "x"}}),
    ("max_price", {"max_price": 0.1234567, "priority": "Spot"}),
    ("open_ports", {"open_ports": [80], "security_group": "nsg"}),
    ("ssh_allowed_sources", {"ssh_allowed_sources": ["Internet"], "network_interface": "nic"}),
    ("enable_accelerated_networking", {"enable_accelerated_networking": True, "network_interface": "nic"}),
    (
        "security_profile.v_tpm_enabled",
        {"security_profile": {"security_type": "Standard", "v_tpm_enabled": True}},
    ),
    ("license_type", {"license_type": "Windows_Server"}),
    ("license_type", {"license_type": "rhel"}),
    ("user_data", {"user_data": "x" * 65536}),
    ("subnet_name", {"subnet_name": "a b"}),
    ("subnet_name", {"subnet_name": "a-"}),
    ("virtual_network_prefix", {"virtual_network_prefix": "10.0.0.0/30"}),
    ("virtual_network_prefix", {"virtual_network_prefix": "169.254.0.0/16", "subnet_prefix": "169.254.0.0/24"}),
    ("virtual_network_prefix", {"virtual_network_prefix": "168.0.0.0/8", "subnet_prefix": "168.0.0.0/24"}),
]


@pytest.mark.parametrize(("option", "given"), BAD)
def test_bad_input_names_its_option(option: str, given: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError) as caught:
        wanted(**given)
    assert caught.value.option == option


# References, of which form and type are checked when the subscription is known.
REFERENCES = (
    "availability_set",
    "proximity_placement_group",
    "virtual_network",
    "security_group",
    "public_ip_address",
    "network_interface",
)


@pytest.mark.parametrize("option", REFERENCES)
@pytest.mark.parametrize(
    "text", ["a b", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/x", ":", "a:b:c d"]
)
def test_bad_references_name_their_option(option: str, text: str) -> None:
    more = {"subnet_name": "s"} if option == "virtual_network" else {}
    host = wanted(**{option: text}, **more)
    with pytest.raises(OptionError) as caught:
        plan_of(host, Facts())
    assert caught.value.option == option


def test_every_option_that_can_be_wrong_is_among_the_bad_input() -> None:
    """What Ansible itself checks (choices, truth values, required sub-options) apart."""
    covered = {option.partition("[")[0].partition(".")[0] for option, _given in BAD} | set(REFERENCES)
    of_azure = set(azure_argument_spec().argument_spec)
    left = {
        name
        for name, option in SPEC.argument_spec.items()
        if name not in covered | of_azure and option.get("type") != "bool" and "choices" not in option
    }
    assert left == {"plan"}


def test_every_form_of_an_open_port() -> None:
    host = wanted(
        ssh_allowed_sources=["10.0.0.0/8"],
        open_ports=[80, "8000-8010", "53/udp", {"port": "443", "allowed_sources": ["10.0.0.0/8", "203.0.113.7"]}],
    )
    assert [(entry.name, entry.protocol, entry.ports, entry.sources) for entry in host.openings] == [
        ("docker-host-docker", "Tcp", "4243", ("Internet",)),
        ("docker-host-ssh", "Tcp", "22", ("10.0.0.0/8",)),
        ("docker-host-open-80-tcp", "Tcp", "80", ("Internet",)),
        ("docker-host-open-8000-8010-tcp", "Tcp", "8000-8010", ("Internet",)),
        ("docker-host-open-53-udp", "Udp", "53", ("Internet",)),
        ("docker-host-open-443-tcp", "Tcp", "443", ("10.0.0.0/8", "203.0.113.7")),
    ]


def test_the_docker_port_can_be_closed() -> None:
    assert wanted(allowed_sources=[]).openings == ()


def test_a_public_key_is_taken_as_text_and_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "id.pub"
    file.write_text(f"{KEY}\n")
    assert wanted(ssh_public_keys=[KEY]).ssh_public_keys == (KEY,)
    assert wanted(ssh_public_keys=[str(file)]).ssh_public_keys == (KEY,)


def test_a_password_asks_for_signing_in_by_it_and_is_not_shown() -> None:
    host = wanted(admin_password=GOOD)
    assert host.ssh_password_enabled
    assert not host.needs_generated_key
    assert GOOD not in repr(host)


@pytest.mark.parametrize(
    ("name", "beginning"),
    [("web1", "web1-"), ("Web_1.x", "web-1-x-"), ("1st", "host-1st-"), ("a" * 64, "a" * 54 + "-")],
)
def test_default_labels_are_labels(name: str, beginning: str) -> None:
    label = Names(SUBSCRIPTION, "rg", name).default_dns_label
    assert label.startswith(beginning)
    wanted(dns_label=label)


def test_default_labels_differ_by_group_and_not_by_case() -> None:
    labels = {Names(SUBSCRIPTION, group, "web1").default_dns_label for group in ("rg", "other", "RG")}
    assert len(labels) == 2


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("net", "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net"),
        ("shared:net", "/subscriptions/S/resourceGroups/shared/providers/Microsoft.Network/virtualNetworks/net"),
        (
            "/subscriptions/T/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/net",
            "/subscriptions/T/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/net",
        ),
    ],
)
def test_references(text: str, path: str) -> None:
    assert Names("S", "rg", "web1").resolve("virtual_network", "virtual_network", text) == path


@pytest.mark.parametrize(
    "text", ["", "a b", "/subscriptions/T/resourceGroups/g/providers/Microsoft.Network/loadBalancers/x"]
)
def test_references_to_nothing(text: str) -> None:
    with pytest.raises(OptionError):
        Names("S", "rg", "web1").resolve("virtual_network", "virtual_network", text)


def test_an_existing_network_needs_a_subnet() -> None:
    with pytest.raises(OptionError, match="subnet_name"):
        lay_out(wanted(virtual_network="net"), SUBSCRIPTION)


@pytest.mark.parametrize("own", ["#cloud-config\npackages: [jq]\n", "#!/bin/sh\necho hello\n"])
def test_custom_data_and_another_ssh_port_are_merged(own: str) -> None:
    import email

    data = machine.custom_data(wanted(custom_data=own, ssh_port=2222))
    parts = t.cast("list[t.Any]", email.message_from_string(str(data)).get_payload())
    assert parts[0].get_content_type() == "text/cloud-config"
    assert "Port 2222" in parts[0].get_payload()
    assert parts[1].get_payload().strip() == own.strip()
    assert machine.custom_data(wanted(custom_data=own)) == own
    assert "ListenStream=2222" in str(machine.custom_data(wanted(ssh_port=2222)))
    assert machine.custom_data(wanted()) is None
