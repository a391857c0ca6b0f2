# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage configure beside what others have there: drop-ins, links, files that are given back, file systems."""

from __future__ import annotations

import json
import types
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Answer, Clock, Pems, Recorder, Scratch

FOLDER = "/etc/systemd/system/docker.service.d/"
DROP_IN = FOLDER + "zz-docker-host.conf"
UNIT = "/usr/lib/systemd/system/docker.service"
MACHINE_DROP_IN = (
    "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H tcp://0.0.0.0:2376 -H unix:///var/run/docker.sock "
    "--tlsverify --tlscacert /etc/docker/ca.pem --tlscert /etc/docker/server.pem --tlskey /etc/docker/server-key.pem\n"
)


def document(pems: Pems, **docker: t.Any) -> dict[str, t.Any]:
    """Settings with a port."""
    return {"settings": {"docker": {"port": "4243", **docker}}, "protectedSettings": {"certs": pems.settings()}}


def test_our_drop_in_is_read_after_the_administrators_and_keeps_their_options(scratch: Scratch, pems: Pems) -> None:
    scratch.put(UNIT, "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n")
    assert scratch.run(document(pems))["ok"]
    scratch.put(
        FOLDER + "override.conf", "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --log-level=warn\n"
    )
    assert scratch.run(document(pems))["changes"] == [f"write {DROP_IN}"]
    names = sorted(path.name for path in (scratch.root / FOLDER.lstrip("/")).iterdir())
    assert names[-1] == "zz-docker-host.conf"
    assert "/usr/sbin/dockerd --log-level=warn -H fd:// -H tcp://0.0.0.0:4243 --tlsverify" in scratch.text(DROP_IN)


@pytest.mark.parametrize("folder", ["/etc", "/run", "/usr/lib"])
def test_a_drop_in_that_would_decide_after_ours_is_refused_by_its_name(
    scratch: Scratch, pems: Pems, folder: str
) -> None:
    path = folder + "/systemd/system/docker.service.d/zzz.conf"
    scratch.put(UNIT, "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n")
    scratch.put(path, "[Service]\nNice=5\n")
    assert scratch.run(document(pems))["ok"], "it leaves the command alone"
    scratch.put(path, "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd\n")
    assert scratch.run({}, "--check")["ok"], "no command of ours is wanted"
    result = scratch.run(document(pems))
    assert (result["stage"], result["changes"]) == ("refuse", [])
    assert f"{path} sets ExecStart and is read after zz-docker-host.conf" in result["error"]


def test_the_drop_in_of_an_earlier_version_is_removed(scratch: Scratch, pems: Pems) -> None:
    scratch.run(document(pems))
    old = scratch.put(FOLDER + "50-docker-host.conf", scratch.text(DROP_IN))
    assert scratch.run(document(pems))["changes"] == [f"remove {FOLDER}50-docker-host.conf"]
    assert not old.exists()


def test_systemd_is_asked_which_command_it_takes(setup: t.Any, tmp_path: Path) -> None:
    shown = "ExecStart={{ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd {} ; }}\nDropInPaths=/a.conf /b.conf\n"
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"])
    settings = types.SimpleNamespace(port=4243)
    recorder.answers["systemctl show"] = shown.format("-H fd:// -H tcp://0.0.0.0:4243 --tlsverify --tlscacert=/x")
    setup.check_command(recorder.machine, settings)
    recorder.answers["systemctl show"] = shown.format("-H fd://")
    with pytest.raises(setup.Problem, match=r"another drop-in .*/a\.conf /b\.conf"):
        setup.check_command(recorder.machine, settings)


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_a_link_in_the_place_of_a_certificate_is_refused(scratch: Scratch, pems: Pems, name: str) -> None:
    theirs = scratch.put("/srv/theirs.pem", "theirs")
    place = scratch.put("/etc/docker/x", "").with_name(name)
    place.symlink_to(theirs)
    result = scratch.run(document(pems))
    assert (result["stage"], result["changes"]) == ("refuse", [])
    assert f"/etc/docker/{name} is a link to" in result["error"]
    assert theirs.read_text(encoding="utf-8") == "theirs"


def test_daemon_json_is_written_through_a_link_on_the_running_system(setup: t.Any, tmp_path: Path) -> None:
    theirs, link = tmp_path / "theirs.json", tmp_path / "daemon.json"
    theirs.write_text("{}", encoding="utf-8")
    link.symlink_to(theirs)
    setup.Machine("/").write(str(link), b'{"debug": true}')
    assert link.is_symlink()
    assert theirs.read_text(encoding="utf-8") == '{"debug": true}'
    with pytest.raises(setup.Problem, match="is a link"):
        setup.Machine(str(tmp_path)).write("/daemon.json", b"{}")


def test_a_link_that_leads_nowhere_is_left_as_it_was(setup: t.Any, tmp_path: Path) -> None:
    theirs, link = tmp_path / "elsewhere/theirs.json", tmp_path / "daemon.json"
    link.symlink_to(theirs)
    machine = setup.Machine("/")
    machine.write(str(link), b"{}")
    assert theirs.read_text(encoding="utf-8") == "{}"
    machine.write(str(link), None)
    assert link.is_symlink()
    assert not link.exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_at_the_beginning_of_daemon_json(scratch: Scratch, pems: Pems, encoding: str) -> None:
    text = '{"log-driver": "local", "labels": ["büro=1"]}'
    theirs = scratch.put("/etc/docker/daemon.json", "")
    theirs.write_bytes(text.encode(encoding))
    assert scratch.run(document(pems))["ok"]
    assert json.loads(theirs.read_bytes()) == {**json.loads(text), "live-restore": True}
    assert scratch.run({"state": "absent"})["ok"]
    assert theirs.read_bytes() == text.encode(encoding)


def test_what_taking_over_replaced_is_put_back(scratch: Scratch, pems: Pems) -> None:
    """A machine of docker-machine, byte for byte and mode for mode."""
    scratch.put(UNIT, "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n")
    scratch.put(FOLDER + "10-machine.conf", MACHINE_DROP_IN)
    scratch.put("/etc/docker/ca.pem", "their CA")
    scratch.put("/etc/docker/key.pem", "their key").chmod(0o400)
    scratch.put(
        "/etc/docker/daemon.json", '{"debug": false, "log-opts": {"max-size": "1m", "max-file": "3"}, "bip": "x"}'
    )
    before = {name: entry for name, entry in scratch.files().items() if not name.startswith("var/")}
    settings = document(pems, daemon={"debug": True, "log-opts": {"max-size": "10m"}})
    assert scratch.run(settings)["ok"]
    assert '"max-size": "10m"' in scratch.text("/etc/docker/daemon.json")
    assert scratch.run(settings)["changes"] == []
    assert scratch.run({"state": "absent"})["ok"]
    assert {name: entry for name, entry in scratch.files().items() if not name.startswith("var/log/")} == before | {
        "var/lib/docker-host/lock": (0o644, b"")
    }
    assert scratch.run({"state": "absent"})["changes"] == []


def test_certificates_that_are_no_longer_wanted_make_room_for_what_was_there(scratch: Scratch, pems: Pems) -> None:
    scratch.put("/etc/docker/ca.pem", "their CA")
    scratch.run(document(pems))
    scratch.run({"settings": {"docker": {}}})
    assert scratch.text("/etc/docker/ca.pem") == "their CA"
    assert not scratch.exists("/etc/docker/key.pem")
    scratch.put("/etc/docker/ca.pem", "their new CA")
    scratch.run(document(pems))
    scratch.run({"state": "absent"})
    assert scratch.text("/etc/docker/ca.pem") == "their new CA"


@pytest.mark.parametrize("text", ["{}\n", "", '{"debug" : true}'])
def test_a_daemon_json_without_entries_is_put_back_as_it_was(scratch: Scratch, pems: Pems, text: str) -> None:
    theirs = scratch.put("/etc/docker/daemon.json", text)
    theirs.chmod(0o600)
    assert scratch.run(document(pems, daemon={"mtu": 1400}))["ok"]
    assert scratch.run({"state": "absent"})["ok"]
    assert (theirs.read_text(encoding="utf-8"), theirs.stat().st_mode & 0o777) == (text, 0o600)
    assert not scratch.exists("/etc/docker/daemon.json.before-docker-host")


def test_what_the_administrator_has_set_since_stays(scratch: Scratch, pems: Pems) -> None:
    scratch.put("/etc/docker/daemon.json", '{"debug": false}')
    scratch.run(document(pems, daemon={"debug": True, "mtu": 1400}))
    scratch.put("/etc/docker/daemon.json", '{"debug": true, "live-restore": true, "mtu": 1300, "bip": "x"}')
    scratch.run({"state": "absent"})
    left = scratch.text("/etc/docker/daemon.json").split()
    assert [word.strip('":,') for word in left if word.startswith('"')] == ["bip", "x", "debug", "mtu"]
    assert '"mtu": 1300' in scratch.text("/etc/docker/daemon.json")


def test_what_cannot_be_written_leaves_the_last_configuration(scratch: Scratch, pems: Pems, other_pems: Pems) -> None:
    scratch.run(document(pems))
    drop_in = scratch.root / DROP_IN.lstrip("/")
    drop_in.unlink()
    drop_in.parent.rmdir()
    drop_in.parent.symlink_to("/proc")  # a directory in which nobody can make a file, not even root
    before = {name: entry for name, entry in scratch.files().items() if not name.startswith("var/log")}
    result = scratch.run(document(Pems(pems.ca + other_pems.ca, other_pems.cert, other_pems.key)))
    assert f"{DROP_IN} cannot be written: " in result["error"]
    assert result["error"].endswith("the last configuration is back")
    assert {name: entry for name, entry in scratch.files().items() if not name.startswith("var/log")} == before


@pytest.mark.parametrize("fixed", ["etc/docker/daemon.json", "etc/docker"])
def test_a_file_that_nobody_can_change_is_found_before_the_first_change(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pems: Pems, fixed: str
) -> None:
    """As chattr +i makes it. It does not matter where the file stays as it is."""
    (tmp_path / "etc/docker").mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text(OS_RELEASES["debian12"], encoding="utf-8")
    (tmp_path / "etc/docker/daemon.json").write_text('{"live-restore": true}', encoding="utf-8")
    monkeypatch.setattr(setup.os, "access", lambda path, _mode: path != str(tmp_path / fixed))
    with pytest.raises(setup.Problem, match=f"/{fixed} cannot be written: .*chattr -i /{fixed}$"):
        setup.apply(setup.Machine(str(tmp_path)), setup.Settings(document(pems, daemon={"mtu": 1400})))
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["daemon.json", "lock", "os-release"]
    setup.apply(setup.Machine(str(tmp_path)), setup.Settings({}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"f_flag": 1}, "mounted read-only"),
        ({"f_bfree": 10}, "is full"),
        ({"f_ffree": 0}, "is full"),
        ({"f_files": 0, "f_ffree": 0}, ""),
    ],
)
def test_a_file_system_without_room_is_found_before_the_first_change(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, int], reason: str
) -> None:
    found = {"f_flag": 0, "f_bfree": 10_000, "f_frsize": 4096, "f_files": 1000, "f_ffree": 10, **changes}
    monkeypatch.setattr(setup.os, "statvfs", lambda _path: types.SimpleNamespace(**found))
    machine = setup.Machine(str(tmp_path))
    if reason:
        with pytest.raises(setup.Problem, match=f"the file system of /etc/docker .*{reason}"):
            setup.refuse_files(machine, setup.Settings({}))
    else:
        setup.refuse_files(machine, setup.Settings({}))


@pytest.mark.parametrize(("program", "how"), [("/usr/bin/dockerd (deleted)", "restart"), ("/usr/bin/dockerd", None)])
def test_a_daemon_whose_program_was_replaced_is_restarted(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, how: str | None
) -> None:
    """An upgrade that was killed between the new files and the restart."""
    answers = {"systemctl is-active": "active\n", "systemctl show -p MainPID": "MainPID=4711\n"}
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], answers, programs=("systemctl",))
    monkeypatch.setattr(setup.os, "readlink", lambda path: {"/proc/4711/exe": program}[path])
    monkeypatch.setattr(setup, "engine_info", lambda _machine: {})
    settings, facts = setup.Settings({}), recorder.facts()
    assert setup.transition(recorder.machine, settings, facts, {}, False) == how


@pytest.mark.parametrize(
    ("states", "runs"),
    [
        (["activating\n", "activating\n", "active\n"], True),
        (["deactivating\n", "inactive\n"], False),
        (["reloading\n", "active\n"], True),
        (["activating\n", "failed\n"], False),
        (["activating\n"], False),  # for ever
    ],
)
def test_an_engine_that_is_still_starting_or_stopping_is_waited_for(
    setup: t.Any, tmp_path: Path, clock: Clock, states: list[str], runs: bool
) -> None:
    answers: dict[str, Answer | list[Answer]] = {"systemctl is-active": list(states)}
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], answers, programs=("systemctl",))
    assert setup.service_active(recorder.machine) is runs


def test_what_starts_meanwhile_with_its_former_configuration_is_started_again(
    setup: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine's boot may start the engine between the look and the new configuration."""
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["debian12"], programs=("systemctl",))
    monkeypatch.setattr(setup, "ask_engine", lambda _path: "OK")
    setup.take_over(recorder.machine, setup.Settings({}), "start", {})
    assert "start the engine" in recorder.machine.changes
    assert recorder.ran("restart", "docker")
    assert not recorder.ran("start", "docker")
