# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``access``: users who may use the engine without sudo."""

import grp
import json

from .facts import load_json
from .machine import Problem
from .paths import USERS


def access(machine, settings, _facts):
    """Let users use the engine without sudo, and no longer those whom an earlier run has added."""
    if not machine.alive:
        return
    members, added = group_members("docker"), added_users(machine)
    new = [user for user in settings.users if user not in members]
    gone = [user for user in added if user not in settings.users]
    if new:
        note_users(machine, {*added, *new})
    for user in new:
        machine.change(
            "add the user {} to the group docker".format(user),
            lambda user=user: machine.run(["usermod", "-aG", "docker", user]),
        )
    for user in gone:
        if user in members:
            machine.change(
                "remove the user {} from the group docker".format(user),
                lambda user=user: machine.run(["gpasswd", "-d", user, "docker"]),
            )
    if gone:
        note_users(machine, {*added, *new} - set(gone))


def added_users(machine):
    """Return the users whom this program has added; the administrator's are not among them."""
    try:
        return load_json(machine, USERS, {}).get("added") or []
    except Problem:  # a damaged note: they may be the administrator's
        return []


def note_users(machine, users):
    """Note the users before they are added: a killed run leaves nobody in the group for good."""
    if not machine.check:
        machine.write(USERS, (json.dumps({"added": sorted(users)}) + "\n").encode() if users else None, 0o600)


def group_members(group):
    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        return []
