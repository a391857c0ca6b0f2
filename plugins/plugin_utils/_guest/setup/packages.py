# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``install``: the engine's packages, at the version that is asked for, held if that is asked for."""

import contextlib
import json

from .before import decisions, finish_lifting, lifted, save_decisions
from .machine import Problem
from .package_names import (
    DOCKER_PACKAGES,
    FROM_DOCKER,
    ROOTLESS,
    VERSIONED,
    distribution_packages,
    engine_names,
    source_of,
)
from .paths import INSTALLING, LIFTED, LOCK_WAIT, REMOVING
from .repository import Repository
from .versions import matches, newest, upstream


def install(machine, settings, facts):
    """Finish what a killed run left, install the engine if there is none, and bring it to the version asked for."""
    if not machine.alive or facts.packages is None:
        return
    if facts.unfinished:
        text = "finish the interrupted installation of {}".format(", ".join(facts.unfinished))
        machine.change(text, facts.packages.repair)
        facts.refresh(machine)
    if settings.source != "keep":
        text, words = wanted_installation(machine, settings, facts)
        if text:
            machine.change(text, lambda: Installation(machine, settings, facts).run(words))
            facts.refresh(machine)
            if not machine.check and not facts.command:
                raise Problem("the engine was installed, but there is no docker.service")
    if facts.unfinished and not machine.check:
        raise Problem(
            "the installation of {} is still unfinished; finish it on the machine with the package manager, "
            "and run again".format(", ".join(facts.unfinished))
        )
    finish_lifting(machine, facts.packages)
    hold(machine, settings, facts)


def wanted_installation(machine, settings, facts):
    """Return what is to be installed, as text for people and as the words that a killed run noted (else None).

    The text is empty when the engine stays as it is.
    """
    if facts.package and settings.version and not matches(facts.version, settings.version):
        return "bring {} from {} to {}".format(facts.package, upstream(facts.version), settings.version), None
    if not facts.installed:
        from_docker = source_of(settings, facts) == "docker"
        text = "install the engine from {}".format("Docker's repository" if from_docker else facts.name)
        text += ", version {}".format(settings.version) if settings.version else ""
        return text + (replaced(facts) if from_docker else ""), None
    words = noted_words(machine)
    return ("finish the interrupted installation of the engine", words) if words else ("", None)


def replaced(facts):
    """Return a text that names the distribution's packages in whose place Docker's containerd.io comes."""
    names = sorted(facts.packages.installed(["containerd", "runc"]))
    return "; its containerd.io replaces {}".format(" and ".join(names)) if names else ""


def noted_words(machine):
    """Return what an installation that did not end was to install; None without one."""
    with contextlib.suppress(ValueError):
        words = json.loads(machine.text(INSTALLING) or "null")
        if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
            return words
    return None


def wait_for_cloud_init(machine):
    """Wait until cloud-init, which may install packages too, has ended."""
    if not machine.cloud_init_ended and machine.has("cloud-init"):
        with contextlib.suppress(Problem):
            machine.run(["cloud-init", "status", "--wait"], ok=None, timeout=LOCK_WAIT)
            machine.cloud_init_ended = True


class Installation:
    """One installation of the engine's packages, noted on disk until it has ended."""

    def __init__(self, machine, settings, facts):
        self.machine = machine
        self.settings = settings
        self.facts = facts
        self.manager = facts.packages
        self.from_docker = source_of(settings, facts) == "docker"

    def run(self, words=None):
        wait_for_cloud_init(self.machine)
        self.manager.repair()
        if not self.from_docker:
            self.manager.refresh(bool(self.settings.version))
            self.install(words)
            return
        repository = Repository(self.machine, self.settings, self.facts)
        with repository.key_on_trial(self.manager):
            repository.add(self.manager)
            self.install(words)

    def install(self, words):
        """Install the engine's packages, or those that a killed run noted; lift and set again what holds them."""
        if words is None:
            words = [*self.pinned(self.names()), *self.also()]
        names = engine_names(self.facts.manager)
        noted = self.machine.noted(INSTALLING, json.dumps(words).encode())
        with lifted(self.machine, self.manager, names), noted:
            self.manager.install(words)
            self.load_kernel_modules()

    def names(self):
        """Return the packages to install; of those that are installed already, what has the engine's version."""
        if self.from_docker:
            names = [*DOCKER_PACKAGES, *self.required()]
        else:
            names = [name for name in map(self.available, distribution_packages(self.facts)) if name]
        there = self.manager.installed(VERSIONED) if self.settings.version else {}
        engine = self.facts.package or ""
        return [*names, *(name for name in there if name not in names and name.startswith(engine + "-"))]

    def required(self):
        """Return what Docker's rpm of the engine requires at any version, if it is offered at the one asked for."""
        if self.manager.name == "apt" or not self.settings.version:
            return []
        return [ROOTLESS] if newest(self.manager.versions(ROOTLESS), self.settings.version) else []

    def available(self, name):
        """Return the package's name if it can be installed; ``?`` marks optional ones, ``>=2`` a least version."""
        if not name.endswith("?"):
            return name
        name, _sign, least = name[:-1].partition(">=")
        versions = self.manager.versions(name)
        if not versions or (least and int(upstream(newest(versions)).split(".")[0]) < int(least)):
            return None
        return name

    def pinned(self, names):
        """Return the packages as arguments of the install command, the engine's with the desired version.

        What must come from one repository gets the version that it offers, since apt takes the newest of all.
        """
        pinned = set(VERSIONED if self.settings.version else ())
        if self.manager.only and self.manager.name == "apt":  # the others go by the priority in our file
            pinned.update(FROM_DOCKER)
        return [self.pin(name) if name in pinned else name for name in names]

    def pin(self, name):
        offered = self.manager.versions(name)
        wanted = self.settings.version if name in VERSIONED else ""
        version = newest(offered, wanted)
        if version is None:
            known = ", ".join(sorted({upstream(one) for one in offered})) or "none"
            text = "no version {} of {} is offered; offered: {}".format(wanted, name, known)
            if not wanted:
                text = "the repository {} does not offer {}".format(self.manager.only, name)
            raise Problem(text + ("" if offered else self.manager.why_missing()))
        return self.manager.pin(name, version)

    def also(self):
        """Return what containers need beside the engine on this system."""
        apparmor = self.machine.text("/sys/module/apparmor/parameters/enabled").startswith("Y")
        if self.manager.name == "apt" and apparmor and not self.machine.has("apparmor_parser"):
            return ["apparmor"]  # without its parser no container starts
        return []

    def load_kernel_modules(self):
        """Install the kernel modules that the engine's iptables rules need where the kernel's package lacks them.

        Enterprise Linux 10 has xt_addrtype in kernel-modules-extra, which nothing requires since iptables 1.8.11-15
        (https://github.com/docker/docker-ce-packaging/issues/1340).
        """
        if self.manager.name not in ("dnf", "yum") or self.machine.probe(["modprobe", "-n", "xt_addrtype"]):
            return
        kernel = self.machine.run(["uname", "-r"]).strip()
        with contextlib.suppress(Problem):
            self.manager.install(["kernel-modules-extra-" + kernel])
        if not self.machine.probe(["modprobe", "-n", "xt_addrtype"]):
            raise Problem(
                "the running kernel {} lacks the module xt_addrtype, which the engine needs, and kernel-modules-extra "
                "is not offered for it: install kernel-modules-extra, reboot, and run again".format(kernel)
            )


def hold(machine, settings, facts):
    """Keep the engine's packages at their versions; release what an earlier run has held and is no longer asked for.

    What the administrator had put on hold before the first run stays so.
    """
    before = decisions(machine)
    if not facts.package or not (settings.hold or facts.state.get("hold") or before.get("ours")):
        return
    names = list(facts.packages.installed(engine_names(facts.manager)))
    held = facts.packages.held(names)
    missing = [name for name in names if name not in held]
    if settings.hold and missing:
        if before and not machine.check:
            save_decisions(machine, dict(before, ours=True))
        machine.change("hold {}".format(", ".join(missing)), lambda: facts.packages.hold(missing))
    elif not settings.hold:
        ours = [name for name in held if name not in before.get("held", [])]
        if ours:
            machine.change("release {}".format(", ".join(ours)), lambda: facts.packages.release(ours))
        if before.get("ours") and not machine.check:
            save_decisions(machine, dict(before, ours=False))


def purge(machine, settings, facts):
    """Remove the engine's packages, held ones too, and Docker's repository if an earlier run has added it."""
    manager, names = facts.packages, list(facts.packages.installed(engine_names(facts.manager)))
    manager.repair()
    with lifted(machine, manager, names), machine.noted(REMOVING):
        manager.remove(names)
        machine.write(LIFTED, None)
    if facts.manager != "tdnf":
        Repository(machine, settings, facts).forget()
    machine.write(INSTALLING, None)
