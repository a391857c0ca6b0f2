# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others left or keep on the machine: refused before the first change, or none of this run's business."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Pems, Recorder, Scratch

LOGIN = {"server": "r.example.com", "username": "u", "password": "hunter2"}


def refuse(setup: t.Any, recorder: Recorder) -> None:
    """Refuse an engine of the distribution."""
    settings = setup.Settings({"settings": {"docker": {"engine": {"source": "distribution"}}}})
    facts = recorder.facts()
    setup.refuse_engine(recorder.machine, settings, facts)
    setup.refuse_configuration(recorder.machine, settings, facts)


def test_docker_as_a_snap(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    recorder.put("/etc/systemd/system/snap.docker.dockerd.service", "[Service]\n")
    with pytest.raises(setup.Problem, match=r"as a snap .*snap remove docker.*or give another machine"):
        refuse(setup, recorder)


@pytest.mark.parametrize("system", ["debian12", "fedora40"])
def test_podman_in_dockers_place(setup: t.Any, tmp_path: Path, system: str) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES[system], {"rpm -q": "podman-docker 5:5.2-1\n"})
    recorder.put("/var/lib/dpkg/status", "Package: podman-docker\nStatus: install ok installed\nVersion: 5\n")
    with pytest.raises(setup.Problem, match="podman-docker is installed"):
        refuse(setup, recorder)


@pytest.mark.parametrize(("flags", "listens"), [("00010000", True), ("00000000", False)])
def test_another_program_on_the_engines_socket(setup: t.Any, tmp_path: Path, flags: str, listens: bool) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    line = f"0000000000000000: 00000002 00000000 {flags} 0001 01 24518 /run/docker.sock\n"
    recorder.put("/proc/net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n" + line)
    if listens:
        with pytest.raises(setup.Problem, match=r"another program listens on .*docker\.sock"):
            refuse(setup, recorder)
    else:
        refuse(setup, recorder)


@pytest.mark.parametrize("unit", ["docker.service", "docker.socket", "containerd.service"])
def test_a_unit_that_is_masked(setup: t.Any, tmp_path: Path, unit: str) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    recorder.put("/etc/systemd/system/x", "").with_name(unit).symlink_to("/dev/null")
    with pytest.raises(setup.Problem, match=f"systemctl unmask {unit}"):
        refuse(setup, recorder)


def test_a_damaged_file_of_logins_concerns_only_those_who_log_in(scratch: Scratch, pems: Pems) -> None:
    scratch.put("/root/.docker/config.json", '{ "auths": {}, }')
    document: dict[str, t.Any] = {
        "settings": {"docker": {"port": "4243"}},
        "protectedSettings": {"certs": pems.settings()},
    }
    assert scratch.run(document)["ok"]
    document["settings"]["docker"]["port"] = "4244"
    document["protectedSettings"]["logins"] = [LOGIN]
    result = scratch.run(document)
    assert (result["stage"], result["changes"]) == ("refuse", [])
    assert "/root/.docker/config.json" in result["error"]
