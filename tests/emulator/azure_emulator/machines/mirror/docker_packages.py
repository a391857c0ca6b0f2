# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker's packages, made of Debian's: the same files under Docker's names, with its versions and relations."""

from __future__ import annotations

import re
import shutil
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from azure_emulator.machines.packages import TreeError, architecture, run

#: Debian's packages that are in Docker's.
_INSIDE = ("docker.io", "docker-cli", "containerd", "runc")
#: In Debian's docker.io, but in none of Docker's packages.
_NOT_DOCKERS = ("usr/bin/dnet", "usr/sbin/ovrouter", "usr/share/lintian")
_CLIENT = ("usr/bin/docker", "usr/share/bash-completion", "usr/share/fish", "usr/share/zsh", "usr/share/man")


@dataclass(frozen=True)
class DockerPackage:
    """One of Docker's packages.

    :param version_of: Debian's package that has its version.
    :param sources: Debian's packages whose files it has; those that a release lacks are left out. The first one's
        scripts are its own.
    :param only: the paths that it takes of them; empty for all.
    :param without: the paths that it does not take.
    :param relations: fields of its control file. ``Depends`` is completed with what the sources need of Debian.
    """

    name: str
    version_of: str
    sources: tuple[str, ...]
    relations: t.Mapping[str, str]
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    with_scripts: bool = False


PACKAGES = (
    DockerPackage(
        "docker-ce",
        "docker.io",
        ("docker.io",),
        {"Depends": "containerd.io, docker-ce-cli", "Conflicts": "docker.io"},
        without=(*_CLIENT, *_NOT_DOCKERS),
        with_scripts=True,
    ),
    DockerPackage(
        "docker-ce-cli",
        "docker.io",
        ("docker.io", "docker-cli"),
        {"Conflicts": "docker.io, docker-cli"},
        only=_CLIENT,
    ),
    DockerPackage(
        "containerd.io",
        "containerd",
        ("containerd", "runc"),
        {"Provides": "containerd, runc", "Conflicts": "containerd, runc", "Replaces": "containerd, runc"},
        with_scripts=True,
    ),
    DockerPackage(
        "docker-compose-plugin",
        "docker-compose",
        ("docker-compose",),
        {"Enhances": "docker-ce", "Conflicts": "docker-compose"},
        without=("usr/bin/docker-compose",),
    ),
    # The pool has no buildx. Without the package the documented way to install an engine would fail.
    DockerPackage("docker-buildx-plugin", "docker.io", (), {"Enhances": "docker-ce"}),
)


class Packager:
    """Makes the packages for one release.

    :param folders: where Debian's packages are.
    :param suffix: what Docker's versions end with for the release, ``1~debian.12~bookworm``.
    :param work: an empty folder for what it takes apart.
    """

    def __init__(self, folders: t.Sequence[Path], suffix: str, work: Path) -> None:
        self._folders, self._suffix, self._work = folders, suffix, work

    def make_all(self, target: Path) -> None:
        """Make every package in a folder. :raises TreeError: Debian's packages are missing, or dpkg-deb failed."""
        with ThreadPoolExecutor() as workers:
            for _made in workers.map(lambda package: self._make(package, target), PACKAGES):
                pass

    def version(self, package: DockerPackage) -> str:
        """Return the package's version in Docker's scheme: Debian's upstream version with the release."""
        upstream = re.sub(r"[+~-].*", "", self._found(package.version_of).name.split("_")[1])
        return f"{'5:' if package.version_of == 'docker.io' else ''}{upstream}-{self._suffix}"

    def _found(self, name: str) -> Path:
        found = self._find(name)
        if found is None:
            raise TreeError(f"the package pool lacks {name}, of which Docker's packages are made")
        return found

    def _find(self, name: str) -> Path | None:
        return next((path for folder in self._folders for path in sorted(folder.glob(f"{name}_*.deb"))), None)

    def _make(self, package: DockerPackage, target: Path) -> None:
        tree = self._work / package.name
        (tree / "DEBIAN").mkdir(parents=True)
        sources = [path for path in map(self._find, package.sources) if path is not None]
        for path in sources:
            run(["dpkg-deb", "-x", path, tree])
        if package.with_scripts:
            run(["dpkg-deb", "-e", self._found(package.sources[0]), tree / "DEBIAN"])
            (tree / "DEBIAN/md5sums").unlink(missing_ok=True)
        if package.only:
            _keep(tree, package.only)
        for name in package.without:
            _remove(tree / name)
        (tree / "DEBIAN/control").write_text(self._control(package, sources), encoding="utf-8")
        file = target / f"{package.name}_{self.version(package).rpartition(':')[2]}_{architecture()}.deb"
        run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", tree, file])
        shutil.rmtree(tree)

    def _control(self, package: DockerPackage, sources: t.Sequence[Path]) -> str:
        made_of = " and ".join(path.name for path in sources) or "nothing: the package is empty"
        fields = {"Package": package.name, "Version": self.version(package), "Architecture": architecture()}
        fields |= {**package.relations, "Maintainer": "the local Azure <nobody@localhost>"}
        depends = [fields["Depends"]] if "Depends" in fields else []
        depends += [one for path in sources for one in _needs(path) if one.split()[0] not in _INSIDE]
        if depends:
            fields["Depends"] = ", ".join(dict.fromkeys(depends))
        fields["Description"] = f"made of {made_of}"
        return "".join(f"{key}: {value}\n" for key, value in fields.items())


def _needs(path: Path) -> list[str]:
    depends = run(["dpkg-deb", "-f", path, "Depends"]).strip()
    return depends.split(", ") if depends else []


def _keep(tree: Path, only: t.Sequence[str]) -> None:
    """Remove everything but these paths, and the package's own control files."""
    kept = {tree / name for name in only}
    for path in sorted(tree.rglob("*"), reverse=True):
        inside = (tree / "DEBIAN", *kept)
        if any(path.is_relative_to(one) for one in inside):
            continue
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        elif not any(path.iterdir()):
            path.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
