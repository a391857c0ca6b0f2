# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small signed rpm repositories with the names, versions, epochs and layout of Docker's and of distributions.

``python3 -m e2e.rpm_repositories KIND...`` runs in a guest that has rpmbuild, rpmsign, createrepo_c and gpg. It makes
the repositories below ``/srv`` and the public keys ``/srv/good.asc`` and ``/srv/other.asc``. Requirements, scriptlets
and names are those of docker/docker-ce-packaging as far as they decide an installation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .imitated_engine import CUT, ENGINE_FILES, GROUP, RESTART, write_engine

SERVED = Path("/srv")
WORK = Path("/root/rpmbuild")
HELD_BACK = SERVED / "held-back"
# The running kernel of a guest that calls itself Enterprise Linux 10.
KERNEL = "6.12.0-55.el10.x86_64"

# The guest is Debian's: its shell is in no rpm.
BASE = "Provides: /bin/sh"
HEAD = """%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%global _binary_payload w1.gzdio
%global _binaries_in_noarch_packages_terminate_build 0
Summary: an imitation
License: none
AutoReqProv: no
BuildArch: noarch
"""


class Builder:
    """Collects packages, builds and signs them all at once, and makes the indexes."""

    def __init__(self) -> None:
        self.specs: list[Path] = []
        self.places: dict[str, list[Path]] = {}

    def package(self, nevr: str, places: list[Path], tags: str = "", engine: str = "") -> None:
        """Add one package ``[EPOCH:]NAME-VERSION-RELEASE`` to repositories.

        :param tags: lines of its head, such as ``Requires: x``.
        :param engine: it brings dockerd, which answers with this version.
        """
        epoch, _colon, rest = nevr.rpartition(":")
        name, version, release = rest.rsplit("-", 2)
        lines = [HEAD, f"Name: {name}", f"Version: {version}", f"Release: {release}"]
        lines += [f"Epoch: {epoch}"] if epoch else []
        lines += [tags, "%description", "An imitation.", "%install"]
        file = f"/usr/share/imitations/{name}"
        lines += ["mkdir -p %{buildroot}/usr/share/imitations", f"echo {version} > %{{buildroot}}{file}"]
        if engine:
            write_engine(WORK, engine)
            for path, source in ENGINE_FILES.items():
                mode = "0644" if path.endswith(".service") else "0755"
                lines.append(f"install -D -m {mode} {WORK / source.replace('@VERSION@', engine)} %{{buildroot}}{path}")
            lines += ["%post", CUT + GROUP, "%postun", RESTART]
        lines += ["%files", file]
        lines += ENGINE_FILES if engine else []
        spec = WORK / f"{name}-{version}-{release}.spec"
        spec.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.specs.append(spec)
        self.places.setdefault(f"{name}-{version}-{release}.noarch.rpm", []).extend(places)

    def build(self) -> None:
        """Make everything that was added."""
        run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {WORK}", *sorted(set(map(str, self.specs))))
        made = sorted((WORK / "RPMS/noarch").glob("*.rpm"))
        run("rpmsign", "--addsign", "--define", "_gpg_name good@example.test", *map(str, made))
        folders: set[Path] = set()
        for rpm in made:
            for place in self.places[rpm.name]:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(rpm, place)
                folders.add(place)
        for folder in folders - {HELD_BACK}:
            index(folder)


def docker(builder: Builder, distribution: str, release: str, *, is_short: bool = False) -> None:
    """Docker's repository: two channels, of which only one has candidates, and a version for later.

    :param is_short: with an older and a newer version only.
    """
    base = SERVED / "linux" / distribution / os.uname().machine
    stable, test = base / "stable", base / "test"
    offered = {
        "27.5.1": [stable],
        "28.5.2": [stable],
        "29.0.4": [stable],
        "29.1.0": [HELD_BACK],
        "29.2.0~rc.1": [test],
        "29.2.0~rc.2": [test],
        "29.2.0": [test],
    }
    for version, places in offered.items():
        if is_short and version not in ("28.5.2", "29.0.4"):
            continue
        needs = "Requires: docker-ce-cli, docker-ce-rootless-extras, containerd.io >= 1.4.1\nConflicts: docker\n"
        builder.package(f"3:docker-ce-{version}-1.{release}", places, needs, engine=version)
        builder.package(f"1:docker-ce-cli-{version}-1.{release}", places, "Conflicts: docker")
        builder.package(f"docker-ce-rootless-extras-{version}-1.{release}", places, "Requires: docker-ce")
    for other in ("containerd.io-2.1.5", "docker-buildx-plugin-0.29.1", "docker-compose-plugin-2.40.3"):
        builder.package(f"{other}-1.{release}", [stable, test])
    builder.package("base-1-1", [stable, test], BASE)


def enterprise_linux_10(builder: Builder) -> None:
    """What Enterprise Linux 10 has for the engine's iptables rules: modules of the kernel, and none for another one."""
    place = [SERVED / "el10"]
    builder.package(f"kernel-modules-extra-{KERNEL}", place)
    builder.package("base-1-1", place, BASE)


def suse(builder: Builder) -> None:
    """What SLES has in its Containers module."""
    place = [SERVED / "suse"]
    for version in ("27.5.1", "28.5.1"):
        needs = "Requires: containerd, runc"
        builder.package(f"docker-{version}_ce-150000.1", place, needs, engine=version)
    for other in ("containerd-1.7.27", "runc-1.2.6"):
        builder.package(f"{other}-150000.1", place)
    builder.package("docker-compose-2.33.1-150000.1", place, "Requires: docker")
    builder.package("base-1-1", place, BASE)


def azure_linux(builder: Builder) -> None:
    """What Azure Linux 3 has (microsoft/azurelinux, SPECS)."""
    place = [SERVED / "azurelinux"]
    for version, number in (("25.0.3", "16"), ("25.0.3", "17"), ("28.5.2", "1")):
        needs = "Requires: containerd"
        builder.package(f"moby-engine-{version}-{number}.azl3", place, needs, engine=version)
    builder.package("docker-cli-25.0.7-2.azl3", place, "Provides: moby-cli = 25.0.7-2.azl3")
    builder.package("containerd2-2.0.0-14.azl3", place, "Provides: containerd = 2.0.0")
    builder.package("docker-compose-2.27.0-9.azl3", place, "Requires: docker-cli")
    builder.package("base-1-1", place, BASE)


def index(folder: Path) -> None:
    """Make a repository's index and sign it, which zypper insists on."""
    run("createrepo_c", "-q", "--update", str(folder))
    listing = str(folder / "repodata/repomd.xml")
    run("gpg", "--batch", "--yes", "--detach-sign", "--armor", "-u", "good@example.test", listing)
    shutil.copy(SERVED / "good.asc", listing + ".key")


def publish() -> None:
    """Put what was held back into the stable channel."""
    for stable in SERVED.glob("linux/*/*/*/stable"):
        for rpm in HELD_BACK.glob("*.rpm"):
            shutil.copy(rpm, stable)
        index(stable)


def run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def prepare() -> None:
    """Debian's rpm as elsewhere, and the keys."""
    Path("/etc/rpm").mkdir(exist_ok=True)
    Path("/etc/rpm/macros").write_text("%_dbpath /var/lib/rpm\n%__gpg /usr/bin/gpg\n", encoding="utf-8")
    run("rpm", "--initdb")
    WORK.mkdir(exist_ok=True)
    SERVED.mkdir(exist_ok=True)
    for name in ("good", "other"):
        mail = f"{name}@example.test"
        run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", mail, "rsa2048", "sign", "never")
        run("gpg", "--batch", "--armor", "--output", str(SERVED / f"{name}.asc"), "--export", mail)


def main(kinds: list[str]) -> None:
    """Make the repositories that are named, or publish."""
    if kinds == ["publish"]:
        publish()
        return
    prepare()
    builder = Builder()
    others = {"suse": suse, "azurelinux": azure_linux, "el10": enterprise_linux_10}
    for kind in kinds:
        if kind in others:
            others[kind](builder)
        else:
            release = "sles15" if "sles" in kind else "el" + kind.rpartition("/")[2]
            docker(builder, kind, release, is_short=kind not in ("rhel/9", "sles/15"))
    builder.build()
    for path in SERVED.glob("linux/*"):
        shutil.copy(SERVED / "good.asc", path / "gpg")


if __name__ == "__main__":
    main(sys.argv[1:])
