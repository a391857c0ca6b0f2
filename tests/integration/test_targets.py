# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run every integration target by ansible-playbook, as a user would.

A target is ``targets/NAME/tasks/main.yml`` (with ``files``, ``templates``, ``vars`` as roles have them). Its file
``aliases`` may hold these lines:

- ``needs/azure``: a local Azure runs, its environment is set; nothing is behind the machines;
- ``needs/machines``: the same, with machines that answer over TLS;
- ``needs/vault``: a local Azure with a key vault, whose name is in the variable ``key_vault``;
- ``once``: the target concerns no module with an action, so it runs one way only.

All other targets run twice: in Ansible's own process, and as ordinary modules by another interpreter path. Variables of
a target: ``output_dir`` (scratch), ``resource_group`` (a name of its own), ``way`` (``action`` or ``module``).
"""

from __future__ import annotations

import json
import os
import sys
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure
from azure_emulator.machines.names import command_with_hosts
from azure_emulator.vault.testing import make_vault
from user_command import output_of

TARGETS = Path(__file__).parent / "targets"
COLLECTIONS = os.environ.get("DOCKERHOST_COLLECTIONS_PATH", str(Path(__file__).parents[2] / ".build" / "dev"))


def aliases(target: str) -> set[str]:
    """The lines of a target's ``aliases`` file."""
    path = TARGETS / target / "aliases"
    return set(path.read_text().split()) if path.exists() else set()


def cases() -> t.Iterator[t.Any]:
    """Every target, each way it is to run."""
    for path in sorted(TARGETS.glob("*/tasks/main.yml")):
        target = path.parent.parent.name
        yield pytest.param(target, "action", id=f"{target}-action")
        if "once" not in aliases(target):
            yield pytest.param(target, "module", id=f"{target}-module", marks=pytest.mark.modules)


def other_path_of_this_interpreter() -> str:
    """A path of this interpreter that Ansible does not take for its own, in the same virtual environment."""
    directory, name = os.path.split(sys.executable)
    return os.path.join(directory, os.pardir, os.path.basename(directory), name)


@pytest.fixture(scope="session")
def azures() -> t.Iterator[t.Callable[[str], LocalAzure]]:
    """Starts the local Azures that targets ask for, one for each kind of machine."""
    running: dict[str, LocalAzure] = {}

    def get(machines: str) -> LocalAzure:
        if machines not in running:
            azure = LocalAzure(machines=machines)
            azure.__enter__()
            running[machines] = azure
        return running[machines]

    yield get
    for azure in running.values():
        azure.__exit__(None, None, None)


@pytest.mark.parametrize(("target", "way"), list(cases()))
def test_target(target: str, way: str, tmp_path: Path, azures: t.Callable[[str], LocalAzure]) -> None:
    """The target's tasks all pass."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("AZURE_", "ANSIBLE_", "DOCKER_"))
    }
    needs = aliases(target)
    command: list[str] = []
    key_vault = None
    if "needs/machines" in needs:
        command = command_with_hosts(Path(azures("stand-in").hosts_file), [])
        environment.update(azures("stand-in").environment)
    elif "needs/vault" in needs:
        key_vault = make_vault(azures("none"))
        command = command_with_hosts(Path(azures("none").hosts_file), [])
        environment.update(azures("none").environment)
    elif "needs/azure" in needs:
        environment.update(azures("none").environment)
    home = tmp_path / "home"
    output = tmp_path / "output"
    home.mkdir(mode=0o700)
    output.mkdir(mode=0o700)
    environment.update(
        HOME=str(home),
        ANSIBLE_COLLECTIONS_PATH=COLLECTIONS,
        ANSIBLE_ROLES_PATH=str(TARGETS),
        ANSIBLE_LOCALHOST_WARNING="false",
        ANSIBLE_INVENTORY_UNPARSED_WARNING="false",
        ANSIBLE_NOCOLOR="true",
    )
    interpreter = sys.executable if way == "action" else other_path_of_this_interpreter()
    playbook = tmp_path / "playbook.yml"
    play = {
        "name": f"{target}, as {way}",
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "ansible_python_interpreter": interpreter,
            "output_dir": str(output),
            "resource_group": f"rg-{target.replace('_', '-')}-{way}",
            "way": way,
            "key_vault": key_vault,
        },
        "roles": [target],
    }
    playbook.write_text(json.dumps([play]))
    ansible_playbook = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    output_of(
        [*command, ansible_playbook, "-i", "localhost,", "-c", "local", str(playbook)], cwd=tmp_path, env=environment
    )
