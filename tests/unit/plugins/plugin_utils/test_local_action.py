# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LocalAction gives the same results as the module does, and steps aside where it must.

Two runs of one playbook in a collection of the test's own: in Ansible's process, and as ordinary modules.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing as t

import pytest
import yaml

from user_command import output_of

REPOSITORY = pathlib.Path(__file__).parents[4]
HERE = pathlib.Path(__file__).parent / "local_action"
IMPORT = "from ansible_collections.dockerhost.azure.plugins."
MODULE = f"""from __future__ import annotations
{IMPORT}module_utils._probe import BACKEND
{IMPORT}module_utils._backend import run_as_module
if __name__ == "__main__":
    run_as_module(BACKEND)
"""
ACTION = f"""from __future__ import annotations
{IMPORT}module_utils._probe import BACKEND
{IMPORT}plugin_utils._local_action import LocalAction
class ActionModule(LocalAction):
    BACKEND = BACKEND
"""
SECRET = "correct-horse-battery"
VAULT_PASSWORD = "vault-password"
PROBE = "dockerhost.azure.probe"

CASES: dict[str, dict[str, t.Any]] = {
    "plain types": {
        PROBE: {"number": "7", "flag": "yes", "words": 12, "items": "a,b", "mapping": "k=v", "path": "~/x/$PROBE_DIR"},
        "environment": {"PROBE_DIR": "dir"},
    },
    "floats": {PROBE: {"real": "1.5", "items": [1, "two"]}},
    "silently converted": {PROBE: {"items": [1, True], "password": SECRET}},
    "templates": {PROBE: {"text": "{{ word }} there", "number": "{{ 3 + 4 }}", "mapping": {"k": "{{ word }}"}}},
    "key=value": {PROBE: "text='two words' number=3"},
    "dates, and keys that are no text": {
        PROBE: {"mapping": {"day": "{{ '2026-01-02' | to_datetime('%Y-%m-%d') }}", "by": "{{ {1: [none, 2.5]} }}"}}
    },
    "secrets": {PROBE: {"password": SECRET, "text": f"x-{SECRET}-y", "nested": [{"name": "n", "token": "t0ken-one"}]}},
    "vaulted": {PROBE: {"password": "{{ vaulted }}", "text": "{{ vaulted }}", "mapping": {"deep": ["{{ vaulted }}"]}}},
    "environment": {
        PROBE: {"text": "x"},
        "environment": {"PROBE_PASSWORD": SECRET, "PROBE_ENVIRONMENT": "{{ word }}"},
    },
    "no environment afterwards": {PROBE: {"text": "x"}},
    "check mode": {PROBE: {"text": "x"}, "check_mode": True},
    "diff": {PROBE: {"text": "x"}, "diff": True},
    "check mode and diff": {PROBE: {"text": "x"}, "check_mode": True, "diff": True},
    "defaults by name": {PROBE: {"text": "x"}, "module_defaults": {PROBE: {"number": 5, "text": "y"}}},
    "defaults by group": {PROBE: {"text": "x"}, "module_defaults": {"group/dockerhost.azure.all": {"choice": "a"}}},
    "unknown key": {PROBE: {"txt": "x", "password": SECRET}},
    "unknown nested key": {PROBE: {"nested": [{"name": "n", "tokn": "x"}]}},
    "missing nested key": {PROBE: {"nested": [{"token": "t0ken-one"}]}},
    "wrong type": {PROBE: {"number": SECRET, "password": SECRET}},
    "wrong choice": {PROBE: {"choice": "c"}},
    "required by another": {PROBE: {"choice": "b"}},
    "mutually exclusive": {PROBE: {"number": 1, "real": 1.0}},
    "deprecated": {PROBE: {"old": "x"}},
    "warnings": {PROBE: {"warnings": ["one", "two"]}},
    "failure": {PROBE: {"fail": "error", "password": SECRET}},
    "option error": {PROBE: {"fail": "option"}},
    "missing library": {PROBE: {"fail": "library"}},
    "no_log": {PROBE: {"text": "x"}, "no_log": True},
    "delegated to itself": {PROBE: {"text": "x"}, "delegate_to": "localhost"},
    "loop": {PROBE: {"text": "{{ item }}", "password": SECRET}, "loop": ["a", "b"]},
}
# Where an action must step aside: it runs what the other run would.
ASIDE: dict[str, dict[str, t.Any]] = {
    "async": {PROBE: {"text": "x", "password": SECRET}, "async": 60, "poll": 1},
    "another interpreter": {PROBE: {"text": "x"}, "vars": {"ansible_python_interpreter": "{{ other_interpreter }}"}},
    "interpreter of another host": {PROBE: {"text": "x"}, "delegate_to": "elsewhere"},
}
# Nobody says which interpreter: it is Ansible's own, whatever discovery would find.
INSIDE: dict[str, dict[str, t.Any]] = {
    "discovery": {PROBE: {"text": "x"}, "vars": {"ansible_python_interpreter": "auto_silent"}},
    "delegated where nothing is set": {PROBE: {"text": "x"}, "delegate_to": "unset"},
}
if shutil.which("su") and os.geteuid() == 0:
    ASIDE["become"] = {PROBE: {"text": "x"}, "become": True, "become_user": "root", "become_method": "su"}


def _collection(root: pathlib.Path) -> pathlib.Path:
    collection = root / "ansible_collections/dockerhost/azure"
    for kind in ("modules", "action", "module_utils", "plugin_utils"):
        (collection / "plugins" / kind).mkdir(parents=True)
    for path in (REPOSITORY / "plugins/module_utils").glob("_*.py"):
        shutil.copy(path, collection / "plugins/module_utils")
    shutil.copy(REPOSITORY / "plugins/plugin_utils/_local_action.py", collection / "plugins/plugin_utils")
    shutil.copy(HERE / "_probe.py", collection / "plugins/module_utils")
    (collection / "plugins/modules/probe.py").write_text(MODULE)
    (collection / "plugins/action/probe.py").write_text(ACTION)
    (collection / "meta").mkdir()
    (collection / "meta/runtime.yml").write_text("action_groups: {all: [probe]}\n")
    shutil.copy(REPOSITORY / "galaxy.yml", collection)
    return root


def _playbook(cases: t.Mapping[str, dict[str, t.Any]], output: pathlib.Path) -> list[dict[str, t.Any]]:
    tasks: list[dict[str, t.Any]] = [
        {"name": name, **task, "register": f"case_{number}", "ignore_errors": True}
        for number, (name, task) in enumerate(cases.items())
    ]
    results = ", ".join(f"'{name}': case_{number}" for number, name in enumerate(cases))
    copy = {"content": "{{ {" + results + "} | to_json }}", "dest": str(output), "mode": "0600"}
    tasks.append({"name": "Keep the results", "ansible.builtin.copy": copy})
    return [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]


class Ran(t.NamedTuple):
    """Results by case, and everything that was displayed."""

    results: dict[str, t.Any]
    output: str


def _run(directory: pathlib.Path, interpreter: str, cases: t.Mapping[str, dict[str, t.Any]], vaulted: str) -> Ran:
    bin_directory = os.path.dirname(sys.executable)
    output = directory / "results.json"
    (directory / "playbook.json").write_text(json.dumps(_playbook(cases, output)))
    password = directory / "vault-password"
    password.write_text(VAULT_PASSWORD)
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(_collection(directory / "collections")),
        ANSIBLE_NOCOLOR="true",
        # Ansible looks for async results below the password database's home, the job writes them below $HOME.
        ANSIBLE_ASYNC_DIR=str(directory / "async"),
        ANSIBLE_INJECT_INVOCATION="true",
    )
    other = os.path.join(bin_directory, os.pardir, os.path.basename(bin_directory), os.path.basename(sys.executable))
    inventory = directory / "inventory"
    inventory.mkdir()
    (inventory / "hosts.yml").write_text(
        "all:\n  hosts:\n    localhost:\n"
        f"      ansible_python_interpreter: {interpreter}\n"
        "    elsewhere:\n"
        f"      ansible_python_interpreter: {other}\n"
        "    unset:\n"
        "  vars:\n    ansible_connection: local\n    word: hello\n"
        f"    other_interpreter: {other}\n"
        f"    vaulted: {vaulted.replace(chr(10), chr(10) + '      ')}\n"
    )
    text = output_of(
        [f"{bin_directory}/ansible-playbook", "-i", str(inventory), "--vault-password-file", str(password)]
        + [str(directory / "playbook.json")],
        env=env,
    )
    return Ran(json.loads(output.read_text()), text)


@pytest.fixture(scope="module")
def vaulted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The secret as a value that Ansible Vault has encrypted."""
    password = tmp_path_factory.mktemp("vault") / "password"
    password.write_text(VAULT_PASSWORD)
    vault = os.path.join(os.path.dirname(sys.executable), "ansible-vault")
    encrypt = [vault, "encrypt_string", "--vault-password-file", str(password), SECRET]
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return subprocess.run(encrypt, env=env, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def by_action(tmp_path_factory: pytest.TempPathFactory, vaulted: str) -> Ran:
    return _run(tmp_path_factory.mktemp("action"), sys.executable, {**CASES, **ASIDE, **INSIDE}, vaulted)


@pytest.fixture(scope="module")
def by_module(tmp_path_factory: pytest.TempPathFactory, vaulted: str) -> Ran:
    directory, name = os.path.split(sys.executable)
    interpreter = os.path.join(directory, os.pardir, os.path.basename(directory), name)
    return _run(tmp_path_factory.mktemp("module"), interpreter, {**CASES, **INSIDE}, vaulted)


def _comparable(result: t.Any) -> t.Any:
    """A result without what may differ: where it ran."""
    if isinstance(result, str):
        return re.sub(r"Python /\S+", "Python", result)
    if isinstance(result, dict):
        ignored = ("in_process", "ansible_job_id", "results_file", "exception")
        return {key: _comparable(value) for key, value in result.items() if key not in ignored}
    if isinstance(result, list):
        return [_comparable(value) for value in result]
    return result


def _entries(result: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    return t.cast("list[dict[str, t.Any]]", result.get("results", [result]))


@pytest.mark.parametrize("case", CASES)
def test_same_result_as_the_module(by_action: Ran, by_module: Ran, case: str) -> None:
    action, module = by_action.results[case], by_module.results[case]
    assert _comparable(action) == _comparable(module)
    for entry in _entries(action):
        assert entry.get("in_process", True) is True
    for entry in _entries(module):
        assert entry.get("in_process", False) is False


@pytest.mark.parametrize("case", ASIDE)
def test_steps_aside(by_action: Ran, case: str) -> None:
    result = by_action.results[case]
    assert result["in_process"] is False
    assert result["echo"]["text"] == "x"


@pytest.mark.parametrize("case", INSIDE)
def test_runs_here(by_module: Ran, case: str) -> None:
    assert by_module.results[case]["in_process"] is True


def test_no_secret_anywhere(by_action: Ran, by_module: Ran) -> None:
    for ran in (by_action, by_module):
        for name, result in ran.results.items():
            if name in ("vaulted", "wrong type"):
                # The user put the secret where no option was secret, too; masking it there is Ansible's part.
                continue
            assert SECRET not in json.dumps(result), name
            assert "t0ken-one" not in json.dumps(result), name


def test_the_cases_are_what_they_say(by_action: Ran) -> None:
    results = by_action.results
    assert results["plain types"]["echo"]["path"] == os.path.expanduser("~/x/dir")
    assert results["plain types"]["echo"]["items"] == ["a", "b"]
    assert results["secrets"]["echo"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert results["secrets"]["echo"]["text"] == "x-********-y"
    assert results["environment"]["environment"] == "hello"
    assert results["environment"]["echo"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert results["no environment afterwards"]["environment"] is None
    assert results["no environment afterwards"]["echo"]["password"] is None
    assert results["check mode"]["check_mode"] is True
    assert results["check mode"]["changed"] is False
    assert results["check mode and diff"]["diff"] == {"before": {"a": 1}, "after": {"a": 2}}
    assert results["defaults by name"]["echo"]["number"] == 5
    assert results["defaults by name"]["echo"]["text"] == "x"
    assert results["defaults by group"]["echo"]["choice"] == "a"
    assert results["unknown key"]["failed"] is True
    assert results["unknown key"]["msg"].startswith(f"Unsupported parameters for ({PROBE}) module: txt")
    assert results["warnings"]["warnings"] == ["one", "two"]
    assert len(results["deprecated"]["deprecations"]) == 1
    assert results["failure"]["kind"] == "a kind"
    assert results["failure"]["msg"] == "failed with ********"
    assert results["option error"]["option"] == "nested[0].token"
    assert "meta/ee-requirements.txt" in results["missing library"]["msg"]
    assert sys.executable in results["missing library"]["msg"] or "Python" in results["missing library"]["msg"]
    assert results["templates"]["types"]["text"][1] == "str"
    assert results["vaulted"]["types"]["mapping"][1]["deep"][1] == ["str"]


def test_progress_is_seen_in_process_only(by_action: Ran, by_module: Ran) -> None:
    assert by_action.output.count("a line of progress") > len(INSIDE)
    assert by_module.output.count("a line of progress") == len(INSIDE)


def test_every_module_that_signs_in_to_azure_has_an_action() -> None:
    """Modules are processes of their own, and each would sign in by itself."""
    groups = yaml.safe_load((REPOSITORY / "meta/runtime.yml").read_text())["action_groups"]
    actions = {path.stem for path in (REPOSITORY / "plugins/action").glob("*.py")}
    assert set(groups["azure"]) <= actions
