# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others left or keep on the machine: refused before the first change, or none of this run's business."""

from __future__ import annotations

import io
import os
import ssl
import sys
import tempfile
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Pems, Recorder, Scratch

LOGIN = {"server": "r.example.com", "username": "u", "password": "hunter2"}


def refuse(setup: t.Any, recorder: Recorder) -> None:
    """Refuse an engine of the distribution."""
    settings = setup.Settings({"settings": {"docker": {"engine": {"source": "distribution"}}}})
    facts = recorder.facts()
    setup.refuse_files(recorder.machine, settings)
    setup.refuse_units(recorder.machine, facts)
    setup.refuse_engine(recorder.machine, settings, facts)
    setup.refuse_configuration(recorder.machine, settings, facts)


def test_docker_as_a_snap(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    recorder.put("/etc/systemd/system/snap.docker.dockerd.service", "[Service]\n")
    with pytest.raises(setup.Problem, match=r"as a snap .*snap remove docker.*or use another machine"):
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


def test_a_socket_that_leads_to_podman(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    recorder.put("/run/x", "").with_name("docker.sock").symlink_to("/run/podman/podman.sock")
    with pytest.raises(setup.Problem, match=r"docker\.sock is a link to /run/podman/podman\.sock"):
        refuse(setup, recorder)


@pytest.mark.parametrize("unit", ["docker.service", "docker.socket", "containerd.service"])
@pytest.mark.parametrize(
    ("folder", "link", "advice"),
    [
        ("/etc", True, "systemctl unmask {}"),
        ("/run", True, "systemctl unmask --runtime {}"),
        ("/etc", False, "remove the empty file /etc/systemd/system/{}"),
    ],
)
def test_a_unit_that_is_masked(setup: t.Any, tmp_path: Path, unit: str, folder: str, link: bool, advice: str) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    place = recorder.put(folder + "/systemd/system/x", "").with_name(unit)
    if link:
        place.symlink_to("/dev/null")
    else:
        place.touch()
    with pytest.raises(setup.Problem, match=advice.format(unit)):
        refuse(setup, recorder)


@pytest.mark.parametrize(
    ("command", "is_daemon"),
    [
        ("/usr/bin/dockerd -H fd://", True),
        ("-/usr/bin/dockerd-current --debug", True),
        ("/usr/bin/env dockerd", True),
        ("/usr/bin/docker daemon -H fd://", True),
        ("/usr/bin/podman system service", False),
        ("/bin/sh -c 'exec dockerd -H fd://'", False),
        ("/usr/bin/docker-compose up", False),
    ],
)
def test_a_unit_of_dockers_name_that_starts_something_else(
    setup: t.Any, tmp_path: Path, command: str, is_daemon: bool
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    recorder.put("/etc/systemd/system/docker.service", f"[Service]\nExecStart = {command}\n")
    if is_daemon:
        refuse(setup, recorder)
    else:
        with pytest.raises(setup.Problem, match=f"starts {command.split()[0]}, not dockerd"):
            refuse(setup, recorder)


@pytest.mark.parametrize("path", ["/etc/docker/ca.pem", "/etc/docker/key.pem", "/etc/docker/daemon.json"])
def test_a_directory_in_a_files_place(scratch: Scratch, pems: Pems, path: str) -> None:
    (scratch.root / path.lstrip("/")).mkdir(parents=True)
    document = {"settings": {"docker": {"port": "4243"}}, "protectedSettings": {"certs": pems.settings()}}
    result = scratch.run(document)
    assert (result["stage"], result["changes"]) == ("refuse", [])
    assert f"{path} is a directory: remove it" in result["error"]


@pytest.mark.parametrize("path", ["/etc/docker/ca.pem", "/etc/docker/daemon.json", "/etc/containerd/config.toml"])
@pytest.mark.parametrize("fifo", [True, False], ids=["FIFO", "loop"])
def test_what_cannot_be_read_in_a_files_place(scratch: Scratch, pems: Pems, path: str, fifo: bool) -> None:
    """A FIFO would make the program wait for its writer until the handler's time is over."""
    place = scratch.put(path, "")
    place.unlink()
    if fifo:
        os.mkfifo(place)
    else:
        place.symlink_to(place)
    document = {"settings": {"docker": {"port": "4243"}}, "protectedSettings": {"certs": pems.settings()}}
    result = scratch.run(document)
    assert result["changes"] == []
    assert result["error"].startswith(path)


@pytest.mark.parametrize("path", ["/etc/docker", "/etc/systemd/system/docker.service.d"])
@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
def test_a_file_in_a_directorys_place(scratch: Scratch, pems: Pems, path: str, link: bool) -> None:
    place = scratch.put(path, "")
    if link:
        place.unlink()
        place.symlink_to("/nowhere")
    document = {"settings": {"docker": {"port": "4243"}}, "protectedSettings": {"certs": pems.settings()}}
    result = scratch.run(document)
    assert (result["stage"], result["changes"]) == ("refuse", [])
    assert f"{path} must be a directory" in result["error"]


def test_a_full_file_system_for_temporary_files(setup: t.Any, pems: Pems) -> None:
    with (
        pytest.raises(setup.Problem, match="must have room, got: No space left"),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        setup.write_temporary(full, pems.key)


def test_a_key_is_in_no_directory_while_it_is_checked(
    setup: t.Any, pems: Pems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Path]] = []

    class Watched(ssl.SSLContext):
        def load_cert_chain(self, *arguments: t.Any) -> None:
            seen.append(list(tmp_path.iterdir()))
            super().load_cert_chain(*arguments)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ssl, "SSLContext", Watched)
    setup.check_pair({"ca": pems.ca, "cert": pems.cert, "key": pems.key})
    assert seen == [[]]


def test_files_of_secrets_are_in_a_directory_that_the_next_run_removes(
    setup: t.Any, scratch: Scratch, pems: Pems
) -> None:
    with setup.Machine(str(scratch.root)).scratch() as name:
        place = Path(name)
        assert place.parent == scratch.root / "var/lib/docker-host"
        assert place.stat().st_mode & 0o077 == 0
        (place / ".env").write_text("TOKEN=secret")
        # As after a run that was killed now.
        left = place.rename(place.with_name(f"{place.name}2"))
    assert (left / ".env").exists()
    assert scratch.run({"protectedSettings": {"certs": pems.settings()}})["ok"]
    assert not left.exists()


@pytest.mark.parametrize("folder", ["/nowhere", "/proc"])
def test_no_file_system_for_temporary_files(
    setup: t.Any, pems: Pems, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setattr(setup.tempfile, "tempdir", folder)
    with pytest.raises(setup.Problem, match="the file system of temporary files must have room, got: "):
        setup.check_pair(pems._asdict())


def test_a_file_in_the_place_of_the_programs_own_directory(scratch: Scratch) -> None:
    scratch.put("/var/lib/docker-host", "")
    assert scratch.run({})["error"] == "the directory /var/lib/docker-host cannot be written: File exists"


def test_what_the_terminal_cannot_show_ends_no_run(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", shown)
    setup.Machine(str(tmp_path)).say("no image büro\udcff")
    assert shown.buffer.getvalue() == b"no image b\\xfcro\\udcff\n"


def test_programs_speak_with_this_machines_engine_whatever_context_root_has_selected(setup: t.Any) -> None:
    shown = setup.Machine("/", check=True).run(["sh", "-c", "echo $DOCKER_HOST"])
    assert shown == "unix:///var/run/docker.sock\n"


@pytest.mark.parametrize(
    ("folder", "known", "refused"),
    [
        ("/opt/shop", [], True),
        ("/opt/shop", ["shop"], False),
        ("/etc/docker/compose/shop", [], False),  # of a run that was killed
        ("", [], False),
    ],
)
def test_a_compose_project_of_somebody_else_with_our_name(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, known: list[str], refused: bool
) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    folder = recorder.machine.path(folder) if folder.startswith("/etc") else folder
    labels = {"com.docker.compose.project.working_dir": folder}
    monkeypatch.setattr(setup, "ask_engine", lambda _path: [{"Labels": labels}])
    settings = setup.Settings({"settings": {"compose-projects": {"shop": {"file": "services: {}"}}}})
    facts = recorder.facts()
    facts.info, facts.state = {"ID": "x"}, {"projects": known}
    if refused:
        with pytest.raises(setup.Problem, match=r"compose project shop: .* already, from /opt/shop; use another name"):
            setup.refuse_configuration(recorder.machine, settings, facts)
    else:
        setup.refuse_configuration(recorder.machine, settings, facts)


def test_what_a_run_that_was_killed_while_it_wrote_has_left_is_removed(scratch: Scratch, pems: Pems) -> None:
    ours = [
        scratch.put(f"{folder}/.docker-host-unfinished-x1", "half a key")
        for folder in ("/etc/docker", "/etc/docker/compose/web", "/etc/systemd/system/docker.service.d")
    ]
    theirs = scratch.put("/etc/docker/.x.new", "theirs")
    document = {"protectedSettings": {"certs": pems.settings()}}
    assert scratch.run(document)["notes"] == ["the last run did not end well; this one has completed it"]
    assert [path for path in ours if path.exists()] == []
    assert theirs.exists()
    assert "notes" not in scratch.run(document)


def test_a_damaged_line_about_the_system_concerns_nobody(scratch: Scratch) -> None:
    scratch.put("/etc/os-release", scratch.text("/etc/os-release") + 'HOME_URL="https://example.com\n')
    assert scratch.run({})["ok"]


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
