# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the administrator had decided before the first run: it survives upgrades and is given back."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES
from .package_managers import UNIT, Apt, Dnf, PackageManager, Tdnf, Zypper

OFFERED: dict[str, tuple[type[PackageManager], str, dict[str, list[str]]]] = {
    "apt": (
        Apt,
        "debian12",
        {"docker.io": ["26.1.5-1", "20.10.24-1"], "containerd": ["1.7.1-1"], "docker-compose": ["2.26.1-1"]},
    ),
    "dnf": (
        Dnf,
        "fedora40",
        {"moby-engine": ["26.1.5-1", "20.10.24-1"], "containerd": ["1.7.1-1"], "docker-compose": ["2.26.1-1"]},
    ),
    "tdnf": (
        Tdnf,
        "azurelinux3",
        {
            "moby-engine": ["26.1.5-1", "20.10.24-1"],
            "containerd": ["1.7.1-1"],
            "moby-cli": ["26.1.5-1"],
            "docker-compose": ["2.26.1-1"],
        },
    ),
    "zypper": (
        Zypper,
        "sles15",
        {"docker": ["26.1.5-1", "20.10.24-1"], "containerd": ["1.7.1-1"], "docker-compose": ["2.26.1-1"]},
    ),
}


@pytest.fixture(params=sorted(OFFERED))
def found(request: pytest.FixtureRequest, setup: t.Any, tmp_path: Path) -> PackageManager:
    """A machine with an old engine and containerd; the administrator holds the engine."""
    manager, system, offered = OFFERED[request.param]
    made = manager(setup, tmp_path / "root", OS_RELEASES[system], offered)
    engine = next(iter(offered))
    made.packages = {engine: offered[engine][1], "containerd": "1.7.1-1"}
    made.put(UNIT, "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n")
    made.decide({engine})
    return made


def wanted(setup: t.Any, **engine: t.Any) -> t.Any:
    """The settings of one run."""
    return setup.Settings({"settings": {"docker": {"engine": dict(engine, source="distribution")}}})


def run(setup: t.Any, machine: PackageManager, state: dict[str, t.Any], **engine: t.Any) -> dict[str, t.Any]:
    """Remember and install as one run does, and return the record that it would leave."""
    facts = machine.facts()
    facts.state = state
    machine.machine.changes.clear()
    setup.remember(machine.machine, facts)
    setup.install(machine.machine, wanted(setup, **engine), facts)
    return {"hold": bool(engine.get("hold"))}


def remove(setup: t.Any, machine: PackageManager, state: dict[str, t.Any]) -> None:
    """Give the engine back."""
    facts = machine.facts()
    facts.state = state
    machine.machine.changes.clear()
    setup.remove_engine(machine.machine, setup.Settings({"state": "absent"}), facts)


def test_a_hold_of_the_administrator_survives_runs_that_hold_and_release(setup: t.Any, found: PackageManager) -> None:
    theirs = found.look()
    state = run(setup, found, {}, hold=True)
    assert found.look() == {*theirs, "containerd"}
    assert found.machine.changes == ["hold containerd"]
    state = run(setup, found, state, hold=True)
    assert not found.machine.changes
    run(setup, found, state)
    assert found.look() == theirs
    assert found.machine.changes == ["release containerd"]


def test_a_hold_of_the_administrator_survives_absent(setup: t.Any, found: PackageManager) -> None:
    theirs = found.look()
    remove(setup, found, run(setup, found, {}, hold=True))
    assert found.look() == theirs


def test_a_hold_that_a_killed_run_did_not_record_is_released(setup: t.Any, found: PackageManager) -> None:
    theirs = found.look()
    run(setup, found, {}, hold=True)
    run(setup, found, {})
    assert found.look() == theirs


def test_a_hold_survives_an_upgrade(setup: t.Any, found: PackageManager) -> None:
    theirs = found.look()
    run(setup, found, {}, version="26")
    assert "26.1.5-1" in found.packages.values()
    assert found.look() == theirs


@pytest.mark.parametrize("found", ["tdnf"], indirect=True)
def test_a_file_of_the_administrators_with_locks_is_as_it_was(setup: t.Any, found: PackageManager) -> None:
    files = {path: found.machine.read(path) for path in found.machine.glob("/etc/tdnf/locks.d/*")}
    state = run(setup, found, {}, version="26", hold=True)
    run(setup, found, state, version="26")
    assert {path: found.machine.read(path) for path in found.machine.glob("/etc/tdnf/locks.d/*")} == files


def test_a_hold_survives_an_upgrade_that_fails(
    setup: t.Any, found: PackageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = found.look()
    monkeypatch.setattr(found, "install", lambda _words, code: (code, "Error: no room"))
    with pytest.raises(setup.Problem):
        run(setup, found, {}, version="26")
    assert found.look() == theirs
    assert not found.machine.read("/var/lib/docker-host/lifted.json")


class Killed(BaseException):
    """The end of the program in the middle of a command."""


def test_a_hold_survives_an_upgrade_that_is_killed(
    setup: t.Any, found: PackageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = found.look()

    def die(_words: list[str], _code: int) -> tuple[int, str]:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(found, "install", die)
        with pytest.raises(Killed):
            run(setup, found, {}, version="26")
    assert not found.look()
    assert setup.was_cut_short(found.machine, found.facts())
    run(setup, found, {}, version="20")
    assert found.look() == theirs
    assert not found.machine.read("/var/lib/docker-host/lifted.json")


def test_a_hold_that_a_killed_run_released_comes_back_with_absent(setup: t.Any, found: PackageManager) -> None:
    theirs = found.look()
    found.put("/var/lib/docker-host/lifted.json", '["{}"]'.format(*theirs))
    found.decide(set())
    remove(setup, found, {})
    assert found.look() == theirs


@pytest.mark.parametrize(("state", "ends"), [("disabled", True), ("enabled", False), ("static", False)])
def test_a_unit_that_was_disabled_before_is_disabled_again(
    setup: t.Any, found: PackageManager, state: str, ends: bool
) -> None:
    found.answers["systemctl is-enabled"] = [state + "\n", "enabled\n"]
    remove(setup, found, run(setup, found, {}))
    assert found.ran("systemctl", "disable", "docker") == (["systemctl disable docker"] if ends else [])


def units(*states: str) -> str:
    """What systemd shows of the engine's units; a queued job is named after a slash."""
    blocks = []
    for name, state in zip(("docker.service", "docker.socket", "containerd.service"), states, strict=True):
        active, _slash, job = state.partition("/")
        loaded = "not-found" if active == "missing" else "loaded"
        blocks.append(
            f"Id={name}\nLoadState={loaded}\nActiveState={active.replace('missing', 'inactive')}\nJob={job}\n"
        )
    return "\n".join(blocks)


@pytest.mark.parametrize(
    ("before", "stops"),
    [
        (("inactive", "inactive", "inactive"), "docker.service docker.socket containerd.service"),
        (("failed", "active", "active"), "docker.service"),
        (("inactive", "missing", "active"), "docker.service"),
        (("inactive/17", "inactive/18", "active"), ""),  # a machine that is booting
        (("activating", "active", "active"), ""),
        (("active", "inactive", "inactive"), ""),  # a daemon that has a containerd of its own
    ],
)
def test_an_engine_that_was_stopped_before_is_stopped_again(
    setup: t.Any, found: PackageManager, before: tuple[str, ...], stops: str
) -> None:
    found.answers["systemctl show -p Id"] = [units(*before), units("active", "active", "active")]
    remove(setup, found, run(setup, found, {}))
    assert found.ran("systemctl", "stop") == ([f"systemctl stop {stops}"] if stops else [])


def test_an_engine_that_ran_before_is_not_stopped_because_it_is_stopped_now(
    setup: t.Any, found: PackageManager
) -> None:
    found.answers["systemctl show -p Id"] = [units("active", "active", "active"), units("inactive", "active", "active")]
    remove(setup, found, run(setup, found, {}))
    assert not found.ran("systemctl", "stop")


def test_a_first_run_that_fails_leaves_a_stopped_engine_stopped(setup: t.Any, found: PackageManager) -> None:
    found.answers["systemctl show -p Id"] = [
        units("inactive", "inactive", "active"),
        units("failed", "active", "active"),
    ]
    run(setup, found, {})
    told = setup.undo(found.machine, {setup.STATE: (None, 0o600), "/etc/docker/daemon.json": (b"{}", 0o644)})
    assert told == "the last configuration is back, and the engine is stopped as before"
    assert found.ran("systemctl", "stop") == ["systemctl stop docker.socket"]
    assert not found.ran("systemctl", "restart")


def test_the_unit_of_an_engine_that_a_killed_first_run_installed_stays_enabled(
    setup: t.Any, found: PackageManager
) -> None:
    found.packages.clear()
    found.decide(set())
    (Path(found.machine.root) / UNIT.lstrip("/")).unlink()
    found.answers["systemctl is-enabled"] = ["disabled\n", "enabled\n"]
    run(setup, found, {})
    remove(setup, found, run(setup, found, {}))
    assert not found.ran("systemctl", "disable", "docker")


def test_a_first_run_that_only_checks_makes_no_note(setup: t.Any, found: PackageManager) -> None:
    found.machine.check = True
    run(setup, found, {}, hold=True)
    assert found.machine.read("/var/lib/docker-host/before.json") is None
    assert not found.ran("hold")
