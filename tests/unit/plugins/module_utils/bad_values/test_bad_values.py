# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every option of every module and every variable of the role, with values that its documentation forbids.

Each is refused before the first request: nobody is signed in here, so that a task that accepts its options ends with
another error. The error names the option, or the role's variable, and the user's own index.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.argument_spec import azure_argument_spec
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import STAGES, UNSET, RoleVariables
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out

from .cases import Case, cases_of, check_all, companions, filled_in, set_option
from .elements import ELEMENTS, EVERYTHING
from .forbidden import FORBIDDEN
from .modules import BACKENDS, MODULES, Options, walk_options
from .valid_options import VALID


@pytest.mark.parametrize("module", MODULES)
def test_each_bad_value_of_an_option_is_refused_by_name_before_the_first_request(module: str, tmp_path: Path) -> None:
    def refuse(case: Case) -> str:
        shown = f"{case.option}={case.value!r:.60}"
        directory = tmp_path / str(len(list(tmp_path.iterdir())))
        try:
            result = carry_out(BACKENDS[module], filled_in(case.options(), directory)).result
        except Exception as error:  # noqa: BLE001
            return f"{shown}: {type(error).__name__}: {error}"
        message = str(result.get("msg", ""))
        if not result.get("failed"):
            return f"{shown}: accepted"
        if directory.exists():
            return f"{shown}: files were written"
        last = case.option.rpartition(".")[2].partition("[")[0]
        if re.match(rf"(docker_host_)?{re.escape(case.place)}(?!\w)", message) or _is_of_ansible(message, last):
            return ""
        return f"{shown}: {message[:200]}"

    check_all(cases_of(module), refuse)


def _is_of_ansible(message: str, option: str) -> bool:
    """Return whether Ansible's own validation refuses an option by its name."""
    words = (
        "unable to convert",
        "missing required arguments",
        "must be one of",
        "one or more of",
        "Elements value",
        "nsupported parameters",
        "dict",
    )
    return any(word in message for word in words) and option in message


@pytest.mark.parametrize("module", STAGES)
def test_each_bad_value_of_a_variable_is_refused_by_name_before_the_first_change(module: str, tmp_path: Path) -> None:
    stage = STAGES[module]
    program = {"setup_program": "#"} if "setup_program" in stage.spec.argument_spec else {}

    def refuse(case: Case) -> str:
        option, dot, rest = case.place.partition(".")
        top, bracket, index = option.partition("[")
        place = stage.variable(top) + bracket + index + dot + rest
        shown = f"{place}={case.value!r:.60}"
        values: Options = {}
        set_option(values, "", case.option.split("."), case.value)
        name = case.option.partition(".")[0].partition("[")[0]
        given = {"docker_host_name": "web1", "docker_host_cert_dir": str(tmp_path / "files")}
        given["docker_host_docker_config"] = str(tmp_path / "files")
        for option, value in {**companions(module, case.option), name: values[name]}.items():
            given[stage.variable(option)] = value
        role = RoleVariables(given.get)
        try:
            role.check()
            stages = {module: {**role.options("create", module), **program}}
            result = carry_out(BACKENDS["docker_host_validate"], {"name": role.name, "stages": stages}).result
        except DockerHostError as error:
            result = {"failed": True, "msg": str(error)}
        except Exception as error:  # noqa: BLE001
            return f"{shown}: {type(error).__name__}: {error}"
        message = str(result.get("msg", "accepted"))
        return "" if message.startswith(place) and not (tmp_path / "files").exists() else f"{shown}: {message[:200]}"

    cases = [
        case
        for case in cases_of(module)
        if case.option.partition(".")[0].partition("[")[0] in stage.options_for("create") and case.value not in UNSET
    ]
    check_all(cases, refuse)


def test_the_group_azure_has_the_modules_that_sign_in() -> None:
    """So module_defaults can give credentials to all of them, and to no other."""
    groups = yaml.safe_load((Path(__file__).resolve().parents[5] / "meta/runtime.yml").read_text(encoding="utf-8"))
    sign_in = set(azure_argument_spec().argument_spec)
    that_do = {name for name, backend in BACKENDS.items() if sign_in <= set(backend.spec.argument_spec)}
    assert set(groups["action_groups"]["azure"]) == that_do


@pytest.mark.parametrize("module", MODULES)
def test_each_option_is_classified(module: str) -> None:
    known = {*FORBIDDEN[module], *ELEMENTS.get(module, {})}
    free = {
        path
        for path, option in walk_options(BACKENDS[module].spec.argument_spec)
        if path not in known
        and option.get("type", "str") in ("str", "path", "int", "float", "list")
        and not option.get("choices")
        and not option.get("options")
    }
    assert {path for path in free if not {path, f"{module}.{path}"} & EVERYTHING} == set()
    assert known <= {path for path, _option in walk_options(BACKENDS[module].spec.argument_spec)}


@pytest.mark.parametrize("module", MODULES)
def test_the_options_around_a_bad_value_are_valid(module: str, tmp_path: Path) -> None:
    result = carry_out(BACKENDS[module], filled_in(VALID[module], tmp_path)).result
    if result.get("failed"):
        assert re.search("credentials|the connection was refused", result["msg"]), result["msg"]
