# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: RUF001  (digits of other scripts are bad values)

"""Bad values that several options have in common, by kind."""

from __future__ import annotations

import typing as t

from .valid_options import GUID

OTHER_ID = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
LONG = "a" * 300
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
PEM = "-----BEGIN CERTIFICATE-----"

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
