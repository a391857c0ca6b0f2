# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systems of the images that the collection's aliases name, each with two versions of its engine.

Unit tests install them with imitated package managers, e2e tests with real ones.
"""

from __future__ import annotations

import typing as t


class ImageSystem(t.NamedTuple):
    """A system, as its images on Azure are.

    :param release: its /etc/os-release.
    :param package: the package with the engine.
    :param older: the number that a user gives for an older engine, and the version of its package without epoch.
    :param newer: the same of the newest engine.
    :param epoch: the epoch of these versions with its colon; empty if they have none.
    :param codename: of Debian and Ubuntu.
    """

    release: str
    package: str
    older: tuple[str, str]
    newer: tuple[str, str]
    epoch: str = ""
    codename: str = ""


def _debian(name: str, version: str, codename: str) -> ImageSystem:
    """Return a release of Debian or Ubuntu with Docker's packages."""
    release = f'PRETTY_NAME="{name} {version}"\nVERSION_ID="{version}"\nVERSION_CODENAME={codename}\nID={name}\n'
    release += f"ID_LIKE=debian\nUBUNTU_CODENAME={codename}\n" if name == "ubuntu" else ""
    older, newer = ((number, f"{number}-1~{name}.{version}~{codename}") for number in ("28.5.2", "29.0.4"))
    return ImageSystem(release, "docker-ce", older, newer, "5:", codename)


def _enterprise(identity: str, version: str, like: str) -> ImageSystem:
    """Return a release of RHEL or its family with Docker's packages."""
    release = f'PRETTY_NAME="{identity} {version}"\nVERSION_ID="{version}"\nID="{identity}"\nID_LIKE="{like}"\n'
    older, newer = ((number, f"{number}-1.el{version.partition('.')[0]}") for number in ("28.5.2", "29.0.4"))
    return ImageSystem(release, "docker-ce", older, newer, "3:")


_CLONE = "rhel centos fedora"
IMAGE_SYSTEMS = {
    "debian-12": _debian("debian", "12", "bookworm"),
    "debian-13": _debian("debian", "13", "trixie"),
    "ubuntu-22.04": _debian("ubuntu", "22.04", "jammy"),
    "ubuntu-24.04": _debian("ubuntu", "24.04", "noble"),
    "ubuntu-26.04": _debian("ubuntu", "26.04", "resolute"),
    "rhel-9": _enterprise("rhel", "9.8", "fedora"),
    "rhel-10": _enterprise("rhel", "10.1", "centos fedora"),
    "almalinux-9": _enterprise("almalinux", "9.5", _CLONE),
    "almalinux-10": _enterprise("almalinux", "10.1", _CLONE),
    "rocky-9": _enterprise("rocky", "9.8", _CLONE),
    "rocky-10": _enterprise("rocky", "10.1", _CLONE),
    "sles-15": ImageSystem(
        'PRETTY_NAME="SUSE Linux Enterprise Server 15 SP7"\nVERSION_ID="15.7"\nID="sles"\nID_LIKE="suse"\n',
        "docker",
        ("27.5.1", "27.5.1_ce-150000.1"),
        ("28.5.1", "28.5.1_ce-150000.1"),
    ),
    "azurelinux-3": ImageSystem(
        'PRETTY_NAME="Microsoft Azure Linux 3.0"\nVERSION_ID="3.0"\nID=azurelinux\n',
        "moby-engine",
        ("25.0.3", "25.0.3-17.azl3"),
        ("28.5.2", "28.5.2-1.azl3"),
    ),
}
"""By alias."""
