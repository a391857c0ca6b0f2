# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that runs on the VM. Private to this collection."""

from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleActionFail

PROGRAM = Path(__file__).parent / "_guest" / "docker_setup.py"


def read_program() -> str:
    """Its text, which actions hand to docker_vm_extension."""
    try:
        return PROGRAM.read_text(encoding="utf-8")
    except OSError as error:
        raise AnsibleActionFail(f"The collection is incomplete: {error}") from error
