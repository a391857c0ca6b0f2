# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the administrator had decided before the first run: packages on hold, units that are disabled or stopped."""

import contextlib
import json
import re

from .facts import load_json
from .machine import Problem
from .package_names import engine_names
from .paths import BEFORE, LIFTED

ENGINE_UNITS = ("docker.service", "docker.socket", "containerd.service")


def remember(machine, facts):
    """Write down what the administrator decided about an installed engine, before the first run changes anything.

    Without an engine the note is empty: an engine that a killed first run has installed is not the administrator's.
    """
    if not machine.alive or machine.check or facts.state or machine.read(BEFORE) is not None:
        return
    found = {"held": [], "disabled": False, "stopped": []}
    if facts.installed:
        found["disabled"] = unit_state(machine) == "disabled"
        found["stopped"] = [name for name, runs in engine_units(machine).items() if not runs]
    if facts.package:
        found["held"] = facts.packages.held(list(facts.packages.installed(engine_names(facts.manager))))
    save_decisions(machine, found)


def decisions(machine):
    """Return the note; empty on a machine whose first run was one of a version that made no note.

    ``held`` is a list of packages, ``stopped`` one of units. ``disabled`` (the engine's unit) and ``ours`` (whether
    this program set holds) are booleans.
    """
    return load_json(machine, BEFORE, {})


def save_decisions(machine, found):
    machine.write(BEFORE, (json.dumps(found, sort_keys=True) + "\n").encode(), 0o600)


def unit_state(machine):
    return machine.run(["systemctl", "is-enabled", "docker"], ok=None).strip()


def disable_again(machine):
    """Disable the engine's unit where the administrator had disabled it; what runs goes on."""
    if decisions(machine).get("disabled") and unit_state(machine) == "enabled":
        machine.change(
            "disable docker.service, as it was before", lambda: machine.run(["systemctl", "disable", "docker"])
        )


def engine_units(machine):
    """Return whether each loaded unit of the engine runs, by name; one that a boot is about to start does, too."""
    words = [word for name in ("Id", "LoadState", "ActiveState", "Job") for word in ("-p", name)]
    shown = machine.run(["systemctl", "show", *words, *ENGINE_UNITS], ok=None)
    units = [dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE)) for block in shown.split("\n\n")]
    return {
        unit["Id"]: unit.get("ActiveState") not in ("inactive", "failed") or unit.get("Job", "0") not in ("", "0")
        for unit in units
        if unit.get("LoadState") == "loaded"
    }


def was_stopped(machine):
    """Return whether the administrator's engine did not run before the first run."""
    return ENGINE_UNITS[0] in (decisions(machine).get("stopped") or [])


def stop_again(machine):
    """Stop the engine where the administrator had stopped it, with what had to be started for it."""
    if not was_stopped(machine):
        return
    units = engine_units(machine)
    names = [name for name in decisions(machine)["stopped"] if units.get(name)]
    if names:
        machine.change(
            "stop {}, as before the first run".format(", ".join(names)),
            lambda: machine.run(["systemctl", "stop", *names], timeout=300),
        )


@contextlib.contextmanager
def lifted(machine, manager, names):
    """Release those packages for one installation or removal; hold again what is there afterwards, also if it fails."""
    held = manager.held(list(manager.installed(names)))
    noted = sorted({*held, *lifted_names(machine)})
    if noted:
        machine.write(LIFTED, json.dumps(noted).encode(), 0o600)
    if held:
        manager.release(held)
    try:
        yield
    except Problem:
        with contextlib.suppress(Problem):  # the note stays: the next run holds them again
            hold_again(machine, manager)
        raise
    hold_again(machine, manager)


def lifted_names(machine):
    """Return the packages that this program released and must hold again."""
    with contextlib.suppress(ValueError):
        names = json.loads(machine.text(LIFTED) or "[]")
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return names
    return []


def hold_again(machine, manager):
    """Hold the packages that were released, as far as they are installed."""
    names = lifted_names(machine)
    if not names:
        return
    present = list(manager.installed(names))
    if present:
        manager.hold(present)
    machine.write(LIFTED, None)


def finish_lifting(machine, manager):
    """Hold again what a killed run has released."""
    names = lifted_names(machine)
    if not names:
        return
    held = manager.held(names)
    missing = [name for name in manager.installed(names) if name not in held]
    if missing:
        machine.change("hold {} again".format(", ".join(missing)), lambda: manager.hold(missing))
    if not machine.check:
        machine.write(LIFTED, None)
