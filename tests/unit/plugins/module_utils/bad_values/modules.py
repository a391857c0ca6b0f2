# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules whose options are tested, and how to walk through their options."""

from __future__ import annotations

import importlib
import typing as t

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend

Options = dict[str, t.Any]
Spec = t.Mapping[str, t.Mapping[str, t.Any]]
PACKAGE = "ansible_collections.dockerhost.azure.plugins.module_utils."

MODULES = {
    "docker_vm_host": "_vm_host.task",
    "docker_vm_host_info": "_vm_host.info_task",
    "docker_vm_image_info": "_vm_host.image_info_task",
    "docker_vm_extension": "_extension.task",
    "docker_tls_certs": "_vault.task",
    "docker_tls_certs_info": "_vault.info_task",
    "docker_context": "_docker.context_task",
    "docker_context_info": "_docker.context_info_task",
    "docker_endpoint_info": "_docker.endpoint_task",
    "docker_host_validate": "_role.validate_task",
    "docker_host_facts": "_role.facts_task",
}
BACKENDS: dict[str, Backend] = {
    name: importlib.import_module(PACKAGE + module).BACKEND for name, module in MODULES.items()
}


def walk_options(spec: Spec, path: str = "") -> t.Iterator[tuple[str, t.Mapping[str, t.Any]]]:
    """Yield every option and suboption with its place."""
    for name, option in spec.items():
        yield path + name, option
        index = "[0]" if option.get("type") == "list" else ""
        yield from walk_options(option.get("options") or {}, f"{path}{name}{index}.")
