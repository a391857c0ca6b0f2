# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays with docker_vm_host alone, one resource group for each host, and what they leave in a local Azure."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import typing as t
from pathlib import Path

from azure_emulator.launcher import CLEARED, LocalAzure

from .conftest import BIN, COLLECTIONS, Ran

_FATAL = re.compile(r"^fatal: \[([^\]]+)\]: FAILED! => (\{.*\})$", re.MULTILINE)
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?<=_)[0-9a-f]{32}")
_LABEL = re.compile(r"web1-[0-9a-f]{8}")
_KEY = re.compile(r'(?<=")ssh-\S+ [^"]*')
# What Azure makes anew for each resource, and what counts changes or tells the time.
_VOLATILE = {"etag", "timeCreated", "uniqueId", "ipAddress", "macAddress", "internalDomainNameSuffix"}

Options = t.Mapping[str, t.Any]
OPTIONS = (
    "name",
    "resource_group",
    "location",
    "ssh_private_key_path",
    "state",
    "remove_on_absent",
    "wait_timeout",
    "vm_size",
    "image",
    "plan",
    "dns_label",
)


class Plays:
    """Runs ansible-playbook with one task, docker_vm_host, for a host web1 in each of several groups.

    :param home: a directory of their own; HOME and the playbook are there.
    """

    def __init__(self, azure: LocalAzure, home: Path) -> None:
        self.azure = azure
        self.home = home
        options = {name: f"{{{{ host_{name} | default(omit) }}}}" for name in OPTIONS}
        task = {"name": "A Docker host", "dockerhost.azure.docker_vm_host": options}
        play: dict[str, t.Any] = {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": [task]}
        (home / "play.yml").write_text(json.dumps([play]))

    def environment(self) -> dict[str, str]:
        """The environment of a run, with nothing of whoever runs the tests."""
        unwanted = ("AZURE_", "ANSIBLE_", "DOCKER_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(unwanted) and key not in CLEARED}
        return {
            **kept,
            **self.azure.environment,
            "HOME": str(self.home),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_FORKS": "20",
            "ANSIBLE_NOCOLOR": "true",
        }

    def inventory(self, hosts: t.Mapping[str, Options]) -> Path:
        """An inventory with the options of each host; the group is ``rg-HOST``."""
        path = self.home / "hosts.json"
        path.write_text(
            json.dumps({"all": {"hosts": {name: self._host(name, given) for name, given in hosts.items()}}})
        )
        return path

    def _host(self, name: str, given: Options) -> dict[str, t.Any]:
        own = {"name": "web1", "resource_group": f"rg-{name}", "location": "westeurope"}
        key = {"ssh_private_key_path": str(self.home / f"key-{name}")}
        return {f"host_{option}": value for option, value in {**own, **key, **given}.items()}

    def begin(self, hosts: t.Mapping[str, Options], *arguments: str) -> subprocess.Popen[str]:
        """Begin a run; its output goes to a file."""
        with (self.home / "output").open("w") as output:
            return subprocess.Popen(
                [str(BIN / "ansible-playbook"), "-i", str(self.inventory(hosts)), "play.yml", *arguments],
                env=self.environment(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def end(self, run: subprocess.Popen[str]) -> Ran:
        """Wait for the end of a run."""
        run.wait()
        return Ran(run.returncode, (self.home / "output").read_text())

    def run(self, hosts: t.Mapping[str, Options], *arguments: str) -> Ran:
        """One run from beginning to end."""
        return self.end(self.begin(hosts, *arguments))

    def shape(self, host: str) -> list[str]:
        """Return what a host's group contains, a line for each value, without what Azure generates."""
        group = f"rg-{host}"
        prefix = f"/subscriptions/{self.azure.subscription_id}/resourceGroups/{group}".lower()
        found = {key: value for key, value in self.azure.dump().items() if f"{key}/".lower().startswith(f"{prefix}/")}
        text = "\n".join(_lines(found)).replace(group, "GROUP")
        for pattern, stands_for in ((_GUID, "GUID"), (_HEX, "HEX"), (_LABEL, "LABEL"), (_KEY, "KEY")):
            text = pattern.sub(stands_for, text)
        return sorted(text.splitlines())

    def ids(self, host: str) -> list[str]:
        """The ids of a host's group and of what is in it, without disks and parts of resources, in lower case."""
        group = f"/subscriptions/{self.azure.subscription_id}/resourceGroups/rg-{host}".lower()
        whole = re.compile(rf"{group}(/providers/[^/]+/(?!disks/)[^/]+/[^/]+)?")
        return sorted(key.lower() for key in self.azure.dump() if whole.fullmatch(key.lower()))

    def struck(self, run: subprocess.Popen[str]) -> bool:
        """Wait until the one fault there is has struck; False when the run ends before, or that takes too long."""

        def has_struck() -> bool:
            return any(fault["struck"] for fault in self.azure.faults())

        return _comes_true(lambda: has_struck() or run.poll() is not None) and has_struck()

    def shows(self, text: str) -> bool:
        """Wait until the run that goes on has shown a text; False when that takes too long."""
        return _comes_true(lambda: text in (self.home / "output").read_text())


def _comes_true(condition: t.Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def failures(ran: Ran) -> dict[str, dict[str, t.Any]]:
    """The results of the hosts that failed."""
    return {match[1].split(" -> ")[0]: json.loads(match[2]) for match in _FATAL.finditer(ran.output)}


def _lines(value: t.Any, path: str = "") -> t.Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _VOLATILE:
                yield from _lines(item, f"{path} {key}")
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from _lines(item, f"{path} {place}")
    else:
        yield f"{path} = {json.dumps(value)}"
