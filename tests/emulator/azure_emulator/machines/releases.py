# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of Debian that guests run, and which of them an image means."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

#: What a guest has from its first boot, besides Debian's minimal base.
TREE_PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "iproute2", "iputils-ping", "netbase", "procps", "kmod", "python3",
    "python3-yaml", "openssh-server", "openssl", "ca-certificates", "curl", "gnupg", "sudo", "iptables", "nftables",
    "fdisk", "parted", "e2fsprogs", "xfsprogs", "busybox-static", "waagent",
)  # fmt: skip
#: What a guest can install, with everything that it depends on.
POOL_PACKAGES = ("docker.io", "docker-registry", "apache2-utils", "git", "xz-utils", "apparmor")


@dataclass(frozen=True)
class Release:
    """One release of Debian.

    :param offer: the offer of its images on Azure's marketplace.
    :param pool: what a guest can install.
    :param later: single packages of a later Debian that install on this one: (suite, package).
    """

    suite: str
    offer: str
    pool: tuple[str, ...]
    later: tuple[tuple[str, str], ...] = ()


DEBIAN_12 = Release("bookworm", "debian-12", POOL_PACKAGES, (("trixie", "docker-compose"),))
DEBIAN_13 = Release("trixie", "debian-13", (*POOL_PACKAGES, "docker-cli", "docker-compose"))
RELEASES = (DEBIAN_12, DEBIAN_13)


def release_of(image: t.Mapping[str, str]) -> Release:
    """Return the release that an image reference means. Whatever is not Debian 13 runs Debian 12."""
    offer = image.get("offer", "").lower()
    return next((release for release in RELEASES if release.offer == offer), DEBIAN_12)


def release_named(suite: str) -> Release:
    """Return the release with that code name. :raises ValueError: guests do not run it."""
    for release in RELEASES:
        if release.suite == suite:
            return release
    known = ", ".join(release.suite for release in RELEASES)
    raise ValueError(f"guests run {known}, got {suite!r}")


def release_on(disk: Path, image: t.Mapping[str, str]) -> Release:
    """Return the release on a system disk: a new one gets the image's, and keeps it whatever image is named later.

    :param disk: the folder of the disk, where a note is kept.
    """
    note = disk / "release"
    if not note.exists():
        note.write_text(release_of(image).suite, encoding="utf-8")
    return release_named(note.read_text(encoding="utf-8"))
