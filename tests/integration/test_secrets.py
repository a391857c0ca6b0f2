# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret is in anything that a job leaves behind or shows while it runs, in whatever form it is written.

The forms come from the argument specs of all modules and of the role. The unit tests try every form with modules that
do nothing but show what they get. Here modules and role do their work, in jobs as AWX runs them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
import typing as t
from pathlib import Path

import pytest
import yaml

from azure_emulator.launcher import LocalAzure

from ..unit.plugins.module_utils.test_secrets import (
    ACTIONS,
    KEY,
    MODULES,
    SENTINEL,
    backend_of,
    misplaced_forms,
    secret_forms,
)
from .conftest import BIN, COLLECTIONS, REPOSITORY, User
from .test_targets import other_path_of_this_interpreter

ROLE = REPOSITORY / "roles/docker_host/meta/argument_specs.yml"
Task = dict[str, t.Any]


class Watch:
    """Reads the command lines of all processes, again and again, while it is entered."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            for process in filter(str.isdecimal, os.listdir("/proc")):
                try:
                    self.seen.add(Path("/proc", process, "cmdline").read_bytes())
                except OSError:
                    continue  # It ended.


def some(forms: t.Iterable[t.Any], number: int) -> list[t.Any]:
    """Choose forms, spread evenly over all of them."""
    every = list(forms)
    return every[:: max(1, -(-len(every) // number))]


REQUIRED: dict[str, Task] = {
    "docker_context": {"name": "secret1", "docker_host": "tcp://127.0.0.1:1"},
    "docker_endpoint_info": {"docker_host": "tcp://127.0.0.1:1", "wait": False},
    "docker_tls_certs": {"hosts": [{"name": "secret1"}]},
    "docker_vm_extension": {"virtual_machine_name": "secret1", "resource_group": "rg-secrets"},
    "docker_vm_host": {"name": "secret1", "resource_group": "rg-secrets", "location": "westeurope"},
}
"""What lets a module get to its work."""


def module_tasks(modules: t.Iterable[str], number: int) -> t.Iterator[Task]:
    """Each module with so many forms of its own secrets, and so many of secrets in other options."""
    for name in modules:
        options = backend_of(name).spec.argument_spec.items()
        own = [{option: SENTINEL} for option, spec in options if spec.get("no_log") and spec["type"] == "str"]
        own += [{option: form} for option, spec in options for form in secret_forms(spec)]
        misplaced = [{option: form} for option, spec in options for form in misplaced_forms(spec)]
        for arguments in (*some(own, number), *some(misplaced, number)):
            yield {"name": f"Run {name}", f"dockerhost.azure.{name}": {**REQUIRED.get(name, {}), **arguments}}


def role_tasks() -> t.Iterator[Task]:
    """The role with forms of each of its secret variables, and with secrets in other variables."""
    options = yaml.safe_load(ROLE.read_text())["argument_specs"]["main"]["options"]
    assert len(options) > 50
    for name, option in options.items():
        forms = [{name: form} for form in some(secret_forms(option), 1)] if has_secrets(option) else []
        if name.endswith(("keys", "url", "docker", "environment")):
            forms += [{name: KEY if name.endswith("keys") else f"https://me:{SENTINEL}@example.com/x"}]
        for form in forms:
            yield {
                "name": f"Run the role with {name}",
                "ansible.builtin.include_role": {"name": "dockerhost.azure.docker_host", "tasks_from": "main"},
                "vars": {"docker_host_name": "secret1", "docker_host_location": "westeurope", **form},
            }


def has_secrets(option: t.Mapping[str, t.Any]) -> bool:
    return bool(option.get("no_log")) or any(map(has_secrets, (option.get("options") or {}).values()))


def play(interpreter: str, tasks: t.Iterable[Task]) -> dict[str, t.Any]:
    """A play in which every task is tried, whatever becomes of those before it."""
    blocks = [{"block": [task], "rescue": [{"ansible.builtin.meta": "clear_host_errors"}]} for task in tasks]
    return {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": interpreter},
        "tasks": blocks,
    }


@pytest.mark.skipif(not (BIN / "ansible-runner").exists(), reason="ansible-runner is not installed")
def test_a_job_leaves_no_secret_behind(azure: LocalAzure, tmp_path: Path) -> None:
    owner, job = User(azure, tmp_path / "owner"), tmp_path / "job"
    for directory in ("project", "env", "home", "inventory"):
        (job / directory).mkdir(parents=True, mode=0o700)
    plays = [
        play(sys.executable, module_tasks(ACTIONS, 3)),
        play(other_path_of_this_interpreter(), module_tasks(MODULES, 1)),
        play(sys.executable, role_tasks()),
    ]
    (job / "project/play.yml").write_text(json.dumps(plays))
    assert (job / "project/play.yml").read_text().count(SENTINEL) > 50
    (job / "inventory/hosts").write_text("localhost ansible_connection=local\n")
    environment = {**azure.environment, "HOME": str(job / "home"), "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS}
    environment |= {"ANSIBLE_LOG_PATH": str(job / "log"), "ANSIBLE_REMOTE_TMP": str(job / "home/tmp")}
    (job / "env/envvars").write_text(json.dumps(environment))
    (job / "env/cmdline").write_text("-vvvv --diff --check")
    with Watch() as watch:
        ran = owner.run(str(BIN / "ansible-runner"), "run", str(job), "-p", "play.yml", "--ident", "1", "-q")
    assert ran.code == 0, ran.output[-3000:]
    assert len([line for line in watch.seen if b"ansible-tmp" in line]) > 1, "modules were not seen"
    assert not [line for line in watch.seen if SENTINEL.encode() in line]
    events = [path.read_text() for path in (job / "artifacts/1/job_events").glob("*.json")]
    tried = sum(len(each["tasks"]) for each in plays)
    assert sum('"event": "runner_on_failed"' in text for text in events) > tried / 2
    assert sum('"event": "runner_on_ok"' in text for text in events) > tried / 10
    results = [json.loads(text).get("event_data", {}).get("res") or {} for text in events]
    messages = [str(result.get("msg")) for result in results]
    assert [text for text in messages if re.match("Task failed|MODULE FAILURE|Unexpected|Traceback", text)] == []
    assert (job / "log").stat().st_size > 1000
    shutil.rmtree(job / "project")
    for path in job.rglob("*"):
        if path.is_file():
            found = re.search(f".{{0,300}}{SENTINEL}.{{0,100}}", path.read_text(errors="replace"))
            assert not found, f"{path}: {found[0]}"
