# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``label``: SELinux labels of the directories in which engine and containerd keep their data.

Policies know the default directories only. Elsewhere, volumes and the layers of images would have labels that a
confined container must not read. A rule of equivalence (semanage-fcontext(8)) gives a directory the labels of the
default one.
"""

import os

from .containerd import DEFAULT_ROOT, wanted_root
from .desired import wanted_daemon
from .machine import Problem
from .paths import LABELLING

ENABLED = "/sys/fs/selinux/enforce"
EQUIVALENCES = "/etc/selinux/{}/contexts/files/file_contexts.subs"
DATA_ROOT = "/var/lib/docker"
PACKAGE = "policycoreutils-python-utils"


def label(machine, settings, facts):
    """Give the directories on another disk the labels that the default ones have, before the engine uses them."""
    roots = moved(wanted_daemon(settings, facts).get("data-root"), wanted_root(machine, settings, facts))
    if not roots or not is_enabled(machine):
        return
    present = rules(machine)
    missing = {path: like for path, like in roots.items() if present.get(path) != like}
    if missing or machine.read(LABELLING) is not None:
        machine.change(
            "label {} for SELinux".format(" and ".join(sorted(roots))),
            lambda: write_labels(machine, facts, roots, {path: path in present for path in missing}),
        )


def moved(data_root, containerd_root):
    """Return the directory whose labels count, by the directory that is in its place."""
    roots = {data_root: DATA_ROOT, containerd_root: DEFAULT_ROOT}
    return {path: like for path, like in roots.items() if path and path != like}


def is_enabled(machine):
    """Return whether SELinux labels files here, enforcing or not."""
    return machine.alive and os.path.exists(machine.path(ENABLED))


def rules(machine):
    """Return the local rules of equivalence."""
    settings = (line.split("=", 1) for line in machine.text("/etc/selinux/config").splitlines() if "=" in line)
    policy = {name.strip(): value.strip() for name, value in settings}.get("SELINUXTYPE", "targeted")
    lines = (line.split() for line in machine.text(EQUIVALENCES.format(policy)).splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2}


def write_labels(machine, facts, roots, replaces):
    """Write the rules that are missing and label what exists.

    An engine without these labels works, only not with confined containers: what fails is a note.

    :param roots: the directory whose labels count, by path.
    :param replaces: for each path without its rule, whether another rule is in its place.
    """
    try:
        with machine.noted(LABELLING):
            if not machine.has("semanage") and facts.packages is not None:
                facts.packages.refresh()
                facts.packages.install([PACKAGE])
            for path, replaced in sorted(replaces.items()):
                verb = "--modify" if replaced else "--add"
                machine.run(["semanage", "fcontext", verb, "--equal", roots[path], path])
            for path in sorted(roots):
                os.makedirs(machine.path(path), mode=0o711, exist_ok=True)
            machine.run(["restorecon", "-R", *sorted(roots)], timeout=1800)
    except Problem as problem:
        machine.write(LABELLING, None)
        where = " and ".join(sorted(roots))
        machine.notes.append(
            "{} could not be labelled for SELinux, so that confined containers cannot use it: {}".format(
                where, problem.text
            )
        )


def unlabel(machine, facts):
    """Remove the rules for directories that this program moved."""
    roots = moved((facts.state.get("daemon") or {}).get("data-root"), facts.state.get("containerd-root"))
    present = rules(machine) if roots and is_enabled(machine) else {}
    for path, like in sorted(roots.items()):
        if present.get(path) == like:
            machine.change(
                "remove the SELinux rule for {}".format(path),
                lambda p=path, e=like: machine.run(["semanage", "fcontext", "--delete", "--equal", e, p]),
            )
