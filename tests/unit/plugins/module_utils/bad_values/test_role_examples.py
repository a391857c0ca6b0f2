# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role accepts the documented example of each of its variables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.argument_spec import azure_argument_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import STAGES, RoleVariables
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out

from .cases import Case, check_all
from .kinds import ED25519
from .modules import BACKENDS, Options

EXAMPLES = yaml.safe_load((Path(__file__).resolve().parents[5] / "tools/role_examples.yml").read_text(encoding="utf-8"))
BESIDE_EXAMPLES: dict[str, Options] = {
    "eviction_policy": {"priority": "Spot"},
    "max_price": {"priority": "Spot"},
    "virtual_network": {"subnet_name": "docker"},
    "profile": {"auth_source": "credential_file"},
    "thumbprint": {"x509_certificate_path": EXAMPLES["docker_host_x509_certificate_path"]},
}
"""What the example of an option needs beside it."""
UNCHECKED_EXAMPLES = {"store", "key_vault", "ca_path", "ca_key_path"}
"""Options whose examples need a key vault or a CA."""


@pytest.fixture
def files_of_the_examples(tmp_path: Path) -> None:
    """The home directory of a user who has every file that an example names."""
    home = tmp_path / "home"
    for name in re.findall(r"~/((?!\.docker)[\w./-]+\w)", json.dumps(EXAMPLES)):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("services: {}\n" if name.endswith(".yml") else f"{ED25519}\n", encoding="utf-8")
    (home / ".azure/credentials").write_text("[production]\nsubscription_id=x\n", encoding="utf-8")


@pytest.mark.parametrize("module", STAGES)
def test_the_role_accepts_the_example_of_each_variable(
    module: str, tmp_path: Path, files_of_the_examples: None
) -> None:
    """Those with templates depend on what the user has."""
    stage = STAGES[module]
    program = {"setup_program": "#"} if "setup_program" in stage.spec.argument_spec else {}
    signs_in = azure_argument_spec().argument_spec

    def refuse(case: Case) -> str:
        given = {"docker_host_name": "web1", "docker_host_cert_dir": str(tmp_path / "certs")}
        for option, value in {**BESIDE_EXAMPLES.get(case.option, {}), case.option: case.value}.items():
            given[stage.variable(option)] = value
        role = RoleVariables(given.get)
        role.check()
        stages = {module: {**role.options("create", module), **program}}
        result = carry_out(BACKENDS["docker_host_validate"], {"name": role.name, "stages": stages}).result
        return f"{case.place}={case.value!r}: {result['msg']}" if result.get("failed") else ""

    examples = {
        option: EXAMPLES[stage.variable(option)]
        for option in stage.options_for("create")
        if option not in UNCHECKED_EXAMPLES and (module == "docker_vm_host" or option not in signs_in)
    }
    check_all((Case(module, *one, one[0]) for one in examples.items() if "{{" not in str(one[1])), refuse)
