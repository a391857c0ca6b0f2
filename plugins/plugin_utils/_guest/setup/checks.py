# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that can be known to fail before the first change."""

import os
import pwd
import re

from ....module_utils._extension.engine_rules import own_keys
from .certificates import certificates, check_pair, fingerprints, key_fingerprint, sha256, short
from .compose import refuse_foreign_projects
from .containerd import containerd_root, kept, uses_containerd
from .desired import wanted_daemon, wanted_files
from .disk import refuse_hiding
from .facts import load_json
from .machine import Problem
from .package_names import distribution_packages, source_of
from .paths import (
    CERTIFICATES,
    CONTAINERD_DROP_IN,
    DAEMON_JSON,
    DROP_IN,
    HOME,
    KEY,
    LOGIN_FILE,
    PROXY_FILE,
    SOCKET,
    STATE,
)
from .repository import Repository
from .unit import is_daemon, later_drop_in, masks
from .versions import matches, upstream

LEAST_ROOM = 1024 * 1024


def refuse(machine, settings, facts):
    """Find everything that can be known to fail before the first change."""
    if machine.alive and os.geteuid() != 0:
        raise Problem("this program must run as root")
    if machine.alive and not os.path.isdir("/run/systemd/system"):
        raise Problem("systemd does not run on this machine; only systems with systemd are supported")
    refuse_files(machine, settings)
    refuse_units(machine, facts)
    refuse_engine(machine, settings, facts)
    if not settings.certs_only:
        refuse_configuration(machine, settings, facts)
    refuse_immutable(machine, settings, facts)
    for user in settings.users:
        if machine.alive and not user_exists(user):
            raise Problem("docker.users: there is no user {} on this machine".format(user))
    if settings.certs:
        check_pair(settings.certs)
        fence(machine, settings, facts)


def fence(machine, settings, facts):
    """Refuse a CA other than the engine's unless the settings ask for it. One renewed with its key is the same CA."""
    recorded, wanted = set(facts.state.get("ca") or []), set(fingerprints(settings.certs["ca"]))
    if not recorded or recorded & wanted or settings.replace_ca:
        return
    trusted = [der for der in certificates(machine.read(CERTIFICATES[0][1]) or b"") if sha256(der) in recorded]
    if {key_fingerprint(der) for der in trusted} & {key_fingerprint(der) for der in certificates(settings.certs["ca"])}:
        return
    raise Problem(
        "this engine trusts the CA {} and the settings contain another one, {}: clients of the first would be "
        "cut off; to replace it anyway, set replace-ca".format(short(recorded), short(wanted))
    )


def keep_settings(settings, state):
    """Take the port from the record of the last run; settings that hold only certificates do not have it."""
    if not state.get("port"):
        raise Problem(
            "this machine has no record of settings with a port, so certificates alone cannot be pushed to it: "
            "push all settings"
        )
    settings.port = state["port"]


def refuse_engine(machine, settings, facts):
    """Stop where the engine that is asked for cannot be had on this machine."""
    if not machine.alive:
        return
    if settings.source == "keep":
        if not facts.installed:
            raise Problem("engine.source is keep, but no engine is installed (no docker.service)")
        return
    if facts.manager is None:
        known = "Debian, Ubuntu, RHEL and its family, Fedora, SLES, openSUSE and Azure Linux"
        raise Problem(
            "{} is not a distribution that this program knows; known are {}{}".format(
                facts.name, known, "; to use the installed engine, set engine.source keep" if facts.installed else ""
            )
        )
    if facts.installed:
        refuse_version(settings, facts)
        return
    refuse_others(machine, facts)
    refuse_full(machine, "/usr/bin")
    if source_of(settings, facts) == "docker":
        Repository(machine, settings, facts).probe()
    else:
        refuse_distribution(facts)


def refuse_version(settings, facts):
    """Stop where the installed engine cannot be brought to the version that is asked for."""
    if not settings.version or (facts.package and matches(facts.version, settings.version)):
        return
    if not facts.package:
        raise Problem("an engine is installed, but by no package: its version cannot be changed")
    source = source_of(settings, facts)
    if facts.source != source:
        raise Problem(
            "{} {} is installed, but version {} of the source {} is requested: remove the installed one first "
            "(state: absent with remove: engine)".format(
                facts.package, upstream(facts.version), settings.version, source
            )
        )


def refuse_distribution(facts):
    """Stop where the distribution does not offer an engine."""
    names = distribution_packages(facts)
    if not names:
        raise Problem("{} has no engine of its own; use engine.source docker".format(facts.name))
    if facts.manager == "zypper" and not facts.packages.versions(names[0]):
        raise Problem(
            "no repository of this machine offers the package {}: on SLES register the machine (registercloudguest) "
            "and activate the Containers module (SUSEConnect -p sle-module-containers/VERSION/ARCHITECTURE)".format(
                names[0]
            )
        )


def refuse_others(machine, facts):
    """Stop before an engine is installed beside another one, or in the place of one."""
    if machine.glob("/etc/systemd/system/snap.docker.*.service"):
        raise Problem(
            "docker is installed as a snap on this machine. Remove it with its containers (snap remove docker), "
            "or use another machine"
        )
    if facts.packages and facts.packages.installed(["podman-docker"]):
        raise Problem(
            "the package podman-docker is installed and stands in for docker. Remove it, or use another machine"
        )
    socket = machine.path("/run/docker.sock")
    if os.path.islink(socket):
        raise Problem(
            "/run/docker.sock is a link to {}, and no docker.service is installed. Remove the link and what makes it, "
            "or use another machine".format(os.readlink(socket))
        )
    # A listening socket has the flag __SO_ACCEPTCON: include/linux/net.h.
    for line in machine.text("/proc/net/unix").splitlines():
        words = line.split()
        if len(words) > 7 and words[7] in ("/run/docker.sock", SOCKET) and int(words[3], 16) & 0x10000:
            raise Problem(
                "another program listens on {}, and no docker.service is installed. Stop that program, or use another "
                "machine".format(SOCKET)
            )


def refuse_files(machine, settings):
    """Stop where files cannot be written, would be written elsewhere, or would not count."""
    refuse_folders(machine)
    certificates = [KEY, *(path for _name, path, _mode in CERTIFICATES)] if settings.certs else []
    for path in (*certificates, DAEMON_JSON, DROP_IN, PROXY_FILE, CONTAINERD_DROP_IN):
        if os.path.isdir(machine.path(path)):  # docker run -v makes one where a file is missing
            raise Problem("{} is a directory: remove it, or move it away".format(path))
    for path in (*certificates, DROP_IN, PROXY_FILE, CONTAINERD_DROP_IN):
        if os.path.islink(machine.path(path)):
            raise Problem(
                "{} is a link to {}: remove it, or put a file in its place".format(
                    path, os.readlink(machine.path(path))
                )
            )
    later = later_drop_in(machine) if settings.port or settings.options else ""
    if later:
        raise Problem(
            "{} sets ExecStart and is read after {}, so it would decide the engine's command: give it a name that "
            "sorts before, or remove ExecStart from it".format(later, os.path.basename(DROP_IN))
        )


def refuse_folders(machine):
    """Stop where something else is in the place of a directory, or a directory has no room."""
    for folder in ("/etc/docker", os.path.dirname(DROP_IN)):
        if os.path.lexists(machine.path(folder)) and not os.path.isdir(machine.path(folder)):
            raise Problem("{} must be a directory: remove the file or link of this name".format(folder))
    for folder in ("/etc/docker", "/etc/systemd/system", HOME):
        refuse_full(machine, folder)


def refuse_immutable(machine, settings, facts):
    """Stop where a file that must change is immutable (chattr(1)), or cannot be changed for a similar reason."""
    files = wanted_files(machine, settings, facts)
    for path in [STATE, *(path for path, entry in sorted(files.items()) if machine.differs(path, *entry))]:
        found = machine.obstacle(path)
        if found:
            raise Problem(
                "{} must change, but {place} cannot be written: if lsattr -d shows that it is immutable, run "
                "chattr -i {place}".format(path, place=found)
            )


def refuse_full(machine, folder):
    """Stop where the file system of a folder is read-only or full."""
    place = machine.path(folder)
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    found = os.statvfs(place)
    if found.f_flag & os.ST_RDONLY:
        raise Problem("the file system of {} is mounted read-only: mount it for writing".format(folder))
    if found.f_bfree * found.f_frsize < LEAST_ROOM or (found.f_files and not found.f_ffree):
        raise Problem("the file system of {} is full: make room on it".format(folder))


def refuse_units(machine, facts):
    """Stop where the administrator has forbidden the units to start, or the engine's unit starts something else."""
    for unit in ("docker.service", "docker.socket", "containerd.service"):
        path = masks(machine, unit)
        if path:
            runtime = "--runtime " if path.startswith("/run") else ""
            advice = "run systemctl unmask {}{}".format(runtime, unit)
            if not os.path.islink(machine.path(path)):
                advice = "remove the empty file {}".format(path)
            raise Problem("{} is masked on this machine: {}".format(unit, advice))
    if facts.command and not is_daemon(facts.command):
        raise Problem(
            "docker.service on this machine starts {}, not dockerd: remove or rename that unit, or use another "
            "machine".format(facts.command[0])
        )


def refuse_configuration(machine, settings, facts):
    if settings.logins or facts.state.get("logins"):
        load_json(machine, LOGIN_FILE, {})
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
    refuse_moves(machine, settings, facts)
    if facts.info:
        refuse_foreign_projects(machine, settings, facts)
    if settings.disk:
        refuse_hiding(machine, settings, facts)


def refuse_moves(machine, settings, facts):
    """Stop where an engine's containers and images would be left behind."""
    moves = [(facts.info.get("DockerRootDir"), wanted_daemon(settings, facts).get("data-root", "/var/lib/docker"))]
    if settings.disk and uses_containerd(facts.info):
        folder = os.path.join(settings.disk.get("path") or "/srv/docker", "containerd")
        moves.append((containerd_root(machine), folder))
    for present, root in moves:
        if present and any(kept(facts.info)) and os.path.realpath(present) != os.path.realpath(root):
            raise Problem(
                "the engine's data is to move from {} to {}, but there are {} containers and {} images in the first: "
                "move or remove them yourself".format(present, root, *kept(facts.info))
            )


def user_exists(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
