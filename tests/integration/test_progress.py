# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines arrive while the operation still runs, also under ansible-runner, as AWX sees them."""

from __future__ import annotations

import json
import re
import time
import typing as t
from pathlib import Path

import pytest

from azure_emulator.launcher import LocalAzure

from .plays import Plays

runner = pytest.importorskip("ansible_runner")

Event = dict[str, t.Any]


class Job:
    """A job of ansible-runner that makes one host, and its events as they arrive."""

    def __init__(self, azure: LocalAzure, directory: Path) -> None:
        self.azure = azure
        self.events: list[Event] = []
        plays = Plays(azure, directory)
        environment = plays.environment()
        self.thread, self.runner = runner.run_async(
            private_data_dir=str(directory),
            project_dir=str(directory),
            playbook="play.yml",
            inventory=str(plays.inventory({"watched": {}})),
            envvars=environment,
            quiet=True,
            settings={"suppress_env_files": True},
            event_handler=self._keep,
        )

    def _keep(self, event: Event) -> bool:
        self.events.append(event)
        return True

    def lines(self, pattern: str) -> list[Event]:
        """The events so far whose text matches."""
        return [event for event in list(self.events) if re.search(pattern, event.get("stdout") or "")]

    def wait_for(self, pattern: str, number: int = 1) -> list[Event]:
        """Wait until so many events match; the job must not end before."""
        while len(found := self.lines(pattern)) < number:
            assert self.thread.is_alive(), f"no {pattern} in {[event.get('stdout') for event in self.events]}"
            time.sleep(0.05)
        return found

    def under_way(self) -> list[str]:
        """The operations that Azure still works on."""
        return [entry["id"] for entry in self.azure.operations() if entry["status"] == "InProgress"]

    def release(self) -> None:
        """Let them end."""
        for operation in self.under_way():
            self.azure.release(operation)

    def end(self) -> None:
        """Let Azure end whatever it is asked for, and wait for the job's end."""
        self.azure.hold(False)
        self.release()
        self.thread.join(120)
        assert self.runner.rc == 0, [event.get("stdout") for event in self.events]


@pytest.fixture
def job(tmp_path: Path) -> t.Iterator[Job]:
    with LocalAzure() as azure:
        azure.hold()
        running = Job(azure, tmp_path)
        yield running
        azure.hold(False)
        running.release()
        running.thread.join(120)


def until_the_machine(job: Job) -> Event:
    """Let everything before the VM end; gives the line that says that the VM is being made."""
    job.wait_for("web1: virtual network Creating")
    job.wait_for("web1: network security group Creating")
    job.wait_for("web1: public IP address Creating")
    assert len(job.under_way()) == 3
    assert not job.lines("Succeeded")
    job.release()
    job.wait_for("web1: network interface Creating")
    job.release()
    (creating,) = job.wait_for(r"web1: VM Creating \d+ s, usually 95 s")
    assert len(job.under_way()) == 1
    assert not job.lines("VM Succeeded")
    return creating


def test_lines_arrive_while_the_operation_runs(job: Job) -> None:
    creating = until_the_machine(job)
    job.end()
    (ended,) = job.lines(r"web1: VM Succeeded \d+ s")
    results = [event for event in job.events if event["event"] == "runner_on_ok"]
    assert creating["event"] == "verbose"
    assert creating["counter"] < ended["counter"] < results[0]["counter"]


@pytest.mark.slow
def test_lines_go_on_while_nothing_changes(job: Job) -> None:
    until_the_machine(job)
    job.wait_for(r"web1: VM Creating [3-9]\d s, usually 95 s")
    assert len(job.under_way()) == 1
    job.end()


def test_what_was_shown_is_kept_with_the_job(job: Job, tmp_path: Path) -> None:
    job.end()
    stored = [json.loads(path.read_text()) for path in (tmp_path / "artifacts").glob("*/job_events/*.json")]
    assert any("web1: VM Succeeded" in event["stdout"] for event in stored)
    assert any("web1: VM Succeeded" in path.read_text() for path in (tmp_path / "artifacts").glob("*/stdout"))
