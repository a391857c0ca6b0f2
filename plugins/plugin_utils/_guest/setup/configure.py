# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``configure``: write what differs, let the engine take it over, and undo it if it cannot."""

import json
import time

from .desired import merged_daemon, wanted_daemon, wanted_files
from .disk import stay_mounted
from .engine import ask_engine, service_active, tls_answers
from .machine import Problem
from .paths import DAEMON_JSON, DROP_IN, PENDING, PROXY_FILE, SOCKET, STATE
from .record import intend

# What the daemon takes over on SIGHUP: https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior
RELOADABLE = (
    "debug", "labels", "live-restore", "max-concurrent-downloads", "max-concurrent-uploads",
    "max-download-attempts", "default-runtime", "runtimes", "authorization-plugins",
    "insecure-registries", "registry-mirrors", "shutdown-timeout", "features",
)  # fmt: skip


def configure(machine, settings, facts):
    """Write what differs and let the daemon take it over, by reload where that is enough. Undo it if it cannot."""
    files = wanted_files(machine, settings, facts)
    changed = {path: entry for path, entry in files.items() if machine.differs(path, *entry)}
    pending = machine.read(PENDING) is not None
    before = {path: (machine.read(path), machine.mode(path)) for path in changed}
    if changed and not machine.check:
        keep_foreign(machine, facts, before)
        if not settings.absent:
            before[STATE] = (machine.read(STATE), 0o600)
            intend(machine, settings, facts)
        keep_containers(machine, settings, facts)
        machine.write(PENDING, b"")
    for path, (content, mode) in sorted(changed.items()):
        verb = "remove" if content is None else "write"
        machine.change("{} {}".format(verb, path), lambda p=path, c=content, m=mode: machine.write(p, c, m))
    how = transition(machine, settings, facts, changed, pending) if machine.alive else None
    if how and machine.check:
        machine.change("{} the engine".format(how))
    elif how:
        take_over(machine, settings, how, before)
    if not machine.check:
        machine.write(PENDING, None)


def keep_foreign(machine, facts, before):
    """Keep a copy, once, of each file that somebody else made and that is about to be replaced."""
    for path, (content, mode) in before.items():
        copy = path + ".before-docker-host"
        ours = path in (DROP_IN, PROXY_FILE) or path in (facts.state.get("files") or {})
        if path == DAEMON_JSON:
            ours = "daemon" in facts.state
        if content is not None and not ours and machine.read(copy) is None:
            machine.write(copy, content, mode)


def transition(machine, settings, facts, changed, pending):
    """``restart``, ``reload``, ``start`` or None: what the daemon needs to run with the wanted configuration."""
    if not service_active(machine):
        return None if settings.absent else "start"
    if set(changed) - {DAEMON_JSON} or pending:
        return "restart"
    if DAEMON_JSON in changed:
        wanted = merged_daemon(settings, facts)
        keys = {key for key in {*wanted, *facts.daemon} if wanted.get(key) != facts.daemon.get(key)}
        return "reload" if keys <= set(RELOADABLE) else "restart"
    if settings.port and not tls_answers(settings.port, settings.certs["cert"]):
        return "restart"
    return None


def keep_containers(machine, settings, facts):
    """Before the first restart, tell the running daemon to leave its containers alone."""
    running = facts.info.get("ContainersRunning") or 0
    if not running or facts.info.get("LiveRestoreEnabled") or not wanted_daemon(settings, facts).get("live-restore"):
        return
    present = dict(facts.daemon)
    present["live-restore"] = True
    machine.write(DAEMON_JSON, (json.dumps(present, indent=2, sort_keys=True) + "\n").encode())
    machine.run(["systemctl", "reload", "docker"])
    for _attempt in range(20):
        if (ask_engine("/info") or {}).get("LiveRestoreEnabled"):
            machine.log("live-restore is on: {} running containers stay up".format(running))
            return
        time.sleep(0.5)
    machine.notes.append("live-restore could not be switched on before the restart: containers were restarted")


def take_over(machine, settings, how, before):
    """Give the daemon its new configuration and wait until it answers, by socket and by port."""
    try:
        validate(machine, settings)
    except Problem as problem:
        restore(machine, before)
        problem.text += "; nothing was restarted and the last configuration is back"
        raise
    machine.change("{} the engine".format(how))
    machine.run(["systemctl", "daemon-reload"])
    if machine.run(["systemctl", "is-enabled", "docker"], ok=None).strip() != "enabled":
        machine.run(["systemctl", "enable", "docker"], ok=None)
    machine.run(["systemctl", "reset-failed", "docker"], ok=None)
    try:
        stay_mounted(machine, settings)
        machine.run(["systemctl", how, "docker"], timeout=300)
        wait_for_engine(machine, settings)
    except Problem as problem:
        why = journal(machine)
        text = "the engine does not {}: {}; {}".format(how, problem.text, undo(machine, before))
        raise Problem(text, why) from None


def validate(machine, settings):
    """Let the daemon itself check configuration and options, where its version can (23.0 and later)."""
    if machine.read(DAEMON_JSON) is None:
        return
    output = machine.run(["dockerd", "--validate", "--config-file=" + DAEMON_JSON, *settings.options], ok=None)
    if "unknown flag: --validate" not in output and "configuration OK" not in output:
        raise Problem("the daemon refuses its settings", machine.tail(output))


def wait_for_engine(machine, settings, limit=90):
    deadline = time.monotonic() + limit
    while True:
        socket_up = ask_engine("/_ping") is not None
        if socket_up and (not settings.port or tls_answers(settings.port, settings.certs["cert"])):
            return
        if time.monotonic() > deadline:
            missing = "port {} with our certificate".format(settings.port) if socket_up else SOCKET
            raise Problem("it does not answer on {} after {} s".format(missing, limit))
        if machine.run(["systemctl", "is-active", "docker"], ok=None).strip() == "failed":
            raise Problem("its service has failed")
        time.sleep(0.3)


def journal(machine):
    """What the daemon said when it was last started."""
    output = machine.run(["journalctl", "-u", "docker", "-n", "40", "--no-pager", "-o", "cat"], ok=None)
    return machine.tail(output.rpartition("\nStarting ")[2], 900)


def restore(machine, before):
    for path, (content, mode) in before.items():
        machine.write(path, content, mode)
    machine.write(PENDING, None)


def undo(machine, before):
    """Bring back the last configuration and let the daemon run with it; tells how that went."""
    machine.change("bring back the last configuration", lambda: restore(machine, before))
    machine.run(["systemctl", "daemon-reload"], ok=None)
    machine.run(["systemctl", "reset-failed", "docker"], ok=None)
    machine.run(["systemctl", "restart", "docker"], ok=None, timeout=300)
    if service_active(machine):
        return "the last configuration is back and running"
    return "the last configuration is back, but does not start either"
