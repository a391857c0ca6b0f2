# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that do not go together, and what becomes of those that do."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.argument_spec import azure_argument_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.argument_spec import EXCLUSIVE, SPEC
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.current.state import HostState
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.resource_names import ResourceNames
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.topology import resolve_resources

from ..conftest import KEY, SUBSCRIPTION, desired, plan_of

GOOD = "Abcdefghij12"


def short_rsa() -> str:
    """A key that was long enough once."""
    key = rsa.generate_private_key(65537, 1024).public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


BAD: list[tuple[str, dict[str, t.Any], tuple[str, ...]]] = [
    ("name", {"name": "_web"}, ("'_web'", "1 to 64 letters")),
    ("address", {"address": "web1:4243"}, ("'web1:4243'",)),
    ("address", {"address": "https://web1"}, ("'https://web1'",)),
    ("dns_names[1]", {"dns_names": ["web1.example.org", "web 1"]}, ("'web 1'",)),
    ("dns_names[0]", {"dns_names": ["10.0.0.1"]}, ("'10.0.0.1'", "ip_addresses")),
    ("ip_addresses[1]", {"ip_addresses": ["10.0.0.1", "10.0.0.256"]}, ("'10.0.0.256'",)),
    ("resource_group", {"resource_group": "rg."}, ("'rg.'", "1 to 90 letters")),
    ("location", {"location": "west-europe"}, ("'west-europe'", "westeurope")),
    ("vm_size", {"vm_size": "big"}, ("'big'", "Standard_B2s_v2")),
    ("image", {"image": "nonsense"}, ("'nonsense'", "publisher:offer:sku:version", "debian-12")),
    ("image", {"image": "Debian-11"}, ("'Debian-11'", "choose debian-13", "Debian:debian-11:11-gen2:latest")),
    ("image", {"image": "a:b:c"}, ("'a:b:c'", "publisher:offer:sku:version")),
    ("image", {"image": {"publisher": "a"}}, ("{'publisher': 'a'}", "publisher, offer, sku")),
    ("image", {"image": {}}, ("{}", "publisher, offer, sku")),
    ("image", {"image": []}, ("'[]'", "publisher:offer:sku:version")),
    ("image", {"image": False}, ("'False'", "publisher:offer:sku:version")),
    (
        "image",
        {"image": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"},
        ("Microsoft.Compute/disks/d'", "managed image or of a gallery image"),
    ),
    ("plan.name", {"plan": {"name": "", "product": "b", "publisher": "c"}}, ("''", "Leave plan out")),
    ("plan.product", {"plan": {"name": "a", "product": " ", "publisher": "c"}}, ("' '", "Leave plan out")),
    ("plan.publisher", {"plan": {"name": "a", "product": "b", "publisher": ""}}, ("''", "Leave plan out")),
    ("docker_port", {"docker_port": 0}, ("0", "1 to 65535")),
    ("docker_port", {"docker_port": 22}, ("22", "choose another")),
    ("docker_port", {"docker_port": 2222, "ssh_port": 2222}, ("2222", "choose another")),
    ("ssh_port", {"ssh_port": 70000}, ("70000", "1 to 65535")),
    ("allowed_sources", {"allowed_sources": ["Internet", "10.0.0.0/8"]}, ("'Internet'", "one service tag")),
    ("ssh_allowed_sources[0]", {"ssh_allowed_sources": ["10.0.0.0/33"]}, ("'10.0.0.0/33'", "CIDR")),
    ("open_ports[1]", {"open_ports": [80, "x"]}, ("'x'", "80 or 8000-8010")),
    ("open_ports[0]", {"open_ports": [{"port": 80, "from": "x"}]}, ("port", "protocol and allowed_sources")),
    ("open_ports[0]", {"open_ports": ["80/icmp"]}, ("'icmp'", "tcp or udp")),
    ("open_ports[0]", {"open_ports": ["4000-5000"]}, ("4000-5000", "allowed_sources")),
    ("open_ports", {"open_ports": [80, "80/tcp"]}, ("80", "twice")),
    ("admin_username", {"admin_username": "root"}, ("'root'", "Azure allows")),
    ("admin_password", {"admin_password": "short"}, ("got 5", "12 to 72")),
    ("ssh_password_enabled", {"admin_password": GOOD, "ssh_password_enabled": False}, ("false", "leave out one")),
    ("ssh_password_enabled", {"ssh_password_enabled": True}, ("needs", "admin_password")),
    ("ssh_private_key_path", {"ssh_private_key_path": "/x", "admin_password": GOOD}, ("'/x'", "leave it out")),
    ("ssh_public_keys[0]", {"ssh_public_keys": ["/does/not/exist.pub"]}, ("'/does/not/exist.pub'", "an existing file")),
    ("ssh_public_keys[0]", {"ssh_public_keys": ["~nosuchuser/x.pub"]}, ("'~nosuchuser/x.pub'", "must be a path")),
    ("ssh_public_keys[0]", {"ssh_public_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"]}, ("private key", ".pub")),
    (
        "ssh_public_keys[0]",
        {"ssh_public_keys": ["ecdsa-sha2-nistp256 " + "A" * 60]},
        ("ecdsa", "ssh-rsa", "ssh-ed25519"),
    ),
    ("ssh_public_keys[0]", {"ssh_public_keys": ["ssh-rsa " + "A" * 200]}, ("ssh-rsa AAAA", "valid ssh-rsa key")),
    ("ssh_public_keys[0]", {"ssh_public_keys": [short_rsa()]}, ("ssh-rsa AAAA", "2048 bits")),
    (
        "ssh_public_keys[0]",
        {"ssh_public_keys": [KEY.replace("8d me", "8 me")]},
        ("ssh-ed25519 AAAA", "valid ssh-ed25519 key"),
    ),
    ("ssh_public_keys[0]", {"ssh_public_keys": [KEY.replace("ssh-ed25519", "ssh-rsa")]}, ("ssh-rsa", "damaged")),
    ("zone", {"zone": "4"}, ("'4'", "1, 2 or 3")),
    ("dns_label", {"dns_label": "x"}, ("'x'", "3 to 63")),
    (
        "dns_label",
        {"dns_label": "abc", "assign_dns_label": False},
        ("'abc'", "assign_dns_label: false", "one of the two"),
    ),
    (
        "dns_label",
        {"dns_label": "abc", "assign_public_ip": False},
        ("'abc'", "assign_public_ip: false", "one of the two"),
    ),
    ("public_ip_address", {"public_ip_address": "ip", "assign_public_ip": False}, ("'ip'", "assign_public_ip: false")),
    ("availability_set", {"availability_set": "a", "priority": "Spot"}, ("'a'", "Spot", "one of the two")),
    ("eviction_policy", {"eviction_policy": "Delete"}, ("'Delete'", "needs priority: Spot")),
    ("max_price", {"max_price": 0.1}, ("0.1", "needs priority: Spot")),
    ("max_price", {"max_price": -2, "priority": "Spot"}, ("-2.0", "or -1")),
    ("max_price", {"max_price": float("inf"), "priority": "Spot"}, ("inf", "or -1")),
    ("max_price", {"max_price": float("nan"), "priority": "Spot"}, ("nan", "or -1")),
    ("max_price", {"max_price": 0.1234567, "priority": "Spot"}, ("0.1234567", "five decimal places")),
    (
        "eviction_policy",
        {"priority": "Spot", "ephemeral_os_disk": True, "eviction_policy": "Deallocate"},
        ("must be Delete", "got Deallocate"),
    ),
    (
        "managed_disk_type",
        {"ephemeral_os_disk": True, "managed_disk_type": "Premium_ZRS"},
        ("'Premium_ZRS'", "end in _LRS"),
    ),
    ("virtual_network_prefix", {"virtual_network_prefix": "10.0.0.1/16"}, ("'10.0.0.1/16'", "CIDR")),
    (
        "virtual_network_prefix",
        {"virtual_network_prefix": "10.0.0.0/255.255.0.0"},
        ("'10.0.0.0/255.255.0.0'", "CIDR", "mean 10.0.0.0/16"),
    ),
    (
        "subnet_prefix",
        {"virtual_network_prefix": "10.0.0.0/16", "subnet_prefix": "10.1.0.0/24"},
        ("10.1.0.0/24", "10.0.0.0/16"),
    ),
    ("subnet_name", {"subnet_name": "GatewaySubnet"}, ("'GatewaySubnet'", "reserves")),
    ("subnet_name", {"subnet_name": "azurebastionsubnet"}, ("'azurebastionsubnet'", "reserves")),
    (
        "assign_public_ip",
        {"assign_public_ip": False, "network_interface": "nic"},
        ("false", "network_interface", "leave it out"),
    ),
    (
        "allowed_sources",
        {"allowed_sources": ["10.0.0.0/8"], "security_group": "nsg"},
        ("10.0.0.0/8", "security_group", "in its security group"),
    ),
    (
        "allowed_sources",
        {"allowed_sources": [], "network_interface": "nic"},
        ("[]", "network_interface", "in its security group"),
    ),
    ("tags", {"tags": {"a": "1", "A": "2"}}, ("'a'", "'A'", "ignores the case")),
    ("subnet_prefix", {"subnet_prefix": "10.0.0.0/30"}, ("10.0.0.0/30", "/29")),
    ("private_ip_address", {"private_ip_address": "x"}, ("'x'", "IPv4")),
    ("wait_timeout", {"wait_timeout": 0}, ("0", "at least 1")),
    (
        "data_disks",
        {"data_disks": [{"lun": 7, "disk_size_gb": 8}, {"lun": 7, "disk_size_gb": 9}]},
        ("different lun", "7 twice"),
    ),
    ("auto_shutdown.time", {"auto_shutdown": {"time": 1140}}, ("1140", "in quotes")),
    ("data_disks[0].lun", {"data_disks": [{"lun": 64, "disk_size_gb": 8}]}, ("64", "0 to 63")),
    ("data_disks[0].disk_size_gb", {"data_disks": [{"lun": 0, "disk_size_gb": 0}]}, ("got 0", "1 to 32767")),
    (
        "data_disks[0].caching",
        {"data_disks": [{"lun": 0, "disk_size_gb": 4096, "caching": "ReadOnly"}]},
        ("'ReadOnly'", "4096 GiB", "up to 4095", "None"),
    ),
    ("os_disk_size_gb", {"os_disk_size_gb": 9999}, ("9999", "1 to 4095")),
    ("address_service", {"address_service": "http://192.0.2.1/"}, ("https://",)),
    ("custom_data", {"custom_data": "x" * 65536}, ("65536", "65535")),
    ("custom_data", {"custom_data": "Content-Type: x", "ssh_port": 2222}, ("2222", "#cloud-config")),
    ("custom_data", {"custom_data": "#!" + "x" * 65000, "ssh_port": 2222}, ("2222", "65535")),
    ("vm_identity", {"vm_identity": {"type": "UserAssigned"}}, ("'UserAssigned'", "user_assigned_identities")),
    (
        "vm_identity",
        {"vm_identity": {"type": "None", "user_assigned_identities": ["a"]}},
        ("'None'", "the types that contain UserAssigned"),
    ),
    ("tags", {"tags": {"docker-host": "x"}}, ("'docker-host'", "the collection uses")),
    ("open_ports", {"open_ports": [80], "security_group": "nsg"}, ("security_group", "in its security group")),
    (
        "ssh_allowed_sources",
        {"ssh_allowed_sources": ["Internet"], "network_interface": "nic"},
        ("network_interface", "in its security group"),
    ),
    (
        "enable_accelerated_networking",
        {"enable_accelerated_networking": True, "network_interface": "nic"},
        ("True", "network_interface", "leave it out"),
    ),
    (
        "security_profile.v_tpm_enabled",
        {"security_profile": {"security_type": "Standard", "v_tpm_enabled": True}},
        ("needs", "TrustedLaunch"),
    ),
    ("license_type", {"license_type": "Windows_Server"}, ("'Windows_Server'", "RHEL_BYOS")),
    ("license_type", {"license_type": "rhel"}, ("'rhel'", "RHEL_BYOS")),
    ("user_data", {"user_data": "x" * 65536}, ("65536", "65535")),
    ("subnet_name", {"subnet_name": "a b"}, ("'a b'", "1 to 80")),
    ("subnet_name", {"subnet_name": "a-"}, ("'a-'", "1 to 80")),
    ("virtual_network_prefix", {"virtual_network_prefix": "10.0.0.0/30"}, ("10.0.0.0/30", "/2 to /29")),
    (
        "virtual_network_prefix",
        {"virtual_network_prefix": "169.254.0.0/16", "subnet_prefix": "169.254.0.0/24"},
        ("169.254.0.0/16", "Azure reserves"),
    ),
    (
        "virtual_network_prefix",
        {"virtual_network_prefix": "168.0.0.0/8", "subnet_prefix": "168.0.0.0/24"},
        ("168.0.0.0/8", "168.63.129.16/32"),
    ),
]


@pytest.mark.parametrize(("option", "given", "says"), BAD)
def test_bad_input_names_option_value_and_what_is_allowed(
    option: str, given: dict[str, t.Any], says: tuple[str, ...]
) -> None:
    with pytest.raises(OptionError) as caught:
        desired(**given)
    assert caught.value.option == option
    assert str(caught.value).startswith(f"{option}: ")
    assert [text for text in says if text not in str(caught.value).partition(": ")[2]] == []


@pytest.mark.parametrize(("one", "other"), [pair[:2] for pair in EXCLUSIVE])
def test_options_that_contradict_each_other(one: str, other: str) -> None:
    values = {
        "zone": "1",
        "private_ip_address": "10.0.0.9",
        "virtual_network_prefix": "10.0.0.0/16",
        "subnet_prefix": "10.0.0.0/24",
    }
    given = {option: values.get(option, f"my-{option[:3]}") for option in (one, other)}
    with pytest.raises(OptionError, match="Give one of the two") as caught:
        desired(**given)
    assert caught.value.option == other
    assert all(text in str(caught.value) for option in given for text in (option, repr(given[option])))
    # As surveys of AWX leave out an option.
    for option in (one, other):
        desired(**{**given, option: ""})


def test_nothing_is_left_to_the_argument_spec_that_an_empty_string_would_trip() -> None:
    assert list(SPEC.mutually_exclusive) == []


def test_what_a_file_holds_is_not_shown(tmp_path: Path) -> None:
    for content in ("root:$6$secret:19000::::::", "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n", "ssh-dss secret"):
        file = tmp_path / "shadow"
        file.write_text(content)
        with pytest.raises(OptionError, match=str(file)) as caught:
            desired(ssh_public_keys=[str(file)])
        assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "id.pub"
    file.write_text(KEY)

    opened = os.open

    def refuse(path: t.Any, *flags: int, **options: t.Any) -> int:
        if path == str(file):
            raise PermissionError(13, "Permission denied")
        return opened(path, *flags, **options)

    # The tests may run as root, who may read everything.
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OptionError, match=f"{file} cannot be read: Permission denied"):
        desired(ssh_public_keys=[str(file)])


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
    "text",
    [
        "a b",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/x",
        ":",
        "a:b:c d",
        ":net",
        "a/../b:net",
        "a?x=1#:net",
        "..:net",
        "/subscriptions/s/resourceGroups/a?x=1#/providers/Microsoft.Network/virtualNetworks/n",
    ],
)
def test_bad_references_name_their_option(option: str, text: str) -> None:
    more = {"subnet_name": "s"} if option == "virtual_network" else {}
    host = desired(**{option: text}, **more)
    with pytest.raises(OptionError) as caught:
        plan_of(host, HostState())
    assert caught.value.option == option


def test_every_option_that_can_be_wrong_is_among_the_bad_input() -> None:
    """What Ansible itself checks (choices, truth values, required sub-options) apart."""
    covered = {option.partition("[")[0].partition(".")[0] for option, _given, _says in BAD} | set(REFERENCES)
    of_azure = set(azure_argument_spec().argument_spec)
    # test_engine_at_boot.py and test_bad_values.py cover these.
    covered |= {"engine", "setup_program", "known_names"}
    left = {
        name
        for name, option in SPEC.argument_spec.items()
        if name not in covered | of_azure and option.get("type") != "bool" and "choices" not in option
    }
    assert left == set()


def test_every_form_of_an_open_port() -> None:
    host = desired(
        ssh_allowed_sources=["10.0.0.0/8"],
        open_ports=[80, "8000-8010", "53/udp", {"port": "443", "allowed_sources": ["10.0.0.0/8", "203.0.113.7"]}],
    )
    assert [(entry.name, entry.protocol, entry.ports, entry.sources) for entry in host.inbound_rules] == [
        ("docker-host-docker", "Tcp", "4243", ("Internet",)),
        ("docker-host-ssh", "Tcp", "22", ("10.0.0.0/8",)),
        ("docker-host-open-80-tcp", "Tcp", "80", ("Internet",)),
        ("docker-host-open-8000-8010-tcp", "Tcp", "8000-8010", ("Internet",)),
        ("docker-host-open-53-udp", "Udp", "53", ("Internet",)),
        ("docker-host-open-443-tcp", "Tcp", "443", ("10.0.0.0/8", "203.0.113.7")),
    ]


def test_the_docker_port_can_be_closed() -> None:
    assert desired(allowed_sources=[]).inbound_rules == ()


def test_a_public_key_is_taken_as_text_and_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "id.pub"
    file.write_text(f"{KEY}\n")
    assert desired(ssh_public_keys=[KEY]).ssh_public_keys == (KEY,)
    assert desired(ssh_public_keys=[str(file)]).ssh_public_keys == (KEY,)


def test_a_password_asks_for_signing_in_by_it_and_is_not_shown() -> None:
    host = desired(admin_password=GOOD)
    assert host.admin_password == GOOD
    assert not host.needs_generated_key
    assert GOOD not in repr(host)


@pytest.mark.parametrize(
    ("name", "beginning"),
    [("web1", "web1-"), ("Web_1.x", "web-1-x-"), ("1st", "host-1st-"), ("a" * 64, "a" * 54 + "-")],
)
def test_default_labels_are_labels(name: str, beginning: str) -> None:
    label = ResourceNames(SUBSCRIPTION, "rg", name).default_dns_label
    assert label.startswith(beginning)
    desired(dns_label=label)


def test_default_labels_differ_by_group_and_not_by_case() -> None:
    labels = {ResourceNames(SUBSCRIPTION, group, "web1").default_dns_label for group in ("rg", "other", "RG")}
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
    assert ResourceNames("S", "rg", "web1").resolve("virtual_network", "virtual_network", text) == path


@pytest.mark.parametrize(
    "text", ["", "a b", "/subscriptions/T/resourceGroups/g/providers/Microsoft.Network/loadBalancers/x"]
)
def test_references_to_nothing(text: str) -> None:
    with pytest.raises(OptionError):
        ResourceNames("S", "rg", "web1").resolve("virtual_network", "virtual_network", text)


def test_an_existing_network_needs_a_subnet() -> None:
    with pytest.raises(OptionError, match="subnet_name"):
        resolve_resources(desired(virtual_network="net"), SUBSCRIPTION)
