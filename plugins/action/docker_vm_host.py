# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_vm_host: it runs in Ansible's own process, shows progress, and adds the setup program."""

from __future__ import annotations

import typing as t

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import BACKEND
from ansible_collections.dockerhost.azure.plugins.plugin_utils import _preload
from ansible_collections.dockerhost.azure.plugins.plugin_utils._program import read_program
from ansible_collections.dockerhost.azure.plugins.plugin_utils._stage_action import StageAction

_preload.load_azure()


class ActionModule(StageAction):
    """See the module of the same name."""

    BACKEND = BACKEND

    def prepare(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Add the setup program, which a new host runs at its first boot."""
        wanted = args.get("engine") is not None and not args.get("setup_program")
        return {**args, "setup_program": read_program()} if wanted else args
