# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Package managers with a memory: what they install stays installed, and what is held stays as it is.

They accept the commands of the real ones that the program uses, and fail at all others. The real ones run in
tests/e2e: test_rpm_systems.py, test_apt_systems.py and test_setup_program.py.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from .conftest import Recorder

ENGINES = ("docker-ce", "docker.io", "moby-engine", "docker")
UNIT = "/usr/lib/systemd/system/docker.service"
STATUS = "/var/lib/dpkg/status"
STANZA = "Package: {}\nStatus: install ok {}\nVersion: {}\n\n"
Offered = t.Mapping[str, t.Sequence[str]]


class PackageManager(Recorder):
    """A machine with packages.

    :param offered: versions by name, the newest first.
    :ivar packages: installed versions by name.
    :ivar holding: names that the package manager was told to hold.
    :ivar dies: the next installation ends after its first package.
    """

    programs: t.ClassVar[tuple[str, ...]] = ("rpm",)
    joint = "-"

    def __init__(self, setup: t.Any, root: Path, os_release: str, offered: Offered) -> None:
        super().__init__(setup, root, os_release, programs=self.programs)
        self.offered = offered
        self.packages: dict[str, str] = {}
        self.holding: set[str] = set()
        self.dies = False

    def answer(self, argv: list[str], command: str) -> tuple[int, str]:
        """Return exit code and output of a command."""
        if argv[0] == "rpm":
            return self.rpm(argv)
        if argv[0] in self.programs:
            return self.manage([word for word in argv[1:] if not word.startswith("-")], argv)
        return super().answer(argv, command)

    def rpm(self, argv: list[str]) -> tuple[int, str]:
        """``rpm -q`` with the program's format."""
        assert argv[1] == "-q", argv
        there = {name: self.packages[name] for name in argv[4:] if name in self.packages}
        lines = [f"{name} {version if ':' in version else '0:' + version}\n" for name, version in there.items()]
        return (0 if lines else 1), "".join(lines)

    def manage(self, words: list[str], argv: list[str]) -> tuple[int, str]:
        """Answer the package manager's own commands."""
        raise NotImplementedError

    def install(self, words: list[str], exit_code: int) -> tuple[int, str]:
        """Install what the words name, at their versions."""
        wanted = {}
        for word in words:
            name = max((name for name in self.offered if word == name or word.startswith(name + self.joint)), key=len)
            asked = word[len(name) + 1 :]
            fitting = [version for version in self.offered[name] if asked in ("", version, version.partition(":")[2])]
            if not fitting:
                return exit_code, f"Error: {word} is not offered"
            wanted[name] = fitting[0] if asked or name not in self.packages else self.packages[name]
        if any(name in self.holding and self.packages.get(name) != wanted[name] for name in wanted):
            return exit_code, "Error: held packages were changed"
        for name, version in wanted.items():
            self.packages[name] = version
            if name in ENGINES:
                self.put(UNIT, "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n")
            if self.dies:
                self.dies = False
                return 137, "Killed"
        self.saved()
        return 0, ""

    def remove(self, names: list[str], exit_code: int) -> tuple[int, str]:
        """Remove installed packages that nothing holds."""
        if not set(names) <= set(self.packages) or self.holding & set(names):
            return exit_code, "Error: not installed, or held"
        for name in names:
            del self.packages[name]
        if not set(self.packages) & set(ENGINES):
            (Path(self.machine.root) / UNIT.lstrip("/")).unlink(missing_ok=True)
        self.saved()
        return 0, ""

    def saved(self) -> None:
        """Write what the package manager keeps in files that the program reads."""

    def decide(self, names: set[str]) -> None:
        """Hold these packages and no others, as an administrator does."""
        self.holding = set(names)
        self.saved()

    def look(self) -> set[str]:
        """Return the packages that are held."""
        return set(self.holding)


class Apt(PackageManager):
    """Debian and Ubuntu."""

    programs = ("apt-get", "apt-cache", "apt-mark", "dpkg")
    joint = "="

    def manage(self, words: list[str], argv: list[str]) -> tuple[int, str]:
        """Answer apt-get, apt-cache, apt-mark and dpkg."""
        if argv[:2] == ["dpkg", "--print-architecture"]:
            return 0, "amd64\n"
        if argv[:2] == ["dpkg", "--configure"]:
            self.saved()
            return 0, ""
        verb, names = words[0], words[1:]
        if argv[0] == "apt-mark":
            if verb == "showhold":
                return 0, "".join(f"{name}\n" for name in sorted(self.holding))
            self.holding = self.holding | set(names) if verb == "hold" else self.holding - set(names)
            return 0, ""
        if verb == "madison":
            return 0, "".join(self.madison(name, self.offered.get(name, [])) for name in names)
        if verb == "update":
            return 0, ""
        holding, self.holding = self.holding, set() if "--allow-change-held-packages" in argv else self.holding
        code, output = self.installed(names) if verb == "install" else self.remove(names, 100)
        self.holding = holding & set(self.packages)
        return code, output

    def installed(self, names: list[str]) -> tuple[int, str]:
        """``apt-get install``; what a killed dpkg leaves is unpacked and not configured."""
        code, output = self.install(names, 100)
        if code:
            name, version = next(iter(self.packages.items()), ("", ""))
            self.put(STATUS, STANZA.format(name, "unpacked", version) if name else "")
        return code, output

    def saved(self) -> None:
        """Write dpkg's status."""
        stanzas = [STANZA.format(name, "installed", version) for name, version in self.packages.items()]
        self.put(STATUS, "".join(stanzas))


class Dnf(PackageManager):
    """RHEL and its family."""

    programs = ("dnf", "rpm", "modprobe")
    LOCKS = "/etc/dnf/plugins/versionlock.list"

    def manage(self, words: list[str], argv: list[str]) -> tuple[int, str]:
        """Answer dnf; modprobe has every module."""
        if argv[0] == "modprobe":
            return 0, ""
        if "--help" in argv:
            return 0, "versionlock   control package version locks\n"
        verb, names = words[0], words[1:]
        if verb == "list":
            found = re.search(r"^\[(.*)\]", self.machine.text("/etc/yum.repos.d/docker-host.repo"), re.M)
            end = "   " + (found.group(1) if found else "docker") + "\n"
            lines = [f"{name}.x86_64   {version}" + end for name in names for version in self.offered.get(name, [])]
            return (0, "".join(lines)) if lines else (1, "Error: No matching Packages to list")
        if verb == "versionlock":
            assert names[0] in ("add", "delete"), argv
            changed = set(names[1:])
            self.holding = self.holding | changed if names[0] == "add" else self.holding - changed
            self.saved()
            return 0, ""
        if verb == "makecache":
            return 0, ""
        return self.install(names, 1) if verb == "install" else self.remove(names, 1)

    def saved(self) -> None:
        """Write the list of the plugin versionlock."""
        held = sorted(self.holding & set(self.packages))
        self.put(self.LOCKS, "".join(f"{name}-{self.packages[name]}.*\n" for name in held))


class Zypper(PackageManager):
    """SLES."""

    programs = ("zypper", "rpm")
    joint = "="

    def manage(self, words: list[str], argv: list[str]) -> tuple[int, str]:
        """Answer zypper, which never asks."""
        assert argv[1] == "--non-interactive", argv
        verb, names = words[0], words[1:]
        if verb == "search":
            rows = [f"  | {name} | package | {v} | x86_64 | m\n" for name in names for v in self.offered.get(name, [])]
            return (0, "".join(rows)) if rows else (104, "No matching items found.")
        if verb == "locks":
            return 0, "".join(f"1 | {name} | package\n" for name in sorted(self.holding))
        if verb in ("addlock", "removelock"):
            self.holding = self.holding | set(names) if verb == "addlock" else self.holding - set(names)
            return 0, ""
        if verb == "refresh":
            return 0, ""
        return self.install(names, 4) if verb == "install" else self.remove(names, 4)


class Tdnf(PackageManager):
    """Azure Linux: the real one's refusals are in tests/e2e/tdnf.py."""

    programs = ("tdnf", "rpm")
    joint = "="
    THEIRS = "/etc/tdnf/locks.d/administrator.conf"

    def decide(self, names: set[str]) -> None:
        """Write a file beside the program's."""
        for path in self.machine.glob("/etc/tdnf/locks.d/*"):
            self.machine.write(path, None)
        self.put(self.THEIRS, "kernel\n" + "".join(f"{name}\n" for name in names))
        self.look()

    def look(self) -> set[str]:
        """Read every file of locks."""
        texts = [self.machine.text(path) for path in self.machine.glob("/etc/tdnf/locks.d/*.conf")]
        self.holding = {line for text in texts for line in text.split()} - {"kernel"}
        return set(self.holding)

    def manage(self, words: list[str], argv: list[str]) -> tuple[int, str]:
        """Answer tdnf, which reads its locks from a file."""
        assert {word for word in argv if word.startswith("-")} <= {"-y", "-q", "--refresh"}, argv
        self.look()
        verb, names = words[0], words[1:]
        if verb == "list":
            lines = [f"{name}.x86_64   {version}   base\n" for name in names for version in self.offered.get(name, [])]
            return (0, "".join(lines)) if lines else (243, "Error(1011) : No matching packages")
        if verb == "makecache":
            return 0, ""
        if any(re.search(r"-\d", word) and "=" not in word for word in names):
            return 243, "Error(1011) : No matching packages"
        return self.install(names, 21) if verb == "install" else self.remove(names, 21)
