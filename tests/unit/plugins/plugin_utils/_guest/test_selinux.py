# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labels of data that are not in the default directories, where SELinux is enabled."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Answer, Recorder

DISK = {"lun": 0, "path": "/srv/docker"}
DATA, CONTAINERD = "/srv/docker/data", "/srv/docker/containerd"
RULES = "/etc/selinux/targeted/contexts/files/file_contexts.subs"
RESTORE = f"restorecon -R {CONTAINERD} {DATA}"
ADDED = [
    f"semanage fcontext --add --equal /var/lib/containerd {CONTAINERD}",
    f"semanage fcontext --add --equal /var/lib/docker {DATA}",
    RESTORE,
]


class Labelled(t.NamedTuple):
    """A machine after the stage."""

    recorder: Recorder
    commands: list[str]


def labelled(
    setup: t.Any,
    root: Path,
    *,
    docker: t.Mapping[str, t.Any] | None = None,
    enabled: bool = True,
    files: t.Mapping[str, str] | None = None,
    answers: t.Mapping[str, Answer | list[Answer]] | None = None,
    programs: t.Collection[str] = ("dnf", "rpm", "semanage"),
) -> Labelled:
    """Run the stage on a machine with a data disk and containerd."""
    recorder = Recorder(setup, root, OS_RELEASES["rhel9"], answers, programs)
    recorder.put("/usr/lib/systemd/system/containerd.service", "[Service]\n")
    recorder.put("/etc/selinux/config", "# SELINUX can be\nSELINUX=enforcing\nSELINUXTYPE=targeted\n")
    if enabled:
        recorder.put("/sys/fs/selinux/enforce", "1")
    for path, text in (files or {}).items():
        recorder.put(path, text)
    settings = setup.Settings({"settings": {"docker": {"data-disk": DISK} if docker is None else docker}})
    facts = recorder.facts()
    recorder.commands.clear()
    setup.label(recorder.machine, settings, facts)
    return Labelled(recorder, recorder.commands)


def test_the_data_disk_gets_the_labels_of_the_default_directories(setup: t.Any, tmp_path: Path) -> None:
    recorder, commands = labelled(setup, tmp_path / "root")
    assert commands == ADDED
    assert recorder.machine.changes == [f"label {CONTAINERD} and {DATA} for SELinux"]
    # Labelled before the engine fills them.
    assert [(tmp_path / "root" / path.lstrip("/")).is_dir() for path in (DATA, CONTAINERD)] == [True, True]


def test_another_data_root_of_the_user_is_labelled_too(setup: t.Any, tmp_path: Path) -> None:
    commands = labelled(setup, tmp_path / "root", docker={"daemon": {"data-root": "/big"}}).commands
    assert commands == ["semanage fcontext --add --equal /var/lib/docker /big", "restorecon -R /big"]


@pytest.mark.parametrize(
    "options",
    [
        {"enabled": False},
        {"docker": {}},
        {"docker": {"daemon": {"data-root": "/var/lib/docker"}}},
        {"files": {RULES: f"{DATA} /var/lib/docker\n/home2 /home\n{CONTAINERD} /var/lib/containerd\n"}},
    ],
    ids=["SELinux is off", "no disk", "the default directory", "labelled already"],
)
def test_otherwise_nothing_is_labelled(setup: t.Any, tmp_path: Path, options: dict[str, t.Any]) -> None:
    recorder, commands = labelled(setup, tmp_path / "root", **options)
    assert (commands, recorder.machine.changes) == ([], [])


def test_another_rule_is_replaced(setup: t.Any, tmp_path: Path) -> None:
    present = {RULES: f"{DATA} /var/www\n{CONTAINERD} /var/lib/containerd\n"}
    commands = labelled(setup, tmp_path / "root", files=present).commands
    assert commands == [f"semanage fcontext --modify --equal /var/lib/docker {DATA}", RESTORE]


def test_a_killed_run_is_finished(setup: t.Any, tmp_path: Path) -> None:
    present = {
        RULES: f"{DATA} /var/lib/docker\n{CONTAINERD} /var/lib/containerd\n",
        setup.LABELLING: "",
    }
    recorder, commands = labelled(setup, tmp_path / "root", files=present)
    assert commands == [RESTORE]
    assert recorder.machine.read(setup.LABELLING) is None


def test_the_program_is_installed_where_it_is_missing(setup: t.Any, tmp_path: Path) -> None:
    commands = labelled(setup, tmp_path / "root", programs=("dnf", "rpm")).commands
    installs = [command for command in commands if "policycoreutils-python-utils" in command]
    assert installs
    assert commands.index(installs[0]) < commands.index(ADDED[0])


def test_what_cannot_be_labelled_is_a_note(setup: t.Any, tmp_path: Path) -> None:
    failing = {"semanage": (1, "SELinux policy is not managed")}
    recorder, commands = labelled(setup, tmp_path / "root", answers=failing)
    assert RESTORE not in commands
    assert "could not be labelled for SELinux" in recorder.machine.notes[0]
    assert recorder.machine.read(setup.LABELLING) is None


def test_the_rules_go_with_the_data(setup: t.Any, tmp_path: Path) -> None:
    present = {RULES: f"{DATA} /var/lib/docker\n{CONTAINERD} /elsewhere\n"}
    recorder = labelled(setup, tmp_path / "root", docker={}, files=present).recorder
    facts = recorder.facts()
    facts.state = {"daemon": {"data-root": DATA}, "containerd-root": CONTAINERD}
    setup.unlabel(recorder.machine, facts)
    assert recorder.ran("semanage") == [f"semanage fcontext --delete --equal /var/lib/docker {DATA}"]
