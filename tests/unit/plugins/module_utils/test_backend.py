# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import pwd
import sys
import typing as t
from unittest import mock

import pytest
from ansible.module_utils import basic

from ansible_collections.dockerhost.azure.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend, Request, failure, run_as_module
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import (
    DockerHostError,
    MissingLibraryError,
    OptionError,
)
from ansible_collections.dockerhost.azure.plugins.plugin_utils._local_action import carry_out

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "count": {"type": "int", "default": 1},
        "plan": {"type": "dict", "options": {"product": {"type": "str"}}},
        "names": {"type": "list", "elements": "str"},
    }
)


def outside_the_controller() -> t.Any:
    """As in a module's own process: once a test has loaded Ansible's controller, a warning is shown, not returned."""
    try:
        from ansible.module_utils import _internal
    except ImportError:  # ansible-core before 2.19
        return contextlib.nullcontext()
    return mock.patch.object(_internal, "is_controller", False, create=True)


def run(
    work: t.Callable[[Request], dict[str, t.Any]], args: dict[str, t.Any], capsys: pytest.CaptureFixture[str]
) -> dict[str, t.Any]:
    """Run a task as a module with these arguments; what it printed as its result."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # ansible-core before 2.18
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
        context: t.Any = mock.patch.object(basic, "_ANSIBLE_ARGS", arguments)
    else:
        context = patch_module_args(args)
    with context, outside_the_controller(), pytest.raises(SystemExit):
        run_as_module(Backend("thing", SPEC, work))
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"plan": 5}, "plan: must be a dictionary, got a value of another type"),
        ({"plan": {"product": True}}, "plan.product: must be text, got true: put it in quotes"),
        ({"count": True}, "count: must be an integer, got true"),
        ({"names": ["a", None]}, "names[1]: must not be null"),
    ],
)
def test_what_ansible_converts_silently_is_refused_in_a_modules_own_process_too(
    args: dict[str, t.Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(lambda _request: {"changed": True}, {"name": "web1", **args}, capsys)
    assert result["failed"]
    assert result["msg"].startswith(message)


def test_a_backend_gets_parsed_options_check_mode_and_diff(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Request] = []

    def work(request: Request) -> dict[str, t.Any]:
        seen.append(request)
        request.progress("a module cannot speak")
        request.warn("mind the gap")
        return {"changed": True, "count": request.params["count"]}

    result = run(work, {"name": "x", "count": "3", "_ansible_check_mode": True, "_ansible_diff": True}, capsys)
    assert result["changed"] is True
    assert result["count"] == 3
    assert "mind the gap" in str(result["warnings"])
    assert seen[0].check_mode
    assert seen[0].diff
    assert seen[0].params["name"] == "x"


def test_an_expected_error_fails_the_module_with_its_details(capsys: pytest.CaptureFixture[str]) -> None:
    def work(request: Request) -> dict[str, t.Any]:
        raise OptionError("name", "must not be x, use y")

    result = run(work, {"name": "x"}, capsys)
    assert result["failed"] is True
    assert result["msg"] == "name: must not be x, use y"
    assert result["option"] == "name"


def test_a_missing_package_names_package_interpreter_and_requirements() -> None:
    result = failure(MissingLibraryError("azure-identity>=1.16.0", ImportError("No module named 'azure'")))
    assert "azure-identity>=1.16.0" in result["msg"]
    assert sys.executable in result["msg"]
    assert "meta/ee-requirements.txt" in result["msg"]


def test_details_are_keys_of_the_failed_result() -> None:
    assert failure(DockerHostError("no", exists=["a"])) == {"msg": "no", "exists": ["a"]}


@pytest.mark.parametrize("home", ["", None])
def test_without_a_home_the_users_own_counts_in_both_ways_of_running(
    home: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_request: Request) -> dict[str, t.Any]:
        return {"changed": False, "home": os.path.expanduser("~/.docker")}

    def without_home() -> None:
        monkeypatch.setenv("HOME", "")
        if home is None:
            monkeypatch.delenv("HOME")

    own = f"{pwd.getpwuid(os.getuid()).pw_dir}/.docker"
    without_home()
    assert run(work, {"name": "web1"}, capsys)["home"] == own
    without_home()
    assert carry_out(Backend("thing", SPEC, work), {"name": "web1"}).result["home"] == own
