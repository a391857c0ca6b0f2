# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How tests are spread over workers: one by one, and together where they look at one thing that takes long to make.

pytest-xdist's own marks for that (``xdist_group``) have no effect with pytest 9.2 (its issue 1386).
"""

from __future__ import annotations

import gc
import json
import os
import time
import typing as t
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

# Files and folders whose fixtures cost more than their tests, or whose tests go in order on one machine: each of their
# files is run by one worker. Such a file begins before single tests do.
TOGETHER = (
    "tests/clients/",
    "tests/e2e/",
    "tests/integration/test_artifact.py",
    "tests/integration/test_inventory.py",
    "tests/integration/test_secrets.py",
    "tests/integration/test_site.py",
    "tests/unit/emulator/machines/test_cloud_init.py",
    "tests/unit/emulator/machines/test_guests.py",
    "tests/unit/emulator/machines/test_linux_agent.py",
    "tests/unit/plugins/module_utils/_extension/test_task.py",
    "tests/unit/plugins/module_utils/_vm_host/test_info_task.py",
    "tests/unit/plugins/module_utils/_vm_host/test_scenarios_permissions.py",
    "tests/unit/plugins/plugin_utils/test_local_action.py",
    "tests/unit/tools/test_tools.py",
)

# Half a minute and more. Begun last, one of them would keep one worker busy while the others have nothing to do.
LONGEST = (
    "test_a_rotation_leaves_no_host_behind",
    "test_awx[directly-key vault]",
    "test_awx[through transmit, worker, process-key vault]",
    "test_two_people_and_a_rotation",
    "test_a_ca_is_not_renewed_for_some_hosts_only",
    "test_only_what_differs_changes_something",
    "test_killed_at_each_request",
    "test_a_directory_for_each_host",
    "test_new_ca_with_an_interruption",
    "test_target[docker_vm_extension-module]",
    "test_commands[fleets]",
    "test_target[docker_vm_host-module]",
    "test_a_change_outside_is_seen",
    "test_check_mode_foretells_where_a_renewal_goes",
    "test_target[role_docker_host-module]",
    "test_commands[getting-started]",
    "test_the_role_is_enough",
    "test_target[docker_vm_extension-action]",
    "test_answers_as_awx_writes_them",
    "test_bad_input_is_one_error_and_changes_nothing",
    "test_target[docker_tls_certs_key_vault-module]",
    "test_target[docker_tls_certs-module]",
    "test_delete",
    "test_the_guest_is_asked_when_that_is_wanted",
    "test_empty_names_of_a_survey",
    "test_target[docker_vm_host_info-action]",
)

_UNTIL = os.environ.get("DOCKERHOST_UNTIL")
"""When `make quick` begins no more tests, in seconds since 1970; tests keep the order in which it names their files."""


class OneByOne(LoadScopeScheduling):
    """Each test is a unit of work, and so is each file of :data:`TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return path if path.startswith(TOGETHER) else nodeid


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _UNTIL is None:
        items.sort(key=lambda item: LONGEST.index(item.name) if item.name in LONGEST else len(LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> t.Generator[None, object, object]:
    """Until the collection ends, next to nothing becomes garbage; looking for it takes a tenth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Thousands of tests, and all that they import, stay until the end: the collector need not visit them any more."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if _UNTIL is not None and time.time() > float(_UNTIL):
        pytest.skip("no time left in `make quick`: `make unit` runs it")


def pytest_xdist_make_scheduler(config: pytest.Config, log: t.Any) -> OneByOne | None:
    return OneByOne(config, log) if config.getoption("dist") == "loadgroup" else None


class Times:
    """How long each test file takes, and how much of that its processes compute; ``make test-times`` asks for it.

    Written when a process ends, as ``FOLDER/PID.json``: for each file its seconds, and its seconds of CPU time. That of
    a server or guest counts where its fixture ends it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, list[float]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> t.Generator[None, object, object]:
        began, used = time.monotonic(), _cpu_seconds()
        try:
            return (yield)
        finally:
            file = self._files.setdefault(item.nodeid.partition("::")[0], [0.0, 0.0])
            file[0] += time.monotonic() - began
            file[1] += _cpu_seconds() - used

    def pytest_sessionfinish(self) -> None:
        if self._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"{os.getpid()}.json").write_text(json.dumps(self._files))


def _cpu_seconds() -> float:
    """The CPU time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def pytest_configure(config: pytest.Config) -> None:
    folder = os.environ.get("DOCKERHOST_TIMES")
    if folder:
        config.pluginmanager.register(Times(Path(folder)), "dockerhost-times")
