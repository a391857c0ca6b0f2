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
from image_systems import IMAGE_SYSTEMS, ImageSystem

from .conftest import Clock, Recorder, armour, public_key
from .package_managers import Apt, Dnf, PackageManager, Tdnf, Zypper


class System(t.NamedTuple):
    """A system of an alias, with what the program is to do on it.

    :param source: where its engine comes from by default.
    :param others: what is installed with it, with versions of their own.
    :param index: the end of the address of Docker's index.
    :param guard: what its image guards the ports with; empty where nothing does.
    """

    image: ImageSystem
    manager: type[PackageManager]
    source: str
    others: t.Mapping[str, str]
    index: str
    guard: str

    @property
    def versions(self) -> tuple[str, str]:
        """An older and a newer version of the engine, as its packages are numbered."""
        image = self.image
        return f"{image.epoch}{image.older[1]}", f"{image.epoch}{image.newer[1]}"


PLUGINS = {"containerd.io": "2.1.5-1", "docker-buildx-plugin": "0.29.1-1", "docker-compose-plugin": "2.40.3-1"}
ROOTLESS = "docker-ce-rootless-extras"


def debian(alias: str, guard: str = "") -> System:
    """A release of Debian or Ubuntu with Docker's packages."""
    image = IMAGE_SYSTEMS[alias]
    index = f"/linux/{alias.partition('-')[0]}/dists/{image.codename}/Release"
    return System(image, Apt, "docker", PLUGINS, index, guard)


def enterprise(alias: str) -> System:
    """A release of RHEL or its family with Docker's packages."""
    identity, _dash, major = alias.partition("-")
    folder = "rhel" if identity == "rhel" else "centos"
    index = f"/linux/{folder}/{major}/@/stable/repodata/repomd.xml"
    return System(IMAGE_SYSTEMS[alias], Dnf, "docker", PLUGINS, index, "firewalld")


SYSTEMS: dict[str, System] = {
    "debian-12": debian("debian-12"),
    "debian-13": debian("debian-13"),
    "ubuntu-22.04": debian("ubuntu-22.04", "ufw"),
    "ubuntu-24.04": debian("ubuntu-24.04", "ufw"),
    "ubuntu-26.04": debian("ubuntu-26.04", "ufw"),
    **{
        alias: enterprise(alias)
        for alias in ("rhel-9", "rhel-10", "almalinux-9", "almalinux-10", "rocky-9", "rocky-10")
    },
    "sles-15": System(
        IMAGE_SYSTEMS["sles-15"],
        Zypper,
        "distribution",
        {"docker-compose": "2.33.1-150000.1"},
        "/linux/sles/15/@/stable/repodata/repomd.xml",
        "firewalld",
    ),
    "azurelinux-3": System(
        IMAGE_SYSTEMS["azurelinux-3"],
        Tdnf,
        "distribution",
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
        versioned = [self.system.image.package]
        if self.system.source == "docker":
            versioned += ["docker-ce-cli", ROOTLESS]
        offered = {name: [newer, older] for name in versioned}
        offered.update({name: [version] for name, version in self.system.others.items()})
        self.machine = self.system.manager(setup, root, self.system.image.release, offered)
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
        return {self.system.image.package, *more, *self.system.others}


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
    assert life.machine.packages[life.system.image.package] == life.system.versions[1]
    assert life.run() == []


@EVERY
def test_a_version_is_installed_upgraded_and_downgraded(life: Life, alias: str) -> None:
    older, newer = life.system.versions
    for version in (older, newer, older):
        plain = life.setup.upstream(version)
        for wanted in (plain, plain.partition(".")[0], version, life.setup.without_epoch(version)):
            changes = life.run(version=wanted)
            assert life.machine.packages[life.system.image.package] == version, (alias, wanted)
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
    assert life.machine.packages[life.system.image.package] == life.system.versions[1]
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
    assert life.machine.packages[life.system.image.package] == life.system.versions[0]


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
    assert life.machine.packages[life.system.image.package] == life.system.versions[1], alias
    assert life.machine.facts().packages.held([life.system.image.package]) == []
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
    recorder = Recorder(setup, tmp_path / "root", SYSTEMS[alias].image.release, answers, programs)
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
