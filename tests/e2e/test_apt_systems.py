# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for the VM under the apt of Debian 12 and 13, on guests that call themselves Debian and Ubuntu.

The engines are imitations in signed repositories with Docker's layout; see deb_repositories.py. The engine of Debian
itself, and what Docker's packages do to containers, is in test_setup_program.py and test_debian_13.py.
"""

from __future__ import annotations

import pytest

from image_systems import IMAGE_SYSTEMS

from .authority import Authority
from .machines import Machines
from .systems import MIRROR, Life, System, make

pytestmark = [pytest.mark.guests, pytest.mark.slow]

PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")


@pytest.fixture(scope="module")
def debian_12(machines: Machines, tools: str) -> System:
    """apt 2.6, with ufw, which Ubuntu's images bring."""
    kinds = "debian/12/bookworm ubuntu/22.04/jammy ubuntu/24.04/noble"
    return guarded(make(machines, tools, ("bookworm", 4), "apt", kinds, "ufw"))


@pytest.fixture(scope="module")
def debian_13(machines: Machines, tools: str) -> System:
    """apt 3.0."""
    kinds = "debian/13/trixie ubuntu/26.04/resolute"
    return guarded(make(machines, tools, ("trixie", 5), "apt", kinds, "ufw", image={"offer": "debian-13"}))


def guarded(system: System) -> System:
    """Switch ufw on, as an administrator does."""
    system.sh("ufw allow 22/tcp; ufw --force enable")
    return system


@pytest.mark.parametrize("alias", ["debian-12", "ubuntu-22.04", "ubuntu-24.04"])
def test_the_life_of_an_engine(debian_12: System, authority: Authority, alias: str) -> None:
    engine = {"mirror": MIRROR, "key": debian_12.key("good")}
    Life(debian_12, IMAGE_SYSTEMS[alias], PACKAGES, authority, engine).run()


@pytest.mark.parametrize("alias", ["debian-13", "ubuntu-26.04"])
def test_the_life_of_an_engine_with_apt_3(debian_13: System, authority: Authority, alias: str) -> None:
    engine = {"mirror": MIRROR, "key": debian_13.key("good")}
    Life(debian_13, IMAGE_SYSTEMS[alias], PACKAGES, authority, engine).run()


def test_a_hold_waits_for_dpkg(debian_12: System) -> None:
    """Setting a hold needs dpkg's lock, as an installation does; see docker_setup.py, which waits for it."""
    debian_12.put("/etc/os-release", IMAGE_SYSTEMS["debian-12"].release)
    engine = {"mirror": MIRROR, "key": debian_12.key("good")}
    debian_12.push(engine)
    assert debian_12.push_while_held("dpkg-frontend", {**engine, "hold": True}) == "unattended-upgr"
    assert debian_12.is_held("docker-ce")
    assert debian_12.push_while_held("dpkg-frontend", engine) == "unattended-upgr"
    assert not debian_12.is_held("docker-ce")
    debian_12.machines.push(debian_12.guest, {}, state="absent", remove=["engine"])
