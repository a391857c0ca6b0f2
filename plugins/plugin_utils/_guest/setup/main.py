# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set up a Docker engine on this machine as one settings file says.

Gather facts, refuse what cannot work, then stage by stage plan and apply (disk, install, access, label, configure,
firewall, registries, compose), then verify, then print one line of JSON on standard output:
``{"docker_setup": 1, "ok": true, "digest": ..., "changes": [...], "engine": {...}, ...}``.
A second run changes nothing. A run after one that was killed repairs what that one left.

    docker_setup.py --settings FILE [--check]   apply the settings, or only say what would be done
    docker_setup.py --settings FILE --at-boot   install the engine only, unless settings were pushed before
    docker_setup.py --verify                    compare the machine with what the last run left

With ``--root DIR`` (or the environment variable ``DOCKER_SETUP_ROOT``) the tree below DIR is
configured, as when an image is built: nothing is installed, started or asked there.

Standard library only, Python 3.6 and later. Secrets are never printed, logged or put on a command line.
"""

import argparse
import contextlib
import fcntl
import json
import os
import sys
import time
import traceback

from .absent import remove_all
from .access import access
from .before import remember
from .boot import boot_result, forget_boot, install_at_boot, is_boot_running, last_step, note_failed_boot
from .checks import keep_settings, refuse
from .compose import compose
from .configure import configure, drop_copies
from .disk import data_disk
from .engine import ask_engine, service_active
from .facts import Facts, installed_engine, load_json
from .firewall import firewall
from .kept import former_secrets, save_settings, with_kept
from .machine import Machine, Problem, tail
from .packages import install, wait_for_cloud_init
from .paths import FORMAT, HOME, LOCK_WAIT, LOG, NOTES, STATE, WAITING_LINE, WRITTEN
from .record import CERTS_UNFINISHED, just_pushed, record
from .registries import registries
from .room import note_small_volume
from .selinux import label
from .settings import Settings, read_settings
from .verify import verify

LINE_LIMIT = 3000
STAGES = (
    ("disk", data_disk),
    ("install", install),
    ("access", access),
    ("label", label),
    ("configure", configure),
    ("firewall", firewall),
    ("registries", registries),
    ("compose", compose),
)


def open_lock(machine):
    """Open the file by which runs wait for each other.

    :raises Problem: it cannot be written, and then nothing else could be remembered either.
    """
    try:
        os.makedirs(machine.path(HOME), mode=0o700, exist_ok=True)
        return open(machine.path(HOME + "/lock"), "w", encoding="ascii")
    except OSError as error:
        raise Problem("the directory {} cannot be written: {}".format(HOME, error.strerror)) from None


@contextlib.contextmanager
def alone(machine):
    """Wait for another run of this program on the same machine."""
    if machine.check:
        yield
        return
    with open_lock(machine) as file:
        wait_for_lock(machine, file)
        yield


def wait_for_lock(machine, file):
    """Lock the file, and show every :data:`WAITING_LINE` seconds which run has it, and what that run is doing.

    :raises Problem: the other run has not ended after :data:`LOCK_WAIT` seconds.
    """
    begun = shown = time.monotonic()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            now = time.monotonic()
        if now - begun > LOCK_WAIT:
            raise Problem("another run of this program has not ended for {} s".format(LOCK_WAIT))
        if now >= shown:
            other = "the installation at boot" if is_boot_running(machine) else "another run of this program"
            step = last_step(machine)
            machine.say("wait for {}: {:.0f} s{}".format(other, now - begun, step and " ({})".format(step)))
            shown = now + WAITING_LINE
        time.sleep(0.25)


def apply(machine, settings):
    """Apply the settings and return what the result line says about it."""
    use_secrets(machine, settings)
    with alone(machine):
        swept = not machine.check and machine.sweep(WRITTEN)
        facts = Facts(machine)
        cut_short = swept or was_cut_short(machine, facts)
        if settings.absent:
            return remove(machine, settings, facts, cut_short)
        note_failed_boot(machine, facts)
        machine.stage = "refuse"
        if settings.certs_only:
            keep_settings(settings, facts.state)
        settings = with_kept(machine, settings, facts.state)
        use_secrets(machine, settings)
        refuse(machine, settings, facts)
        note_small_volume(machine, settings, facts)
        remember(machine, facts)
        for name, stage in (("configure", configure),) if settings.certs_only else STAGES:
            machine.stage = name
            stage(machine, settings, facts)
            if name == "configure" and not machine.check:
                record(machine, settings, facts, ended=False)
        machine.stage = "verify"
        if not machine.check:
            finish(machine, settings, facts)
            if cut_short:
                machine.notes.append("the last run did not end well; this one has completed it")
        return {"engine": describe_engine(machine, facts), "port": settings.port}


def remove(machine, settings, facts, cut_short):
    """Remove everything and return what the result line says about it."""
    remove_all(machine, settings, facts)
    if not machine.check:
        forget_boot(machine)
    if cut_short:
        machine.notes.append("the last run did not end well; what it left is removed as well")
    return {"engine": {"installed": installed_engine(facts.packages)[0] is not None}}


def finish(machine, settings, facts):
    """Record the settings and compare the machine with them."""
    save_settings(machine, settings)
    record(machine, settings, facts, ended=True)
    drop_copies(machine, settings)
    forget_boot(machine)
    left = verify(machine, just_pushed(settings, load_json(machine, STATE, {})))
    if left:
        raise Problem("after the run: " + "; ".join(left))


def use_secrets(machine, settings):
    """Keep the secrets of the settings out of every output, and give their proxies to every program.

    Those of the last run too: its projects and logins are taken away, and programs may speak of them.
    """
    secrets = {*settings.secrets(), *former_secrets(machine)}
    machine.secrets = sorted(secrets, key=len, reverse=True)
    for name, value in settings.proxies.items():
        machine.environment.update({name + "_proxy": value, name.upper() + "_PROXY": value})


def apply_at_boot(machine, settings):
    """Install the engine and return what the result line says about it."""
    # Before the lock: a push that comes meanwhile waits no longer than without this run.
    wait_for_cloud_init(machine)
    with alone(machine), boot_result(machine):
        facts = Facts(machine)
        install_at_boot(machine, settings, facts)
        return {"engine": {"installed": facts.installed}}


def was_cut_short(machine, facts):
    """Return whether the last run of this program left something unfinished."""
    marks = facts.state.get("unfinished"), facts.state.get(CERTS_UNFINISHED), facts.unfinished
    return any(marks) or any(machine.read(path) is not None for path in NOTES)


def ssh_host_keys(machine):
    """Return the machine's public SSH host keys, each as type and base64, by which a client recognizes it."""
    lines = [machine.text(name).split() for name in machine.glob("/etc/ssh/ssh_host_*_key.pub")]
    return [" ".join(words[:2]) for words in lines if len(words) > 1]


def describe_engine(machine, facts):
    engine = {"installed": facts.installed, "package": facts.package, "source": facts.source, "running": False}
    engine["ssh_host_keys"] = ssh_host_keys(machine)
    if machine.alive and facts.installed and not (machine.check and not service_active(machine)):
        info, version = ask_engine("/info", 30) or {}, ask_engine("/version") or {}
        engine.update(
            version=version.get("Version"),
            api_version=version.get("ApiVersion"),
            data_root=info.get("DockerRootDir"),
            live_restore=info.get("LiveRestoreEnabled"),
            containers_running=info.get("ContainersRunning"),
            running=bool(version),
        )
    return engine


def result_line(result):
    """Return one line of JSON that fits into what the agent passes on (4 KiB); long lists and texts are cut."""
    for limit in (40, 12, 4, 1):
        shown = dict(result)
        for key in ("changes", "differences", "notes"):
            entries = shown.get(key) or []
            if len(entries) > limit:
                shown[key] = [*entries[:limit], "and {} more".format(len(entries) - limit)]
        shown["detail"] = tail(shown.get("detail"), limit * 40)
        if not shown["detail"]:
            del shown["detail"]
        line = json.dumps(shown, sort_keys=True)
        if len(line) <= LINE_LIMIT:
            return line
    shown = {key: result.get(key) for key in ("docker_setup", "ok", "stage", "digest", "push", "log")}
    return json.dumps(dict(shown, error=str(result.get("error"))[:500]), sort_keys=True)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description="Set up a Docker engine on this machine.")
    parser.add_argument("--settings", metavar="FILE", help="the settings, a JSON object")
    parser.add_argument("--check", action="store_true", help="say what would be changed and change nothing")
    parser.add_argument("--at-boot", action="store_true", help="install the engine only, unless settings were pushed")
    parser.add_argument("--verify", action="store_true", help="compare the machine with the last run's record")
    parser.add_argument("--root", default=os.environ.get("DOCKER_SETUP_ROOT") or "/", help="configure the tree below")
    parser.add_argument("--forget", metavar="FILE", help="remove this file as soon as the settings are read")
    options = parser.parse_args(argv)
    if bool(options.settings) == options.verify:
        parser.error("give either --settings FILE or --verify")
    return options


def run(options, machine):
    """Run with these options and return the result, whose ``ok`` says how the run ended."""
    result = {"docker_setup": FORMAT, "ok": False, "log": LOG}
    if not machine.alive:
        result["root"] = machine.root
    try:
        if options.verify:
            state = load_json(machine, STATE, {})
            found = verify(machine, state) if state else ["this program has left no record on this machine"]
            result.update(ok=True, verify=True, digest=state.get("digest", ""), differences=found)
            return result
        try:
            document = read_settings(options.settings)
        finally:
            if options.forget:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(options.forget)
        if isinstance(document, dict):
            result.update(digest=document.get("digest") or "", push=document.get("push") or "")
        act = apply_at_boot if options.at_boot else apply
        result.update(act(machine, Settings(document)), ok=True)
        if machine.check:
            result["check"] = True
    except Problem as problem:
        machine.log("failed: {}\n{}".format(problem.text, problem.detail))
        result.update(error=machine.redact(problem.text), detail=machine.redact(problem.detail))
    except Exception as error:  # noqa: BLE001  the result line is the contract, whatever happens
        machine.log("failed:\n" + traceback.format_exc())
        result.update(error=machine.redact("{}: {}".format(type(error).__name__, error)))
    result.update(stage=machine.stage, changes=[machine.redact(change) for change in machine.changes])
    if machine.notes:
        result["notes"] = [machine.redact(note) for note in machine.notes]
    return result


def main(argv=None):
    """Run as a program and return the exit code."""
    os.umask(0o022)
    options = parse_arguments(argv)
    machine = Machine(options.root, check=options.check or options.verify)
    result = run(options, machine)
    if not result["ok"] and result.get("detail"):
        machine.say(result["detail"])
    print(result_line(result), flush=True)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
