# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: RUF001  (digits of other scripts are bad values)

"""Every option of every module and every variable of the role, with values that its documentation forbids.

Each is refused before the first request: nobody is signed in here, so that a task that accepts its options ends with
another error. The error names the option, or the role's variable, and the user's own index.
"""

from __future__ import annotations

import copy
import importlib
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.argument_spec import azure_argument_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import STAGES, UNSET, RoleVariables
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out

Options = dict[str, t.Any]
Spec = t.Mapping[str, t.Mapping[str, t.Any]]
PACKAGE = "ansible_collections.dockerhost.azure.plugins.module_utils."
GUID = "00000000-0000-0000-0000-000000000000"
VM = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web1"
OTHER_ID = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
LONG = "a" * 300
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
PEM = "-----BEGIN CERTIFICATE-----"

MODULES = {
    "docker_vm_host": "_vm_host.task",
    "docker_vm_host_info": "_vm_host.info_task",
    "docker_vm_image_info": "_vm_host.image_info_task",
    "docker_vm_extension": "_extension.task",
    "docker_tls_certs": "_vault.task",
    "docker_tls_certs_info": "_vault.info_task",
    "docker_context": "_docker.context_task",
    "docker_context_info": "_docker.context_info_task",
    "docker_endpoint_info": "_docker.endpoint_task",
    "docker_host_validate": "_role.validate_task",
    "docker_host_facts": "_role.facts_task",
}
BACKENDS: dict[str, Backend] = {
    name: importlib.import_module(PACKAGE + module).BACKEND for name, module in MODULES.items()
}

AZURE: Options = {"auth_source": "env"}
VALID: dict[str, Options] = {
    "docker_vm_host": {**AZURE, "name": "web1", "resource_group": "g", "setup_program": "#"},
    "docker_vm_host_info": {**AZURE, "name": "web1", "resource_group": "g"},
    "docker_vm_image_info": {**AZURE, "location": "westeurope"},
    "docker_vm_extension": {**AZURE, "virtual_machine": VM, "setup_program": "#"},
    "docker_tls_certs": {"cert_dir": "{directory}"},
    "docker_tls_certs_info": {"cert_dir": "{directory}"},
    "docker_context": {"name": "web1", "docker_host": "tcp://127.0.0.1:4243", "docker_config": "{directory}"},
    "docker_context_info": {"docker_config": "{directory}"},
    "docker_endpoint_info": {"docker_host": "tcp://127.0.0.1:1", "wait": False},
    "docker_host_validate": {"name": "web1", "stages": {}},
    "docker_host_facts": {"name": "web1", "host": {"docker_host": "tcp://127.0.0.1:4243"}},
}
"""Options that are valid, to which each test adds one that is not."""

CONTAINERS: dict[str, t.Any] = {
    "plan": {"name": "a", "product": "b", "publisher": "c"},
    "vm_identity": {"type": "UserAssigned", "user_assigned_identities": ["one"]},
    "security_profile": {},
    "data_disks[0]": {"lun": 0, "disk_size_gb": 8},
    "auto_shutdown": {"time": "19:00"},
    "docker": {},
    "docker.proxies": {},
    "docker.data_disk": {},
    "engine": {},
    "certs": {},
    "client": {},
    "tls": {},
    "logins[0]": {"username": "me", "password": "secret"},
    "compose[0].content": {"name": "app"},
    "compose[0].path": {"name": "app"},
    "compose[0]": {"name": "app", "definition": {"services": {}}},
    "signed_certificates[0]": {},
    "client_requests[0].content": {"name": "anna"},
    "client_requests[0].path": {"name": "anna"},
    "client_requests[0]": {"name": "anna", "path": "anna.csr"},
    "host_trust[0]": {"name": "web1", "ca_fingerprints": ["a" * 64]},
}
"""What is around a suboption for it to be the only error."""

COMPANIONS: dict[str, Options] = {
    "profile": {"auth_source": "credential_file"},
    "thumbprint": {"x509_certificate_path": __file__},
    "virtual_machine_name": {"virtual_machine": None, "resource_group": "g"},
    "docker_vm_extension.resource_group": {"virtual_machine": None, "virtual_machine_name": "web1"},
    "docker_vm_host.setup_program": {"engine": {"at_boot": True}},
    "docker_vm_image_info.offer": {"publisher": "a"},
    "docker_vm_image_info.sku": {"publisher": "a", "offer": "b"},
    "docker_context.host": {"docker_host": None},
    "docker_context.client_cert": {"client_key": __file__},
    "docker_context.client_key": {"client_cert": __file__},
    "docker_context.ssh_host_keys": {"docker_host": "ssh://me@127.0.0.1"},
    "docker_context.tls": {"tls": {"ca_path": __file__, "client_cert": __file__, "client_key": __file__}},
    "docker_endpoint_info.tls_hostname": {"validate_certs": True},
    "docker_endpoint_info.ca_path": {"validate_certs": True},
    "docker_endpoint_info.client_cert": {"validate_certs": True, "client_key": __file__},
    "docker_endpoint_info.client_key": {"validate_certs": True, "client_cert": __file__},
}
"""What an option needs beside it; None removes an option of :data:`VALID`."""

NAMES = [" ", "web 1", " web1", "web1 ", "web1\n", "-web1", "web1-", "wéb", "a/b", "../x", LONG]
REFERENCES = ["a b", "a\n", "a:b:c/d", "/subscriptions/x", OTHER_ID, "-a", LONG, "g\n:a"]
FILES = ["/no/such/file", "/"]
TIMEOUTS = [0, -1, 10**12]
PORTS = [0, -1, 65536, 10**12]
SOURCES = [
    "nowhere",
    "10.0.0.1/8",
    "10.0.0.0/33",
    "2001:db8::/32",
    "10.0.0",
    "１０.0.0.1",
    " 10.0.0.1",
    "0x7f.1",
    "",
    "None",
    "False",
]
DNS_NAMES = ["docker.example.com:4243", "http://a", "a b", "10.0.0.1", "é.example.com", "-a.b", "a..b", LONG, "", "a\n"]
IP_ADDRESSES = ["10.0.0.300", "10.0.0.0/8", "web1", "fe80::1%eth0", " 10.0.0.1", "", "１0.0.0.1"]
TIMES = ["soon", "90d", "+", "+９d", "", " +90d", "-1d", "+99999999999d", "20001301000000Z", "+90d\n"]
URLS = [
    "nonsense",
    "tcp://",
    "tcp://a:b",
    "tcp://a:70000",
    "tcp://me:pw@a:1",
    "tcp://a:1/path",
    "tcp://a b:1",
    "unix://x",
    "",
]
IMAGES = [
    "debian-1",
    "a:b:c",
    "a:b:c:d:e",
    "a::c:d",
    OTHER_ID,
    {"publisher": "a"},
    {"id": "x"},
    ["ubuntu"],
    5,
    "a:b c:d:e",
]
FINGERPRINTS = ["", "ab", "g" * 64, "a" * 63]
HOSTS = [
    {},
    {"name": ""},
    {"name": "a/b"},
    {"nam": "web1"},
    {"name": "web1", "dns_names": ["a b"]},
    {"name": "web1", "ip_addresses": ["x"]},
]
SIGN_IN: dict[str, list[t.Any]] = {
    "subscription_id": ["my subscription", "x/y", GUID + "0", "０" + GUID[1:]],
    "client_id": ["a/b", "a b"],
    "tenant": ["a/b", "a b"],
    "x509_certificate_path": FILES,
    "thumbprint": ["xyz", "a" * 39],
    "federated_token_path": FILES,
    "cloud_environment": ["Azure", "http://a", "https://", "https://a b", "https://а.example.com", "https://a:x"],
    "cloud_ca_path": FILES,
    "profile": ["no such profile"],
}

ENGINE: dict[str, list[t.Any]] = {
    "engine.version": ["latest", "v28", "28 ", "２8", "28\n"],
    "engine.channel": ["Stable", "a b", "stable\n"],
    "engine.mirror": [
        "mirror",
        "ftp://a",
        "https://a b",
        "https://",
        "https://а/x",
        "https://a/x?y",
        "https://a/\u200b",
    ],
    "engine.key": ["x", PEM],
}
FORBIDDEN: dict[str, dict[str, list[t.Any]]] = {
    "docker_vm_host": {
        **SIGN_IN,
        "name": ["", *NAMES],
        "resource_group": ["", " ", "a b", "a.", "a/b", "g\n", "x" * 91],
        "location": ["a/b", "west-europe", "é", "westeurope\n"],
        "tags": [
            {"docker-host": "x"},
            {"a<b": "x"},
            {"": "x"},
            {LONG * 2: "x"},
            {"a": LONG},
            {"a": "1", "A": "2"},
            {"a": None},
            {"a": ["x"]},
            {"a": {"b": "c"}},
            {"a\n": "x"},
            {"a": "x\x00"},
            {f"tag{number}": "" for number in range(44)},
        ],
        "wait_timeout": TIMEOUTS,
        "vm_size": ["B2s!", "Standard B2s", "Standard_B2s ", " ", "Standard_B2s\n", "Standard_B２s", LONG],
        "image": IMAGES,
        "plan.name": ["", " ", "a\n", "a b"],
        "plan.product": ["", " ", "a\n"],
        "plan.publisher": ["", " ", "a\n"],
        "plan.promotion_code": ["a\n"],
        "admin_username": ["root", "docker", "Web", "a b", "1a", "a\n", "a" * 33, "é"],
        "admin_password": ["short", "x" * 80, "alllowercase", "P@ssw0rd", "Password1234\n"],
        "ssh_private_key_path": ["/"],
        "zone": ["4", "0", "1 ", "１", 7],
        "availability_set": [*REFERENCES, "other:set"],
        "proximity_placement_group": REFERENCES,
        "max_price": [0, -2, "nan", "inf", 0.1234567],
        "license_type": ["Windows_Server", "rhel", "RHEL "],
        "custom_data": ["x" * 70000, "\ufeff#cloud-config\n", "#!/bin/sh\r\necho\r\n"],
        "user_data": ["x" * 70000],
        **ENGINE,
        "setup_program": [""],
        "os_disk_size_gb": [0, -1, 5000, 10**12],
        "data_disks": [[{"lun": 1, "disk_size_gb": 8}, {"lun": 1, "disk_size_gb": 8}]],
        "data_disks[0].lun": [-1, 64, 10**12],
        "data_disks[0].disk_size_gb": [0, -1, 40000, 10**12],
        "auto_shutdown": [{}, {"time": "19:00", "enabled": False}, {"enabled": False, "time_zone": "UTC"}],
        "auto_shutdown.time": ["", "7:00", "24:00", "19:60", "1900", "19:00\n", "１9:00", 1140, 1900, True, ["19:00"]],
        "auto_shutdown.time_zone": ["Europe/Berlin", " UTC", "UTC\n", "+1"],
        "auto_shutdown.notification_email": ["ops", "a@b@c", "a@b;c@d", "a @b", "a@b\n"],
        "auto_shutdown.notification_webhook": [
            "http://a",
            "https://",
            "https:// a",
            "nowhere",
            "https://é",
            "https://a:x",
        ],
        "auto_shutdown.notification_minutes": [0, 14, 121, -1],
        "docker_port": [*PORTS, 22],
        "ssh_port": [*PORTS, 4243],
        "allowed_sources": [["10.0.0.0/8", "10.1.0.0/16"], ["10.0.0.1", "10.0.0.1"], ["Internet", "10.0.0.1"]],
        "ssh_allowed_sources": [["10.0.0.0/8", "10.1.0.0/16"], ["*", "*"]],
        "open_ports": [[80, 80], [80, "79-81"], [80, "80/tcp"]],
        "address": ["a b", "http://a", "10.0.0.0/8", "a:1", "é", LONG],
        "public_ip_address": REFERENCES,
        "dns_label": ["ab", "1ab", "ab-", "Web", "a.b", "a" * 64, "web\n", "é12"],
        "virtual_network": REFERENCES,
        "subnet_name": ["a b", "-a", "a-", "a/b", "x" * 81, "AzureBastionSubnet", "a\n"],
        "virtual_network_prefix": [
            "10.0.0.1/8",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/30",
            "2001:db8::/32",
            "127.0.0.0/8",
            "x",
        ],
        "subnet_prefix": ["10.0.0.1/24", "10.0.0.0", "10.0.0.0/30", "2001:db8::/64", "x", "１0.0.0.0/24"],
        "security_group": REFERENCES,
        "network_interface": REFERENCES,
        "address_service": [
            "http://a",
            "nowhere",
            "",
            "https://",
            "https://a\r",
            "https://а.example.com",
            "https://a:99999",
        ],
        "private_ip_address": ["x", "10.0.0.0/8", "2001:db8::1", "10.0.0.300", "１0.0.0.1", "224.0.0.1", "0.0.0.0"],
    },
    "docker_vm_host_info": {
        **SIGN_IN,
        "name": NAMES,
        "resource_group": [" ", "a b", "a.", "a/b", "g\n", "x" * 91],
    },
    "docker_vm_image_info": {
        **SIGN_IN,
        "location": ["", "a/b", "west-europe", "é"],
        "family": ["debian-1", " ", "ubuntu\n"],
        "publisher": ["a/b", "a b", "a?b#"],
        "offer": ["a/b", "a b"],
        "sku": ["a/b", "a b"],
        "version": ["a/b", "a b", ""],
    },
    "docker_vm_extension": {
        **SIGN_IN,
        "resource_group": ["", "a b", "a/b", "x" * 91],
        "virtual_machine_name": ["", "a b", "a/b", LONG],
        "virtual_machine": ["web1", OTHER_ID, f"{VM}/x", ["a"], 5, {}, {"name": "web1"}, {"id": "x"}, {"idd": VM}],
        "name": ["", "a b", "a/b", "é", LONG, "a\n"],
        "docker.port": [*PORTS, 22],
        "docker.daemon": [
            *({"data-root": root} for root in ("/", "//", "/var", "/var/lib/", "/home", "/usr", "data", "", 5)),
            {"hosts": []},
            {"tlsverify": True},
            {"live-restore": "x", "tlscert": "x"},
            {"": 1},
            {"log-driver": "local\r"},
            {"log-opts": {"max-size": ["10m\n"]}},
        ],
        "docker.proxies.http": [
            "proxy:3128",
            "ftp://a",
            "http://a b",
            "http://",
            "http://a\n",
            "http://а",
            "http://a:0",
        ],
        "docker.proxies.https": ["proxy:3128", "http://"],
        "docker.proxies.no": ["a b", "a\n"],
        "docker.data_disk.lun": [-1, 64],
        "docker.data_disk.path": [
            "srv",
            "/",
            "/a b",
            "/srv/../etc",
            "/srv/./a",
            "/srv\n",
            "",
            "/etc",
            "/usr/x",
            "/var/",
        ],
        **ENGINE,
        "certs.ca_path": FILES,
        "certs.cert_path": FILES,
        "certs.key_path": FILES,
        "certs.ca": ["x", PEM],
        "certs.cert": ["x", PEM],
        "certs.key": ["x", PEM],
        "logins": [
            [{"username": "a", "password": "b", "server": server} for server in pair]
            for pair in (
                ("a.example.com", "a.example.com"),
                ("a.example.com", "https://A.Example.com/x"),
                ("", "docker.io"),
            )
        ],
        "logins[0].server": ["a b", "ftp://a", "a:b", "a\n", "é", "https://é", "a:0"],
        "logins[0].username": ["", " ", "a\n", "a:b"],
        "logins[0].password": [""],
        "logins[0].ca": ["x"],
        "logins[0].ca_path": FILES,
        "compose": [[{"name": "a", "definition": {"services": {}}} for _number in range(2)]],
        "compose[0].name": ["", "A", "a b", "-a", "a\n", "é"],
        "compose[0].definition": [{}, {"services": []}, {"services": {"a": None}}],
        "compose[0].content": ["", "a: [", "[]", "services: []"],
        "compose[0].path": FILES,
        "compose[0].environment": [{"a b": "x"}, {"": "x"}, {"1": "x"}, {"A": ["x"]}, {"A": "\x00"}, {"A": None}],
        "compose[0].secrets": [{"a b": "long enough"}, {"A": "x"}, {"A": ["x"]}],
        "agent_timeout": TIMEOUTS,
        "wait_timeout": TIMEOUTS,
        "setup_program": [""],
    },
    "docker_tls_certs": {
        **SIGN_IN,
        "cert_dir": ["/dev/null/x"],
        "key_vault_secret": [],
        "clients": [["a", "a"], ["a", "A"]],
        "hosts": [[{"name": "a"}, {"name": "A"}], *([host] for host in HOSTS)],
        "ca_path": FILES,
        "ca_content": ["x", PEM],
        "ca_key_path": FILES,
        "ca_key_content": ["x"],
        "ca_key_passphrase": ["abc"],
        "ca_common_name": ["", "x" * 65, "a\n"],
        "client_common_name": ["x" * 65, "a\n"],
        **{
            f"{kind}_{option}": values
            for kind in ("ca", "server", "client")
            for option, values in (("not_after", TIMES), ("renew_before", [*TIMES[:-4], "+9999d", "-1d"]))
        },
        "subject": [
            {"X": "a"},
            {"CN": "a"},
            {"C": "Germany"},
            {"O": ""},
            {"O": LONG},
            {"O": None},
            {"O": ["a"]},
            {"O": "a\n"},
        ],
        "signed_certificates[0].path": FILES,
        "signed_certificates[0].content": ["x"],
        "client_requests[0].name": ["", "a/b", "..", "a\n"],
        "client_requests[0].path": FILES,
        "client_requests[0].content": ["x", PEM],
        "host_trust[0].name": ["", "a/b"],
        "host_trust[0].fingerprint": FINGERPRINTS[1:],
    },
    "docker_tls_certs_info": {**SIGN_IN, "cert_dir": ["/dev/null/x"], "key_vault_secret": []},
    "docker_context": {
        "name": ["", "a", "default", "a b", "a/b", "-ab", "é1", "ab\n"],
        "docker_host": URLS,
        "host": ["web1", 5, ["a"], {}, {"docker_host": "x"}, {"nam": "x"}],
        "tls.ca_path": FILES,
        "tls.client_cert": FILES,
        "tls.client_key": FILES,
        "ca_path": FILES,
        "client_cert": FILES,
        "client_key": FILES,
        "known_hosts_path": [],
        "docker_config": ["/dev/null/x"],
        "description": [],
    },
    "docker_context_info": {"name": ["", "a", "default", "a b", "a/b", "ab\n"], "docker_config": ["/dev/null/x"]},
    "docker_endpoint_info": {
        "docker_host": URLS,
        "tls_hostname": ["a b", "a/b"],
        "ca_path": FILES,
        "client_cert": FILES,
        "client_key": FILES,
        "timeout": TIMEOUTS,
        "wait_timeout": [-1, 10**12],
    },
    "docker_host_validate": {
        "name": [""],
        "stages": [{"x": {}}, {"docker_vm_host": "x"}],
        "variables": [],
        "others": [],
        "strategy": [],
    },
    "docker_host_facts": {"name": [], "host": [{}]},
}
"""By module and option, values that it must refuse beside those that its type forbids."""

ELEMENTS: dict[str, dict[str, tuple[t.Any, list[t.Any]]]] = {
    "docker_vm_host": {
        "ssh_public_keys": (ED25519, ["x", "/no/such/file", "ssh-dss AAAA", "ssh-ed25519 AAAA", ED25519[:-4]]),
        "vm_identity.user_assigned_identities": ("one", REFERENCES),
        "allowed_sources": ("192.0.2.1", SOURCES),
        "ssh_allowed_sources": ("192.0.2.1", SOURCES),
        "open_ports": (
            443,
            [0, 65536, "x", "90-80", "80-", "８０", 1.5, True, "80/icmp", "", None, {}, {"port": 80, "x": 1}, [80]]
            + [{"port": 80, "allowed_sources": sources} for sources in ("x", ["10.0.0.1/8"], [None], 5, {})]
            + [{"port": 80, "protocol": protocol} for protocol in ("icmp", 5, ["tcp"])],
        ),
        "dns_names": ("docker.example.com", DNS_NAMES),
        "ip_addresses": ("192.0.2.1", IP_ADDRESSES),
    },
    "docker_vm_host_info": {"tags": ("a", ["", ":x"])},
    "docker_vm_extension": {
        "docker.options": (
            "--debug",
            [
                "debug",
                "-D",
                "--http-proxy=http://me:secret@proxy:3128",
                "--host=x",
                "--tls",
                "--log-level=a\nb",
                "",
                "--version",
                "--Ｄ",
            ],
        ),
        "docker.users": ("deploy", ["", "a b", "Root", "a\n", "é", "1a", "x" * 33]),
        "pending_files": ("/a", []),
    },
    "docker_tls_certs": {
        "clients": ("alice", ["", "a/b", "..", "a\n", "é", "x" * 65]),
        "host_trust[0].ca_fingerprints": ("b" * 64, FINGERPRINTS),
    },
    "docker_tls_certs_info": {"hosts": ("web1", ["", "a/b"])},
    "docker_context": {"ssh_host_keys": (ED25519, ["", "x", "ssh-ed25519 AAAA"]), "pending_files": ("/a", [])},
    "docker_endpoint_info": {"after": ({}, ["x", None, 5])},
}
"""By module and list, an entry that is valid and entries that are not. The error names their index."""

EVERYTHING = {
    "secret",
    "docker_vm_extension.docker_host",
    "docker_vm_extension.client.docker_host",
    "docker_vm_extension.client.tls_hostname",
    "docker_vm_extension.client.ca_path",
    "docker_vm_extension.client.client_cert",
    "docker_vm_extension.client.client_key",
    "docker_tls_certs.key_vault",
    "docker_tls_certs_info.key_vault",
    "docker_host_facts.context_name",
}
"""Options that accept every text: secrets, and those that count only with another option."""


class Case(t.NamedTuple):
    """One bad value.

    :param place: the option, with an index where the error must name it.
    """

    module: str
    option: str
    value: t.Any
    place: str

    def options(self) -> Options:
        """Return valid options, but for this one."""
        options = copy.deepcopy(VALID[self.module])
        for option, value in _companions(self.module, self.option).items():
            options[option] = value
            if value is None:
                options.pop(option)
        _set(options, "", self.option.split("."), self.value)
        return options


def _companions(module: str, path: str) -> Options:
    """Return what an option needs beside it; None removes an option of :data:`VALID`."""
    option = path.partition(".")[0].partition("[")[0]
    if module.startswith("docker_tls") and option in azure_argument_spec().argument_spec:
        vault = {"store": "key_vault", "key_vault": "vault", "auth_source": "env"}
        return {**vault, **COMPANIONS.get(option, {})}
    return {**COMPANIONS.get(option, {}), **COMPANIONS.get(f"{module}.{option}", {})}


def _set(options: Options, path: str, parts: list[str], value: t.Any) -> None:
    part, *rest = parts
    if not rest:
        options[part] = copy.deepcopy(value)
        return
    name, bracket, _index = part.partition("[")
    whole = ".".join((path + part, *rest))
    inner = copy.deepcopy(CONTAINERS.get(whole, CONTAINERS[path + part]))
    options[name] = [inner] if bracket else inner
    _set(inner, f"{path}{part}.", rest, value)


def _wrong_types(option: t.Mapping[str, t.Any]) -> list[t.Any]:
    """Return values that an option's type forbids."""
    kind = option.get("type", "str")
    by_type: dict[str, list[t.Any]] = {
        "str": [["a"], {"a": "b"}, True, 1.5, "a\x00b", "a\x1b[2Jb"],
        "int": ["abc", "1.5", True, "٤٢", "1_0", ["a"], {"a": 1}],
        "float": ["abc", True, {"a": 1}, "１.5"],
        "bool": ["maybe", 2, ["a"], {"a": 1}],
        "dict": ["a", ["a"], 5],
        "list": [True, False, 1.5, *([{"a": "b"}] if option.get("elements") == "dict" else [])],
        "raw": [],
    }
    values = by_type["str" if kind == "path" else kind]
    if kind == "path":
        values = [*values, "/a\r", "/a\n", " /a", "/a ", "/a\tb", "/a\u200b", "\ufeff/a", "~nosuch-user/a"]
    values = values + (["no such choice"] if option.get("choices") and kind == "str" else [])
    return values + ([{"no_such_option": 1}] if kind == "dict" and option.get("options") else [])


def _wrong_elements(option: t.Mapping[str, t.Any]) -> list[t.Any]:
    if option.get("type") != "list" or option.get("elements") not in ("str", "path"):
        return []
    return [None, ["a"], {"a": "b"}, True, 1.5, "a\x00b", *(["~nosuch-user/a"] if option["elements"] == "path" else [])]


def _walk(spec: Spec, path: str = "") -> t.Iterator[tuple[str, t.Mapping[str, t.Any]]]:
    """Yield every option and suboption with its place."""
    for name, option in spec.items():
        yield path + name, option
        index = "[0]" if option.get("type") == "list" else ""
        yield from _walk(option.get("options") or {}, f"{path}{name}{index}.")


def _cases(module: str) -> t.Iterator[Case]:
    for path, option in _walk(BACKENDS[module].spec.argument_spec):
        for value in [*_wrong_types(option), *FORBIDDEN[module].get(path, [])]:
            yield Case(module, path, value, path.partition("[")[0].partition(".")[0])
        good, bad = ELEMENTS.get(module, {}).get(path, ("a", []))
        for value in [*_wrong_elements(option), *bad]:
            if option.get("choices"):
                yield Case(module, path, [value], path)
            else:
                yield Case(module, path, [good, value], f"{path}[1]")


@pytest.fixture(autouse=True)
def nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AZURE_PROFILE", "AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_TENANT", "DOCKER_CERT_PATH", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def _filled_in(options: Options, directory: Path) -> Options:
    return {name: str(directory) if value == "{directory}" else value for name, value in options.items()}


def _check(cases: t.Iterable[Case], refuse: t.Callable[[Case], str]) -> None:
    """Show each case that is not refused as it should be."""
    faults = [fault for case in cases if (fault := refuse(case))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("module", MODULES)
def test_each_bad_value_of_an_option_is_refused_by_name_before_the_first_request(module: str, tmp_path: Path) -> None:
    def refuse(case: Case) -> str:
        shown = f"{case.option}={case.value!r:.60}"
        directory = tmp_path / str(len(list(tmp_path.iterdir())))
        try:
            result = carry_out(BACKENDS[module], _filled_in(case.options(), directory)).result
        except Exception as error:  # noqa: BLE001
            return f"{shown}: {type(error).__name__}: {error}"
        message = str(result.get("msg", ""))
        if not result.get("failed"):
            return f"{shown}: accepted"
        if directory.exists():
            return f"{shown}: files were written"
        last = case.option.rpartition(".")[2].partition("[")[0]
        if re.match(rf"(docker_host_)?{re.escape(case.place)}(?!\w)", message) or _is_of_ansible(message, last):
            return ""
        return f"{shown}: {message[:200]}"

    _check(_cases(module), refuse)


def _is_of_ansible(message: str, option: str) -> bool:
    """Return whether Ansible's own validation refuses an option by its name."""
    words = (
        "unable to convert",
        "missing required arguments",
        "must be one of",
        "one or more of",
        "Elements value",
        "nsupported parameters",
        "dict",
    )
    return any(word in message for word in words) and option in message


@pytest.mark.parametrize("module", STAGES)
def test_each_bad_value_of_a_variable_is_refused_by_name_before_the_first_change(module: str, tmp_path: Path) -> None:
    stage = STAGES[module]
    program = {"setup_program": "#"} if "setup_program" in stage.spec.argument_spec else {}

    def refuse(case: Case) -> str:
        option, dot, rest = case.place.partition(".")
        top, bracket, index = option.partition("[")
        place = stage.variable(top) + bracket + index + dot + rest
        shown = f"{place}={case.value!r:.60}"
        values: Options = {}
        _set(values, "", case.option.split("."), case.value)
        name = case.option.partition(".")[0].partition("[")[0]
        given = {"docker_host_name": "web1", "docker_host_cert_dir": str(tmp_path / "files")}
        given["docker_host_docker_config"] = str(tmp_path / "files")
        for option, value in {**_companions(module, case.option), name: values[name]}.items():
            given[stage.variable(option)] = value
        role = RoleVariables(given.get)
        try:
            role.check()
            stages = {module: {**role.options("create", module), **program}}
            result = carry_out(BACKENDS["docker_host_validate"], {"name": role.name, "stages": stages}).result
        except DockerHostError as error:
            result = {"failed": True, "msg": str(error)}
        except Exception as error:  # noqa: BLE001
            return f"{shown}: {type(error).__name__}: {error}"
        message = str(result.get("msg", "accepted"))
        return "" if message.startswith(place) and not (tmp_path / "files").exists() else f"{shown}: {message[:200]}"

    cases = [
        case
        for case in _cases(module)
        if case.option.partition(".")[0].partition("[")[0] in stage.options_for("create") and case.value not in UNSET
    ]
    _check(cases, refuse)


def test_the_group_azure_has_the_modules_that_sign_in() -> None:
    """So module_defaults can give credentials to all of them, and to no other."""
    groups = yaml.safe_load((Path(__file__).resolve().parents[4] / "meta/runtime.yml").read_text(encoding="utf-8"))
    sign_in = set(azure_argument_spec().argument_spec)
    that_do = {name for name, backend in BACKENDS.items() if sign_in <= set(backend.spec.argument_spec)}
    assert set(groups["action_groups"]["azure"]) == that_do


@pytest.mark.parametrize("module", MODULES)
def test_each_option_is_classified(module: str) -> None:
    known = {*FORBIDDEN[module], *ELEMENTS.get(module, {})}
    free = {
        path
        for path, option in _walk(BACKENDS[module].spec.argument_spec)
        if path not in known
        and option.get("type", "str") in ("str", "path", "int", "float", "list")
        and not option.get("choices")
        and not option.get("options")
    }
    assert {path for path in free if not {path, f"{module}.{path}"} & EVERYTHING} == set()
    assert known <= {path for path, _option in _walk(BACKENDS[module].spec.argument_spec)}


@pytest.mark.parametrize("module", MODULES)
def test_the_options_around_a_bad_value_are_valid(module: str, tmp_path: Path) -> None:
    result = carry_out(BACKENDS[module], _filled_in(VALID[module], tmp_path)).result
    if result.get("failed"):
        assert re.search("credentials|the connection was refused", result["msg"]), result["msg"]


EXAMPLES = yaml.safe_load((Path(__file__).resolve().parents[4] / "tools/role_examples.yml").read_text(encoding="utf-8"))
BESIDE_EXAMPLES: dict[str, Options] = {
    "eviction_policy": {"priority": "Spot"},
    "max_price": {"priority": "Spot"},
    "virtual_network": {"subnet_name": "docker"},
    "profile": {"auth_source": "credential_file"},
    "thumbprint": {"x509_certificate_path": EXAMPLES["docker_host_x509_certificate_path"]},
}
"""What the example of an option needs beside it."""
UNCHECKED_EXAMPLES = {"store", "key_vault", "ca_path", "ca_key_path"}
"""Options whose examples need a key vault or a CA."""


@pytest.fixture
def files_of_the_examples(tmp_path: Path) -> None:
    """The home directory of a user who has every file that an example names."""
    home = tmp_path / "home"
    for name in re.findall(r"~/((?!\.docker)[\w./-]+\w)", json.dumps(EXAMPLES)):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("services: {}\n" if name.endswith(".yml") else f"{ED25519}\n", encoding="utf-8")
    (home / ".azure/credentials").write_text("[production]\nsubscription_id=x\n", encoding="utf-8")


@pytest.mark.parametrize("module", STAGES)
def test_the_role_accepts_the_example_of_each_variable(
    module: str, tmp_path: Path, files_of_the_examples: None
) -> None:
    """Those with templates depend on what the user has."""
    stage = STAGES[module]
    program = {"setup_program": "#"} if "setup_program" in stage.spec.argument_spec else {}
    signs_in = azure_argument_spec().argument_spec

    def refuse(case: Case) -> str:
        given = {"docker_host_name": "web1", "docker_host_cert_dir": str(tmp_path / "certs")}
        for option, value in {**BESIDE_EXAMPLES.get(case.option, {}), case.option: case.value}.items():
            given[stage.variable(option)] = value
        role = RoleVariables(given.get)
        role.check()
        stages = {module: {**role.options("create", module), **program}}
        result = carry_out(BACKENDS["docker_host_validate"], {"name": role.name, "stages": stages}).result
        return f"{case.place}={case.value!r}: {result['msg']}" if result.get("failed") else ""

    examples = {
        option: EXAMPLES[stage.variable(option)]
        for option in stage.options_for("create")
        if option not in UNCHECKED_EXAMPLES and (module == "docker_vm_host" or option not in signs_in)
    }
    _check((Case(module, *one, one[0]) for one in examples.items() if "{{" not in str(one[1])), refuse)
