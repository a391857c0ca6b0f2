# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base class of the actions whose modules are stages of the role."""

from __future__ import annotations

import typing as t

from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import LocalAction


class StageAction(LocalAction):
    """An action whose options the role does not write: they are those of its variables and of earlier stages."""

    def _stage_options(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        # This imports every backend's options; a task outside of the role needs none of them.
        from ansible_collections.dockerhost.azure.plugins.plugin_utils._role_variables import stage_options

        return stage_options(self.BACKEND.name, task_vars, self._templar.template)
