# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian packages for guests: fetched, verified, and laid out as a repository of their own.

Package lists come from the mirror and are verified by apt with Debian's keyring, packages by apt with the digests of
those lists. The large ones are kept unpacked (``data.tar`` instead of ``data.tar.xz``), which halves the time that a
guest takes to install an engine.
"""

from __future__ import annotations

import email.utils
import hashlib
import lzma
import os
import subprocess
import typing as t
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
SECURITY_MIRROR = "http://deb.debian.org/debian-security"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
APT_HELPER = "/usr/lib/apt/apt-helper"
UNPACK_FROM = 1024 * 1024
_AR_MAGIC = b"!<arch>\n"


class TreeError(Exception):
    """The tree could not be made; the text says which step and what it printed last."""


def run(argv: Sequence[str | Path], **kwargs: t.Any) -> str:
    """Run a program and give its output. :raises TreeError: it failed."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(word) for word in argv],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **kwargs,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise TreeError(f"{argv[0]} {argv[1] if len(argv) > 1 else ''} ended with {done.returncode}:\n{tail}")
    return done.stdout


def architecture() -> str:
    """Debian's name of this machine's processor."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


@dataclass(frozen=True)
class Package:
    """One entry of apt's package lists."""

    name: str
    url: str
    sha256: str
    stanza: str

    @property
    def file_name(self) -> str:
        return urllib.request.url2pathname(self.url.rsplit("/", 1)[1])


class Apt:
    """An apt that knows nothing of the host's: own lists, empty package database, Debian's keyring.

    :param base: where it keeps its lists; used again, it fetches only what has changed since.
    """

    def __init__(self, base: Path, suite: str) -> None:
        self.base, self.suite = base, suite
        for folder in ("etc/apt.conf.d", "etc/preferences.d", "lists/partial", "cache/archives/partial"):
            (base / folder).mkdir(parents=True, exist_ok=True)
        (base / "status").touch()
        option = f"[arch={architecture()} signed-by={KEYRING}]"
        lines = [f"deb {option} {MIRROR} {suite} main", f"deb {option} {MIRROR} {suite}-updates main"]
        lines.append(f"deb {option} {SECURITY_MIRROR} {suite}-security main")
        (base / "etc/sources.list").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._config = base / "apt.conf"
        self._config.write_text(
            f'Dir "{base}";\nDir::State "{base}";\nDir::State::status "{base}/status";\nDir::Cache "{base}/cache";\n'
            f'Dir::Etc "{base}/etc";\nAPT::Architecture "{architecture()}";\nAPT::Sandbox::User "root";\n'
            'Acquire::Languages "none";\nAcquire::Retries "3";\nAPT::Install-Recommends "false";\n',
            encoding="utf-8",
        )
        self._packages: dict[str, Package] = {}

    def _call(self, *words: str) -> str:
        return run(words, env={**os.environ, "APT_CONFIG": str(self._config), "LC_ALL": "C"})

    def update(self) -> None:
        """Fetch the package lists and verify them."""
        self._call("apt-get", "update", "--error-on=any")

    def packages(self) -> dict[str, Package]:
        """Return the newest version of every package, by name."""
        if not self._packages:
            lists = sorted((self.base / "lists").glob("*_Packages"), key=lambda path: "security" in path.name)
            for path in lists:
                mirror = SECURITY_MIRROR if "debian-security" in path.name else MIRROR
                for stanza in path.read_text(encoding="utf-8").split("\n\n"):
                    package = _parse_stanza(stanza, mirror)
                    if package:
                        self._packages[package.name] = package
        return self._packages

    def closure(self, names: t.Sequence[str]) -> list[Package]:
        """Return the packages and everything they depend on, as apt would install them."""
        out = self._call("apt-get", "install", "--print-uris", "-qq", "--yes", *names)
        files = {line.split()[1].rsplit("_", 2)[0] for line in out.splitlines() if line.startswith("'")}
        return [self.packages()[name] for name in sorted(files)]


def _parse_stanza(stanza: str, mirror: str) -> Package | None:
    fields = {}
    for line in stanza.splitlines():
        key, colon, value = line.partition(": ")
        if colon and key in ("Package", "Filename", "SHA256"):
            fields[key] = value
    if len(fields) < 3:
        return None
    return Package(fields["Package"], f"{mirror}/{fields['Filename']}", fields["SHA256"], stanza)


def fetch(packages: t.Sequence[Package], target: Path) -> None:
    """Fetch packages with apt, which keeps its connections, and verifies the digests.

    A connection for each package would also ask for the mirror's address each time. Resolvers drop some of many
    questions at once, and each lost one costs 5 s, the default ``timeout`` of resolv.conf(5).

    :raises TreeError: one cannot be fetched, or its digest differs from the package list's.
    """
    target.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [
        APT_HELPER,
        "download-file",
        "-o",
        "Acquire::Retries=3",
        "-o",
        "APT::Sandbox::User=root",
    ]
    for package in packages:
        command += [package.url, target / package.file_name, f"SHA256:{package.sha256}"]
    run(command, env={**os.environ, "LC_ALL": "C"})


def unpack(path: Path) -> None:
    """Make a package's data member uncompressed, which dpkg accepts as well (deb(5)); others are left alone."""
    members = list(_members(path.read_bytes()))
    name, content = members[-1]
    if name != "data.tar.xz":
        return
    members[-1] = ("data.tar", lzma.decompress(content))
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(_AR_MAGIC)
        for member, data in members:
            file.write(f"{member:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode("ascii"))
            file.write(data + b"\n" * (len(data) % 2))
    temporary.replace(path)


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the members of an ar archive: names and contents."""
    position = len(_AR_MAGIC)
    while position < len(archive):
        head = archive[position : position + 60]
        size = int(head[48:58])
        yield head[:16].decode("ascii").strip().rstrip("/"), archive[position + 60 : position + 60 + size]
        position += 60 + size + size % 2


def unpack_large(packages: t.Sequence[Package], folder: Path) -> None:
    """Unpack the data of large packages, on all processors."""
    large = [package for package in packages if (folder / package.file_name).stat().st_size >= UNPACK_FROM]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        for _done in workers.map(lambda package: unpack(folder / package.file_name), large):
            pass


def write_repository(pool: Path, packages: t.Sequence[Package], suite: str) -> None:
    """Lists over ``pool/*.deb`` for debootstrap and for the guests' apt; digests inside, no signature."""
    unpack_large(packages, pool / "pool")
    binary = pool / "dists" / suite / "main" / f"binary-{architecture()}"
    binary.mkdir(parents=True, exist_ok=True)
    content = ("\n\n".join(_stanza(package, pool / "pool") for package in packages) + "\n\n").encode()
    (binary / "Packages").write_bytes(content)
    relative = (binary / "Packages").relative_to(pool / "dists" / suite)
    (pool / "dists" / suite / "Release").write_text(
        f"Origin: Debian\nLabel: Debian\nSuite: {suite}\nCodename: {suite}\n"
        f"Date: {email.utils.formatdate(usegmt=True)}\nArchitectures: {architecture()}\n"
        f"Components: main\nSHA256:\n {hashlib.sha256(content).hexdigest()} {len(content)} {relative}\n",
        encoding="utf-8",
    )


def _stanza(package: Package, folder: Path) -> str:
    """Return the package's entry for its file in the folder."""
    own = ("Filename:", "Size:", "MD5sum:", "SHA256:")
    lines = [line for line in package.stanza.splitlines() if not line.startswith(own)]
    content = (folder / package.file_name).read_bytes()
    lines += [f"Filename: pool/{package.file_name}", f"Size: {len(content)}"]
    return "\n".join([*lines, f"SHA256: {hashlib.sha256(content).hexdigest()}"])
