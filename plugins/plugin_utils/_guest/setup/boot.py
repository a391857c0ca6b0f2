# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installation at boot, while Azure still creates the VM, and what a later push makes of it.

Custom data leaves its settings in :data:`BOOT` and starts this program with ``--at-boot``. The first push that ends
well removes that file, so an installation that begins after it does nothing.
"""

import contextlib
import json
import re

from .before import remember
from .checks import refuse
from .facts import load_json
from .machine import Problem
from .packages import install
from .paths import BOOT, BOOT_PROGRAM, BOOT_RESULT, LOG

STEP = re.compile(r"^\S+Z (\w+: .*)$", re.MULTILINE)


def install_at_boot(machine, settings, facts):
    """Install the engine, unless a push came first. Nothing is configured: the engine does not listen on TCP."""
    if facts.state or machine.read(BOOT) is None:
        machine.log("settings were pushed before the installation at boot began, so it does nothing")
        return
    machine.stage = "refuse"
    refuse(machine, settings, facts)
    remember(machine, facts)
    machine.stage = "install"
    install(machine, settings, facts)


@contextlib.contextmanager
def boot_result(machine):
    """Keep how the installation ended: the next push reports a failure. A push that came first wants no result."""
    error = "it ended unexpectedly; see {}".format(LOG)
    try:
        yield
        error = None
    except Problem as problem:
        error = machine.redact(problem.text)
        raise
    finally:
        if machine.read(BOOT) is not None:
            content = json.dumps({"stage": machine.stage, "error": error}) + "\n"
            machine.write(BOOT_RESULT, content.encode(), 0o600)


def is_boot_running(machine):
    """Return whether the installation at boot has begun, or is about to begin, and has not ended."""
    return machine.read(BOOT) is not None and machine.read(BOOT_RESULT) is None


def last_step(machine):
    """Return the last step in the log, which all runs share, without any known secret; empty if there is none."""
    steps = STEP.findall(machine.text(LOG))
    return steps[-1] if steps else ""


def note_failed_boot(machine, facts):
    """Note that the installation at boot failed if this run has to install the engine in its place."""
    result = load_json(machine, BOOT_RESULT, {})
    if result.get("error") and not facts.installed:
        machine.notes.append(
            "the installation at boot failed in stage {}: {}; this run installs the engine".format(
                result.get("stage"), result["error"]
            )
        )


def forget_boot(machine):
    """Remove what the installation at boot left, once a push has ended well."""
    for path in (BOOT, BOOT_PROGRAM, BOOT_RESULT):
        machine.write(path, None)
