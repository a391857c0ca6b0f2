# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security rules as the packet filter has them. What the filter then does to packets is tested with real guests."""

from __future__ import annotations

import subprocess
import typing as t

import pytest

from azure_emulator.machines.base import Rule
from azure_emulator.machines.firewall import Port, ruleset
from azure_emulator.machines.possible import guests_possible

from .conftest import allow


def chain(rules: tuple[Rule, ...], direction: str = "in") -> list[str]:
    """The statements of one guest's chain, the final drop left out."""
    text = ruleset([Port("v1", "10.0.0.4", "198.18.0.9", rules)], "198.18.6.0")
    lines = text.split(f"chain {direction}_v1 {{\n")[1].split("  }")[0].splitlines()
    assert lines[-1].strip() == "drop"
    return [line.strip() for line in lines[:-1]]


def inbound(**changes: t.Any) -> Rule:
    base: dict[str, t.Any] = {
        "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
        "sources": ("*",), "destinations": ("*",),
    }  # fmt: skip
    return Rule(**{**base, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ports": ("22",)}, ["tcp dport { 22 } accept"]),
        ({"ports": ("22", "8000-8010")}, ["tcp dport { 22, 8000-8010 } accept"]),
        ({"protocol": "Udp", "ports": ("0-65535",)}, ["meta l4proto udp accept"]),
        ({"protocol": "Icmp"}, ["meta l4proto icmp accept"]),
        ({"protocol": "*"}, ["accept"]),
        ({"protocol": "*", "ports": ("53",)}, ["meta l4proto { tcp, udp } th dport { 53 } accept"]),
        ({"access": "Deny"}, ["meta l4proto tcp drop"]),
        ({"sources": ("1.2.3.7", "1.2.3.8/31")}, ["ip saddr { 1.2.3.7/32, 1.2.3.8/31 } meta l4proto tcp accept"]),
        ({"sources": ("203.0.113.0/24", "203.0.113.7")}, ["ip saddr { 203.0.113.0/24 } meta l4proto tcp accept"]),
        ({"sources": ("Internet",)}, ['iifname "wan" ip saddr != 168.63.129.16 meta l4proto tcp accept']),
        ({"sources": ("VirtualNetwork",)}, ['iifname "v*" meta l4proto tcp accept']),
        ({"sources": ("AzureLoadBalancer",)}, ["ip saddr { 168.63.129.16/32 } meta l4proto tcp accept"]),
        ({"sources": ("Storage", "2001:db8::/32")}, []),
        ({"destinations": ("10.0.0.0/24",)}, ["ip daddr { 10.0.0.0/24 } meta l4proto tcp accept"]),
        ({"destinations": ("VirtualNetwork",)}, ["meta l4proto tcp accept"]),
        ({"destinations": ("Internet",)}, []),
        ({"source_ports": ("1024-65535",), "ports": ("22",)}, ["tcp sport { 1024-65535 } tcp dport { 22 } accept"]),
    ],
)  # fmt: skip
def test_inbound_rule(changes: dict[str, t.Any], expected: list[str]) -> None:
    assert chain((inbound(**changes),)) == expected


def test_outbound_rule_goes_on_to_the_receivers_rules() -> None:
    rule = inbound(direction="Outbound", destinations=("Internet", "VirtualNetwork"), ports=("443",))
    assert chain((rule,), "out") == [
        'oifname "wan" ip daddr != 168.63.129.16 tcp dport { 443 } return',
        'oifname "v*" tcp dport { 443 } return',
    ]


def test_lower_priority_number_comes_first() -> None:
    rules = (inbound(priority=300), inbound(priority=200, access="Deny"), inbound(priority=4096, ports=("22",)))
    assert [line.split()[-1] for line in chain(rules)] == ["drop", "accept", "accept"]


def test_without_rules_the_internet_stays_outside() -> None:
    assert chain(()) == ['iifname "v*" accept']
    assert chain((), "out") == ["return"]


def test_public_addresses_are_mapped_both_ways() -> None:
    text = ruleset([Port("v1", "10.0.0.4", "198.18.0.9", ()), Port("v2", "10.0.0.5", None, ())], "198.18.6.0")
    assert 'iifname "wan" dnat to ip daddr map { 198.18.0.9 : 10.0.0.4 }' in text
    assert 'oifname "wan" snat to ip saddr map { 10.0.0.4 : 198.18.0.9 }' in text
    assert 'oifname "wan" snat to 198.18.6.0' in text
    assert 'iifname "v2" ip saddr != 10.0.0.5 drop' in text


@pytest.mark.guests
def test_nft_accepts_every_kind_of_rule() -> None:
    if guests_possible():
        pytest.skip(str(guests_possible()))
    kinds = [
        inbound(protocol=protocol, sources=sources, ports=ports, direction=direction)
        for protocol in ("*", "Tcp", "Udp", "Icmp", "Esp", "Ah")
        for sources in (("*",), ("Internet",), ("VirtualNetwork", "AzureLoadBalancer"), ("10.0.0.0/8", "10.1.0.0/16"))
        for ports in (("*",), ("22", "80-90"))
        for direction in ("Inbound", "Outbound")
    ]
    text = ruleset([Port("v1", "10.0.0.4", "198.18.0.9", (*kinds, *allow("22")))], "198.18.6.0")
    command = ["unshare", "--net", "nft", "-f", "-"]
    done = subprocess.run(command, input=text * 2, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
