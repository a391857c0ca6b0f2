# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guests that call themselves another distribution, with its package manager, and the life of an engine on them."""

from __future__ import annotations

import asyncio
import http.client
import io
import re
import ssl
import tarfile
import typing as t
from pathlib import Path

from azure_emulator.machines.guests import GuestMachine
from image_systems import ImageSystem

from .authority import Authority, Server
from .machines import Machines
from .rpm_tools import SETS

BUILDERS = ("imitated_engine.py", "rpm_repositories.py", "deb_repositories.py")
MIRROR = "http://127.0.0.1"
LOG = "var/log/docker-host-setup.log"
PORT = 4243
# What the package manager holds, by its name.
HELD = {
    "apt": "apt-mark showhold",
    "dnf": "cat /etc/dnf/plugins/versionlock.list 2>/dev/null || true",
    "zypper": "zypper -q locks",
    "tdnf": "cat /etc/tdnf/locks.d/*.conf 2>/dev/null || true",
}
# What is open now and after the next boot, by what guards the ports.
OPEN = {
    "firewalld": ("firewall-cmd --list-ports", "firewall-cmd --permanent --list-ports"),
    "ufw": ("ufw status", "cat /etc/ufw/user.rules"),
    "iptables": ("iptables -S INPUT", "cat /etc/systemd/scripts/ip4save"),
}


class System:
    """A guest with a package manager, its repositories, and a firewall.

    :param guard: what guards its ports: firewalld, ufw, iptables, or nothing.
    """

    def __init__(self, machines: Machines, guest: GuestMachine, manager: str, guard: str = "") -> None:
        self.machines, self.guest, self.manager, self.guard = machines, guest, manager, guard
        self.address = str(guest.spec.interfaces[0].public_address)

    def sh(self, script: str, *, stdin: bytes = b"") -> str:
        """Run a script as root; it must succeed."""
        return self.machines.sh(self.guest, script, stdin=stdin)

    def put(self, path: str, text: str, mode: str = "644") -> None:
        """Write a file."""
        self.sh(f"mkdir -p {Path(path).parent}; rm -f {path}; cat > {path}; chmod {mode} {path}", stdin=text.encode())

    def push(self, engine: dict[str, t.Any], *, fails: bool = False, **more: t.Any) -> dict[str, t.Any]:
        """Push settings of the engine; what the program reports."""
        return self.machines.push(self.guest, {"engine": engine}, fails=fails, **more)

    def versions(self, names: str) -> list[str]:
        """The installed versions, one line for each."""
        if self.manager == "apt":
            return self.sh(f"dpkg-query -W -f '${{Version}}\\n' {names}").split()
        return self.sh(f"rpm -q --qf '%{{VERSION}}-%{{RELEASE}}\\n' {names}").split()

    def is_held(self, package: str) -> bool:
        """Whether the package manager holds a package at its version."""
        return re.search(rf"(?<![\w.-]){re.escape(package)}(?=-\d|\s)", self.sh(HELD[self.manager])) is not None

    def is_open(self) -> bool:
        """Whether the firewall lets the engine's port in, now and after the next boot, which must be the same."""
        now, later = (str(PORT) in self.sh(command) for command in OPEN[self.guard])
        assert now == later
        return now

    def answers(self, authority: Authority) -> str:
        """The version of the engine that answers by the public address, through the firewall."""
        folder = authority.issue("client", "clientAuth")
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        connection = http.client.HTTPSConnection(self.address, PORT, timeout=60, context=context)
        connection.request("GET", "/version")
        body = connection.getresponse().read().decode()
        found = re.search(r'"Version": "([^"]+)"', body)
        assert found, body
        return found[1]

    def push_while_held(self, lock: str, engine: dict[str, t.Any]) -> str:
        """Push while a process holds a lock; it ends only because the program names it. The name in that line."""
        self.sh(f"systemd-run -q -p Type=forking python3 /usr/lib/azure/hold_locks.py {lock}:3600")

        async def release() -> str:
            log = self.guest.home / "upper" / LOG
            while True:
                text = log.read_text(encoding="utf-8") if log.exists() else ""
                found = re.search(r"lock, held by (\S+) \(pid (\d+)\)", text)
                if found:
                    assert (await self.guest.execute(["kill", found[2]]))[0] == 0
                    return found[1]
                await asyncio.sleep(0.2)

        async def push() -> str:
            watcher = asyncio.create_task(release())
            await self.machines.pushed(self.guest, {"engine": engine})
            return await asyncio.wait_for(watcher, 1)

        self.sh(f"rm -f /{LOG}")
        return self.machines.loop.run_until_complete(push())

    def key(self, name: str) -> str:
        """A public key."""
        return self.sh(f"cat /srv/{name}.asc")


class Life:
    """An engine from its installation to its removal, on a system that calls itself one of its kind.

    :param others: packages that are installed with the engine.
    :param engine: settings of the engine beside version and hold.
    """

    def __init__(
        self,
        system: System,
        image: ImageSystem,
        others: tuple[str, ...],
        authority: Authority,
        engine: dict[str, t.Any],
    ) -> None:
        self.system, self.image, self.others, self.authority = system, image, others, authority
        self.certs: Server = authority.server("engine", [f"IP:{system.address}"])
        self.engine = engine

    def push(self, version: str, *, hold: bool = False, fails: bool = False) -> list[str]:
        """Push a version and the port; what the program changed."""
        docker = {"engine": {**self.engine, "version": version, "hold": hold}, "port": str(PORT)}
        protected = {"certs": self.certs.settings()}
        report = self.system.machines.push(self.system.guest, docker, fails=fails, protected=protected)
        changes: list[str] = report["changes"]
        return changes

    def check(self, version: tuple[str, str], *, is_held: bool) -> None:
        """That exactly this version is installed, runs, is held or not, and answers from outside."""
        system, package = self.system, self.image.package
        # dpkg shows the epoch, rpm does not.
        epoch = self.image.epoch if system.manager == "apt" else ""
        assert system.versions(package) == [epoch + version[1]]
        assert len(system.versions(" ".join(self.others))) == len(self.others), "each once"
        assert system.is_held(package) == is_held
        assert system.answers(self.authority) == version[0]
        assert not system.guard or system.is_open()

    def run(self) -> None:
        """Install an older version on hold, twice; upgrade it, which is cut short, and release it; remove it."""
        system, older, newer = self.system, self.image.older, self.image.newer
        system.put("/etc/os-release", self.image.release)
        assert self.push(older[0], hold=True)
        self.check(older, is_held=True)
        assert self.push(older[0], hold=True) == []
        system.sh("touch /root/cut")
        self.push(newer[0], hold=True, fails=True)
        assert self.push(newer[0])
        self.check(newer, is_held=False)
        assert self.push(newer[0]) == []
        assert self.push(newer[0], hold=True)
        self.remove()

    def remove(self) -> None:
        """Remove the engine, which is held."""
        system, package = self.system, self.image.package
        system.machines.push(system.guest, {}, state="absent", remove=["engine"])
        left = system.sh("command -v dockerd || find /etc -name '*docker-host*'")
        assert left == "", left
        assert not system.is_held(package)
        assert not system.guard or not system.is_open()


def make(
    machines: Machines, tools: str, guest: tuple[str, int], manager: str, kinds: str, guard: str = "", **more: t.Any
) -> System:
    """A guest with these tools and repositories.

    :param kinds: repositories, as the builders name them.
    :param more: further properties of the guest.
    """
    system = System(machines, machines.start(*guest, **more), manager, guard)
    names = [*SETS[manager], *SETS.get(guard, ())]
    system.put("/etc/apt/sources.list.d/tools.list", f"deb [trusted=yes] {tools} bookworm main\n")
    system.sh(
        "export DEBIAN_FRONTEND=noninteractive; apt-get update -qq;"
        f"apt-get install -y -qq --no-install-recommends {' '.join(names)} > /root/apt.log;"
        "rm /etc/apt/sources.list.d/tools.list; mkdir /root/e2e; tar -x -C /root/e2e",
        stdin=builders(),
    )
    builder = "deb" if manager == "apt" else "rpm"
    system.sh(f"cd /root; python3 -m e2e.{builder}_repositories {kinds}")
    system.sh("systemd-run -q python3 -m http.server 80 -b 127.0.0.1 -d /srv")
    return system


def builders() -> bytes:
    """The programs that make the repositories, as an archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in BUILDERS:
            tar.add(Path(__file__).with_name(name), arcname=name)
    return archive.getvalue()
