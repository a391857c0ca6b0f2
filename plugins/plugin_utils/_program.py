# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The setup program that runs on the VM. Private to this collection."""

from __future__ import annotations

import functools

from ansible.errors import AnsibleActionFail

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.payload import packed_size, without_comments
from ansible_collections.dockerhost.azure.plugins.module_utils._secrets import embedded_secrets
from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle


@functools.cache
def read_program() -> str:
    """Return the program's text, which actions hand to docker_vm_extension.

    :raises AnsibleActionFail: a part of the program is missing or damaged.
    """
    try:
        return bundle()
    except (OSError, ValueError) as error:
        raise AnsibleActionFail(f"The collection is incomplete: {error}") from error


def prepare_program() -> None:
    """Read, compress and search the program once for all hosts, before the workers are forked.

    :raises AnsibleActionFail: as :func:`read_program`.
    """
    program = read_program()
    packed_size(program)
    without_comments(program)
    embedded_secrets(program)
