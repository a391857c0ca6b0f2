# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind docker_host_facts: the results of a host's stages in one, for later tasks and plays."""

from __future__ import annotations

import os
import typing as t

from .._argspec import ArgumentSpec
from .._backend import Backend, Request
from .._errors import OptionError

Json = dict[str, t.Any]
STAGES = ("virtual_machine", "certificates", "extension", "context", "endpoint")
CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables by which the Docker SDK for Python, which community.docker uses, trusts other CAs than the host's own."""

SPEC = ArgumentSpec(
    argument_spec={
        "name": {"type": "str", "required": True},
        "host": {"type": "dict", "default": {}},
        "context_name": {"type": "str"},
        **{stage: {"type": "dict", "default": {}} for stage in STAGES},
    }
)


def run(request: Request) -> Json:
    """Combine the results of a host's stages. Nothing is read and nothing is changed.

    :raises OptionError: the URL of the engine is not in the results.
    """
    params = request.params
    name, host, certificates = params["name"], params["host"], params["certificates"]
    url = host.get("docker_host")
    predicted = is_predicted(request.check_mode, params)
    if not url and not predicted:
        raise OptionError(
            "host",
            f"must be a host whose address is known, got {name}: neither an earlier task of this play nor the host's"
            " certificate nor a Docker context has its address. Check the name, or create the host with the playbook"
            " dockerhost.azure.create_docker_host",
        )
    for variable in filter(os.environ.get, CA_BUNDLES):
        request.warn(
            f"{variable} is set, so the modules of community.docker trust its CAs instead of the CA of the Docker host:"
            ' give their tasks environment: {REQUESTS_CA_BUNDLE: "", CURL_CA_BUNDLE: ""}'
        )
    changed = [stage for stage in STAGES if params[stage].get("changed")]
    facts = {
        "changed": bool(changed),
        "changed_stages": changed,
        "actions": [line for stage in STAGES for line in changes_of(stage, params[stage])],
        "predicted": predicted,
        "name": name,
        "docker_host": url,
        "connection": {"docker_host": url, **(certificates.get("docker_connection") or {})},
        "env": {"DOCKER_HOST": url, **(certificates.get("docker_env") or {})},
        "context": params["context_name"],
        "host": host,
        "engine": params["endpoint"].get("version") or params["extension"].get("engine") or {},
        "certificates": {
            "cert_dir": certificates.get("cert_dir"),
            "ca": certificates.get("ca") or {},
            "client": certificates.get("client") or {},
            "server": (certificates.get("servers") or {}).get(name) or {},
        },
    }
    return {"changed": False, "facts": facts}


def changes_of(stage: str, result: Json) -> list[str]:
    """Return what a stage changed or, in check mode, would change, in the same words for both."""
    if not result.get("changed"):
        return []
    lines = list(result.get("changes") or result.get("actions") or [])
    if stage == "extension":
        # Of what the program does on the VM, check mode knows only whether it restarts the engine, and not always that.
        reasons = "; ".join(result.get("reasons") or ["never pushed"])
        return [f"push the Docker settings ({reasons})", *(f"on the VM: {line}" for line in lines)]
    return lines


def is_predicted(check_mode: bool, results: t.Mapping[str, t.Any]) -> bool:
    """Return whether the results are predictions: in check mode, if a stage would change something."""
    return check_mode and any(results[stage].get("changed") for stage in STAGES)


BACKEND = Backend(name="docker_host_facts", spec=SPEC, run=run)
