# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a machine with an engine that are killed before a file operation or a command, wherever that is.

The next run finishes the work, and "absent" gives everything back instead. The tests ask for what only a running system
has: logins to registries, users in a group, ports of a firewall, packages on hold, Compose projects.
"""

from __future__ import annotations

import copy
import grp
import itertools
import json
import os
import re
import shutil
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Pems
from .package_managers import UNIT, Apt
from .test_killed import OWN, THEIRS, Killed

LOGINS = "/root/.docker/config.json"
RECORD, COPY = "var/lib/docker-host/state.json", "var/lib/docker-host/settings.json"
FIRST, SECOND, OTHER = "r.example.com", "s.example.com", "other.example.com"
PROGRAMS = ("apt-get", "apt-cache", "apt-mark", "dpkg", "docker", "systemctl", "ufw", "usermod", "gpasswd")
PACKAGES = {"docker.io": "26.1.5-1", "containerd": "1.7.1-1"}
PROJECT = re.compile(r"--project-name (\w+) .* (up|down) ")


class World(t.NamedTuple):
    """What is on a machine beside its files."""

    members: list[str]
    ports: set[int]
    projects: set[str]


class Host(Apt):
    """A machine whose administrator has an engine, a login, a user in its group and a port open in the firewall."""

    def __init__(self, setup: t.Any, root: Path) -> None:
        super().__init__(setup, root, OS_RELEASES["debian12"], {name: [version] for name, version in PACKAGES.items()})
        self.machine.has = lambda program: program in PROGRAMS
        self.machine.say = lambda _text: None
        place = self.machine.path
        self.machine.path = lambda path: path if path.startswith(f"{root}/") else place(path)
        self.packages = dict(PACKAGES)
        self.put(UNIT, "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n")
        self.world = World(["admin"], {22, 4300}, set())
        self.saved()
        for path, text in THEIRS.items():
            self.put(path, text)
        theirs = {FIRST: {"auth": "cm9vdDp0aGVpcnM="}, OTHER: {"auth": "eA=="}}
        self.put(LOGINS, json.dumps({"auths": theirs}, indent="\t") + "\n")

    def answer(self, argv: list[str], command: str) -> tuple[int, str]:
        """Do what docker, the firewall and the programs for groups do."""
        answers = {
            "systemctl is-active docker": "active",
            "systemctl is-enabled docker": "enabled",
            "docker compose version": "Docker Compose version v2.40.3",
            "dockerd": "configuration OK",
            "ufw status": "Status: active\n" + "".join(f"{port}/tcp ALLOW Anywhere\n" for port in self.world.ports),
        }
        for start, text in answers.items():
            if command.startswith(start):
                return 0, text
        self.act(argv, command)
        return super().answer(argv, command)

    def act(self, argv: list[str], command: str) -> None:
        """Carry out a command that changes something."""
        if argv[:2] == ["docker", "login"]:
            self.login(argv[-1], {"auth": "bWU6c2VjcmV0"})  # me:secret
        elif argv[:2] == ["docker", "logout"]:
            self.login(argv[-1], None)
        elif argv[0] == "usermod":
            self.world.members.append(argv[-1])
        elif argv[0] == "gpasswd":
            self.world.members.remove(argv[2])
        elif argv[0] == "ufw":
            port = int(re.findall(r"\d+", command)[0])
            (self.world.ports.discard if "delete" in argv else self.world.ports.add)(port)
        for name, verb in PROJECT.findall(f"{command} "):
            (self.world.projects.add if verb == "up" else self.world.projects.discard)(name)

    def login(self, server: str, entry: dict[str, str] | None) -> None:
        """Write docker's file of logins in one step, as docker does."""
        path = Path(self.machine.root) / LOGINS.lstrip("/")
        auths = {name: value for name, value in json.loads(path.read_text())["auths"].items() if name != server}
        path.write_text(json.dumps({"auths": {**auths, **({server: entry} if entry else {})}}, indent="\t") + "\n")

    def ask(self, path: str, timeout: float = 10) -> t.Any:
        """Answer as the engine's API does."""
        if path.startswith("/containers"):
            there = any(f"project%3D{name}%22" in path for name in self.world.projects)
            return [{"State": "running"}] if there else []
        return "OK" if path == "/_ping" else {}


def documents(pems: Pems, renewed: Pems) -> dict[str, dict[str, t.Any]]:
    """The steps of a host's life."""
    certs = {"certs": pems.settings()}
    login = {"server": FIRST, "username": "me", "password": "secret"}
    shop, blog = ({name: {"file": f"services: {{{name}: {{}}}}"}} for name in ("shop", "blog"))
    engine = {"source": "distribution"}
    install = {"port": "4243", "users": ["admin", "ci"], "engine": {**engine, "hold": True}, "daemon": {"debug": True}}
    change = {"port": "4300", "users": ["deploy"], "engine": engine, "daemon": {"log-opts": {"max-size": "10m"}}}
    return {
        "install": {
            "digest": "1",
            "settings": {"docker": install, "compose-projects": shop},
            "protectedSettings": {**certs, "logins": [{**login, "ca": "our CA"}]},
        },
        "change": {
            "digest": "2",
            "settings": {"docker": change, "compose-projects": blog, "compose-purge": True},
            "protectedSettings": {**certs, "logins": [{**login, "ca": "our next CA"}, {**login, "server": SECOND}]},
        },
        "logins": {
            "digest": "2a",
            "settings": {"docker": change, "compose-projects": {**blog, **shop}},
            "protectedSettings": {**certs, "logins": [{**login, "server": SECOND, "ca": "a second CA"}]},
        },
        "certificates": {
            "digest": "3",
            "certs-only": True,
            "replace-ca": True,
            "protectedSettings": {"certs": renewed.settings()},
        },
        "less": {"digest": "4", "settings": {"docker": {"engine": engine}}},
        "absent": {"state": "absent"},
    }


STEPS = ("install", "change", "logins", "certificates", "less", "absent")
BEFORE = {step: STEPS[: min(place, 4)] for place, step in enumerate(STEPS)}


def differences(state: dict[str, t.Any], expected: dict[str, t.Any]) -> dict[str, t.Any]:
    """What is not as expected, with what it should be."""
    return {
        name: (state.get(name), expected.get(name))
        for name in {*state, *expected}
        if state.get(name) != expected.get(name)
    }


class Lives:
    """One host, and copies of what it was like at earlier moments."""

    def __init__(self, setup: t.Any, tmp_path: Path, steps: dict[str, dict[str, t.Any]]) -> None:
        self.setup = setup
        self.root = tmp_path / "root"
        self.host = Host(setup, self.root)
        self.steps = steps
        self._folders = (tmp_path / f"copy-{number}" for number in itertools.count())

    def run(self, step: str, cut: int | str = 0) -> t.Any:
        """Run a step, killed before an operation or the writing of a file; return the machine, None if killed."""
        host, left = self.host, [cut if isinstance(cut, int) else 0]

        def count(function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
            def counted(*words: t.Any, **options: t.Any) -> t.Any:
                left[0] -= 1
                if left[0] == 0 or words[0] == cut:
                    raise Killed
                return function(*words, **options)

            return counted

        machine = copy.copy(host.machine)
        machine.changes, machine.notes = [], []
        machine.write, machine.run = count(machine.write), count(machine.run)
        try:
            self.setup.apply(machine, self.setup.Settings(self.steps[step]))
        except Killed:
            return None
        return machine

    def keep(self) -> t.Callable[[], None]:
        """Copy the host as it is, and return what brings it back."""
        folder, host = next(self._folders), self.host
        shutil.copytree(self.root, folder)
        memory = copy.deepcopy((host.world, host.packages, host.holding))

        def bring_back() -> None:
            shutil.rmtree(self.root)
            shutil.copytree(folder, self.root)
            host.world, host.packages, host.holding = copy.deepcopy(memory)

        return bring_back

    def expect(self, step: str) -> dict[str, t.Any]:
        """Run the steps that come before a step, and return what the step makes of the host when nobody kills it."""
        for before in BEFORE[step]:
            self.run(before)
        bring_back = self.keep()
        assert self.run(step).changes
        expected = self.state()
        assert self.run(step).changes == []
        assert not differences(self.state(), expected)
        bring_back()
        return expected

    def says_unfinished(self) -> bool:
        """Return whether a comparison of the machine with its record says that the last run did not end well."""
        record = json.loads(self.host.machine.text(self.setup.STATE))
        return "the last run did not end well" in self.setup.verify(self.host.machine, record)

    def state(self) -> dict[str, t.Any]:
        """All that a user can see, but for the log and the lock; of docker's logins, what they say."""
        host = self.host
        found: dict[str, t.Any] = {
            str(path.relative_to(self.root)): (path.stat().st_mode & 0o7777, path.read_bytes())
            for path in self.root.rglob("*")
            if path.is_file()
        }
        logins = LOGINS.lstrip("/")
        found[logins] = (found[logins][0], json.loads(found[logins][1]))
        found.update(members=sorted(host.world.members), ports=set(host.world.ports), projects=set(host.world.projects))
        found.update(packages=dict(host.packages), holding=set(host.holding))
        return {name: entry for name, entry in found.items() if name not in OWN}


@pytest.fixture
def lives(setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pems: Pems, other_pems: Pems) -> Lives:
    """A host on which no run has been. Whether a run may begin is the subject of other tests, but for its CA."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)  # no machine is reset here
    lives = Lives(setup, tmp_path, documents(pems, other_pems))
    host = lives.host
    monkeypatch.setattr(setup, "refuse", lambda *words: words[1].certs and setup.fence(*words))
    monkeypatch.setattr(setup, "tls_answers", lambda *_words: True)
    monkeypatch.setattr(setup, "ask_engine", host.ask)
    monkeypatch.setattr(setup.grp, "getgrnam", lambda _name: grp.struct_group(("docker", "x", 9, host.world.members)))
    return lives


class Kill(t.NamedTuple):
    """A run that was killed.

    :param cut: before which operation.
    :param bring_back: makes the host what it was then.
    """

    cut: int
    bring_back: t.Callable[[], None]


def kills(lives: Lives, step: str, expected: dict[str, t.Any]) -> t.Iterator[Kill]:
    """Kill a step before each of its operations, as far as each leaves something else."""
    pristine = lives.keep()
    earlier = lives.state()
    records = [None, earlier.get(RECORD), expected.get(RECORD)]
    copies = [earlier.get(COPY), expected.get(COPY)]
    seen: list[dict[str, t.Any]] = []
    for cut in itertools.count(1):
        pristine()
        if lives.run(step, cut) is not None:
            break
        state = lives.state()
        if state not in seen:
            seen.append(state)
            assert state.get(RECORD) in records or lives.says_unfinished(), cut
            assert state.get(COPY) in copies or RECORD not in earlier or step == "absent", cut
            yield Kill(cut, lives.keep())
    assert len(seen) > 5


@pytest.mark.parametrize("step", STEPS[:-1])
def test_the_next_run_finishes_one_that_was_killed_and_absent_gives_everything_back(lives: Lives, step: str) -> None:
    at_first = lives.state()
    expected = lives.expect(step)
    for kill in kills(lives, step, expected):
        lives.run(step)
        assert not differences(lives.state(), expected), kill.cut
        assert lives.run(step).changes == [], kill.cut
        lives.run("absent")
        assert not differences(lives.state(), at_first), kill.cut


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_was_killed_is_finished_or_taken_back(lives: Lives, step: str) -> None:
    at_first = lives.state()
    expected = lives.expect(step)
    for kill in kills(lives, step, expected):
        lives.run("absent")
        assert not differences(lives.state(), at_first), kill.cut
        kill.bring_back()
        lives.run(step)
        assert not differences(lives.state(), expected), kill.cut


def test_entries_of_two_runs_that_were_killed_before_they_were_written_are_taken_back(lives: Lives) -> None:
    at_first = lives.state()
    expected = lives.expect("change")
    for kill in kills(lives, "change", expected):
        assert lives.run("less", lives.setup.DAEMON_JSON) is None
        lives.run("absent")
        assert not differences(lives.state(), at_first), kill.cut


def test_neither_ca_is_refused_after_a_replacement_that_was_killed(lives: Lives) -> None:
    certificates = lives.steps["certificates"]["protectedSettings"]["certs"]
    lives.steps["same"] = {"settings": lives.steps["change"]["settings"], "protectedSettings": {"certs": certificates}}
    path = lives.setup.CERTIFICATES[0][1]
    expected = lives.expect("certificates")
    replaced = 0
    for kill in kills(lives, "certificates", expected):
        if lives.host.machine.read(path) == expected[path.lstrip("/")][1]:
            replaced += 1
            lives.run("same")
            kill.bring_back()
        if lives.state()[RECORD] != expected[RECORD]:
            lives.run("change")
    assert replaced


def test_a_push_that_keeps_settings_finds_them_or_none_after_a_first_run_that_was_killed(lives: Lives) -> None:
    expected = lives.expect("install")
    lives.steps["keeping"] = {"settings": {"docker": {"engine": {"source": "distribution"}}}, "keep": ["logins"]}
    for kill in kills(lives, "install", expected):
        result = lives.run("keeping")
        kept = bool(json.loads(lives.host.machine.text(lives.setup.STATE))["logins"])
        kill.bring_back()
        assert result.changes, kill.cut
        assert kept == (lives.state().get(COPY) == expected[COPY]), kill.cut
