# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that can be known to fail before the first change."""

import os
import pwd
import re

from ....module_utils._extension.engine_rules import own_keys
from .certificates import certificates, check_pair, fingerprints, key_fingerprint, sha256, short
from .desired import wanted_daemon
from .machine import Problem
from .packages import distribution_packages
from .paths import CERTIFICATES, DAEMON_JSON
from .repository import Repository
from .versions import matches, upstream


def refuse(machine, settings, facts):
    """Find everything that can be known to fail before the first change."""
    if machine.alive and os.geteuid() != 0:
        raise Problem("this program must run as root")
    if machine.alive and not os.path.isdir("/run/systemd/system"):
        raise Problem("systemd does not run on this machine; only systems with systemd are supported")
    refuse_engine(machine, settings, facts)
    if not settings.certs_only:
        refuse_configuration(machine, settings, facts)
    for user in settings.users:
        if machine.alive and not user_exists(user):
            raise Problem("docker.users: there is no user {} on this machine".format(user))
    if settings.certs:
        check_pair(settings.certs)
        fence(machine, settings, facts)


def fence(machine, settings, facts):
    """Let no other CA take the place of the engine's by accident. One that was renewed with its key is the same CA."""
    recorded, wanted = set(facts.state.get("ca") or []), set(fingerprints(settings.certs["ca"]))
    if not recorded or recorded & wanted or settings.replace_ca:
        return
    trusted = [der for der in certificates(machine.read(CERTIFICATES[0][1]) or b"") if sha256(der) in recorded]
    if {key_fingerprint(der) for der in trusted} & {key_fingerprint(der) for der in certificates(settings.certs["ca"])}:
        return
    raise Problem(
        "this engine trusts the CA {} and the settings bring another one, {}: clients of the first would be "
        "cut off; ask for it with replace-ca".format(short(recorded), short(wanted))
    )


def keep_settings(settings, state):
    """Take from the record of the last run what bringing certificates alone must know."""
    if not state.get("port"):
        raise Problem(
            "this machine has no record of settings with a port, so certificates alone cannot be brought to it: "
            "push all settings"
        )
    settings.port = state["port"]


def refuse_engine(machine, settings, facts):
    if not machine.alive:
        return
    if settings.source == "keep":
        if not facts.installed:
            raise Problem("engine.source is keep, but no engine is installed (no docker.service)")
        return
    if facts.manager is None:
        known = "Debian, Ubuntu, RHEL and its family, Fedora, SLES, openSUSE and Azure Linux"
        raise Problem("{} is not a distribution that this program knows; known are {}".format(facts.name, known))
    if facts.package and settings.version and not matches(facts.version, settings.version):
        if facts.source != settings.source:
            raise Problem(
                "{} {} is installed, and version {} is asked of the source {}: remove the installed one first "
                "(state: absent with remove: engine)".format(
                    facts.package, upstream(facts.version), settings.version, settings.source
                )
            )
    elif facts.installed and not facts.package and settings.version:
        raise Problem("an engine is installed, but by no package: its version cannot be changed")
    elif not facts.installed and settings.source == "docker":
        Repository(machine, settings, facts).probe()
    elif not facts.installed and not distribution_packages(facts):
        raise Problem("{} has no engine of its own; use engine.source docker".format(facts.name))


def refuse_configuration(machine, settings, facts):
    ours = facts.state.get("daemon") or {}
    fighting = own_keys(set(facts.daemon) - set(ours))
    if settings.port and fighting:
        raise Problem(
            "{} on the machine sets {}, which contradicts docker.port and certs: remove it there".format(
                DAEMON_JSON, ", ".join(fighting)
            )
        )
    for name in ("/etc/default/docker", "/etc/sysconfig/docker"):
        lines = re.findall(r"^\s*(?:DOCKER_OPTS|OPTIONS)=.*", machine.text(name), re.MULTILINE)
        if settings.port and any(re.search(r"(^|[\s\"'=])(-D*H|--host|--tls)", line) for line in lines):
            raise Problem("{} on the machine sets hosts or TLS options: remove them there".format(name))
    if settings.live_restore and facts.swarm:
        raise Problem("docker.live_restore: this engine is part of a swarm, which cannot be combined with it")
    root = wanted_daemon(settings, facts).get("data-root", "/var/lib/docker")
    present = facts.info.get("DockerRootDir")
    kept = (facts.info.get("Containers") or 0) + (facts.info.get("Images") or 0)
    if present and kept and os.path.realpath(present) != os.path.realpath(root):
        raise Problem(
            "the engine's data is to move from {} to {}, but there are {} containers and {} images in the first: "
            "move or remove them yourself".format(present, root, facts.info.get("Containers"), facts.info.get("Images"))
        )


def user_exists(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
