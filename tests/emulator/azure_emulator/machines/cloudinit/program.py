# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's cloud-init as a layer over a guest's tree, so that guests without it need not fetch it.

The layer is made once, in the directory of its tree, and is deleted together with that tree. A build that was killed
leaves only a directory ``cloud-init.partial``, which the next build removes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from azure_emulator.machines.packages import Apt, run
from azure_emulator.machines.releases import Release
from azure_emulator.machines.tree import POOL_IN_GUEST, Tree

PACKAGES = ("cloud-init",)
_INSTALL = """
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/layer,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mkdir "$2/root/debs"
mount --bind "$2/debs" "$2/root/debs"
mount --bind "$3" "$2/root$4"
printf '#!/bin/sh\\nexit 101\\n' > "$2/root/usr/sbin/policy-rc.d"
chmod 755 "$2/root/usr/sbin/policy-rc.d"
chroot "$2/root" sh -euc 'apt-get install -q -y --no-install-recommends \
  -o Dpkg::Options::=--path-exclude=/usr/share/doc/* -o Dpkg::Options::=--path-include=/usr/share/doc/*/copyright \
  -o Dpkg::Options::=--path-exclude=/usr/share/man/* -o Dpkg::Options::=--path-exclude=/usr/share/locale/* /debs/*.deb'
umount "$2/root/debs"
rmdir "$2/root/debs"
rm -rf "$2/root/usr/sbin/policy-rc.d" "$2/root"/var/log/*.log "$2/root"/var/log/apt "$2/root"/var/cache/apt/*.bin
"""
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
}


def ensure_cloud_init(tree: Tree, release: Release, progress: Callable[[str], None]) -> Path:
    """Give the layer with cloud-init for a tree, made now if need be. One process makes it, others wait for it.

    :raises TreeError: a step failed; nothing half-made is left in use.
    """
    base = tree.root.parent
    recipe = repr(PACKAGES) + Path(__file__).read_text(encoding="utf-8")
    layer = base / f"cloud-init-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    with (base / "cloud-init.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not layer.exists():
            partial = base / "cloud-init.partial"
            shutil.rmtree(partial, ignore_errors=True)
            _make(partial, tree, release, progress)
            (partial / "layer").rename(layer)
            shutil.rmtree(partial)
    return layer


def _make(partial: Path, tree: Tree, release: Release, progress: Callable[[str], None]) -> None:
    for folder in ("layer", "work", "root", "debs/partial"):
        (partial / folder).mkdir(parents=True)
    apt = Apt(tree.root.parent.parent / f"apt-{release.suite}", release.suite)
    apt.update()
    _download(apt, tree, partial / "debs")
    progress("cloud-init: packages fetched and verified")
    script = ["unshare", "-m", "--propagation", "private", "sh", "-euc", _INSTALL, "sh"]
    run([*script, tree.root, partial, tree.pool, POOL_IN_GUEST], env=_ENVIRONMENT)
    progress("cloud-init: installed over the tree")


def _download(apt: Apt, tree: Tree, target: Path) -> None:
    """Fetch what the tree lacks of the packages and of all that they depend on, as apt would install them there."""
    options = [f"Dir::State::status={tree.root}/var/lib/dpkg/status", f"Dir::Cache::archives={target}/"]
    command = ["apt-get", "install", "--download-only", "-q", "-y", "-o", options[0], "-o", options[1], *PACKAGES]
    run(command, env={**os.environ, "APT_CONFIG": str(apt.base / "apt.conf"), "LC_ALL": "C"})
