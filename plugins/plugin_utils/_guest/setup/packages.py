# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``install``: the package manager and the engine's packages."""

import contextlib
import re
import time

from .facts import dpkg_status
from .machine import Problem
from .paths import LOCK_WAIT
from .repository import Repository
from .versions import matches, newest, upstream

DOCKER_PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin")


def install(machine, settings, facts):
    """Install the engine if none is there, or bring it to the version that was asked for."""
    if not machine.alive or settings.source == "keep":
        return
    wanted = not facts.installed or (
        facts.package and settings.version and not matches(facts.version, settings.version)
    )
    if wanted:
        packager = Packager(machine, settings, facts)
        what = "Docker's repository" if settings.source == "docker" else facts.name
        text = "install the engine from {}".format(what)
        if facts.installed:
            text = "bring {} from {} to {}".format(facts.package, upstream(facts.version), settings.version)
        elif settings.version:
            text += ", version {}".format(settings.version)
        machine.change(text, packager.install)
        facts.refresh(machine)
        if not machine.check and not facts.command:
            raise Problem("the engine was installed, but there is no docker.service")
    if settings.hold and facts.package:
        Packager(machine, settings, facts).hold()


def distribution_packages(facts):
    """The distribution's own packages for an engine; compose is added where it is of version 2."""
    if facts.manager == "apt":
        return ["docker.io", "docker-cli?", "docker-compose-v2?", "docker-compose>=2?"]
    if facts.manager == "tdnf":
        return ["moby-engine", "moby-cli", "docker-compose?"]
    if facts.manager == "zypper":
        return ["docker", "docker-compose?"]
    if facts.id == "fedora":
        return ["moby-engine", "docker-cli?", "docker-compose?"]
    return []


class Packager:
    """The machine's package manager. It waits for whoever holds its locks, and retries what the network spoils."""

    def __init__(self, machine, settings, facts):
        self.machine = machine
        self.settings = settings
        self.facts = facts
        self.manager = facts.manager

    def install(self):
        self.wait_for_cloud_init()
        if self.manager == "apt":
            self.patiently(["dpkg", "--configure", "-a"])  # somebody's interrupted installation
        if self.settings.source == "docker":
            Repository(self.machine, self.settings, self.facts).add(self)
            names = list(DOCKER_PACKAGES)
        else:
            self.refresh()
            names = [name for name in map(self.available, distribution_packages(self.facts)) if name]
        self.patiently(self.command("install") + self.pinned(names) + self.also())

    def wait_for_cloud_init(self):
        if self.machine.has("cloud-init"):
            with contextlib.suppress(Problem):
                self.machine.run(["cloud-init", "status", "--wait"], ok=None, timeout=LOCK_WAIT)

    def command(self, verb):
        if self.manager == "apt":
            options = ["-o", "DPkg::Lock::Timeout={}".format(LOCK_WAIT), "-o", "Acquire::Retries=3"]
            options += ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
            if verb == "install":
                options += ["--no-install-recommends", "--allow-downgrades", "--allow-change-held-packages"]
            return ["apt-get", "-y", "-q", *options, verb]
        if self.manager == "zypper":
            extra = ["--no-recommends", "--oldpackage"] if verb == "install" else []
            return ["zypper", "--non-interactive", verb, *extra]
        return [self.manager, "-y", "-q", verb]

    def refresh(self):
        if self.manager == "apt":
            self.patiently(self.command("update"))
        elif self.manager == "zypper":
            self.patiently(self.command("refresh"))

    def patiently(self, argv, limit=4):
        """Run it, again after a while when a lock or the network was in the way."""
        for attempt in range(1, limit + 1):
            try:
                return self.machine.run(argv, timeout=3000)
            except Problem as problem:
                passing = re.search(
                    r"lock|Temporary failure|Could not resolve|timed? ?out|Connection (failed|reset|refused)|"
                    r"Hash Sum mismatch|Undetermined Error|Cannot download|Failed to fetch",
                    problem.detail,
                    re.IGNORECASE,
                )
                if attempt == limit or not passing:
                    raise
                self.machine.log("waiting {} s before the next attempt".format(20 * attempt))
                time.sleep(20 * attempt)
        return ""

    def available(self, name):
        """The package's name if it can be installed; ``?`` marks optional ones, ``>=2`` a least version."""
        if not name.endswith("?"):
            return name
        name, _sign, least = name[:-1].partition(">=")
        versions = self.versions(name)
        if not versions or (least and int(upstream(newest(versions, "")).split(".")[0]) < int(least)):
            return None
        return name

    def versions(self, name):
        """Every version of a package that the configured repositories offer."""
        if self.manager == "apt":
            output = self.machine.run(["apt-cache", "madison", name], ok=None)
            return [line.split("|")[1].strip() for line in output.splitlines() if line.count("|") == 2]
        if self.manager == "zypper":
            output = self.machine.run(["zypper", "--non-interactive", "search", "-s", "-x", name], ok=None)
            return [line.split("|")[3].strip() for line in output.splitlines() if line.count("|") == 5 and name in line]
        output = self.machine.run([self.manager, "-q", "list", "--showduplicates", name], ok=None)
        return re.findall(r"^{}\.\S+\s+(\S+)".format(re.escape(name)), output, re.MULTILINE)

    def pinned(self, names):
        """The packages as the install command wants them, the engine's with the version that was asked for."""
        if not self.settings.version:
            return names
        result = []
        for name in names:
            if name in ("docker-ce", "docker-ce-cli", "docker.io", "moby-engine", "docker"):
                version = newest(self.versions(name), self.settings.version)
                if version is None:
                    offered = ", ".join(sorted({upstream(one) for one in self.versions(name)})) or "none"
                    raise Problem(
                        "no version {} of {} is offered; offered: {}".format(self.settings.version, name, offered)
                    )
                if self.manager == "apt":
                    name += "=" + version
                else:
                    name += ("=" if self.manager == "zypper" else "-") + version.split(":", 1)[-1]
            result.append(name)
        return result

    def also(self):
        """What containers need where the kernel has AppArmor: without its parser no container starts."""
        enabled = self.machine.text("/sys/module/apparmor/parameters/enabled").startswith("Y")
        return ["apparmor"] if self.manager == "apt" and enabled and not self.machine.has("apparmor_parser") else []

    def installed(self):
        names = [*DOCKER_PACKAGES, "docker.io", "docker-cli", "moby-engine", "moby-cli", "docker", "containerd"]
        if self.manager == "apt":
            present = dpkg_status(self.machine)
            return [name for name in names if name in present]
        output = self.machine.run(["rpm", "-q", "--qf", "%{NAME}\n", *names], ok=None)
        return [line for line in output.splitlines() if line in names]

    def hold(self):
        """Keep the engine's packages at their versions."""
        names = [name for name in self.installed() if name.startswith(("docker", "moby", "containerd"))]
        if self.manager == "apt":
            held = self.machine.run(["apt-mark", "showhold"]).split()
            names = [name for name in names if name not in held]
            command = ["apt-mark", "hold", *names]
        elif self.manager == "zypper":
            held = self.machine.run(["zypper", "--non-interactive", "locks"], ok=None)
            names = [name for name in names if not re.search(r"\| {} +\|".format(re.escape(name)), held)]
            command = ["zypper", "--non-interactive", "addlock", *names]
        else:
            held = self.machine.text("/etc/dnf/plugins/versionlock.list") + self.machine.text(
                "/etc/yum/pluginconf.d/versionlock.list"
            )
            names = [name for name in names if name + "-" not in held]
            command = [self.manager, "-y", "versionlock", "add", *names]

        def act():
            if self.manager in ("dnf", "yum") and "versionlock" not in self.machine.run(
                [self.manager, "--help"], ok=None
            ):
                plugin = "python3-dnf-plugin-versionlock" if self.manager == "dnf" else "yum-plugin-versionlock"
                self.patiently([*self.command("install"), plugin])
            self.machine.run(command)

        if names:
            self.machine.change("hold {}".format(", ".join(names)), act)

    def purge(self):
        """Remove the engine's packages."""
        names = self.installed()
        if self.manager == "apt":
            self.machine.run(["apt-mark", "unhold", *names], ok=None)
            self.patiently([*self.command("purge"), "--allow-change-held-packages", *names])
        else:
            self.patiently(self.command("remove") + names)
