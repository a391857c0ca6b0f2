# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about the machine, gathered without changing it."""

import contextlib
import json
import re
import shlex

from .apt import Apt
from .certificates import fingerprints
from .engine import engine_info
from .machine import Problem
from .package_names import ENGINE_PACKAGES, engine_names
from .paths import CERTIFICATES, COPY, DAEMON_JSON, DROP_IN, KEY, MARK, OLD_DROP_IN, STATE
from .rpm import Dnf, Tdnf, Yum, Zypper
from .unit import exec_start

MANAGERS = {"apt": Apt, "dnf": Dnf, "yum": Yum, "tdnf": Tdnf, "zypper": Zypper}


class Facts:
    """Facts about the machine, its packages and its engine, gathered without changing it."""

    def __init__(self, machine):
        release = os_release(machine)
        self.id = release.get("ID", "")
        self.like = [self.id, *release.get("ID_LIKE", "").split()]
        self.name = release.get("PRETTY_NAME") or self.id or "unknown"
        self.major = release.get("VERSION_ID", "").split(".")[0]
        self.ubuntu_codename = release.get("UBUNTU_CODENAME", "")
        self.codename = release.get("VERSION_CODENAME", "")
        self.manager = package_manager(machine, self.like)
        self.packages = MANAGERS[self.manager](machine) if self.manager else None
        self.state = load_json(machine, STATE, {}) or left_behind(machine)
        self.daemon = load_json(machine, DAEMON_JSON, {})
        self.first_daemon = first_json(machine, DAEMON_JSON)
        self.refresh(machine)

    def refresh(self, machine):
        """Gather again what an installation changes."""
        self.package, self.version = installed_engine(self.packages)
        names = engine_names(self.manager)
        self.unfinished = [name for name in (self.packages.unfinished() if self.packages else ()) if name in names]
        self.command = exec_start(machine)
        self.installed = bool(self.package or self.command)
        self.info = engine_info(machine) if self.installed else {}

    @property
    def swarm(self):
        return (self.info.get("Swarm") or {}).get("LocalNodeState") in ("active", "locked", "pending")

    @property
    def source(self):
        return dict(ENGINE_PACKAGES).get(self.package, "other" if self.installed else None)


def os_release(machine):
    text = machine.text("/etc/os-release") or machine.text("/usr/lib/os-release")
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.startswith("#"):
            with contextlib.suppress(ValueError):  # a quote without its end
                words = shlex.split(value)
                found[key.strip()] = words[0] if words else ""
    return found


def package_manager(machine, like):
    """Return ``apt``, ``dnf``, ``yum``, ``zypper`` or ``tdnf``; None for an unknown distribution."""
    names = set(like)
    if names & {"debian", "ubuntu"}:
        return "apt"
    if names & {"azurelinux", "mariner"}:
        return "tdnf"
    if names & {"rhel", "centos", "fedora"}:
        old = machine.alive and not machine.has("dnf")
        return "yum" if old else "dnf"
    if any(re.match("sles?$|suse|opensuse", name) for name in names):
        return "zypper"
    return None


# Editors on Windows begin a file with one of these; dockerd reads such files, too.
BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def json_text(machine, path):
    """Return the text of a JSON file, without the byte order mark that it may begin with; empty without a file."""
    content = machine.read(path) or b""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    return content.decode(encoding, "replace")


def load_json(machine, path, default):
    text = json_text(machine, path)
    if not text.strip():
        return default
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Problem("{} on the machine is not JSON ({}): correct or remove it".format(path, error)) from None
    if not isinstance(value, dict):
        raise Problem("{} on the machine is not a JSON object: correct or remove it".format(path))
    return value


def first_json(machine, path):
    """Return what a file held before the first run replaced it; empty when there was none."""
    with contextlib.suppress(ValueError):
        value = json.loads(json_text(machine, path + COPY) or "{}")
        if isinstance(value, dict):
            return value
    return {}


def left_behind(machine):
    """Return a record made from our drop-in, where the record itself is missing; empty without the drop-in."""
    text = machine.text(DROP_IN) or machine.text(OLD_DROP_IN)
    port = re.search(r"-H tcp://0\.0\.0\.0:(\d+) --tlsverify", text) if text.startswith(MARK) else None
    if port is None:
        return {}
    paths = [*(entry[1] for entry in CERTIFICATES), KEY]
    return {
        "unfinished": True,
        "port": int(port.group(1)),
        "ca": fingerprints(machine.read(CERTIFICATES[0][1]) or b""),
        "files": {path: "" for path in paths if machine.read(path) is not None},
    }


def installed_engine(manager):
    """Return the installed package that brings dockerd, and its version: ``("docker-ce", "5:28.1.1-1~debian...")``."""
    names = [name for name, _source in ENGINE_PACKAGES if name in engine_names(manager.name)] if manager else []
    found = manager.installed(names) if manager else {}
    return next(((name, found[name]) for name in names if name in found), (None, ""))
