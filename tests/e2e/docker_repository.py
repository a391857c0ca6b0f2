# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A repository with Docker's layout and names, built from Debian's packages and signed with a key of its own."""

from __future__ import annotations

import email.parser
import email.utils
import hashlib
import re
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

# Docker's package -> Debian's package with the same content.
SOURCES: t.Mapping[str, str] = {
    "docker-ce": "docker.io",
    "containerd.io": "containerd",
    "docker-compose-plugin": "docker-compose",
}
VERSIONS = ("27.5.1", "28.0.4", "28.1.0")


class DockerRepository:
    """Below ``root/linux/debian`` lies what https://download.docker.com/linux/debian has for bookworm.

    The engine is Debian's own, under Docker's package names and versions: the paths of repository, key, pinning and
    upgrade are the real ones, the daemon reports Debian's version.

    :param packages: directories with Debian's packages.
    """

    def __init__(self, root: Path, packages: t.Sequence[Path]) -> None:
        self.root = root
        self._packages = packages
        self._work = root.parent / "repository-work"
        self._debian = root / "linux/debian"
        self.key = ""

    def build(self) -> None:
        """Make packages, index, signature and key."""
        pool = self._debian / "dists/bookworm/pool/stable/amd64"
        pool.mkdir(parents=True)
        for version in VERSIONS:
            self._repack("docker-ce", f"5:{version}-1~debian.12~bookworm", pool)
            self._empty("docker-ce-cli", f"5:{version}-1~debian.12~bookworm", pool)
        self._repack("containerd.io", "1.7.27-1", pool)
        self._repack("docker-compose-plugin", "2.35.1-1~debian.12~bookworm", pool)
        self._empty("docker-buildx-plugin", "0.23.0-1~debian.12~bookworm", pool)
        self._index(pool)
        self._sign()

    def _find(self, name: str) -> Path:
        for directory in self._packages:
            for path in sorted(directory.glob(f"{name}_*.deb")):
                return path
        raise AssertionError(f"the guests' pool lacks {name}")

    def _repack(self, name: str, version: str, pool: Path) -> None:
        tree = self._work / name
        control = tree / "DEBIAN/control"
        if not tree.exists():
            self._work.mkdir(exist_ok=True)
            subprocess.run(["dpkg-deb", "-R", str(self._find(SOURCES[name])), str(tree)], check=True)
            shutil.copy(control, self._work / f"{name}.control")
        original = email.parser.Parser().parsestr((self._work / f"{name}.control").read_text(encoding="utf-8"))
        depends = original["Depends"]
        if name == "docker-ce":
            depends = re.sub(r"\bcontainerd \([^)]*\)", "containerd.io", depends)
        fields = {"Package": name, "Version": version, "Architecture": "amd64", "Maintainer": "tests"}
        if name != "docker-compose-plugin":
            fields["Depends"] = depends
        fields["Description"] = f"{SOURCES[name]} under Docker's name"
        control.write_text("".join(f"{key}: {value}\n" for key, value in fields.items()), encoding="utf-8")
        self._pack(tree, name, version, pool)

    def _empty(self, name: str, version: str, pool: Path) -> None:
        tree = self._work / name
        (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: tests\nDescription: empty\n",
            encoding="utf-8",
        )
        self._pack(tree, name, version, pool)

    def _pack(self, tree: Path, name: str, version: str, pool: Path) -> None:
        target = pool / f"{name}_{version.partition(':')[2] or version}_amd64.deb"
        subprocess.run(
            ["dpkg-deb", "-Znone", "--root-owner-group", "-b", str(tree), str(target)], check=True, capture_output=True
        )

    def _index(self, pool: Path) -> None:
        stanzas = []
        for path in sorted(pool.iterdir()):
            control = subprocess.run(["dpkg-deb", "-f", str(path)], check=True, capture_output=True, text=True).stdout
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            name = path.relative_to(self._debian)
            stanzas.append(f"{control.rstrip()}\nFilename: {name}\nSize: {path.stat().st_size}\nSHA256: {digest}\n")
        index = self._debian / "dists/bookworm/stable/binary-amd64/Packages"
        index.parent.mkdir(parents=True)
        index.write_text("\n".join(stanzas), encoding="utf-8")
        content = index.read_bytes()
        release = (
            "Origin: Docker\nLabel: Docker CE\nSuite: bookworm\nCodename: bookworm\nArchitectures: amd64\n"
            f"Components: stable\nDate: {email.utils.formatdate(time.time(), usegmt=True)}\nSHA256:\n"
            f" {hashlib.sha256(content).hexdigest()} {len(content)} stable/binary-amd64/Packages\n"
        )
        (self._debian / "dists/bookworm/Release").write_text(release, encoding="utf-8")

    def _sign(self) -> None:
        home = self._work / "gnupg"
        home.mkdir(mode=0o700, parents=True)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--yes", "--quiet"]
        try:
            subprocess.run(
                [*gpg, "--passphrase", "", "--quick-gen-key", "tests@example.com", "rsa2048", "sign", "never"],
                check=True,
                capture_output=True,
            )
            release = self._debian / "dists/bookworm/Release"
            subprocess.run([*gpg, "--armor", "--detach-sign", "-o", f"{release}.gpg", str(release)], check=True)
            subprocess.run([*gpg, "--clearsign", "-o", str(release.parent / "InRelease"), str(release)], check=True)
            exported = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True, text=True)
        finally:
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
        self.key = exported.stdout
        (self._debian / "gpg").write_text(self.key, encoding="ascii")


def missing_programs() -> str | None:
    """Why the repository cannot be built here, None when it can."""
    missing = [name for name in ("dpkg-deb", "gpg", "gpgconf") if not shutil.which(name)]
    return f"the repository needs {', '.join(missing)}" if missing else None
