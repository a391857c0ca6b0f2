# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the machine with the record of the last run."""

import os

from .certificates import sha256
from .compose import is_up
from .containerd import containerd_root
from .engine import ask_engine, service_active, tls_answers
from .facts import load_json
from .paths import CERTIFICATES, CONTAINERD_TOML, DAEMON_JSON, PENDING, SOCKET, compose_file
from .record import CERTS_UNFINISHED


def verify(machine, state):
    """Return the differences between the machine and the record of the last run."""
    found = ["the last run did not end well"] if state.get("unfinished") or state.get(CERTS_UNFINISHED) else []
    for path, digest in sorted((state.get("files") or {}).items()):
        content = machine.read(path)
        if content is None:
            found.append("{} is gone".format(path))
        elif sha256(content) != digest:
            found.append("{} was changed".format(path))
    found += verify_daemon(machine, state.get("daemon") or {})
    root = state.get("containerd-root")
    if root and containerd_root(machine) != root:
        found.append("{} no longer has the pushed root {}".format(CONTAINERD_TOML, root))
    if machine.alive:
        found += verify_engine(machine, state)
    return found


def verify_daemon(machine, ours):
    """Return which of our entries daemon.json no longer has."""
    found, daemon = [], load_json(machine, DAEMON_JSON, {})
    for key, value in sorted(ours.items()):
        present = daemon.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            present = {name: present.get(name) for name in value}
        if present != value:
            found.append("{} no longer has the pushed value of {}".format(DAEMON_JSON, key))
    return found


def verify_engine(machine, state):
    if not service_active(machine):
        return ["the engine is not running"]
    found = []
    if ask_engine("/_ping") is None:
        found.append("the engine does not answer on {}".format(SOCKET))
    if state.get("disk") and not os.path.ismount(state["disk"]):
        found.append("the data disk is not mounted at {}".format(state["disk"]))
    certificate = machine.read(CERTIFICATES[1][1])
    if state.get("port") and not (certificate and tls_answers(state["port"], certificate)):
        found.append("port {} does not answer with the pushed certificate".format(state["port"]))
    if machine.read(PENDING) is not None:
        found.append("a restart is pending")
    # Those that are no longer wanted are left alone, also by whoever took them down.
    wanted = [name for name in state.get("projects") or [] if compose_file(name) in state.get("files", {})]
    return found + ["the compose project {} is not up".format(name) for name in wanted if not is_up(name)]
