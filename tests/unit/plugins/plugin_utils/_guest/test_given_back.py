# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run put in the place of the administrator's logins, CAs and users is given back or taken away again."""

from __future__ import annotations

import grp
import json
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Pems, Recorder, Scratch

CONFIG = "/root/.docker/config.json"
REGISTRY = "r.example.com:5000"
AUTHORITY = f"/etc/docker/certs.d/{REGISTRY}/ca.crt"
OURS = {"auth": "bWU6c2VjcmV0"}  # me:secret


class Machine(Recorder):
    """A machine whose docker keeps logins, and whose users are in groups."""

    def __init__(self, setup: t.Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.members = ["admin"]
        super().__init__(setup, root, OS_RELEASES["debian12"], programs=("docker",))
        group = grp.struct_group(("docker", "x", 990, self.members))
        monkeypatch.setattr(setup.grp, "getgrnam", lambda _name: group)
        self.state: dict[str, t.Any] = {}

    def answer(self, argv: list[str], command: str) -> tuple[int, str]:
        """Do what docker, usermod and gpasswd do."""
        if argv[:2] == ["docker", "login"]:
            self.setup.set_login(self.machine, argv[-1], OURS)
        elif argv[:2] == ["docker", "logout"]:
            self.setup.set_login(self.machine, argv[-1], None)
        elif argv[0] == "usermod":
            self.members.append(argv[-1])
        elif argv[0] == "gpasswd":
            self.members.remove(argv[2])
        return super().answer(argv, command)

    def apply(self, *logins: dict[str, str], users: t.Sequence[str] = ()) -> list[str]:
        """Carry out the two stages, record it as a run does, and return what changed."""
        document = {"settings": {"docker": {"users": list(users)}}, "protectedSettings": {"logins": list(logins)}}
        settings, facts = self.setup.Settings(document), self.facts()
        facts.state = self.state
        self.machine.changes.clear()
        self.setup.access(self.machine, settings, facts)
        self.setup.registries(self.machine, settings, facts)
        self.state = self.setup.new_record(self.machine, settings, facts)
        return list(self.machine.changes)

    def logins(self) -> dict[str, t.Any]:
        """The logins of root."""
        found: dict[str, t.Any] = json.loads(self.machine.text(CONFIG) or "{}")
        return t.cast("dict[str, t.Any]", found.get("auths") or {})


LOGIN = {"server": REGISTRY, "username": "me", "password": "secret"}


@pytest.fixture
def machine(setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with a docker CLI and the user admin in its group."""
    return Machine(setup, tmp_path / "root", monkeypatch)


@pytest.mark.parametrize("theirs", [None, {"auth": "cm9vdDp0aGVpcnM="}, OURS])
@pytest.mark.parametrize("has_docker", [True, False])
def test_a_login_of_the_administrator_is_given_back(
    machine: Machine, theirs: dict[str, str] | None, has_docker: bool
) -> None:
    before = {"auths": {"other": {"auth": "eA=="}, **({REGISTRY: theirs} if theirs else {})}}
    machine.put(CONFIG, json.dumps(before))
    machine.apply(LOGIN)
    assert machine.logins()[REGISTRY] == OURS
    assert machine.apply(LOGIN) == []
    machine.machine.has = lambda _program: has_docker
    machine.apply()
    assert machine.logins() == before["auths"]
    assert machine.apply() == []


def test_a_login_that_an_interrupted_run_replaced_is_given_back(machine: Machine) -> None:
    theirs = {"auth": "cm9vdDp0aGVpcnM="}
    machine.put(CONFIG, json.dumps({"auths": {REGISTRY: theirs}}))
    machine.state = {"unfinished": True, "logins": [REGISTRY]}
    machine.apply(LOGIN)
    machine.apply()
    assert machine.logins() == {REGISTRY: theirs}


@pytest.mark.parametrize("theirs", [None, "their CA\n", "our CA\n"])
def test_the_ca_of_a_registry_is_given_back(scratch: Scratch, pems: Pems, theirs: str | None) -> None:
    if theirs:
        scratch.put(AUTHORITY, theirs)
    before = scratch.files()
    certs = {"certs": pems.settings()}
    document = {"protectedSettings": {**certs, "logins": [{**LOGIN, "ca": "our CA\n"}]}}
    scratch.run(document)
    assert scratch.text(AUTHORITY) == "our CA\n"
    assert scratch.run(document)["changes"] == []
    document["protectedSettings"]["logins"] = [{**LOGIN, "ca": "our next CA\n"}]
    scratch.run(document)
    assert scratch.text(AUTHORITY) == "our next CA\n"
    scratch.run({"protectedSettings": {**certs, "logins": [LOGIN]}})
    assert scratch.exists(AUTHORITY) == bool(theirs)
    scratch.run(document)
    scratch.run({"state": "absent"})
    left = {name: entry for name, entry in scratch.files().items() if not name.startswith("var/")}
    assert left == before


def test_a_ca_that_somebody_has_written_since_stays(scratch: Scratch) -> None:
    scratch.run({"protectedSettings": {"logins": [{**LOGIN, "ca": "our CA\n"}]}})
    scratch.put(AUTHORITY, "their newer CA\n")
    scratch.run({"protectedSettings": {"logins": []}})
    assert scratch.text(AUTHORITY) == "their newer CA\n"


def test_users_who_are_no_longer_listed_leave_the_group_and_the_administrators_stay(machine: Machine) -> None:
    assert machine.apply(users=["admin", "ci", "deploy"]) == [
        "add the user ci to the group docker",
        "add the user deploy to the group docker",
    ]
    assert machine.apply(users=["ci", "deploy"]) == []
    assert machine.apply(users=["deploy"]) == ["remove the user ci from the group docker"]
    assert machine.apply() == ["remove the user deploy from the group docker"]
    assert machine.members == ["admin"]


def test_a_user_of_a_run_that_was_killed_leaves_the_group(
    setup: t.Any, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: t.Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(setup, "registries", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.apply(users=["ci"])
    assert machine.members == ["admin", "ci"]
    assert machine.apply() == ["remove the user ci from the group docker"]


@pytest.mark.parametrize(("has_docker", "remove"), [(False, []), (True, ["data"])])
def test_projects_are_forgotten_where_the_engine_is_gone_or_stopped_for_good(
    setup: t.Any, machine: Machine, has_docker: bool, remove: list[str]
) -> None:
    machine.put("/etc/docker/compose/web/compose.yaml", "services: {}")
    machine.machine.has = lambda _program: has_docker
    machine.answers["systemctl is-active"] = (3, "inactive")
    facts = machine.facts()
    facts.state = {"projects": ["web"]}
    setup.take_down_projects(machine.machine, setup.Settings({"state": "absent", "remove": remove}), facts)
    assert not machine.ran("compose")
    assert machine.machine.read("/etc/docker/compose/web/compose.yaml") is None
