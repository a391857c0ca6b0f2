# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data centre's network: virtual networks that may overlap, public addresses, and no way to the real outside.

::

    host's own namespace            supervisor's namespace               one per virtual network      one per guest
    azure-emuN (link address) ----- outside   "the Internet"   nK ----- wan    router, filter   vM -- eth0

Guests have no common wire: as in Azure every address is reached through the router (it answers ARP for all of them
with Azure's well-known MAC address), so the packet filter sees everything, also between two guests of one subnet. The
router maps public addresses 1:1. The host can reach public addresses; nothing inside can open a connection to it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from azure_emulator.machines.base import Interface, MachineError, Rule
from azure_emulator.machines.cloudinit.dhcp import DhcpServer, Lease, listen
from azure_emulator.machines.firewall import Port, ruleset
from azure_emulator.machines.supervisor import Supervisor, to_the_end

#: Benchmarking range of RFC 2544: no real network uses it. One slot of it for each server on the host.
RANGE = ipaddress.IPv4Network("198.18.0.0/15")
SLOT_PREFIX = 21
ROUTER_MAC = "12:34:56:78:9a:bc"

_CORE = """
ip link add "$1" type veth peer name outside netns "$2"
ip address add "$3" peer "$4" dev "$1"
ip link set "$1" up
nsenter -t "$2" --net -- sh -euc '
  echo 1 > /proc/sys/net/ipv4/ip_forward
  echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects
  echo 0 > /proc/sys/net/ipv4/conf/default/send_redirects
  ip address add "$2" peer "$1" dev outside
  ip link set outside up
  ip route add unreachable default' sh "$3" "$4"
ip route add "$5" via "$4" dev "$1" src "$3"
"""
_CORE_FILTER = """
table ip azure {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname { "outside", "n*" } oifname "n*" accept
  }
}
"""
_NETWORK = """
ip netns add "$1"
ip link add "n$2" type veth peer name wan netns "$1"
ip link set "n$2" up
ip route add "$3/32" dev "n$2"
nsenter --net="/run/netns/$1" -- sh -euc '
  echo 1 > /proc/sys/net/ipv4/ip_forward
  for scope in all default; do
    echo 0 > /proc/sys/net/ipv4/conf/$scope/send_redirects
    echo 0 > /proc/sys/net/ipv4/conf/$scope/rp_filter
  done
  ip link set lo up
  ip address add "$1/32" dev wan
  ip link set wan up
  ip route add "$2" dev wan
  ip route add default via "$2" dev wan' sh "$3" "$4"
"""
# The pair of devices goes at once when one of them is deleted; the namespace's own end takes the kernel a while.
_NO_NETWORK = 'ip link delete "n$2" && ip netns delete "$1"'
_PLUG = """
test -e "/run/netns/$2" || ip netns add "$2"
ip link add "$3" netns "$1" address "$4" type veth peer name "$9" netns "$2" address "$5"
nsenter --net="/run/netns/$1" -- sh -euc '
  echo 1 > "/proc/sys/net/ipv4/conf/$1/proxy_arp"
  echo 0 > "/proc/sys/net/ipv4/neigh/$1/proxy_delay"
  ip address replace "$2/32" dev lo
  ip route replace unreachable "$4" metric 1000
  ip link set "$1" up
  ip route add "$3/32" dev "$1" src "$2"' sh "$3" "$7" "$6" "$8"
nsenter --net="/run/netns/$2" -- ip link set lo up
"""
# What the guest itself does by DHCP.
_CONFIGURE = """
nsenter --net="/run/netns/$1" -- sh -euc '
  ip address add "$1/$2" dev "$4"
  ip link set "$4" up
  ip route show default | grep -q . || ip route add default via "$3"' sh "$3" "$4" "$5" "$2"
"""

# What the real agent needs besides: it looks for a route of its own to the WireServer.
_PLATFORM = """
ip address add 168.63.129.16/32 dev lo
ip address add 169.254.169.254/32 dev lo
"""
_PLATFORM_ROUTES = """
for address in 168.63.129.16 169.254.169.254; do
  nsenter --net="/run/netns/$1" -- ip route replace "$address/32" via "$2" dev eth0
done
"""


class Platform(t.Protocol):
    """What answers at Azure's own addresses in every virtual network."""

    async def open(self, network: str, namespace: Path) -> None:
        """Listen in a network that was made. :param namespace: the file of its network namespace."""

    async def close(self, network: str) -> None:
        """Listen no longer: the network goes."""


@dataclass(frozen=True)
class Socket:
    """Where an interface is put.

    :param namespace: the guest's network namespace, which is made if it is not there.
    :param device: what the interface is called in the guest.
    :param by_dhcp: leave it unconfigured and answer the guest's DHCP.
    """

    namespace: str
    device: str = "eth0"
    by_dhcp: bool = False


@dataclass
class _Network:
    """A virtual network that has a guest."""

    number: int
    hidden_address: str
    ports: dict[str, Port] = field(default_factory=dict)
    dhcp: dict[str, DhcpServer] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    gone: bool = False

    @property
    def namespace(self) -> str:
        return f"net{self.number}"


class Fabric:
    """All networks of one server.

    :param slot: which part of :data:`RANGE` it uses.
    :param platform: what answers at Azure's own addresses; without it nothing does.
    """

    def __init__(self, supervisor: Supervisor, slot: int, platform: Platform | None = None) -> None:
        self._supervisor, self._platform = supervisor, platform
        self.device = f"azure-emu{slot}"
        whole = slot_range(slot)
        self.public_pool, self._infrastructure = whole.subnets(1)
        self._networks: dict[str, asyncio.Task[_Network]] = {}
        self._numbers: set[int] = set()
        self._plugs = 0

    @property
    def host_address(self) -> str:
        """The host's own address as guests see it."""
        return str(self._infrastructure[1])

    @property
    def core_address(self) -> str:
        """An address of the supervisor's namespace: what listens there is, for guests, a server on the Internet."""
        return str(self._infrastructure[2])

    async def open(self) -> None:
        """Connect the host to the supervisor's namespace. The interface goes when that namespace goes."""
        pid = str(self._supervisor.pid)
        words = [self.device, pid, self.host_address, self.core_address, str(self.public_pool.supernet())]
        await _host_script(_CORE, words)
        await self._supervisor.run(["nft", "-f", "-"], stdin=_CORE_FILTER)

    async def plug(self, key: str, interface: Interface, rules: tuple[Rule, ...], into: Socket) -> None:
        """Give a guest an interface."""
        while True:
            network = await self._network(interface.network)
            async with network.lock:
                if not network.gone:
                    await to_the_end(self._plug(network, key, interface, rules, into))
                    return

    async def _plug(
        self, network: _Network, key: str, interface: Interface, rules: tuple[Rule, ...], into: Socket
    ) -> None:
        self._plugs += 1
        device = f"v{self._plugs}"
        subnet = ipaddress.IPv4Network(interface.subnet_prefix)
        mac = interface.mac_address.replace("-", ":").lower()
        words = [network.namespace, into.namespace, device, ROUTER_MAC, mac, interface.private_address]
        words += [str(subnet[1]), str(subnet), into.device]
        await self._supervisor.script(_PLUG, *words, what="plug a guest into its network")
        if into.by_dhcp:
            namespace = self._supervisor.path(f"run/netns/{network.namespace}")
            listener = await asyncio.to_thread(listen, namespace, device)
            network.dhcp[key] = DhcpServer(listener, Lease(interface.private_address, subnet))
        else:
            await self._configure(interface, subnet, into)
        network.ports[key] = Port(device, interface.private_address, None, rules)
        await self._apply(network, key, interface.public_address, rules)

    async def _configure(self, interface: Interface, subnet: ipaddress.IPv4Network, into: Socket) -> None:
        gateway = str(subnet[1])
        words = [into.namespace, into.device, interface.private_address, str(subnet.prefixlen), gateway]
        await self._supervisor.script(_CONFIGURE, *words, what="configure a guest's interface")
        if self._platform is not None and into.device == "eth0":
            words = [into.namespace, gateway]
            await self._supervisor.script(_PLATFORM_ROUTES, *words, what="route Azure's own addresses")

    async def change(self, key: str, interface: Interface, public: str | None, rules: tuple[Rule, ...]) -> None:
        """Give a plugged interface another public address, or none, and other rules, without a break."""
        network = await self._network(interface.network)
        async with network.lock:
            await to_the_end(self._apply(network, key, public, rules))

    async def unplug(self, key: str, interface: Interface) -> None:
        """Remove an interface from its network, and the network with its last interface."""
        network = await self._present(interface.network)
        if network is None:
            return
        async with network.lock:
            await to_the_end(self._unplug(network, key, interface))

    async def _unplug(self, network: _Network, key: str, interface: Interface) -> None:
        server = network.dhcp.pop(key, None)
        if server is not None:
            server.close()
        port = network.ports.pop(key, None)
        if port is not None:
            await self._disconnect(network, port)
        if not network.ports and not network.gone:
            await self._remove_network(interface.network, network)

    async def _disconnect(self, network: _Network, port: Port) -> None:
        await self._route(network, port.public_address, None)
        await self._load(network)
        script = 'nsenter --net="/run/netns/$1" -- ip link delete "$2"'
        what = "unplug a guest from its network"
        await self._supervisor.script(script, network.namespace, port.device, what=what)

    async def release(self, namespace: str) -> None:
        """Remove a guest's network namespace."""
        script = 'test ! -e "/run/netns/$1" || ip netns delete "$1"'
        await self._supervisor.script(script, namespace, what="remove a guest's network namespace")

    async def _network(self, key: str) -> _Network:
        """Return the network of a key. The first caller creates it, completely even if that caller is cancelled."""
        task = self._networks.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._networks[key] = asyncio.create_task(self._make_network(key))
        return await asyncio.shield(task)

    async def _present(self, key: str) -> _Network | None:
        """Return the network of that key, if there is one or one is being made."""
        task = self._networks.get(key)
        if task is None:
            return None
        await asyncio.wait({task})
        return None if task.cancelled() or task.exception() else task.result()

    async def _make_network(self, key: str) -> _Network:
        number = next(number for number in itertools.count() if number not in self._numbers)
        self._numbers.add(number)
        network = _Network(number, str(self._infrastructure[512 + number]))
        words = [network.namespace, str(number), network.hidden_address, self.core_address]
        await self._supervisor.script(_NETWORK, *words, what="make a virtual network")
        if self._platform is not None:
            name = network.namespace
            await self._supervisor.script(_PLATFORM, network=name, what="give a network Azure's own addresses")
            await self._platform.open(key, self._supervisor.path(f"run/netns/{name}"))
        return network

    async def _remove_network(self, key: str, network: _Network) -> None:
        network.gone = True
        del self._networks[key]
        if self._platform is not None:
            await self._platform.close(key)
        words = [network.namespace, str(network.number)]
        await self._supervisor.script(_NO_NETWORK, *words, what="remove a virtual network")
        self._numbers.discard(network.number)

    async def _apply(self, network: _Network, key: str, public: str | None, rules: tuple[Rule, ...]) -> None:
        old = network.ports[key]
        network.ports[key] = Port(old.device, old.private_address, public, rules)
        await self._load(network)
        await self._route(network, old.public_address, public)

    async def _load(self, network: _Network) -> None:
        text = ruleset(list(network.ports.values()), network.hidden_address)
        command = ["nft", "-f", "-"]
        await self._supervisor.run(command, network=network.namespace, stdin=text, what="load the security rules")

    async def _route(self, network: _Network, old: str | None, new: str | None) -> None:
        """Lead a public address to the network's router, and no longer the former one."""
        if old == new:
            return
        script = 'test -z "$3" || ip route delete "$3/32"; test -z "$4" || ip route add "$4/32" via "$1" dev "n$2"'
        words = [network.hidden_address, str(network.number), old or "", new or ""]
        await self._supervisor.script(script, *words, what="route a public address")


def slot_range(slot: int) -> ipaddress.IPv4Network:
    """Return the addresses of one slot: the lower half is the public pool, the upper one the data centre's own."""
    return list(RANGE.subnets(new_prefix=SLOT_PREFIX))[slot]


SLOTS = 2 ** (SLOT_PREFIX - RANGE.prefixlen)


async def _host_script(script: str, words: list[str]) -> None:

    process = await asyncio.create_subprocess_exec(
        "sh", "-euc", script, "sh", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _nothing = await process.communicate()
    if process.returncode:
        raise MachineError(f"the network of the local Azure cannot be made: {output.decode(errors='replace').strip()}")
