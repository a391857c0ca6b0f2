# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users may write."""

from __future__ import annotations

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired import validators as rules


@pytest.mark.parametrize("name", ["a", "web1", "Web_1.example", "9lives", "a" * 64, "a-b"])
def test_names_that_are_allowed(name: str) -> None:
    rules.check_name("name", name)


@pytest.mark.parametrize("name", ["", "_web", "web-", "web.", "a" * 65, "a b", "a/b", "wéb", "-web", "web\n"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(OptionError, match="name"):
        rules.check_name("name", name)


@pytest.mark.parametrize("label", ["abc", "a-c", "a" * 63, "web1-1a2b3c4d"])
def test_labels_that_are_allowed(label: str) -> None:
    rules.check_dns_label("dns_label", label)


@pytest.mark.parametrize("label", ["ab", "1bc", "abc-", "ABC", "a" * 64, "a_c", "a.c", "abc\n"])
def test_labels_that_are_refused(label: str) -> None:
    with pytest.raises(OptionError, match="dns_label"):
        rules.check_dns_label("dns_label", label)


@pytest.mark.parametrize(
    "user", ["docker", "Docker", "root", "ADMIN", "video", "1abc", "Me", "a" * 33, "me you", "", "-x"]
)
def test_users_that_are_refused(user: str) -> None:
    with pytest.raises(OptionError, match="admin_username"):
        rules.check_user_name("admin_username", user)


@pytest.mark.parametrize("user", ["azureuser", "_x", "jo.doe-1", "a" * 32])
def test_users_that_are_allowed(user: str) -> None:
    rules.check_user_name("admin_username", user)


@pytest.mark.parametrize(
    "password", ["Abcdefghij12", "abcdefghijk1!", "ABCDEFGHIJ12_", "Aa1" * 24, "Pässwörter-sind-1"]
)
def test_passwords_that_are_allowed(password: str) -> None:
    rules.check_password("admin_password", password)


@pytest.mark.parametrize(
    "password", ["Abcdefghi12", "Aa1" * 24 + "x", "abcdefghijklm", "abcdefghijk1", "ABCDEFGHIJK1", "Abcdefghij1\t2"]
)
def test_passwords_that_are_refused_and_not_shown(password: str) -> None:
    with pytest.raises(OptionError) as caught:
        rules.check_password("admin_password", password)
    assert password not in str(caught.value)


@pytest.mark.parametrize("source", ["*", "Internet", "Storage.WestEurope", "10.0.0.0/8", "203.0.113.7", "0.0.0.0/0"])
def test_sources_that_are_allowed(source: str) -> None:
    rules.check_source("allowed_sources[0]", source)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "::/0",
        "my host",
        "300.1.1.1",
        "10.0.0.1-10.0.0.9",
        "example.com",
        "office.Example",
        "internet",
        "Storage.West.Europe",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/0.255.255.255",
    ],
)
def test_sources_that_are_refused(source: str) -> None:
    with pytest.raises(OptionError, match="allowed_sources"):
        rules.check_source("allowed_sources[0]", source)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/0.255.255.255"])
def test_a_network_in_another_form_gets_a_suggestion(text: str) -> None:
    with pytest.raises(OptionError, match=r"mean 10\.0\.0\.0/8"):
        rules.check_source("allowed_sources[0]", text)
    with pytest.raises(OptionError, match=r"mean 10\.0\.0\.0/8"):
        rules.network_of("subnet_prefix", text)


@pytest.mark.parametrize("text", ["10.0.0.0", "", "x", "fd00::/64", "10.0.0.0/8 "])
def test_networks_that_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="an IPv4 network in CIDR notation"):
        rules.network_of("subnet_prefix", text)


@pytest.mark.parametrize(("text", "ports"), [("80", (80, 80)), ("8000-8010", (8000, 8010)), ("1-65535", (1, 65535))])
def test_port_ranges(text: str, ports: tuple[int, int]) -> None:
    assert rules.port_range("open_ports[0]", text) == ports


@pytest.mark.parametrize("text", ["0", "65536", "90-80", "80,81", "http", "-1", "80-"])
def test_port_ranges_that_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="open_ports"):
        rules.port_range("open_ports[0]", text)


def test_locations_are_normalised() -> None:
    assert rules.location_of("location", "West Europe") == "westeurope"


@pytest.mark.parametrize(
    "tags",
    [
        {"Team": "a", "team": "a"},
        {"docker-host": "x"},
        {"Docker-Host-port": "1"},
        {"a/b": "x"},
        {"a": "x" * 257},
        {"": "x"},
    ],
)
def test_tags_that_are_refused(tags: dict[str, str]) -> None:
    with pytest.raises(OptionError, match="tags"):
        rules.check_tags("tags", tags, "docker-host")


def test_a_tag_that_only_begins_alike_is_allowed() -> None:
    rules.check_tags("tags", {"docker-hosting": "x"}, "docker-host")
