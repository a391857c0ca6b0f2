# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for the VM under real dnf, zypper and rpm, on guests that call themselves RHEL, SLES and Azure Linux.

The engines are imitations in signed repositories with Docker's layout; see rpm_repositories.py. The tests of a class go
in order on one guest.
"""

from __future__ import annotations

import asyncio
import re
import typing as t
from pathlib import Path

import pytest

from azure_emulator.machines import tree
from azure_emulator.machines.guests import GuestMachine

from .machines import Machines
from .paths import CACHE
from .rpm_tools import SETS, tools_pool

pytestmark = [pytest.mark.guests, pytest.mark.slow]

TDNF = Path(__file__).with_name("tdnf.py")
BUILDER = Path(__file__).with_name("rpm_repositories.py")
LOG = "var/log/docker-host-setup.log"
MIRROR = "http://127.0.0.1"
RHEL = 'PRETTY_NAME="Red Hat Enterprise Linux 9.6 (Plow)"\nVERSION_ID="9.6"\nID="rhel"\nID_LIKE="fedora"\n'
SLES = 'PRETTY_NAME="SUSE Linux Enterprise Server 15 SP7"\nVERSION_ID="15.7"\nID="sles"\nID_LIKE="suse"\n'
# As on RHEL. Debian's own plugins are not there, and an imitation needs no kernel modules.
DNF = """cd /usr/lib/python3/dist-packages/dnf-plugins && rm -f local.py show_leaves.py
cat > /etc/dnf/dnf.conf <<'END'
[main]
gpgcheck=True
best=True
skip_if_unavailable=False
clean_requirements_on_remove=True
END
printf '#!/bin/sh\\nexit 0\\n' > /usr/local/sbin/modprobe
chmod 755 /usr/local/sbin/modprobe
"""
AZURE_LINUX = 'PRETTY_NAME="Microsoft Azure Linux 3.0"\nVERSION_ID="3.0"\nID=azurelinux\n'
BROKEN = "[broken]\nname=broken\nbaseurl=http://127.0.0.1/broken\nenabled=1\n"
NAMES = "docker-ce docker-ce-cli docker-ce-rootless-extras containerd.io docker-buildx-plugin docker-compose-plugin"


class System:
    """A guest with an rpm-based package manager and its repositories."""

    def __init__(self, machines: Machines, guest: GuestMachine) -> None:
        self.machines, self.guest = machines, guest

    def sh(self, script: str, *, stdin: bytes = b"") -> str:
        """Run a script as root; it must succeed."""
        return self.machines.sh(self.guest, script, stdin=stdin)

    def push(self, engine: dict[str, t.Any], *, fails: bool = False, **more: t.Any) -> dict[str, t.Any]:
        """Push settings of the engine; what the program reports."""
        return self.machines.push(self.guest, {"engine": engine}, fails=fails, **more)

    def versions(self, names: str) -> list[str]:
        """The installed versions, one line for each."""
        return self.sh(f"rpm -q --qf '%{{VERSION}}-%{{RELEASE}}\\n' {names}").split()

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


@pytest.fixture(scope="module")
def tools(machines: Machines) -> str:
    """The address of the repository with the package managers."""
    build = tree.find_tree(CACHE)
    assert build is not None
    return machines.serve(tools_pool(CACHE, build))


def make(machines: Machines, tools: str, guest: tuple[str, int], manager: str, release: str, kinds: str) -> System:
    """A guest with these tools and repositories that calls itself another distribution."""
    system = System(machines, machines.start(*guest))
    system.sh(
        f"echo 'deb [trusted=yes] {tools} bookworm main' > /etc/apt/sources.list.d/tools.list;"
        "export DEBIAN_FRONTEND=noninteractive; apt-get update -qq;"
        f"apt-get install -y -qq --no-install-recommends {' '.join(SETS[manager])} > /root/apt.log"
    )
    system.sh("cat > /root/rpm_repositories.py", stdin=BUILDER.read_bytes())
    system.sh(f"python3 /root/rpm_repositories.py {kinds}; rm /etc/os-release")
    system.sh("cat > /etc/os-release", stdin=release.encode())
    system.sh("systemd-run -q python3 -m http.server 80 -b 127.0.0.1 -d /srv")
    return system


@pytest.fixture(scope="module")
def rhel(machines: Machines, tools: str) -> System:
    """RHEL 9."""
    system = make(machines, tools, ("rhel", 4), "dnf", RHEL, "rhel/9")
    system.sh(DNF)
    return system


@pytest.fixture(scope="module")
def sles(machines: Machines, tools: str) -> System:
    """SLES 15 with the Containers module, and with a repository that cannot be read."""
    system = make(machines, tools, ("sles", 5), "zypper", SLES, "suse sles/15")
    containers = "[containers]\nname=containers\nbaseurl=http://127.0.0.1/suse\nenabled=1\nautorefresh=1\ngpgcheck=1\n"
    system.sh("mkdir -p /etc/zypp/repos.d; cat > /etc/zypp/repos.d/os.repo", stdin=containers.encode())
    system.sh("cat > /etc/zypp/repos.d/broken.repo; rpm --import /srv/good.asc", stdin=BROKEN.encode())
    return system


@pytest.fixture(scope="module")
def azure_linux(machines: Machines, tools: str) -> System:
    """Azure Linux 3, with an imitation of its tdnf."""
    system = make(machines, tools, ("azurelinux", 6), "dnf", AZURE_LINUX, "azurelinux")
    system.sh(DNF)
    system.sh("cat > /usr/bin/tdnf; chmod 755 /usr/bin/tdnf", stdin=b"#!/usr/bin/python3\n" + TDNF.read_bytes())
    base = (
        "[base]\nname=base\nbaseurl=http://127.0.0.1/azurelinux\nenabled=1\ngpgcheck=1\ngpgkey=file:///srv/good.asc\n"
    )
    system.sh("mkdir -p /etc/yum.repos.d; cat > /etc/yum.repos.d/base.repo", stdin=base.encode())
    return system


@pytest.fixture
def docker(rhel: System) -> dict[str, t.Any]:
    """The engine's settings for the mirror."""
    return {"source": "docker", "mirror": MIRROR, "key": rhel.key("good")}


class TestRhel:
    """dnf, and Docker's own repository."""

    def test_keys_that_do_not_fit_are_refused(self, rhel: System, docker: dict[str, t.Any]) -> None:
        result = rhel.push({"source": "docker", "mirror": MIRROR}, fails=True)
        assert "which is not Docker's" in result["error"]
        assert result["changes"] == []
        keys = rhel.sh("rpm -q gpg-pubkey || true")
        result = rhel.push({**docker, "key": rhel.key("other")}, fails=True)
        assert result["stage"] == "install"
        assert "docker-ce" not in rhel.sh("rpm -qa")
        assert rhel.sh("rpm -q gpg-pubkey || true") == keys, "rpm does not trust the key that nothing is signed with"

    def test_a_series_is_installed_and_held_while_a_lock_passes(self, rhel: System, docker: dict[str, t.Any]) -> None:
        engine = {**docker, "version": "28", "hold": True}
        assert rhel.push_while_held("rpm", engine) == "dnf-automatic"
        assert rhel.versions("docker-ce docker-ce-cli docker-ce-rootless-extras") == ["28.5.2-1.el9"] * 3
        assert rhel.push(engine)["changes"] == []
        assert rhel.push({**docker, "version": "28.5.2-1.el9", "hold": True})["changes"] == []
        locks = rhel.sh("grep -v '^#' /etc/dnf/plugins/versionlock.list")
        assert all(f"{name}-" in locks for name in NAMES.split())

    def test_what_is_held_is_upgraded_on_request_and_held_again(self, rhel: System, docker: dict[str, t.Any]) -> None:
        result = rhel.push({**docker, "version": "29", "hold": True})
        assert result["engine"]["version"] == "29.0.4"
        assert rhel.versions("docker-ce docker-ce-cli docker-ce-rootless-extras") == ["29.0.4-1.el9"] * 3
        assert "29.0.4" in rhel.sh("grep docker-ce-cli /etc/dnf/plugins/versionlock.list")
        changes = rhel.push({**docker, "version": "29"})["changes"]
        assert len(changes) == 1
        assert changes[0].startswith("release ")
        assert rhel.push({**docker, "version": "29"})["changes"] == []
        rhel.sh("! grep -q docker /etc/dnf/plugins/versionlock.list")

    def test_a_version_that_is_not_offered(self, rhel: System, docker: dict[str, t.Any]) -> None:
        result = rhel.push({**docker, "version": "26"}, fails=True)
        assert "no version 26 of docker-ce is offered; offered: 27.5.1, 28.5.2, 29.0.4" in result["error"]

    def test_a_foreign_repository_that_cannot_be_read(self, rhel: System, docker: dict[str, t.Any]) -> None:
        rhel.sh("cat > /etc/yum.repos.d/broken.repo", stdin=BROKEN.encode())
        result = rhel.push({**docker, "version": "28.5.2"})
        assert rhel.versions("docker-ce") == ["28.5.2-1.el9"]
        assert any("the repository broken was skipped" in note for note in result["notes"])
        rhel.sh("rm /etc/yum.repos.d/broken.repo")

    def test_an_upgrade_that_was_cut_short_is_completed(self, rhel: System, docker: dict[str, t.Any]) -> None:
        engine = {**docker, "version": "29"}
        rhel.sh("touch /root/cut")
        rhel.push(engine, fails=True)
        assert len(rhel.versions("docker-ce")) == 2, "rpm knows both versions"
        result = rhel.push(engine)
        assert rhel.versions("docker-ce docker-ce-cli docker-ce-rootless-extras") == ["29.0.4-1.el9"] * 3
        assert result["engine"]["version"] == "29.0.4"
        assert rhel.push(engine)["changes"] == []

    def test_what_was_published_just_now_in_the_administrators_repository(
        self, rhel: System, docker: dict[str, t.Any]
    ) -> None:
        file = "/etc/yum.repos.d/docker-ce.repo"
        rhel.sh(
            f"sed s/docker-host/docker-ce/ /etc/yum.repos.d/docker-host.repo > {file}; rm /etc/yum.repos.d/docker-h*"
        )
        before = rhel.sh(f"dnf -q makecache >/dev/null 2>&1; cat {file}")
        rhel.sh("python3 /root/rpm_repositories.py publish")
        rhel.push({**docker, "version": "29.1.0"})
        assert rhel.versions("docker-ce") == ["29.1.0-1.el9"]
        assert rhel.sh(f"cat {file}") == before
        assert "docker-host" not in rhel.sh("ls /etc/yum.repos.d")

    def test_a_release_is_chosen_before_its_candidates(self, rhel: System, docker: dict[str, t.Any]) -> None:
        assert rhel.push_while_held("dnf", {**docker, "channel": "test", "version": "29.2"}) == "dnf"
        assert rhel.versions("docker-ce") == ["29.2.0-1.el9"]

    def test_a_held_engine_is_removed(self, rhel: System, docker: dict[str, t.Any]) -> None:
        rhel.push({**docker, "channel": "test", "hold": True})
        rhel.machines.push(rhel.guest, {}, state="absent", remove=["engine"])
        assert "docker-ce" not in rhel.sh("rpm -qa")
        rhel.sh("! grep -q docker /etc/dnf/plugins/versionlock.list; ! test -e /etc/yum.repos.d/docker-host.repo")
        assert "docker-ce.repo" in rhel.sh("ls /etc/yum.repos.d")


class TestSles:
    """zypper, the distribution's engine, and a mirror with Docker's layout."""

    # Its source is chosen by the program, since Docker builds no packages for this system.
    ENGINE: t.ClassVar[dict[str, t.Any]] = {}

    def test_a_full_version_is_installed_while_a_lock_passes(self, sles: System) -> None:
        engine = {**self.ENGINE, "version": "27.5.1", "hold": True}
        assert sles.push_while_held("zypper", engine) == "zypper"
        assert sles.versions("docker") == ["27.5.1_ce-150000.1"]
        assert "docker" in sles.sh("zypper -q locks")
        assert sles.push(engine)["changes"] == []

    def test_what_is_held_is_upgraded_on_request_and_released(self, sles: System) -> None:
        result = sles.push({**self.ENGINE, "version": "28", "hold": True})
        assert sles.versions("docker") == ["28.5.1_ce-150000.1"]
        assert result["engine"]["version"] == "28.5.1"
        assert "docker" in sles.sh("zypper -q locks")
        assert sles.push({**self.ENGINE, "version": "28"})["changes"][0].startswith("release ")
        assert "docker" not in sles.sh("zypper -q locks")

    def test_a_held_engine_is_removed(self, sles: System) -> None:
        sles.push({**self.ENGINE, "hold": True})
        sles.machines.push(sles.guest, {}, state="absent", remove=["engine"])
        assert "docker" not in sles.sh("rpm -qa; zypper -q locks")

    def test_an_installation_that_was_cut_short_is_completed(self, sles: System) -> None:
        sles.sh("touch /root/cut")
        sles.push(self.ENGINE, fails=True)
        sles.push(self.ENGINE)
        assert sles.versions("docker docker-compose") == ["28.5.1_ce-150000.1", "2.33.1-150000.1"]
        assert sles.push(self.ENGINE)["changes"] == []
        sles.machines.push(sles.guest, {}, state="absent", remove=["engine"])

    def test_a_mirror_with_dockers_layout_and_a_version(self, sles: System) -> None:
        engine = {"source": "docker", "mirror": MIRROR, "key": sles.key("good"), "version": "28"}
        keys = sles.sh("rpm -q gpg-pubkey")
        sles.push({**engine, "key": sles.key("other")})
        assert sles.sh("rpm -q gpg-pubkey") == keys, "the packages are signed with a key that rpm knows already"
        assert sles.versions("docker-ce docker-ce-cli") == ["28.5.2-1.sles15"] * 2
        assert sles.push(engine)["changes"] == []


class TestAzureLinux:
    """An imitation of tdnf, which refuses what the real one refuses."""

    # Its source is chosen by the program, since Docker builds no packages for this system.
    ENGINE: t.ClassVar[dict[str, t.Any]] = {}

    def test_a_version_is_installed_and_held(self, azure_linux: System) -> None:
        engine = {**self.ENGINE, "version": "25.0.3", "hold": True}
        azure_linux.push(engine)
        assert azure_linux.versions("moby-engine docker-compose") == ["25.0.3-17.azl3", "2.27.0-9.azl3"]
        assert "moby-engine" in azure_linux.sh("cat /etc/tdnf/locks.d/docker-host.conf").split()
        assert azure_linux.push(engine)["changes"] == []

    def test_what_is_held_is_upgraded_on_request_and_released(self, azure_linux: System) -> None:
        result = azure_linux.push({**self.ENGINE, "version": "28", "hold": True})
        assert azure_linux.versions("moby-engine") == ["28.5.2-1.azl3"]
        assert result["engine"]["version"] == "28.5.2"
        azure_linux.sh("! tdnf -y -q remove moby-engine")
        assert azure_linux.push(self.ENGINE)["changes"][0].startswith("release ")
        azure_linux.sh("! test -e /etc/tdnf/locks.d/docker-host.conf")

    def test_a_held_engine_is_removed(self, azure_linux: System) -> None:
        azure_linux.push({**self.ENGINE, "hold": True})
        azure_linux.machines.push(azure_linux.guest, {}, state="absent", remove=["engine"])
        assert "moby" not in azure_linux.sh("rpm -qa; ls /etc/tdnf/locks.d")

    def test_an_installation_that_was_cut_short_is_completed(self, azure_linux: System) -> None:
        azure_linux.sh("touch /root/cut")
        azure_linux.push(self.ENGINE, fails=True)
        azure_linux.push(self.ENGINE)
        assert azure_linux.versions("moby-engine docker-compose") == ["28.5.2-1.azl3", "2.27.0-9.azl3"]
        assert azure_linux.push(self.ENGINE)["changes"] == []
