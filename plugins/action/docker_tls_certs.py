# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of docker_tls_certs: it runs in Ansible's own process, at a twentieth of the cost of a module."""

from __future__ import annotations

# The task's own import of cryptography is guarded; made here, the main process pays it once before it forks.
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import BACKEND
from ansible_collections.dockerhost.azure.plugins.plugin_utils import _preload
from ansible_collections.dockerhost.azure.plugins.plugin_utils._stage_action import StageAction

_preload.load(*_preload.CERTIFICATES)


class ActionModule(StageAction):
    """See the module of the same name."""

    BACKEND = BACKEND
