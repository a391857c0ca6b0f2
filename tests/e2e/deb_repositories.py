# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small signed apt repositories with the names, versions, epochs and layout of Docker's.

``python3 -m e2e.deb_repositories DISTRIBUTION/RELEASE/CODENAME...`` runs in a guest that has dpkg-deb and gpg. It makes
the repositories below ``/srv`` and the public key ``/srv/good.asc``. Requirements and scriptlets are those of
docker/docker-ce-packaging as far as they decide an installation.
"""

from __future__ import annotations

import email.utils
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .imitated_engine import CUT, ENGINE_FILES, GROUP, write_engine

SERVED = Path("/srv")
WORK = Path("/root/debs")
POSTINST = f"""#!/bin/sh
{CUT}{GROUP}systemctl daemon-reload
systemctl enable -q docker.service
systemctl restart docker.service
"""
PRERM = '#!/bin/sh\ntest "$1" != remove || systemctl stop docker.service || :\n'


def run(*command: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def package(name: str, version: str, pool: Path, depends: str = "", engine: str = "") -> None:
    """Make one package.

    :param engine: it brings dockerd, which answers with this version.
    """
    tree = WORK / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    control = tree / "DEBIAN"
    control.mkdir(parents=True)
    architecture = run("dpkg", "--print-architecture").strip()
    lines = [f"Package: {name}", f"Version: {version}", f"Architecture: {architecture}", "Maintainer: tests"]
    lines += [f"Depends: {depends}"] if depends else []
    (control / "control").write_text("\n".join([*lines, "Description: an imitation", ""]), encoding="utf-8")
    if engine:
        write_engine(WORK, engine)
        for path, source in ENGINE_FILES.items():
            target = tree / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(WORK / source.replace("@VERSION@", engine), target)
            target.chmod(0o644 if path.endswith(".service") else 0o755)
        for script, text in (("postinst", POSTINST), ("prerm", PRERM)):
            (control / script).write_text(text, encoding="utf-8")
            (control / script).chmod(0o755)
    file = pool / f"{name}_{version.rpartition(':')[2]}_{architecture}.deb"
    run("dpkg-deb", "-Znone", "--root-owner-group", "-b", str(tree), str(file))


def docker(distribution: str, release: str, codename: str) -> None:
    """Docker's repository for one release."""
    base = SERVED / "linux" / distribution
    architecture = run("dpkg", "--print-architecture").strip()
    pool = base / "dists" / codename / "pool/stable" / architecture
    pool.mkdir(parents=True)
    suffix = f"-1~{distribution}.{release}~{codename}"
    for version in ("28.5.2", "29.0.4"):
        needs = "docker-ce-cli, containerd.io (>= 1.7.27)"
        package("docker-ce", f"5:{version}{suffix}", pool, needs, engine=version)
        package("docker-ce-cli", f"5:{version}{suffix}", pool)
    for name, version in (
        ("containerd.io", "2.1.5"),
        ("docker-buildx-plugin", "0.29.1"),
        ("docker-compose-plugin", "2.40.3"),
    ):
        package(name, version + suffix, pool)
    index(base, codename, architecture)
    shutil.copy(SERVED / "good.asc", base / "gpg")


def index(base: Path, codename: str, architecture: str) -> None:
    """Make a repository's index and sign it."""
    folder = base / "dists" / codename
    stanzas = []
    for path in sorted(folder.rglob("*.deb")):
        control = run("dpkg-deb", "-f", str(path)).rstrip()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        where = f"Filename: {path.relative_to(base)}\nSize: {path.stat().st_size}\nSHA256: {digest}\n"
        stanzas.append(f"{control}\n{where}")
    name = f"stable/binary-{architecture}/Packages"
    listing = folder / name
    listing.parent.mkdir(parents=True)
    listing.write_text("\n".join(stanzas), encoding="utf-8")
    content = listing.read_bytes()
    release = folder / "Release"
    release.write_text(
        f"Origin: Docker\nLabel: Docker CE\nSuite: {codename}\nCodename: {codename}\nArchitectures: {architecture}\n"
        f"Components: stable\nDate: {email.utils.formatdate(time.time(), usegmt=True)}\nSHA256:\n"
        f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n",
        encoding="utf-8",
    )
    run("gpg", "--batch", "--clearsign", "--output", str(folder / "InRelease"), str(release))


def main(kinds: list[str]) -> None:
    """Make the repositories that are named."""
    WORK.mkdir()
    mail = "good@example.test"
    run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", mail, "rsa2048", "sign", "never")
    run("gpg", "--batch", "--armor", "--output", str(SERVED / "good.asc"), "--export", mail)
    for kind in kinds:
        distribution, release = kind.split("/", 1)
        number, codename = release.rsplit("/", 1)
        docker(distribution, number, codename)


if __name__ == "__main__":
    main(sys.argv[1:])
