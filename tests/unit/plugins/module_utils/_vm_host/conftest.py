# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and facts of a host for these tests."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.facts import Facts
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.layout import lay_out
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.options import SPEC
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.plan import Planner
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.steps import Plan
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.wanted import Wanted, read_options

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzDbGvKxJ1lmVgQ0k8hVV0OQ9m5bC8sJkW0Cq3vFq8d me@example"


def parameters(**given: t.Any) -> dict[str, t.Any]:
    """Options as the argument spec hands them on."""
    spec = {name: dict(option) for name, option in SPEC.argument_spec.items()}
    result = ArgumentSpecValidator(spec, **SPEC.rules()).validate(
        {"name": "web1", "resource_group": "rg", "location": "westeurope", **given}
    )
    assert not result.error_messages, result.error_messages
    return dict(result.validated_parameters)


def wanted(**given: t.Any) -> Wanted:
    """A host as the options ask for it."""
    return read_options(parameters(**given))


def plan_of(host: Wanted, facts: Facts) -> Plan:
    """The plan for a host."""
    return Planner(host, lay_out(host, SUBSCRIPTION), facts, (KEY,)).present()


def created(host: Wanted) -> Facts:
    """What there is after the host's plan was carried out on an empty subscription, as Azure would show it."""
    plan = plan_of(host, Facts())
    found: dict[str, t.Any] = {}
    for step in plan.steps:
        body: dict[str, t.Any] = {
            "id": step.resource_id,
            "name": step.resource_id.rsplit("/", 1)[-1],
            **(step.body or {}),
        }
        body["properties"] = {**body.get("properties", {}), "provisioningState": "Succeeded"}
        found[step.kind] = body
    network = found.get("virtual_network")
    for subnet in (network or {"properties": {}})["properties"].get("subnets", []):
        subnet["id"] = f"{network['id']}/subnets/{subnet['name']}"
    machine = found["virtual_machine"]["properties"]
    machine["instanceView"] = {"statuses": [{"code": "PowerState/running"}]}
    return Facts(**found)


@pytest.fixture
def host() -> Wanted:
    """A host with all defaults."""
    return wanted()
