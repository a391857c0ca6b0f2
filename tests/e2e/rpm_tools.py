# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's packages of dnf, zypper, rpm and firewalls, for guests that stand for other distributions."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import typing as t
from pathlib import Path

from azure_emulator.machines import packages
from azure_emulator.machines.releases import DEBIAN_12
from azure_emulator.machines.tree import Tree

# zypper and dnf-plugins-core exclude each other. A tdnf is imitated with dnf.
SETS: t.Mapping[str, tuple[str, ...]] = {
    "apt": (),
    "dnf": ("dnf", "dnf-plugins-core", "rpm", "createrepo-c"),
    "tdnf": ("dnf", "dnf-plugins-core", "rpm", "createrepo-c"),
    "zypper": ("zypper", "rpm", "createrepo-c"),
    "firewalld": ("firewalld",),
    "ufw": ("ufw",),
}


def tools_pool(cache: Path, tree: Tree) -> Path:
    """Return a repository with what a guest lacks of the tools, fetched once and kept beside the guests' trees."""
    name = hashlib.sha256(f"{SETS} {tree.root.parent.name}".encode()).hexdigest()[:16]
    pool = cache / "rpm-tools" / name
    pool.parent.mkdir(parents=True, exist_ok=True)
    with (pool.parent / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not pool.exists():
            for former in pool.parent.glob("*/"):
                shutil.rmtree(former)
            partial = pool.with_suffix(".partial")
            apt = packages.Apt(partial / "apt", DEBIAN_12.suite)
            apt.update()
            present = _installed(tree)
            wanted = {
                package.name: package
                for tools in SETS.values()
                for package in apt.closure([*present, *tools])
                if present.get(package.name) != _version(package.stanza)
            }
            shutil.rmtree(partial / "apt")
            packages.fetch(list(wanted.values()), partial / "pool")
            packages.write_repository(partial, list(wanted.values()), DEBIAN_12.suite)
            partial.rename(pool)
    return pool


def _installed(tree: Tree) -> dict[str, str]:
    """Return the versions of the tree's packages, by name."""
    stanzas = (tree.root / "var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n")
    return {
        stanza.split("\n", 1)[0].removeprefix("Package: "): _version(stanza) for stanza in stanzas if stanza.strip()
    }


def _version(stanza: str) -> str:
    return next(line for line in stanza.splitlines() if line.startswith("Version: ")).removeprefix("Version: ")
