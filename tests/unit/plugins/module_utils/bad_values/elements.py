# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: RUF001  (digits of other scripts are bad values)

"""The entries that the documentation of each list forbids, and the options that accept every text."""

from __future__ import annotations

import typing as t

from .kinds import DNS_NAMES, ED25519, FINGERPRINTS, IP_ADDRESSES, REFERENCES, SOURCES

ELEMENTS: dict[str, dict[str, tuple[t.Any, list[t.Any]]]] = {
    "docker_vm_host": {
        "ssh_public_keys": (ED25519, ["x", "/no/such/file", "ssh-dss AAAA", "ssh-ed25519 AAAA", ED25519[:-4]]),
        "vm_identity.user_assigned_identities": ("one", REFERENCES),
        "known_names.dns_names": ("docker.example.com", DNS_NAMES),
        "known_names.ip_addresses": ("192.0.2.1", IP_ADDRESSES),
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
    "docker_vm_host.known_names.id",
}
"""Options that accept every text: secrets, and those that count only with another option."""
