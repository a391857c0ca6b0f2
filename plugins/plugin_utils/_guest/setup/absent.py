# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take away what the program configured."""

import os
import re
import shutil

from .access import access
from .before import ENGINE_UNITS, disable_again, engine_units, finish_lifting, stop_again
from .compose import take_down
from .configure import configure, drop_copies, write_files
from .containerd import DEFAULT_ROOT, containerd_root
from .desired import wanted_files
from .engine import service_active
from .facts import load_json
from .firewall import firewall
from .machine import Problem
from .packages import hold, purge
from .paths import BEFORE, FORMER_LOGINS, LABELLING, LOGIN_FILE, NOTHING, OPENED, REMOVING, SETTINGS, STATE, USERS
from .registries import registries
from .selinux import unlabel

# What the engine and containerd make in their data directories, and those of the engine for user namespaces.
ENGINE_ENTRY = re.compile(
    r"(buildkit|builder|containerd|containers|engine-id|image|network|nuke-graph-directory\.sh|plugins|rootfs|runtimes|"
    r"swarm|tmp|tmp-old|trust|volumes|overlay2?|aufs|btrfs|devicemapper|fuse-overlayfs|vfs|zfs|\d+\.\d+|"
    r"io\.containerd\..+|tmpmounts)$"
)


def remove_all(machine, settings, facts):
    """Remove the configuration; remove the engine and its data only if the settings ask for that."""
    if facts.state.get("logins"):
        load_json(machine, LOGIN_FILE, {})
    roots = data_roots(machine, facts)
    for name, stage in (
        ("compose", take_down_projects),
        ("registries", registries),
        ("access", access),
        ("configure", unconfigure),
        ("firewall", firewall),
        ("remove", remove_engine),
    ):
        machine.stage = name
        stage(machine, settings, facts)
    if "data" in settings.remove:
        remove_data(machine, roots, facts)
        unlabel(machine, facts)
    if machine.read(STATE) is not None:
        machine.change("forget this host's record", lambda: forget(machine))
    if not machine.check:
        machine.write(SETTINGS, None)
        drop_copies(machine, settings)
        for note in (BEFORE, LABELLING, USERS, FORMER_LOGINS, OPENED):
            machine.write(note, None)


def forget(machine):
    """Remove the record; a run that is killed here leaves no settings to keep, and no record without a copy of them."""
    machine.write(SETTINGS, NOTHING, 0o600)
    machine.write(STATE, None)


def take_down_projects(machine, settings, facts):
    """Take down every project; where the engine is gone, or is stopped and loses its data, only its files are left."""
    runs = machine.has("docker") and ("data" not in settings.remove or service_active(machine))
    for name in facts.state.get("projects") or []:
        machine.change(
            "take down the compose project {}".format(name), lambda name=name: take_down(machine, name, runs)
        )


def unconfigure(machine, settings, facts):
    """Remove or give back every file; an engine that stays runs without our configuration afterwards."""
    if facts.installed and "engine" not in settings.remove and facts.state:
        configure(machine, settings, facts)
    elif facts.state:
        files = wanted_files(machine, settings, facts)
        write_files(machine, {path: entry for path, entry in files.items() if machine.differs(path, *entry)})


def remove_engine(machine, settings, facts):
    """Remove the engine's packages, or what a removal that was killed has left of them; release those that stay."""
    if not machine.alive:
        return
    begun = machine.read(REMOVING) is not None
    if "engine" not in settings.remove or not (facts.package or begun):
        give_back(machine, settings, facts)
        return

    def act():
        machine.run(["systemctl", "stop", "docker.socket", "docker"], ok=None, timeout=300)
        purge(machine, settings, facts)

    machine.change("remove the engine {}".format(facts.package or "completely"), act)


def give_back(machine, settings, facts):
    """Hold, disable and stop the engine that stays where the administrator had done so before the first run."""
    if facts.packages:
        finish_lifting(machine, facts.packages)
    hold(machine, settings, facts)
    disable_again(machine)
    stop_again(machine)


def data_roots(machine, facts):
    """Return where the engine and containerd keep their data, and where they kept it before a removal was cut short."""
    ours = [(facts.state.get("daemon") or {}).get("data-root"), facts.state.get("containerd-root")]
    current = facts.info.get("DockerRootDir") or facts.daemon.get("data-root") or "/var/lib/docker"
    return [current, containerd_root(machine), DEFAULT_ROOT, *(root for root in ours if root)]


def remove_data(machine, roots, facts):
    """Remove containers, images and volumes; an engine that ran runs again afterwards, empty.

    In a folder that may be somebody else's too, only what the engine makes there is removed.
    """
    own = {folder for folder in roots if is_dedicated(folder, facts)}
    folders = sorted(folder for folder in set(roots) if holds_something(machine.path(folder), folder in own))
    stops = bool(folders) and machine.alive and not machine.check
    running = [name for name, runs in engine_units(machine).items() if runs] if stops else []
    if stops:
        # Also where a removal was killed: a daemon without a package would write its data anew.
        machine.run(["systemctl", "stop", *ENGINE_UNITS], ok=None, timeout=300)
    for folder in folders:
        machine.change("remove {}".format(folder), lambda f=folder: remove_tree(machine, f, f in own))
    if running:
        machine.run(["systemctl", "start", *running], ok=None, timeout=300)


def is_dedicated(folder, facts):
    """Return whether a folder is for the engine alone: by its name, or because it is on the data disk."""
    names = folder.rstrip("/").split("/")[-2:]
    ours = facts.state.get("disk") and os.path.join(facts.state["disk"], "data")
    return folder == ours or any("docker" in name or "containerd" in name for name in names)


def holds_something(folder, dedicated=True):
    """Return whether a folder exists; an empty one on which a disk is mounted, or to which a link leads, stays."""
    if not dedicated:
        return os.path.isdir(folder) and any(ENGINE_ENTRY.match(name) for name in os.listdir(folder))
    stays = os.path.ismount(folder) or os.path.islink(folder)
    return os.path.isdir(folder) and not (stays and not set(os.listdir(folder)) - {"lost+found"})


def remove_tree(machine, folder, dedicated=True):
    """Remove a folder and what is in it; a mount point stays, empty, and so does a folder that a link leads to.

    :param dedicated: whether everything in it is the engine's.
    :raises Problem: something in it cannot be removed.
    """
    left = []
    place = machine.path(folder)
    names = [name for name in os.listdir(place) if dedicated or ENGINE_ENTRY.match(name)]
    theirs = sorted(set(os.listdir(place)) - set(names))
    if theirs:
        machine.notes.append("{} stays, because it has other files too, such as {}".format(folder, theirs[0]))
    stays = os.path.islink(place) or theirs
    inside = [os.path.join(place, name) for name in names] if stays else [place]
    for path in inside:
        remove_path(path, left)
    left = [path for path in left if path != place or not os.path.ismount(place)]
    if left:
        raise Problem("{} cannot be removed: {} is in use".format(folder, left[0]))


def remove_path(path, left):
    """Remove a file, a link or a folder with its contents; what cannot be removed is added to the list."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, onerror=lambda _function, name, _error: left.append(name))
        return
    try:
        os.unlink(path)
    except OSError:
        left.append(path)
