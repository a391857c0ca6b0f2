# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_vm_extension: it runs in Ansible's own process, shows progress, and adds the setup program."""

from __future__ import annotations

import typing as t

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.task import BACKEND
from ansible_collections.dockerhost.azure.plugins.plugin_utils import _preload
from ansible_collections.dockerhost.azure.plugins.plugin_utils._program import prepare_program, read_program
from ansible_collections.dockerhost.azure.plugins.plugin_utils._stage_action import StageAction

# Loaded once, before Ansible forks its workers; each task that needs one reports it when it is missing.
# Only a start and the option verify need azure-mgmt-compute, so they load it themselves.
_preload.load_azure()
_preload.load(*_preload.CERTIFICATES)
_preload.read_once(prepare_program)


class ActionModule(StageAction):
    """See the module of the same name."""

    BACKEND = BACKEND

    def prepare(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Add the setup program that runs on the VM."""
        return args if args.get("setup_program") else {**args, "setup_program": read_program()}
