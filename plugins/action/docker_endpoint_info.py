# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_endpoint_info: it waits in Ansible's own process, and shows progress."""

from __future__ import annotations

from ansible_collections.dockerhost.azure.plugins.module_utils._docker.endpoint_task import BACKEND
from ansible_collections.dockerhost.azure.plugins.plugin_utils._stage_action import StageAction


class ActionModule(StageAction):
    """See the module of the same name."""

    BACKEND = BACKEND
