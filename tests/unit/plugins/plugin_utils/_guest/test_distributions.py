# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of an engine on each system that the images of the collection's aliases have."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.engine_source import (
    system_without_engine,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.image_reference import (
    ALIASES,
    read_image,
    system_without_docker_packages,
)

from .conftest import OS_RELEASES, Clock, Recorder, armour, public_key
from .package_managers import Apt, Dnf, PackageManager, Tdnf, Zypper


class System(t.NamedTuple):
    """A system of an alias.

    :param release: its /etc/os-release.
    :param source: where its engine comes from by default.
    :param engine: the package with the engine.
    :param versions: an older and a newer version of it, as its packages are numbered.
    :param others: what is installed with it, with versions of their own.
    :param index: the end of the address of Docker's index.
    :param guard: what its image guards the ports with; empty where nothing does.
    """

    manager: type[PackageManager]
    release: str
    source: str
    engine: str
    versions: tuple[str, str]
    others: t.Mapping[str, str]
    index: str
    guard: str


PLUGINS = {"containerd.io": "2.1.5-1", "docker-buildx-plugin": "0.29.1-1", "docker-compose-plugin": "2.40.3-1"}
ROOTLESS = "docker-ce-rootless-extras"


def debian(version: str, codename: str, name: str = "debian", guard: str = "") -> System:
    """A release of Debian or Ubuntu with Docker's packages."""
    suffix = f"-1~{name}.{version}~{codename}"
    release = f'PRETTY_NAME="{name} {version}"\nVERSION_ID="{version}"\nVERSION_CODENAME={codename}\nID={name}\n'
    release += f"ID_LIKE=debian\nUBUNTU_CODENAME={codename}\n" if name == "ubuntu" else ""
    versions = f"5:28.5.2{suffix}", f"5:29.0.4{suffix}"
    index = f"/linux/{name}/dists/{codename}/Release"
    return System(Apt, release, "docker", "docker-ce", versions, PLUGINS, index, guard)


def enterprise(identity: str, version: str, like: str) -> System:
    """A release of RHEL or its family with Docker's packages."""
    major = version.partition(".")[0]
    release = f'PRETTY_NAME="{identity} {version}"\nVERSION_ID="{version}"\nID="{identity}"\nID_LIKE="{like}"\n'
    folder = "rhel" if identity == "rhel" else "centos"
    versions = f"3:28.5.2-1.el{major}", f"3:29.0.4-1.el{major}"
    index = f"/linux/{folder}/{major}/@/stable/repodata/repomd.xml"
    return System(Dnf, release, "docker", "docker-ce", versions, PLUGINS, index, "firewalld")


CLONE = "rhel centos fedora"
SUSE = 'PRETTY_NAME="SUSE Linux Enterprise Server 15 SP7"\nVERSION_ID="15.7"\nID="sles"\nID_LIKE="suse"\n'
SYSTEMS: dict[str, System] = {
    "debian-12": debian("12", "bookworm"),
    "debian-13": debian("13", "trixie"),
    "ubuntu-22.04": debian("22.04", "jammy", "ubuntu", "ufw"),
    "ubuntu-24.04": debian("24.04", "noble", "ubuntu", "ufw"),
    "ubuntu-26.04": debian("26.04", "resolute", "ubuntu", "ufw"),
    "rhel-9": enterprise("rhel", "9.8", "fedora"),
    "rhel-10": enterprise("rhel", "10.1", "centos fedora"),
    "almalinux-9": enterprise("almalinux", "9.5", CLONE),
    "almalinux-10": enterprise("almalinux", "10.1", CLONE),
    "rocky-9": enterprise("rocky", "9.8", CLONE),
    "rocky-10": enterprise("rocky", "10.1", CLONE),
    "sles-15": System(
        Zypper,
        SUSE,
        "distribution",
        "docker",
        ("27.5.1_ce-150000.1", "28.5.1_ce-150000.1"),
        {"docker-compose": "2.33.1-150000.1"},
        "/linux/sles/15/@/stable/repodata/repomd.xml",
        "firewalld",
    ),
    "azurelinux-3": System(
        Tdnf,
        OS_RELEASES["azurelinux3"],
        "distribution",
        "moby-engine",
        ("25.0.3-17.azl3", "28.5.2-1.azl3"),
        {"moby-cli": "25.0.3-3.azl3", "docker-compose": "2.27.0-9.azl3"},
        "",
        "iptables",
    ),
}
EVERY = pytest.mark.parametrize("alias", SYSTEMS)


class Life:
    """One machine from its first engine on."""

    def __init__(self, setup: t.Any, root: Path, alias: str) -> None:
        self.setup, self.system = setup, SYSTEMS[alias]
        older, newer = self.system.versions
        versioned = [self.system.engine]
        if self.system.source == "docker":
            versioned += ["docker-ce-cli", ROOTLESS]
        offered = {name: [newer, older] for name in versioned}
        offered.update({name: [version] for name, version in self.system.others.items()})
        self.machine = self.system.manager(setup, root, self.system.release, offered)
        for repository in ("debian", "ubuntu", "rhel", "centos", "sles"):
            (root.parent / "mirror/linux" / repository).mkdir(parents=True, exist_ok=True)
        self.engine: dict[str, t.Any] = {}
        if self.system.source == "docker":
            self.engine = {"mirror": f"file://{root.parent}/mirror", "key": armour(public_key(b"mirror"))}

    def run(self, state: dict[str, t.Any] | None = None, **engine: t.Any) -> list[str]:
        """Run the stage for packages once; what it changes."""
        machine = self.machine.machine
        settings = self.setup.Settings({"settings": {"docker": {"engine": {**self.engine, **engine}}}})
        facts = self.machine.facts()
        facts.state = state or {}
        machine.changes.clear()
        self.setup.install(machine, settings, facts)
        return list(machine.changes)

    def remove(self) -> None:
        """Remove the engine."""
        self.setup.purge(self.machine.machine, self.setup.Settings({}), self.machine.facts())

    @property
    def expected(self) -> set[str]:
        """The names of what an installation brings."""
        more = {"docker-ce-cli"} if self.system.source == "docker" else set()
        return {self.system.engine, *more, *self.system.others}


@pytest.fixture
def life(setup: t.Any, tmp_path: Path, alias: str) -> Life:
    """A machine of an alias without an engine."""
    return Life(setup, tmp_path / "root", alias)


def test_every_alias_has_a_system() -> None:
    assert set(ALIASES) - {"ubuntu", "debian"} == set(SYSTEMS)
    assert {ALIASES["ubuntu"], ALIASES["debian"]} <= {ALIASES[alias] for alias in SYSTEMS}


@EVERY
def test_the_source_of_the_engine(life: Life, alias: str) -> None:
    setup, installation = life.setup, life.machine.installation()
    assert setup.source_of(installation.settings, installation.facts) == life.system.source
    without = system_without_docker_packages(read_image("image", alias))
    assert (without is None) is (life.system.source == "docker"), "the controller knows the same before the VM exists"
    has_engine = bool(setup.default_packages(installation.facts))
    assert has_engine is (system_without_engine(read_image("image", alias)) == ""), "this, too"
    if life.system.index:
        repository = life.machine.repository(source="docker", mirror="https://mirror.test")
        assert repository.index() == "https://mirror.test" + life.system.index.replace("@", setup.os.uname().machine)


@EVERY
def test_an_engine_is_installed_once(life: Life, alias: str) -> None:
    assert len(life.run()) == 1
    assert set(life.machine.packages) == life.expected, alias
    assert life.machine.packages[life.system.engine] == life.system.versions[1]
    assert life.run() == []


@EVERY
def test_a_version_is_installed_upgraded_and_downgraded(life: Life, alias: str) -> None:
    older, newer = life.system.versions
    for version in (older, newer, older):
        plain = life.setup.upstream(version)
        for wanted in (plain, plain.partition(".")[0], version, life.setup.without_epoch(version)):
            changes = life.run(version=wanted)
            assert life.machine.packages[life.system.engine] == version, (alias, wanted)
        assert changes == [], "each form names the same version"
        versioned = {name for name in life.machine.packages if name not in life.system.others}
        assert {life.machine.packages[name] for name in versioned} == {version}


@EVERY
def test_a_hold_is_set_kept_through_an_upgrade_and_lifted(life: Life, alias: str) -> None:
    older, newer = map(life.setup.upstream, life.system.versions)
    assert len(life.run(version=older, hold=True)) == 2
    held = set(life.machine.packages) & set(life.setup.engine_names(life.machine.facts().manager))
    assert life.machine.facts().packages.held(sorted(held)) == sorted(held), alias
    assert life.run(version=older, hold=True) == []
    assert len(life.run(version=newer, hold=True)) == 1
    assert life.machine.packages[life.system.engine] == life.system.versions[1]
    assert set(life.machine.facts().packages.held(sorted(held))) == held
    (released,) = life.run({"hold": True}, version=newer)
    assert set(released.replace(",", "").split()) == {"release", *held}
    assert life.machine.facts().packages.held(sorted(held)) == []


@EVERY
def test_an_installation_that_was_killed_is_finished(life: Life, alias: str) -> None:
    life.machine.dies = True
    with pytest.raises(life.setup.Problem):
        life.run()
    assert len(life.machine.packages) == 1, alias
    assert life.run()
    assert set(life.machine.packages) == life.expected
    assert life.run() == []


@EVERY
def test_a_held_engine_is_removed_and_can_be_installed_again(life: Life, alias: str) -> None:
    life.run(hold=True)
    life.remove()
    assert life.machine.packages.keys() <= {"docker-compose"}, alias
    assert not life.machine.facts().installed
    life.run(version=life.setup.upstream(life.system.versions[0]))
    assert life.machine.packages[life.system.engine] == life.system.versions[0]


@EVERY
def test_where_compose_is_missing_another_source_is_advised_only_if_there_is_one(life: Life, alias: str) -> None:
    life.run()
    settings = life.setup.Settings({"settings": {"compose-projects": {"shop": {"file": "services: {}"}}}})
    with pytest.raises(life.setup.Problem, match="compose projects need docker compose of version 2") as caught:
        life.setup.compose(life.machine.machine, settings, life.machine.facts())
    assert ("use engine.source docker" in str(caught.value)) is (life.system.source == "docker"), alias


@pytest.mark.parametrize("alias", ["sles-15"])
def test_another_engine_of_the_distribution_stays_what_it_is(life: Life, alias: str) -> None:
    """SUSE has two that exclude each other; an administrator has chosen docker-stable."""
    older, newer = "24.0.7_ce-150000.1", "24.0.9_ce-150000.1"
    life.machine.offered = {**life.machine.offered, "docker-stable": [newer, older]}
    life.machine.install([f"docker-stable={older}"], 4)
    life.machine.put("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n")
    assert life.run() == []
    assert life.run(version="24.0.7") == []
    assert life.run(version="24.0.9", hold=True) == [
        "bring docker-stable from 24.0.7 to 24.0.9",
        "hold docker-stable",
    ], alias
    assert life.machine.packages["docker-stable"] == newer
    assert "docker" not in life.machine.packages
    with pytest.raises(life.setup.Problem, match=r"no version 28 of docker-stable is offered; offered: 24\.0\.7, "):
        life.run(version="28")
    life.remove()
    assert not life.machine.facts().installed


@pytest.mark.parametrize("alias", ["sles-15"])
def test_a_system_without_the_module_for_containers_is_told_so_before_any_change(life: Life, alias: str) -> None:
    life.machine.offered = {}
    facts = life.machine.facts()
    with pytest.raises(life.setup.Problem, match="SUSEConnect -p sle-module-containers/VERSION/ARCHITECTURE"):
        life.setup.refuse_distribution(facts)
    assert not life.machine.ran("install"), alias


# These only read, and take no lock. dpkg takes one even for a hold.
FREE = re.compile(r"rpm -q |apt-cache |apt-mark showhold|dpkg --print-architecture|modprobe |dnf --help")


@EVERY
def test_a_lock_that_passes_ends_no_run(life: Life, alias: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, refused = life.machine.answer, set()

    def answer_later(argv: list[str], command: str) -> tuple[int, str]:
        if command in refused or FREE.match(command):
            return answer(argv, command)
        refused.add(command)
        return 1, "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (somebody)"

    monkeypatch.setattr(life.machine, "answer", answer_later)
    older, newer = map(life.setup.upstream, life.system.versions)
    life.run(version=older, hold=True)
    life.run(version=newer, hold=True)
    life.run({"hold": True}, version=newer)
    assert life.machine.packages[life.system.engine] == life.system.versions[1], alias
    assert life.machine.facts().packages.held([life.system.engine]) == []
    life.remove()
    assert not life.machine.facts().installed
    assert len(refused) >= 4


GUARDS = {
    "": (("apt-get",), {}, []),
    "ufw": (("ufw",), {"ufw status": "Status: active\n"}, ["ufw allow 4243/tcp"]),
    "firewalld": (
        ("firewall-cmd",),
        {"firewall-cmd --state": "running\n", "firewall-cmd --list-ports": "22/tcp\n"},
        ["firewall-cmd --permanent --add-port=4243/tcp", "firewall-cmd --add-port=4243/tcp"],
    ),
    "iptables": (
        ("iptables",),
        {"iptables -S": "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n"},
        ["iptables -I INPUT 1 -p tcp -m tcp --dport 4243 -j ACCEPT"],
    ),
}


@EVERY
def test_the_port_is_opened_in_the_firewall_of_the_image(setup: t.Any, tmp_path: Path, alias: str) -> None:
    programs, answers, opening = GUARDS[SYSTEMS[alias].guard]
    recorder = Recorder(setup, tmp_path / "root", SYSTEMS[alias].release, answers, programs)
    setup.set_port(recorder.machine, 4243, True)
    assert [command for command in recorder.commands if "4243" in command] == opening
    if not opening:
        return
    is_open = {"ufw status": "Status: active\n4243/tcp ALLOW Anywhere\n", "firewall-cmd --list-ports": "4243/tcp\n"}
    is_open["iptables -S"] = "-P INPUT DROP\n-A INPUT -p tcp -m tcp --dport 4243 -j ACCEPT\n"
    recorder.answers.update(is_open)
    recorder.machine.changes.clear()
    setup.set_port(recorder.machine, 4243, True)
    assert recorder.machine.changes == []
    setup.set_port(recorder.machine, 4243, False)
    assert "4243" in recorder.commands[-1]
