# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rpm and what stands on it: dnf, yum, tdnf, zypper."""

import os
import re
import subprocess

from .machine import Problem
from .package_names import ENGINE_NAMES, FROM_DOCKER
from .paths import COPY, RPM_SOURCE
from .patience import patiently
from .versions import age, newest, without_epoch

NOTHING_FOUND = re.compile(r"No matching (Packages|packages|items)|No packages found|Error\(1011\)")
# How dnf and yum, and dnf5, name the repository that ended a command.
UNREADABLE = re.compile(
    r"(?:metadata for repo|metadata \(.*\) for repository|Cannot prepare internal mirrorlist.*repo) ['\"]([^'\"]+)['\"]"
)


class Rpm:
    """The common part of dnf, yum, tdnf and zypper."""

    name = "rpm"
    lock_files = ("/var/lib/rpm/.rpm.lock", "/usr/lib/sysimage/rpm/.rpm.lock")

    def __init__(self, machine):
        self.machine = machine
        self.missing = ""
        self.unread = ""
        self.only = ""  # the id of the repository that engine.mirror or engine.key asks for

    def why_missing(self):
        """Return, to end an error with, which repository could not be read; empty if all could."""
        return "; before, {}".format(self.missing) if self.missing else ""

    def patiently(self, *words, **options):
        return patiently(self.machine, list(words), lock_files=self.lock_files, **options)

    def query(self, names):
        """Return name and version (with epoch) of each of those packages that is installed, as often as it is."""
        if not self.machine.has("rpm"):
            return []
        form = "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\n"
        argv = ["rpm", "-q", "--qf", form, *names]
        output = self.machine.run(argv, ok=None, errors=subprocess.DEVNULL)
        return re.findall(r"^(\S+) (\d+:\S+)$", output, re.MULTILINE)

    def installed(self, names):
        """Return the versions of those packages that are installed, by name; of two versions the newer one."""
        found = {}
        for name, version in self.query(names):
            found[name] = newest([version, *([found[name]] if name in found else [])])
        return found

    def unfinished(self):
        """Return the packages of an engine that are installed twice: an upgrade was cut short."""
        names = [name for name, _version in self.query(ENGINE_NAMES)]
        return sorted({name for name in names if names.count(name) > 1})

    def repair(self):
        """Take the older of two installed versions out of rpm's database: the newer one's files are in place."""
        for name in self.unfinished():
            versions = sorted((version for _name, version in self.query([name])), key=age)
            for version in versions[:-1]:
                word = "{}-{}".format(name, without_epoch(version))
                self.patiently("rpm", "-e", "--noscripts", "--nodeps", word)

    def keyring(self):
        """Return the keys that rpm trusts, by name: ``gpg-pubkey-``, the end of the fingerprint, and a time."""
        form = "%{NAME}-%{VERSION}-%{RELEASE}\n"
        output = self.machine.run(["rpm", "-q", "--qf", form, "gpg-pubkey"], ok=None, errors=subprocess.DEVNULL)
        return sorted(re.findall(r"^gpg-pubkey-[0-9a-f]+-[0-9a-f]+$", output, re.MULTILINE))

    def signers(self, names):
        """Return the ids of the keys with which those packages are signed, as far as rpm names them."""
        form = "".join("%{{{}:pgpsig}}\n".format(tag) for tag in ("RSAHEADER", "DSAHEADER", "SIGPGP", "SIGGPG"))
        output = self.machine.run(["rpm", "-q", "--qf", form, *names], ok=None, errors=subprocess.DEVNULL)
        return sorted(set(re.findall(r"Key (?:ID|Fingerprint:?) ([0-9a-f]{16,64})", output)))

    def forget_key(self, name):
        """Take a key out of rpm's keyring. rpm 6 keeps keys elsewhere than packages (rpmkeys(8), ``--delete``)."""
        try:
            self.patiently("rpm", "-e", "--allmatches", name)
        except Problem:
            self.patiently("rpmkeys", "--delete", name.split("-")[2])

    def refresh(self, asked_version=False):
        """Fetch the repositories' indexes, unless each command does so itself."""

    def listed(self, *words):
        """Run a command that lists packages; return nothing if it finds none."""
        try:
            return self.patiently(*words)
        except Problem as problem:
            if NOTHING_FOUND.search(problem.output):
                return ""
            raise

    def pin(self, name, version):
        return "{}-{}".format(name, without_epoch(version))


class Dnf(Rpm):
    """The package manager of Fedora and of RHEL and its family from 8 on."""

    name = "dnf"
    plugin = "python3-dnf-plugin-versionlock"

    def __init__(self, machine):
        super().__init__(machine)
        self.skipped = []

    def dnf(self, *words):
        """Run it, and again without a repository that fails and is not ours: others may have the packages."""
        needed = "docker-host" if self.machine.read(RPM_SOURCE) is not None else "docker"
        while True:
            extra = ["--disablerepo=" + name for name in self.skipped]
            try:
                # Not quietly: only the warnings say why a repository cannot be read. Without the last option, it waits
                # for other runs of dnf without an end, and nobody learns for which.
                return self.patiently(self.name, "-y", *extra, *words, "--setopt=exit_on_lock=1")
            except Problem as problem:
                broken = re.search(UNREADABLE, problem.output)
                name = broken.group(1) if broken else ""
                if not name or name in self.skipped or name.startswith(needed):
                    raise
                self.skipped.append(name)
                self.machine.notes.append("the repository {} was skipped: it cannot be read".format(name))

    def refresh(self, asked_version=False):
        if asked_version:  # what was published since the cache was filled counts
            self.dnf("makecache", "--refresh")

    def versions(self, name):
        try:
            output = self.dnf("list", "--showduplicates", name)
        except Problem as problem:
            if not NOTHING_FOUND.search(problem.output):
                raise
            output = ""
        source = r"\s+@?{}\s*$".format(re.escape(self.only)) if self.only and name in FROM_DOCKER else ""
        return re.findall(r"^{}\.\S+\s+(\S+){}".format(re.escape(name), source), output, re.MULTILINE)

    def install(self, words):
        self.dnf("install", *words)

    def remove(self, names):
        self.dnf("remove", *names)

    def held(self, names):
        lists = ("/etc/dnf/plugins/versionlock.list", "/etc/yum/pluginconf.d/versionlock.list")
        lines = "\n".join(self.machine.text(path) for path in lists)
        entries = self.machine.text("/etc/dnf/versionlock.toml").split("[[packages]]")
        # An entry with "!=" only excludes a version, like a line with "!".
        dnf5 = "\n".join(entry for entry in entries if not re.search(r"comparator\s*=\s*[\"']!=", entry))
        return [
            name
            for name in names
            if re.search(r"^\s*(\d+:)?{}(-[\d*]|\*|\s*$)".format(re.escape(name)), lines, re.MULTILINE)
            or re.search(r"^\s*name\s*=\s*[\"']{}[\"']".format(re.escape(name)), dnf5, re.MULTILINE)
        ]

    def hold(self, names):
        if "versionlock" not in self.machine.run([self.name, "--help"], ok=None):
            self.install([self.plugin])
        self.dnf("versionlock", "add", *names)

    def release(self, names):
        self.dnf("versionlock", "delete", *names)


class Yum(Dnf):
    """The package manager of RHEL 7 and its family."""

    name = "yum"
    plugin = "yum-plugin-versionlock"

    def refresh(self, asked_version=False):
        if asked_version:
            self.dnf("clean", "expire-cache")


class Tdnf(Rpm):
    """Azure Linux's package manager: fewer commands and options than dnf has (https://github.com/vmware/tdnf)."""

    name = "tdnf"
    LOCKS = "/etc/tdnf/locks.d/docker-host.conf"

    def refresh(self, asked_version=False):
        if asked_version:
            self.patiently("tdnf", "-y", "-q", "makecache", "--refresh")

    def versions(self, name):
        output = self.listed("tdnf", "-q", "list", name)
        return re.findall(r"^{}\.\S+\s+(\S+)".format(re.escape(name)), output, re.MULTILINE)

    def pin(self, name, version):
        return "{}={}".format(name, without_epoch(version))

    def install(self, words):
        self.patiently("tdnf", "-y", "-q", "install", *words)

    def remove(self, names):
        self.patiently("tdnf", "-y", "-q", "remove", *names)
        for copy in self.copies():  # a lock on what is gone would keep it from coming back
            self.machine.write(copy, None)

    def lines(self, path):
        return [line.strip() for line in self.machine.text(path).splitlines()]

    def files(self):
        """Return the files with locks: the program's own, and the administrator's."""
        return self.machine.glob(os.path.dirname(self.LOCKS) + "/*.conf")

    def copies(self):
        """Return the copies of the administrator's files, which are not read for their names."""
        return self.machine.glob(os.path.dirname(self.LOCKS) + "/*.conf" + COPY)

    def held(self, names):
        lines = {line for path in self.files() for line in self.lines(path)}
        return [name for name in names if name in lines]

    def hold(self, names):
        for copy in self.copies():
            if set(names) & set(self.lines(copy)):
                path = copy[: -len(COPY)]
                self.machine.write(path, self.machine.read(copy), self.machine.mode(path))
                self.machine.write(copy, None)
        held = self.held(names)
        self.lock([*self.lines(self.LOCKS), *(name for name in names if name not in held)])

    def release(self, names):
        for path in self.files():
            lines = self.lines(path)
            if path != self.LOCKS and set(names) & set(lines):
                mode = self.machine.mode(path)
                self.machine.write(path + COPY, self.machine.read(path), mode)
                text = "".join(line + "\n" for line in lines if line not in names)
                self.machine.write(path, text.encode(), mode)
        self.lock([line for line in self.lines(self.LOCKS) if line not in names])

    def lock(self, names):
        """Write the program's own file, or remove it."""
        text = "".join(name + "\n" for name in sorted(set(names)))
        self.machine.write(self.LOCKS, text.encode() or None)


class Zypper(Rpm):
    """SUSE's package manager."""

    name = "zypper"
    # Done, and done with a note: reboot or restart wanted, repositories skipped, a scriptlet that failed.
    DONE = (0, 102, 103, 106, 107)
    LOCKED = 7

    def zypper(self, *words, **options):
        return self.patiently("zypper", "--non-interactive", *words, **options)

    def refresh(self, _asked_version=False):
        """Fetch the indexes. One that cannot be read only matters if no other has what is needed."""
        self.missing = self.unread = ""
        try:
            self.zypper("refresh", ok=self.DONE)
        except Problem as problem:
            if problem.code == self.LOCKED:
                raise
            self.missing, self.unread = problem.text, problem.output

    def versions(self, name):
        only = ["--repo", self.only] if self.only and name in FROM_DOCKER else []
        output = self.zypper("search", "-s", "-x", *only, name, ok=(*self.DONE, 104))
        rows = [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if line.count("|") == 5]
        return [row[3] for row in rows if row[1] == name]

    def pin(self, name, version):
        return "{}={}".format(name, version)

    def install(self, words):
        try:
            self.zypper("install", "--no-recommends", "--oldpackage", *words, ok=self.DONE)
        except Problem as problem:
            if problem.code in (6, 104):
                problem.text += (
                    "; on SLES register the machine (registercloudguest or SUSEConnect) and activate the Containers "
                    "module: SUSEConnect -p sle-module-containers/VERSION/ARCHITECTURE"
                )
            problem.text += self.why_missing()
            raise

    def remove(self, names):
        self.zypper("remove", *names, ok=self.DONE)

    def held(self, names):
        locks = self.zypper("locks", ok=self.DONE)
        return [name for name in names if re.search(r"\| {} +\|".format(re.escape(name)), locks)]

    def hold(self, names):
        self.zypper("addlock", *names)

    def release(self, names):
        self.zypper("removelock", *names)
