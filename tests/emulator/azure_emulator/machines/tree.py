# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Debian trees that guests run on, and the package pools that they install from: one of each for each release.

They are made once into a cache directory, named by a hash of the recipe. debootstrap works from the pool, without a
network. A build that is killed leaves only a ``.partial`` directory, which the next removes.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import time
import typing as t
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure_emulator.machines import packages
from azure_emulator.machines.packages import (
    Apt,
    Package,
    TreeError,
    architecture,
    fetch,
    run,
    unpack_large,
    write_repository,
)
from azure_emulator.machines.releases import DEBIAN_12, RELEASES, TREE_PACKAGES, Release

POOL_IN_GUEST = "/var/lib/debian-pool"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Tree:
    """A finished build.

    :param root: the Debian tree, never written to after the build.
    :param pool: an apt repository (``deb [trusted=yes] file:POOL SUITE main``), bound read-only into guests.
    :param extras: packages of a later Debian (:attr:`Release.later`), outside the repository.
    """

    root: Path
    pool: Path
    extras: Path


def build_name(release: Release = DEBIAN_12) -> str:
    """Return the name of the release's build: changes whenever what is built, or how, changes."""
    recipe = "\n".join([repr(release), *TREE_PACKAGES, architecture()])
    for file in (__file__, packages.__file__):
        recipe += Path(file).read_text(encoding="utf-8")
    return f"{release.suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"


def find_tree(cache_dir: Path, release: Release = DEBIAN_12) -> Tree | None:
    """Return the finished build of the release's present recipe, or None."""
    base = cache_dir / "guest" / build_name(release)
    return Tree(base / "tree", base / "pool", base / "extras") if (base / "complete").exists() else None


def ensure_tree(cache_dir: Path, progress: Progress, release: Release = DEBIAN_12) -> Tree:
    """Give the build of the release's present recipe, made now if need be. One process builds, others wait for it.

    :raises TreeError: a step failed; nothing half-made is left in use.
    """
    home = cache_dir / "guest"
    home.mkdir(parents=True, exist_ok=True)
    found = find_tree(cache_dir, release)
    if found:
        return found
    with _locked(home / "build.lock", progress):
        found = find_tree(cache_dir, release)
        if found:
            return found
        for leftover in home.glob("*.partial"):
            shutil.rmtree(leftover)
        partial = home / f"{build_name(release)}.partial"
        partial.mkdir()
        _build(partial, progress, release)
        (partial / "complete").touch()
        partial.rename(home / build_name(release))
        _remove_unused(home)
    found = find_tree(cache_dir, release)
    if found is None:
        raise TreeError(f"the build in {home} vanished while it was made")
    return found


def use_tree(tree: Tree) -> t.IO[bytes]:
    """Say that a server uses the build, until it closes the file or ends: what is in use is not removed."""
    handle = (tree.root.parent / "complete").open("rb")
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def _remove_unused(home: Path) -> None:
    """Remove the builds of former recipes, unless a server still runs on them."""
    present = {build_name(release) for release in RELEASES}
    for marker in home.glob("*/complete"):
        if marker.parent.name not in present:
            with marker.open("rb") as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                shutil.rmtree(marker.parent, ignore_errors=True)


def _build(base: Path, progress: Progress, release: Release) -> None:
    (base / "extras").mkdir()
    step = _Stopwatch(progress)
    apt = _apt(base, release.suite)
    first = apt.closure([*_minimal_base(apt), *TREE_PACKAGES])
    names = {package.name for package in first}
    later = [package for package in apt.closure([*names, *release.pool]) if package.name not in names]
    step(f"package lists: {len(first)} + {len(later)} packages to fetch")
    pool, tree = base / "pool", base / "tree"
    fetch(first, pool / "pool")
    write_repository(pool, first, release.suite)
    step("packages of the tree fetched and verified")
    # dpkg keeps one processor busy, and waits for the disk.
    with ThreadPoolExecutor(1) as beside:
        fetched = beside.submit(_fetch_later, base, later, release)
        _bootstrap(tree, pool, release.suite)
        step("minimal Debian made")
        _install(tree, pool, release.suite)
        step("packages of the tree installed")
        fetched.result()
    write_repository(pool, [*first, *later], release.suite)
    _run_inside(tree, pool, 'chroot "$0" apt-get update -q\n')
    _finish(tree)
    step("guest tree finished")


def _apt(base: Path, suite: str) -> Apt:
    """Return an apt with the suite's present package lists, which all builds in the cache directory share."""
    apt = Apt(base.parent / f"apt-{suite}", suite)
    apt.update()
    return apt


def _fetch_later(base: Path, packages_of_the_pool: Sequence[Package], release: Release) -> None:
    """Fetch what guests install themselves."""
    fetch(packages_of_the_pool, base / "pool" / "pool")
    unpack_large(packages_of_the_pool, base / "pool" / "pool")
    for suite, name in release.later:
        fetch([_apt(base, suite).packages()[name]], base / "extras")


class _Stopwatch:
    def __init__(self, progress: Progress) -> None:
        self._progress, self._since = progress, time.monotonic()

    def __call__(self, what: str) -> None:
        now = time.monotonic()
        self._progress(f"{what} ({now - self._since:.0f} s)")
        self._since = now


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process is building the guest tree; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _minimal_base(apt: Apt) -> list[str]:
    """What debootstrap's variant minbase installs: required packages and apt."""
    required = [name for name, package in apt.packages().items() if "\nPriority: required" in package.stanza]
    return [*required, "apt", "usr-is-merged"]


def _bootstrap(tree: Path, pool: Path, suite: str) -> None:
    common = ["debootstrap", "--variant=minbase", "--no-check-gpg", f"--arch={architecture()}"]
    run([*common, "--foreign", suite, tree, f"file://{pool}"])
    config = tree / "etc/dpkg/dpkg.cfg.d"
    config.mkdir(parents=True, exist_ok=True)
    (config / "guest").write_text(
        "force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n"
        "path-include=/usr/share/doc/*/copyright\n",
        encoding="utf-8",
    )
    run(["chroot", tree, "/debootstrap/debootstrap", "--second-stage"], env=_chroot_environment())


def _chroot_environment() -> dict[str, str]:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}


def _install(tree: Path, pool: Path, suite: str) -> None:
    """Install the tree's packages from the pool, without starting any service."""
    (tree / "etc/apt/sources.list").write_text(
        f"deb [trusted=yes] file:{POOL_IN_GUEST} {suite} main\n", encoding="utf-8"
    )
    (tree / POOL_IN_GUEST.lstrip("/")).mkdir(parents=True, exist_ok=True)
    policy = tree / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    script = 'chroot "$0" apt-get update -q\nchroot "$0" apt-get install -q -y --no-install-recommends "$@"\n'
    _run_inside(tree, pool, f'{script}chroot "$0" apt-get clean\n', *TREE_PACKAGES)
    policy.unlink()


def _run_inside(tree: Path, pool: Path, script: str, *words: str) -> None:
    """Run a shell script whose ``$0`` is the tree, with the pool and /proc in it, in a mount namespace of its own."""
    mounts = 'set -e\nmount --bind "$1" "$2"\nmount -t proc proc "$0/proc"\nshift 2\n'
    inside = tree / POOL_IN_GUEST.lstrip("/")
    enter: list[str | Path] = ["unshare", "-m", "--propagation", "private", "sh", "-c", mounts + script]
    run([*enter, tree, pool, inside, *words], env=_chroot_environment())


def _finish(tree: Path) -> None:
    """Remove what must differ from guest to guest, and what only costs time at boot."""
    (tree / "etc/machine-id").write_text("", encoding="utf-8")
    for path in [tree / "var/lib/dbus/machine-id", tree / "etc/hostname", *tree.glob("etc/ssh/ssh_host_*")]:
        path.unlink(missing_ok=True)
    (tree / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    for path in tree.glob("var/log/**/*.log"):
        path.unlink()
    (tree / "etc/dpkg/dpkg.cfg.d/guest").write_text("force-unsafe-io\n", encoding="utf-8")
