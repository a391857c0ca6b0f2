# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage ``access``: users who may use the engine without sudo."""

import grp


def access(machine, settings, _facts):
    """Let users use the engine without sudo."""
    if not machine.alive:
        return
    for user in settings.users:
        if user not in group_members("docker"):
            machine.change(
                "add the user {} to the group docker".format(user),
                lambda user=user: machine.run(["usermod", "-aG", "docker", user]),
            )


def group_members(group):
    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        return []
