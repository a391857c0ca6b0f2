# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The repository with Docker's layout for one Debian release: made once, beside the release's tree and pool.

A key signs it that is made for it and forgotten at once. A build that was killed leaves only a directory
``docker.partial``, which the next build removes; the whole is deleted together with the tree.
"""

from __future__ import annotations

import email.utils
import fcntl
import hashlib
import shutil
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure_emulator.machines.mirror import docker_packages
from azure_emulator.machines.mirror.docker_packages import Packager
from azure_emulator.machines.packages import architecture, run
from azure_emulator.machines.releases import DEBIAN_13, Release
from azure_emulator.machines.tree import Tree

#: Debian's release as a number, which Docker's versions contain.
_NUMBERS = {DEBIAN_13.suite: 13}
# gpg of the tree, not of the host: guests that check the signature have the same version.
_SIGN = """
mount --bind "$1" "$2/mnt"
mount -t proc proc "$2/proc"
chroot "$2" sh -euc '
  umask 077
  mkdir /mnt/gnupg
  gpg() { command gpg --homedir /mnt/gnupg --batch --yes --quiet "$@"; }
  trap "gpgconf --homedir /mnt/gnupg --kill all; rm -rf /mnt/gnupg" EXIT
  gpg --passphrase "" --quick-gen-key "The local Azure, not Docker <nobody@localhost>" rsa3072 sign never
  umask 022
  gpg --armor --detach-sign -o /mnt/Release.gpg /mnt/Release
  gpg --clearsign -o /mnt/InRelease /mnt/Release
  gpg --armor --export > /mnt/gpg'
"""
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
}


@dataclass(frozen=True)
class Repository:
    """A finished repository.

    :param root: what ``https://download.docker.com/linux/debian/dists/SUITE`` shows.
    :param key: its public key, armoured.
    """

    suite: str
    root: Path
    key: str


def ensure_repository(tree: Tree, release: Release, progress: Callable[[str], None]) -> Repository:
    """Give the repository for a tree, made now if need be. One process makes it, others wait for it.

    :raises TreeError: a step failed; nothing half-made is left in use.
    """
    base = tree.root.parent
    recipe = "".join(Path(file).read_text(encoding="utf-8") for file in (__file__, str(docker_packages.__file__)))
    made = base / f"docker-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    with (base / "docker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with _partial(base / "docker.partial") as partial:
                _make(partial, tree, release)
                shutil.rmtree(partial / "work")
                partial.rename(made)
            progress(f"packages under Docker's names made for {release.suite}")
    return Repository(release.suite, made, (made / "gpg").read_text(encoding="ascii"))


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    shutil.rmtree(path, ignore_errors=True)
    (path / "work").mkdir(parents=True)
    yield path


def _make(root: Path, tree: Tree, release: Release) -> None:
    packages = root / "pool/stable" / architecture()
    packages.mkdir(parents=True)
    suffix = f"1~debian.{_NUMBERS.get(release.suite, 12)}~{release.suite}"
    Packager([tree.pool / "pool", tree.extras], suffix, root / "work").make_all(packages)
    index = root / "stable" / f"binary-{architecture()}" / "Packages"
    index.parent.mkdir(parents=True)
    index.write_text("\n".join(_stanza(path, root, release) for path in sorted(packages.iterdir())), encoding="utf-8")
    (root / "Release").write_text(_release(index, root, release), encoding="utf-8")
    enter: list[str | Path] = ["unshare", "-m", "--propagation", "private", "sh", "-euc", _SIGN, "sh"]
    run([*enter, root, tree.root], env=_ENVIRONMENT)


def _stanza(path: Path, root: Path, release: Release) -> str:
    """Return the package's entry, whose file name is relative to ``linux/debian``."""
    control = run(["dpkg-deb", "-f", path]).rstrip()
    name = f"dists/{release.suite}/{path.relative_to(root)}"
    return f"{control}\nFilename: {name}\nSize: {path.stat().st_size}\nSHA256: {_digest(path.read_bytes())}\n"


def _release(index: Path, root: Path, release: Release) -> str:
    content = index.read_bytes()
    fields: t.Mapping[str, str] = {
        "Origin": "Docker",
        "Label": "Docker CE",
        "Suite": release.suite,
        "Codename": release.suite,
        "Date": email.utils.formatdate(usegmt=True),
        "Architectures": architecture(),
        "Components": "stable",
        "SHA256": f"\n {_digest(content)} {len(content)} {index.relative_to(root)}",
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
