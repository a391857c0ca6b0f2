# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are killed before one of their file operations, also several in a row: the next one finishes the work.

tests/e2e/test_kills.py does it in a guest, with commands.
"""

from __future__ import annotations

import itertools
import os
import shutil
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Pems

THEIRS = {
    "/etc/docker/daemon.json": '{"log-driver": "local", "log-opts": {"max-file": "3"}, "dns": ["192.0.2.53"]}\n',
    "/etc/docker/ca.pem": "a CA of docker-machine's\n",
    "/etc/docker/key.pem": "a key of docker-machine's\n",
    "/etc/docker/certs.d/r.example.com/ca.crt": "a CA of the administrator's\n",
}
OWN = ("var/log/docker-host-setup.log", "var/lib/docker-host/lock")


class Killed(BaseException):
    """The end of a run that was killed."""


class Tree:
    """A scratch root and the steps of a host's life on it."""

    def __init__(self, setup: t.Any, root: Path, pems: Pems, renewed: Pems) -> None:
        self.setup = setup
        self.root = root
        for path, text in {"/etc/os-release": OS_RELEASES["debian12"], **THEIRS}.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        login = {"server": "r.example.com", "username": "me", "password": "secret"}
        certs = {"certs": pems.settings()}
        compose = {"compose-projects": {"shop": {"file": "services: {}"}}}
        first = {"port": "4243", "options": ["--icc=false"], "daemon": {"log-driver": "json-file", "debug": True}}
        second = {"port": "4300", "daemon": {"log-opts": {"max-size": "10m"}, "debug": False}}
        self.steps: dict[str, dict[str, t.Any]] = {
            "install": {"settings": {"docker": first}, "protectedSettings": certs},
            "change": {
                "settings": {"docker": second, **compose},
                "protectedSettings": {**certs, "logins": [{**login, "ca": "a CA of ours"}]},
            },
            "certificates": {
                "certs-only": True,
                "replace-ca": True,
                "protectedSettings": {"certs": renewed.settings()},
            },
            "absent": {"state": "absent"},
        }

    def run(self, step: str, cut: int = 0) -> t.Any:
        """Run a step and kill it before a file operation; return the machine, None if it was killed."""
        left = [cut]

        class Machine(self.setup.Machine):  # type: ignore[misc,name-defined]
            def write(self, path: str, content: bytes | None, mode: int = 0o644) -> None:
                left[0] -= 1
                if left[0] == 0:
                    raise Killed
                super().write(path, content, mode)

        machine = Machine(str(self.root))
        machine.say = lambda _text: None
        try:
            self.setup.apply(machine, self.setup.Settings(self.steps[step]))
        except Killed:
            return None
        return machine

    def files(self) -> dict[str, bytes]:
        """Every file but the log and the lock."""
        found = (path for path in sorted(self.root.rglob("*")) if path.is_file())
        names = {str(path.relative_to(self.root)): path for path in found}
        return {name: path.read_bytes() for name, path in names.items() if name not in OWN}

    def state(self) -> frozenset[tuple[str, int, bytes]]:
        """All that a later run can find: every path with its mode and content, but for the log and the lock."""
        found = ((str(path.relative_to(self.root)), path) for path in self.root.rglob("*"))
        return frozenset(
            (name, path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
            for name, path in found
            if name not in OWN
        )

    def finish(self, step: str) -> None:
        """Run a step to its end, after which nothing is left to do."""
        marks = [note for note in self.setup.NOTES if (self.root / note.lstrip("/")).exists()]
        unfinished = b'unfinished": true' in self.files().get("var/lib/docker-host/state.json", b"")
        machine = self.run(step)
        assert any("did not end well" in note for note in machine.notes) == bool(marks or unfinished)
        assert self.run(step).changes == []


@pytest.mark.parametrize("step", ["install", "change", "certificates", "absent"])
def test_each_pair_of_runs_that_were_killed_is_finished_by_the_third(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pems: Pems, other_pems: Pems, step: str
) -> None:
    """The tree ends as after a run that nobody killed."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)  # no machine is reset here
    pristine, tree = tmp_path / "pristine", Tree(setup, tmp_path / "root", pems, other_pems)
    at_first = tree.files()
    for before in itertools.takewhile(lambda name: name != step, list(tree.steps)):
        tree.run(before)
    shutil.copytree(tree.root, pristine)
    tree.finish(step)
    expected = tree.files()
    if step == "absent":
        assert expected == at_first

    def restart(beginning: Path) -> None:
        shutil.rmtree(tree.root)
        shutil.copytree(beginning, tree.root)

    pairs = 0
    finished = set()
    for first in itertools.count(1):
        restart(pristine)
        if tree.run(step, first) is not None:
            break
        killed_once = tmp_path / f"killed-{first}"
        shutil.copytree(tree.root, killed_once)
        for second in itertools.count(0):
            restart(killed_once)
            ended = second and tree.run(step, second) is not None
            state = tree.state()
            if not ended and state not in finished:  # the same files have the same end
                tree.finish(step)
                finished.add(state)
                assert tree.files() == expected, (first, second)
            elif ended:
                assert tree.files() == expected, (first, second)
            pairs += 1
            if ended:
                break
    assert pairs > 20
    assert len(finished) > 5
