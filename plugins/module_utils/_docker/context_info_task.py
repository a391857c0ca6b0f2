# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of ``docker_context_info``."""

from __future__ import annotations

import os
import typing as t

from .._argspec import ArgumentSpec
from .._backend import Backend, Request
from .._files import absolute_path, check_can_be_directory
from .context_spec import DOCKER_CONFIG
from .context_store import TLS_FILES, Context, ContextStore, check_name

SPEC = ArgumentSpec(
    argument_spec={
        "name": {"type": "str"},
        "docker_config": DOCKER_CONFIG,
    },
)


def run(request: Request) -> dict[str, t.Any]:
    """Describe one context, or all contexts of a configuration directory.

    :raises OptionError: the name is not a valid name of a context.
    :raises DockerHostError: a file cannot be read or understood.
    """
    name = request.params["name"]
    directory = absolute_path("docker_config", request.params["docker_config"])
    check_can_be_directory(directory, "docker_config")
    store = ContextStore(directory)
    if name is not None:
        check_name(name)
    contexts = store.all() if name is None else [context for context in (store.read(name),) if context]
    current = store.current()
    return {
        "changed": False,
        "exists": bool(contexts),
        "contexts": [_described(context, store, current) for context in contexts],
        "current_context": current or "default",
    }


def _described(context: Context, store: ContextStore, current: str | None) -> dict[str, t.Any]:
    directory = store.tls_directory(context.name)
    paths = {file: os.path.join(directory, file) if file in context.tls else None for file in TLS_FILES}
    return {
        "name": context.name,
        "description": context.description,
        "docker_host": context.host,
        "skip_tls_verify": context.skip_tls_verify,
        "current": context.name == current,
        "managed": context.managed,
        "meta_path": store.meta_path(context.name),
        "ca_path": paths["ca.pem"],
        "client_cert": paths["cert.pem"],
        "client_key": paths["key.pem"],
    }


BACKEND = Backend("docker_context_info", SPEC, run)
