# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may reach which port, by the options."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import OptionError

from ..conftest import desired

DOCKER = ("docker-host-docker", ("Internet",))


def opened(*ports: t.Any, **given: t.Any) -> list[tuple[str, tuple[str, ...]]]:
    """The rules for open ports: names and sources."""
    return [(entry.name, entry.sources) for entry in desired(open_ports=list(ports), **given).inbound_rules]


@pytest.mark.parametrize("sources", ["Internet", ["Internet"]])
def test_a_port_is_open_to_everybody_unless_sources_are_given(sources: t.Any) -> None:
    entry = {"port": 8080, "allowed_sources": sources}
    assert opened(entry) == opened(8080) == [DOCKER, ("docker-host-open-8080-tcp", ("Internet",))]


def test_no_sources_let_nobody_in() -> None:
    assert opened({"port": 8080, "allowed_sources": []}) == [DOCKER]
    assert opened({"port": 8080, "allowed_sources": []}, allowed_sources=[]) == []


@pytest.mark.parametrize("sources", [None, 5, True, {"10.0.0.0/8": None}, [5], [None], [["10.0.0.0/8"]]])
def test_sources_that_are_no_list_of_texts(sources: t.Any) -> None:
    with pytest.raises(OptionError, match="must be a list of") as caught:
        opened({"port": 8080, "allowed_sources": sources})
    assert caught.value.option == "open_ports[0].allowed_sources"


@pytest.mark.parametrize("sources", ["", " ", ",", [""], ["", " "], ["10.0.0.0/8", ""]])
def test_an_empty_source_of_a_further_port_opens_nothing(sources: t.Any) -> None:
    with pytest.raises(OptionError) as caught:
        opened({"port": 8080, "allowed_sources": sources})
    assert caught.value.option.startswith("open_ports[0].allowed_sources")


@pytest.mark.parametrize("port", [True, None, "", [80], {"port": 80}, 8.5])
def test_ports_that_are_none(port: t.Any) -> None:
    with pytest.raises(OptionError) as caught:
        opened({"port": port})
    assert caught.value.option == "open_ports[0]"


def test_a_protocol_is_said_once_or_twice_the_same() -> None:
    for entry in ("53/udp", {"port": "53/UDP"}, {"port": 53, "protocol": "udp"}, {"port": "53/udp", "protocol": "UDP"}):
        assert opened(entry)[1][0] == "docker-host-open-53-udp"
    for entry in ({"port": "53/udp", "protocol": "tcp"}, {"port": "53/tcp", "protocol": "udp"}):
        with pytest.raises(OptionError, match="must have one protocol"):
            opened(entry)


@pytest.mark.parametrize(
    ("ports", "given", "says"),
    [
        ("1-1000", {"ssh_allowed_sources": ["10.0.0.0/8"]}, "SSH port, .*set ssh_allowed_sources"),
        ("1-1000", {}, "SSH port, .*set ssh_allowed_sources"),
        ("2000-3000", {"ssh_port": 2222}, "SSH port, .*set ssh_allowed_sources"),
        ("4000-5000", {}, "docker port, .*set allowed_sources"),
        ("4000-5000", {"allowed_sources": []}, "docker port, .*set allowed_sources"),
    ],
)
def test_a_range_does_not_open_what_has_sources_of_its_own(ports: str, given: dict[str, t.Any], says: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        opened(8080, ports, **given)
    assert caught.value.option == "open_ports[1]"


def test_ssh_is_opened_by_its_own_option_alone() -> None:
    with pytest.raises(OptionError, match="set ssh_allowed_sources instead"):
        opened(22)
    assert opened("22/udp", 2222) == [
        DOCKER,
        ("docker-host-open-22-udp", ("Internet",)),
        ("docker-host-open-2222-tcp", ("Internet",)),
    ]


def test_a_port_is_not_opened_twice() -> None:
    restricted = {"port": 8005, "allowed_sources": ["10.0.0.0/8"]}
    with pytest.raises(OptionError, match=r"8000-8010 and 8005 \(tcp\) twice"):
        opened("8000-8010", restricted)
    assert len(opened("8000-8010/udp", restricted)) == 3


@pytest.mark.parametrize(
    "sources",
    [
        ["10.0.0.0/8", "10.0.0.0/8"],
        ["10.0.0.0/8", "192.168.0.0/16", "10.1.0.0/16"],
        ["203.0.113.7", "203.0.113.7/32"],
    ],
)
def test_sources_that_overlap_are_refused_as_azure_refuses_them(sources: list[str]) -> None:
    for given in ({"allowed_sources": sources}, {"ssh_allowed_sources": sources}):
        with pytest.raises(OptionError, match="overlap"):
            desired(**given)
    with pytest.raises(OptionError, match="overlap") as caught:
        opened({"port": 80, "allowed_sources": sources})
    assert caught.value.option == "open_ports[0].allowed_sources"
