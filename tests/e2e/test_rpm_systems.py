# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for the VM under real dnf, zypper and rpm, on guests that call themselves RHEL, SLES and Azure Linux.

The engines are imitations in signed repositories with Docker's layout; see rpm_repositories.py. The tests of a class go
in order on one guest.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from image_systems import IMAGE_SYSTEMS

from .authority import Authority
from .machines import Machines
from .rpm_repositories import KERNEL
from .systems import MIRROR, Life, System, make

pytestmark = [pytest.mark.guests, pytest.mark.slow]

TDNF = Path(__file__).with_name("tdnf.py")
RHEL = 'PRETTY_NAME="Red Hat Enterprise Linux 9.6 (Plow)"\nVERSION_ID="9.6"\nID="rhel"\nID_LIKE="fedora"\n'
DNF_CONF = """[main]
gpgcheck=True
best=True
skip_if_unavailable=False
clean_requirements_on_remove=True
"""
# Enterprise Linux 10 has a module that the engine needs in a package of its own; others have it with the kernel.
MODPROBE = """#!/bin/sh
. /etc/os-release
case $VERSION_ID in 10*) exec test -e /usr/share/imitations/kernel-modules-extra ;; esac
"""
UNAME = f"""#!/bin/sh
test "$*" != -r || exec echo {KERNEL}
exec /usr/bin/uname "$@"
"""
REPOSITORY = """[{0}]
name={0}
baseurl=http://127.0.0.1/{0}
enabled=1
autorefresh=1
gpgcheck=1
gpgkey=file:///srv/good.asc
"""
SAVED_RULES = "/etc/systemd/scripts/ip4save"
# microsoft/azurelinux 3.0, SPECS/iptables/ip4save
IP4SAVE = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A OUTPUT -j ACCEPT
COMMIT
"""
BROKEN = "[broken]\nname=broken\nbaseurl=http://127.0.0.1/broken\nenabled=1\n"
NAMES = "docker-ce docker-ce-cli docker-ce-rootless-extras containerd.io docker-buildx-plugin docker-compose-plugin"


def as_on_rhel(system: System) -> None:
    """Configure dnf as RHEL does; Debian's own plugins are not there."""
    system.sh("cd /usr/lib/python3/dist-packages/dnf-plugins; rm -f local.py show_leaves.py")
    system.put("/etc/dnf/dnf.conf", DNF_CONF)
    system.put("/usr/local/sbin/modprobe", MODPROBE, "755")
    system.put("/usr/local/sbin/uname", UNAME, "755")


@pytest.fixture(scope="module")
def rhel(machines: Machines, tools: str) -> System:
    """RHEL 9, and what makes it another release of Enterprise Linux."""
    kinds = "rhel/9 rhel/10 centos/9 centos/10 el10"
    system = make(machines, tools, ("rhel", 4), "dnf", kinds, "firewalld")
    as_on_rhel(system)
    system.put("/etc/os-release", RHEL)
    return system


@pytest.fixture(scope="module")
def sles(machines: Machines, tools: str) -> System:
    """SLES 15 with the Containers module, and with a repository that cannot be read."""
    system = make(machines, tools, ("sles", 5), "zypper", "suse sles/15", "firewalld")
    system.put("/etc/os-release", IMAGE_SYSTEMS["sles-15"].release)
    system.put("/etc/zypp/repos.d/os.repo", REPOSITORY.format("suse"))
    system.put("/etc/zypp/repos.d/broken.repo", BROKEN)
    system.sh("rpm --import /srv/good.asc")
    return system


@pytest.fixture(scope="module")
def azure_linux(machines: Machines, tools: str) -> System:
    """Azure Linux 3, with an imitation of its tdnf, and with the rules of its packet filter."""
    system = make(machines, tools, ("azurelinux", 6), "tdnf", "azurelinux", "iptables")
    as_on_rhel(system)
    system.put("/etc/os-release", IMAGE_SYSTEMS["azurelinux-3"].release)
    system.put("/usr/bin/tdnf", "#!/usr/bin/python3\n" + TDNF.read_text(encoding="utf-8"), "755")
    system.put("/etc/yum.repos.d/base.repo", REPOSITORY.format("azurelinux"))
    system.put(SAVED_RULES, IP4SAVE)
    system.sh(f"iptables-restore < {SAVED_RULES}")
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
        rhel.sh("cd /root; python3 -m e2e.rpm_repositories publish")
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
        assert "docker" not in rhel.sh("cat /etc/dnf/plugins/versionlock.list")
        assert rhel.sh("ls /etc/yum.repos.d").split() == ["docker-ce.repo"], "the administrator's own"
        rhel.sh("rm /etc/yum.repos.d/docker-ce.repo")


ENTERPRISE = ("rhel-9", "rhel-10", "almalinux-9", "almalinux-10", "rocky-9", "rocky-10")


@pytest.mark.parametrize("alias", ENTERPRISE)
def test_the_life_of_an_engine_on_enterprise_linux(rhel: System, authority: Authority, alias: str) -> None:
    is_10 = "-10" in alias
    rhel.put("/etc/yum.repos.d/os.repo", REPOSITORY.format("el10").replace("enabled=1", f"enabled={int(is_10)}"))
    engine = {"mirror": MIRROR, "key": rhel.key("good")}
    Life(rhel, IMAGE_SYSTEMS[alias], tuple(NAMES.split()), authority, engine).run()
    modules = rhel.sh("rpm -qa kernel-modules-extra").split()
    assert modules == ([f"kernel-modules-extra-{KERNEL}.noarch"] if is_10 else [])
    rhel.sh("rpm -qa kernel-modules-extra | xargs -r rpm -e; rm /etc/yum.repos.d/os.repo")


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

    def test_the_life_of_an_engine(self, sles: System, authority: Authority) -> None:
        """With the port in firewalld."""
        sles.machines.push(sles.guest, {}, state="absent", remove=["engine"])
        Life(sles, IMAGE_SYSTEMS["sles-15"], ("docker", "docker-compose", "containerd"), authority, {}).run()


class TestAzureLinux:
    """An imitation of tdnf, which refuses what the real one refuses."""

    # Its source is chosen by the program, since Docker builds no packages for this system.
    ENGINE: t.ClassVar[dict[str, t.Any]] = {}

    def test_the_imitation_refuses_what_tdnf_refuses(self, azure_linux: System) -> None:
        """As tdnf 3.5.8 was seen to answer."""

        def ends(command: str) -> tuple[int, str]:
            said = azure_linux.sh(f"code=0; tdnf {command} 2>&1 || code=$?; echo $code")
            return int(said.split()[-1]), said

        refusals = {
            "-q list --showduplicates moby-engine": (140, "No such option: --showduplicates. Please use /usr/bin/tdnf"),
            "-y versionlock add moby-engine": (144, "No such command: versionlock."),
            "-q list nothing": (243, "Error(1011) : No matching packages"),
            "-y -q install moby-engine-25.0.3-17.azl3": (243, "moby-engine-25.0.3-17.azl3 package not found or not"),
            "-y -q remove python3 moby-engine": (243, "Error(1011)"),
        }
        for command, (code, text) in refusals.items():
            ended = ends(command)
            assert (ended[0], text in ended[1]) == (code, True), (command, ended)
        code, said = ends("-q list moby-engine")
        assert code == 0
        assert [line.split()[1] for line in said.splitlines()[:-1]] == [
            "25.0.3-16.azl3",
            "25.0.3-17.azl3",
            "28.5.2-1.azl3",
        ]
        file = "/etc/yum.repos.d/base.repo"
        azure_linux.sh(f"sed -i s/127.0.0.1/127.0.0.1:9/ {file}; rm -rf /var/cache/dnf")
        ended = ends("-y -q install moby-engine")
        azure_linux.sh(f"sed -i s/127.0.0.1:9/127.0.0.1/ {file}")
        assert ended == (184, "Error(1208) : Couldn't connect to server\n184\n")

    def test_a_lock_of_the_administrators_survives_an_upgrade(self, azure_linux: System) -> None:
        azure_linux.sh("tdnf -y -q install moby-engine=25.0.3-17.azl3 docker-cli")
        azure_linux.put("/etc/tdnf/locks.d/theirs.conf", "moby-engine\n")
        azure_linux.push({**self.ENGINE, "version": "28"})
        assert azure_linux.versions("moby-engine") == ["28.5.2-1.azl3"]
        assert azure_linux.sh("cd /etc/tdnf/locks.d; ls; cat *") == "theirs.conf\nmoby-engine\n"
        azure_linux.sh("! tdnf -y -q remove moby-engine")
        azure_linux.machines.push(azure_linux.guest, {}, state="absent", remove=["engine"])
        assert "moby" not in azure_linux.sh("rpm -qa; cat /etc/tdnf/locks.d/*")
        azure_linux.sh("rm /etc/tdnf/locks.d/theirs.conf")

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

    def test_the_life_of_an_engine(self, azure_linux: System, authority: Authority) -> None:
        """With the port in the rules that the image loads at boot."""
        azure_linux.machines.push(azure_linux.guest, {}, state="absent", remove=["engine"])
        others = ("moby-engine", "docker-cli", "docker-compose")
        life = Life(azure_linux, IMAGE_SYSTEMS["azurelinux-3"], others, authority, {})
        life.run()
        assert azure_linux.sh(f"cat {SAVED_RULES}") == IP4SAVE
        life.push("28.5.2")
        azure_linux.sh(f"iptables-restore < {SAVED_RULES}")
        assert life.system.answers(authority) == "28.5.2", "as after a boot"
