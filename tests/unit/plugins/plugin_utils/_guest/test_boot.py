# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installation at boot, and what a push makes of it."""

from __future__ import annotations

import fcntl
import json
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Clock, Scratch
from .package_managers import Apt

HOME = "/var/lib/docker-host"
BOOT, PROGRAM, RESULT, STATE = (f"{HOME}/{name}" for name in ("boot.json", "boot.py", "boot-result.json", "state.json"))
DOCUMENT = {"format": 1, "settings": {"docker": {"engine": {"source": "distribution"}}}}
LOG = "/var/log/docker-host-setup.log"
LOGGED = "2026-11-30T10:00:00Z refuse: begin\n2026-11-30T10:00:01Z install: install the engine\nE: a line of apt\n"
OFFERED = {"docker.io": ["26.1.5-1"], "containerd": ["1.7.1-1"], "docker-compose": ["2.26.1-1"]}


@pytest.fixture
def fresh(setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    """A machine whose custom data has just begun."""
    monkeypatch.setattr(setup, "refuse", lambda *_arguments: None)
    made = Apt(setup, tmp_path / "root", OS_RELEASES["debian12"], OFFERED)
    made.put(BOOT, json.dumps(DOCUMENT))
    return made


def at_boot(setup: t.Any, found: Apt) -> dict[str, t.Any]:
    """Install as custom data does, and return what the result line says."""
    return t.cast("dict[str, t.Any]", setup.apply_at_boot(found.machine, setup.Settings(DOCUMENT)))


def result(found: Apt) -> t.Any:
    """What the installation leaves for the push."""
    return json.loads(found.machine.text(RESULT) or "null")


def test_the_engine_is_installed_and_not_configured(setup: t.Any, fresh: Apt) -> None:
    assert at_boot(setup, fresh) == {"engine": {"installed": True}}
    assert {"docker.io", "docker-compose"} <= set(fresh.packages)
    assert result(fresh) == {"stage": "install", "error": None}
    assert not any(fresh.machine.read(path) for path in ("/etc/docker/daemon.json", STATE))
    assert fresh.ran("restart") == fresh.ran("docker.service") == []


def test_what_is_installed_at_boot_is_not_the_administrators(setup: t.Any, fresh: Apt) -> None:
    at_boot(setup, fresh)
    fresh.holding = {"docker.io"}
    setup.remember(fresh.machine, fresh.facts())
    assert setup.decisions(fresh.machine) == {"held": [], "disabled": False, "stopped": []}


def test_a_failure_is_kept_for_the_push_which_installs_and_reports_it(
    setup: t.Any, fresh: Apt, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(fresh, "install", lambda _words, code: (code, "E: no room"))
        with pytest.raises(setup.Problem):
            at_boot(setup, fresh)
    assert result(fresh)["stage"] == "install"
    assert result(fresh)["error"]
    setup.note_failed_boot(fresh.machine, fresh.facts())
    (note,) = fresh.machine.notes
    assert note.startswith("the installation at boot failed in stage install: ")
    setup.install(fresh.machine, setup.Settings(DOCUMENT), fresh.facts())
    fresh.machine.notes.clear()
    setup.note_failed_boot(fresh.machine, fresh.facts())
    assert fresh.machine.notes == []


def test_an_error_of_the_program_itself_is_kept_too(setup: t.Any, fresh: Apt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "install", lambda *_arguments: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        at_boot(setup, fresh)
    assert "unexpectedly" in result(fresh)["error"]


@pytest.mark.parametrize("left", [{STATE: '{"port": 4243}'}, {BOOT: None}])
def test_after_a_push_it_does_nothing(setup: t.Any, fresh: Apt, left: dict[str, str | None]) -> None:
    for path, text in left.items():
        fresh.machine.write(path, text.encode() if text else None)
    assert at_boot(setup, fresh) == {"engine": {"installed": False}}
    assert not fresh.packages


def test_a_push_leaves_nothing_of_it(scratch: Scratch) -> None:
    for path in (BOOT, PROGRAM, RESULT):
        scratch.put(path, "{}")
    assert scratch.run({"settings": {"docker": {}}})["ok"]
    assert not any(scratch.exists(path) for path in (BOOT, PROGRAM, RESULT))


def test_so_does_the_removal(scratch: Scratch) -> None:
    scratch.put(BOOT, "{}")
    assert scratch.run({"state": "absent"})["ok"]
    assert not scratch.exists(BOOT)


def test_check_mode_leaves_everything(scratch: Scratch) -> None:
    scratch.put(BOOT, "{}")
    assert scratch.run({"settings": {"docker": {}}}, "--check")["ok"]
    assert scratch.exists(BOOT)


@pytest.mark.parametrize(
    ("left", "other", "step"),
    [
        ({}, "another run of this program", ""),
        ({BOOT: "{}"}, "the installation at boot", ""),
        ({BOOT: "{}", LOG: LOGGED}, "the installation at boot", " (install: install the engine)"),
    ],
)
def test_a_push_that_waits_says_for_whom_and_what_that_does(
    setup: t.Any,
    tmp_path: Path,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    left: dict[str, str],
    other: str,
    step: str,
) -> None:
    machine = setup.Machine(str(tmp_path))
    for path, text in left.items():
        machine.write(path, text.encode())
    lock = tmp_path / "lock"
    with open(lock, "w", encoding="ascii") as holder, open(lock, "w", encoding="ascii") as waiter:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(setup.Problem, match="has not ended for 900 s"):
            setup.wait_for_lock(machine, waiter)
        said = capsys.readouterr().out.splitlines()
        assert said[:2] == [f"wait for {other}: {seconds} s{step}" for seconds in (0, 30)]
        assert len(said) == 31
        fcntl.flock(holder, fcntl.LOCK_UN)
        setup.wait_for_lock(machine, waiter)
    assert capsys.readouterr().out == ""
    assert clock.now > 1900
