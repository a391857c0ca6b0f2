# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_vm_host_info: it calls Azure from Ansible's own process, and signs in once for all hosts."""

from __future__ import annotations

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.info_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.plugin_utils import _preload
from ansible_collections.dockerhost.azure.plugins.plugin_utils._stage_action import StageAction

_preload.load_azure()


class ActionModule(StageAction):
    """See the module of the same name."""

    BACKEND = BACKEND
