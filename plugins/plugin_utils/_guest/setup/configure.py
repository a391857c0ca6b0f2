# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``configure``: write what differs, let the engine take it over, and undo it if it cannot."""

import contextlib
import json
import re
import time

from .before import stop_again, was_stopped
from .desired import daemon_mode, merged_daemon, wanted_daemon, wanted_files
from .disk import stay_mounted
from .engine import ask_engine, runs_replaced_program, service_active, tls_answers
from .machine import Problem
from .paths import (
    CERTIFICATES,
    CONTAINERD_DROP_IN,
    CONTAINERD_TOML,
    COPY,
    DAEMON_JSON,
    DROP_IN,
    KEY,
    OLD_DROP_IN,
    PENDING,
    PROXY_FILE,
    SOCKET,
    STATE,
)
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
    try:
        if changed and not machine.check:
            prepare(machine, settings, facts, before)
        write_files(machine, changed)
    except Problem as problem:
        problem.text += "; {}".format(restore(machine, before))
        raise
    how = transition(machine, settings, facts, changed, pending) if machine.alive else None
    if how and machine.check:
        machine.change("{} the engine".format(how))
    elif how:
        take_over(machine, settings, how, before)
    elif machine.alive and changed and not machine.check:
        machine.run(["systemctl", "daemon-reload"])
    if not machine.check:
        machine.write(PENDING, None)


def write_files(machine, files):
    """Write or remove each file: ``path -> (content or None, mode)``."""
    for path, (content, mode) in sorted(files.items()):
        verb = "remove" if content is None else "write"
        machine.change("{} {}".format(verb, path), lambda p=path, c=content, m=mode: machine.write(p, c, m))


def prepare(machine, settings, facts, before):
    """Make sure that a run that is cut short can be finished, or undone, by the next one."""
    keep_foreign(machine, facts, before)
    if not settings.absent:
        before[STATE] = (machine.read(STATE), 0o600)
        intend(machine, settings, facts)
    if settings.absent and was_stopped(machine):
        release_containers(machine, settings, facts)
    else:
        keep_containers(machine, settings, facts)
    machine.write(PENDING, b"")


def keep_foreign(machine, facts, before):
    """Keep a copy, once, of each file that somebody else made and that is about to be replaced."""
    ours = {DROP_IN, OLD_DROP_IN, PROXY_FILE, CONTAINERD_DROP_IN, *(facts.state.get("files") or {})}
    ours |= {DAEMON_JSON} if "daemon" in facts.state else set()
    ours |= {CONTAINERD_TOML} if facts.state.get("containerd-root") else set()
    for path, (content, mode) in before.items():
        if content is not None and path not in ours and machine.read(path + COPY) is None:
            machine.write(path + COPY, content, mode)


def drop_copies(machine, settings):
    """Remove the copies of files that were given back, once the record no longer calls them ours."""
    paths = [] if settings.certs else [KEY, *(path for _name, path, _mode in CERTIFICATES)]
    if settings.absent:
        paths += [DAEMON_JSON, CONTAINERD_TOML]
    for path in paths:
        machine.write(path + COPY, None)


def transition(machine, settings, facts, changed, pending):
    """Return what the daemon needs to run as configured: ``restart``, ``reload``, ``start`` or None."""
    if settings.absent and was_stopped(machine):
        return None  # it is stopped when everything is given back
    if not service_active(machine):
        return None if settings.absent else "start"
    if set(changed) - {DAEMON_JSON} or pending or runs_replaced_program(machine):
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
    if set_live_restore(machine, facts, True):
        machine.log("live-restore is on: {} running containers stay up".format(running))
    else:
        machine.notes.append("live-restore could not be switched on before the restart: containers were restarted")


def release_containers(machine, settings, facts):
    """Before the engine is stopped for good, let its containers end with it if its own settings did so."""
    running = facts.info.get("ContainersRunning") or 0
    if not running or not facts.info.get("LiveRestoreEnabled") or merged_daemon(settings, facts).get("live-restore"):
        return
    if not set_live_restore(machine, facts, False):
        machine.notes.append("live-restore could not be switched off: {} containers outlive the engine".format(running))


def set_live_restore(machine, facts, value):
    """Have the running daemon take over another value of live-restore; return whether it has done so."""
    present = dict(facts.daemon, **{"live-restore": value})
    content = (json.dumps(present, indent=2, sort_keys=True) + "\n").encode()
    machine.write(DAEMON_JSON, content, daemon_mode(machine, content))
    machine.run(["systemctl", "reload", "docker"])
    for _attempt in range(20):
        if (ask_engine("/info") or {}).get("LiveRestoreEnabled") == value:
            return True
        time.sleep(0.5)
    return False


def take_over(machine, settings, how, before):
    """Give the daemon its new configuration and wait until it answers, by socket and by port."""
    try:
        validate(machine, settings)
    except Problem as problem:
        problem.text += "; nothing was restarted, and {}".format(restore(machine, before))
        raise
    machine.change("{} the engine".format(how))
    machine.run(["systemctl", "daemon-reload"])
    if machine.run(["systemctl", "is-enabled", "docker"], ok=None).strip() != "enabled":
        machine.run(["systemctl", "enable", "docker"], ok=None)
    machine.run(["systemctl", "reset-failed", "docker"], ok=None)
    try:
        check_command(machine, settings)
        stay_mounted(machine, settings)
        if how != "reload":
            restart_containerd(machine, before)
        # What is to be started may start meanwhile with its former configuration, while the machine boots.
        machine.run(["systemctl", "reload" if how == "reload" else "restart", "docker"], timeout=300)
        wait_for_engine(machine, settings)
    except Problem as problem:
        why = journal(machine)
        text = "the engine does not {}: {}; {}".format(how, problem.text, undo(machine, before))
        raise Problem(text, why) from None


def check_command(machine, settings):
    """Stop where systemd starts the engine by another command than the one that was written."""
    if not settings.port:
        return
    shown = machine.run(["systemctl", "show", "-p", "ExecStart", "-p", "DropInPaths", "docker"], ok=None)
    wanted = "-H tcp://0.0.0.0:{} --tlsverify".format(settings.port)
    if "ExecStart=" in shown and wanted not in shown:
        files = re.findall(r"^DropInPaths=(.*)$", shown, re.MULTILINE)
        raise Problem("another drop-in than {} decides its command; systemd reads {}".format(DROP_IN, ", ".join(files)))


def restart_containerd(machine, before):
    """Have containerd take over its new root; the engine is stopped meanwhile, since it would lose its connection."""
    if {CONTAINERD_TOML, CONTAINERD_DROP_IN} & set(before):
        machine.run(["systemctl", "stop", "docker"], ok=None, timeout=300)
        machine.run(["systemctl", "restart", "containerd"], timeout=300)


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
            missing = "port {} with the pushed certificate".format(settings.port) if socket_up else SOCKET
            raise Problem("it does not answer on {} after {} s".format(missing, limit))
        if machine.run(["systemctl", "is-active", "docker"], ok=None).strip() == "failed":
            raise Problem("its service has failed")
        time.sleep(0.3)


def journal(machine):
    """Return what the daemon said when it was last started."""
    output = machine.run(["journalctl", "-u", "docker", "-n", "40", "--no-pager", "-o", "cat"], ok=None)
    return machine.tail(output.rpartition("\nStarting ")[2], 900)


def restore(machine, before):
    """Restore the former files, and return how that went."""
    lost = []
    for path, (content, mode) in before.items():
        try:
            machine.write(path, content, mode)
        except Problem:
            lost.append(path)
    if lost:
        return "the last configuration could not be brought back: {}".format(", ".join(lost))
    with contextlib.suppress(Problem):
        machine.write(PENDING, None)
    return "the last configuration is back"


def undo(machine, before):
    """Restore the former configuration, restart the daemon with it, and return how that went."""
    untouched = STATE in before and before[STATE][0] is None  # no run has brought this machine under control yet
    machine.change("bring back the last configuration", lambda: restore(machine, before))
    machine.run(["systemctl", "daemon-reload"], ok=None)
    machine.run(["systemctl", "reset-failed", "docker"], ok=None)
    if untouched and was_stopped(machine):
        stop_again(machine)
        return "the last configuration is back, and the engine is stopped as before"
    with contextlib.suppress(Problem):
        restart_containerd(machine, before)
    machine.run(["systemctl", "restart", "docker"], ok=None, timeout=300)
    if service_active(machine):
        return "the last configuration is back and running"
    return "the last configuration is back, but does not start either"
