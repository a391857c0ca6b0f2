# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module promises."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes. A module adds C(support) (and C(details)) to each by its own C(attributes:)."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
  action_group:
    description: Use C(group/dockerhost.azure.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - dockerhost.azure.all
  action:
    description:
      - Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
  async:
    description: Supports use with the C(async) keyword.
  safe_file_operations:
    description:
      - Uses Ansible's strict file operation functions or equals them, to ensure proper permissions and avoid
        data corruption.
"""
