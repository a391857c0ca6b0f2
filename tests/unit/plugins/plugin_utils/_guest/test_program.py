# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole program below a scratch root, by every interpreter that is there."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from .conftest import OS_RELEASES, PROGRAM, Pems, Scratch, interpreters, make_renewed

DROP_IN = "/etc/systemd/system/docker.service.d/zz-docker-host.conf"


def document(pems: Pems | None = None, **docker: t.Any) -> dict[str, t.Any]:
    """Settings with a port if there are certificates."""
    if pems:
        docker.setdefault("port", "4243")
    return {
        "digest": "d",
        "push": "1",
        "settings": {"docker": docker},
        "protectedSettings": {"certs": pems.settings()} if pems else {},
    }


@pytest.mark.parametrize(
    ("python", "system"),
    [(sys.executable, system) for system in sorted(set(OS_RELEASES) - {"alpine"})]
    + [(python, "debian12") for python in interpreters()[1:]],
)
def test_each_system_and_interpreter(tmp_path: Path, pems: Pems, python: str, system: str) -> None:
    tree = Scratch(tmp_path / "root", python)
    tree.put("/etc/os-release", OS_RELEASES[system])
    settings = document(pems, daemon={"log-driver": "json-file"}, options=["--log-level=debug"])
    predicted = tree.run(settings, "--check")
    assert list(tree.files()) == ["etc/os-release"]
    done = tree.run(settings)
    assert done["ok"]
    assert done["changes"] == predicted["changes"]
    assert "-H tcp://0.0.0.0:4243 --tlsverify" in tree.text(DROP_IN)
    assert (tree.root / "etc/docker/key.pem").stat().st_mode & 0o777 == 0o600
    before = tree.files()
    assert tree.run(settings)["changes"] == []
    assert tree.files() == before
    assert tree.call("--verify")["differences"] == []


def test_no_secret_is_printed_or_logged(scratch: Scratch, pems: Pems) -> None:
    settings = document(pems)
    settings["protectedSettings"]["proxies"] = {"http": "http://user:hunter2@proxy:3128"}
    settings["settings"]["compose-projects"] = {"web": {"file": "services: {}"}}
    settings["protectedSettings"]["compose-secrets"] = {"web": {"TOKEN": "t0p-secret"}}
    result = scratch.run(settings)
    assert result["ok"]
    log = scratch.text("/var/log/docker-host-setup.log")
    key = pems.key.decode().splitlines()[1]
    for secret in ("hunter2", "t0p-secret", key):
        assert secret not in str(result)
        assert secret not in log
    holders = {name for name, (mode, content) in scratch.files().items() if b"t0p-secret" in content and mode == 0o600}
    assert holders == {"etc/docker/compose/web/.env", "var/lib/docker-host/settings.json"}


def test_changes_are_found_and_undone(scratch: Scratch, pems: Pems) -> None:
    settings = document(pems, daemon={"debug": True})
    scratch.run(settings)
    (scratch.root / DROP_IN.lstrip("/")).unlink()
    scratch.put("/etc/docker/cert.pem", "somebody's")
    scratch.put("/etc/docker/daemon.json", '{"debug": false, "live-restore": true}')
    found = scratch.call("--verify")["differences"]
    assert found == [
        "/etc/docker/cert.pem was changed",
        f"{DROP_IN} is gone",
        "/etc/docker/daemon.json no longer has the pushed value of debug",
    ]
    assert scratch.run(settings)["changes"] == [
        "write /etc/docker/cert.pem",
        "write /etc/docker/daemon.json",
        f"write {DROP_IN}",
    ]
    assert scratch.call("--verify")["differences"] == []


def test_foreign_files_are_merged_or_kept(scratch: Scratch, pems: Pems) -> None:
    scratch.put("/etc/docker/daemon.json", '{"debug": true, "log-opts": {"max-file": "3"}}')
    scratch.put("/etc/docker/key.pem", "a foreign key").chmod(0o600)
    scratch.run(document(pems, daemon={"log-opts": {"max-size": "10m"}}))
    assert scratch.text("/etc/docker/key.pem.before-docker-host") == "a foreign key"
    assert (scratch.root / "etc/docker/key.pem.before-docker-host").stat().st_mode & 0o777 == 0o600
    daemon = scratch.text("/etc/docker/daemon.json")
    assert '"max-file": "3"' in daemon
    assert '"max-size": "10m"' in daemon
    scratch.run(document(pems))
    daemon = scratch.text("/etc/docker/daemon.json")
    assert "max-size" not in daemon
    assert '"debug": true' in daemon


def test_absent_leaves_what_is_not_ours(scratch: Scratch, pems: Pems) -> None:
    scratch.put("/etc/docker/daemon.json", '{"debug": true}')
    settings = document(pems, daemon={"log-driver": "local"})
    settings["settings"]["compose-projects"] = {"web": {"file": "services: {}"}}
    scratch.run(settings)
    result = scratch.run({"state": "absent"})
    assert result["ok"]
    left = {name for name in scratch.files() if name.startswith("etc/")}
    assert left == {"etc/os-release", "etc/docker/daemon.json"}
    assert scratch.text("/etc/docker/daemon.json") == '{"debug": true}'
    assert scratch.run({"state": "absent"})["changes"] == []


def test_port_goes_with_its_certificates(scratch: Scratch, pems: Pems) -> None:
    scratch.run(document(pems))
    scratch.run(document())
    assert not scratch.exists("/etc/docker/key.pem")
    assert not scratch.exists(DROP_IN)


def test_certificates_only(scratch: Scratch, pems: Pems, other_pems: Pems) -> None:
    settings = document(pems, port="5000", daemon={"labels": ["a=b"]}, options=["--log-level=debug"])
    settings["protectedSettings"]["proxies"] = {"http": "http://proxy:3128"}
    settings["settings"]["compose-projects"] = {"web": {"file": "services: {}"}}
    assert scratch.run(settings)["ok"]
    before = scratch.files()
    alone = {"certs-only": True, "digest": "e", "push": "2", "protectedSettings": {"certs": pems.settings()}}
    assert scratch.run(alone)["changes"] == []
    both = Pems(pems.ca + other_pems.ca, other_pems.cert, other_pems.key)
    alone["protectedSettings"] = {"certs": both.settings()}
    predicted = scratch.run(alone, "--check")
    done = scratch.run(alone)
    assert done["ok"]
    assert done["port"] == 5000
    assert done["changes"] == predicted["changes"]
    assert done["changes"] == [f"write /etc/docker/{name}.pem" for name in ("ca", "cert", "key")]
    after = scratch.files()
    ours = ("var/", "etc/docker/ca.pem", "etc/docker/cert.pem", "etc/docker/key.pem")
    for name in (name for name in before if not name.startswith(ours)):
        assert after[name] == before[name], name
    verified = scratch.call("--verify")
    assert (verified["digest"], verified["differences"]) == ("e", [])
    settings["protectedSettings"]["certs"] = both.settings()
    assert scratch.run(settings)["changes"] == []


def test_certificates_only_leave_what_somebody_changed(scratch: Scratch, pems: Pems) -> None:
    scratch.run(document(pems, daemon={"debug": True}))
    scratch.put("/etc/docker/daemon.json", '{"live-restore": true}')
    alone = {"certs-only": True, "protectedSettings": {"certs": pems.settings()}}
    assert scratch.run(alone)["ok"]
    assert scratch.text("/etc/docker/daemon.json") == '{"live-restore": true}'
    assert scratch.call("--verify")["differences"] == [
        "/etc/docker/daemon.json no longer has the pushed value of debug"
    ]


def test_certificates_only_need_settings_that_are_there(scratch: Scratch, pems: Pems) -> None:
    alone = {"certs-only": True, "protectedSettings": {"certs": pems.settings()}}
    assert "no record of settings with a port" in scratch.run(alone)["error"]
    assert not scratch.exists("/etc/docker/key.pem")
    assert "certs-only is set without certs" in scratch.run({"certs-only": True})["error"]


def test_another_ca_is_refused_unless_asked_for(scratch: Scratch, pems: Pems, other_pems: Pems) -> None:
    scratch.run(document(pems))
    before = scratch.files()
    refused = scratch.run(document(other_pems))
    assert "trusts the CA" in refused["error"]
    assert {n: c for n, c in scratch.files().items() if "log" not in n} == {
        n: c for n, c in before.items() if "log" not in n
    }
    both = document(Pems(pems.ca + other_pems.ca, other_pems.cert, other_pems.key))
    assert scratch.run(both)["ok"]
    assert scratch.run(document(other_pems))["ok"]
    assert scratch.run({**document(pems), "replace-ca": True})["ok"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ({"settings": {"docker": {"ports": "1"}}}, "docker has no setting 'ports'"),
        ({"settings": {"docker": {"port": 4243}}}, "docker.port is not of type str"),
        ({"settings": {"docker": {"port": "4243"}}}, "without certs"),
        ({"settings": {"docker": {"port": "70000"}}}, "not a port"),
        ({"settings": {"docker": {"options": ["-H=tcp://0.0.0.0"]}}}, "docker.options[0]: must be of the form --name"),
        ({"settings": {"docker": {"options": ["--tlsverify=false"]}}}, "must not hold --tlsverify"),
        ({"settings": {"docker": {"daemon": {"hosts": []}}}}, "docker.daemon: must not contain hosts"),
        ({"settings": {"docker": {"engine": {"source": "snap"}}}}, "not one of"),
        ({"protectedSettings": {"certs": {"ca": "%%%"}}}, "certs.ca is not base64"),
        ({"protectedSettings": {"certs": {"ca": "LS0tLS1CRUdJTiA="}}}, "certs needs ca, cert and key"),
        ({"protectedSettings": {"logins": [{"username": "u"}]}}, "lacks username or password"),
        ({"settings": {"compose-projects": {"Web": {"file": ""}}}}, "lower case"),
        ({"format": True}, "format is not of type int"),
    ],
)
def test_bad_settings_change_nothing(scratch: Scratch, settings: t.Any, problem: str) -> None:
    result = scratch.run(settings)
    assert problem in result["error"]
    assert not result["changes"]
    assert sorted(scratch.files()) == ["etc/os-release", "var/log/docker-host-setup.log"]


def test_pair_that_does_not_belong_together(scratch: Scratch, pems: Pems, other_pems: Pems) -> None:
    result = scratch.run(document(Pems(pems.ca, pems.cert, other_pems.key)))
    assert "do not belong together" in result["error"]
    assert not scratch.exists("/etc/docker")


def test_daemon_json_of_others_that_fights(scratch: Scratch, pems: Pems) -> None:
    scratch.put("/etc/docker/daemon.json", '{"hosts": ["unix:///run/docker.sock"]}')
    assert "sets hosts" in scratch.run(document(pems))["error"]
    scratch.put("/etc/docker/daemon.json", "{oops")
    assert "is not JSON" in scratch.run(document(pems))["error"]
    assert scratch.text("/etc/docker/daemon.json") == "{oops"


def test_options_of_the_old_extension_that_fight(scratch: Scratch, pems: Pems) -> None:
    scratch.put("/etc/default/docker", 'DOCKER_OPTS="--tlsverify -H=0.0.0.0:4243"\n')
    assert "/etc/default/docker" in scratch.run(document(pems))["error"]


def test_forget_removes_the_handlers_copy(scratch: Scratch, tmp_path: Path, pems: Pems) -> None:
    copy = tmp_path / "script.sh"
    copy.write_text("secrets", encoding="utf-8")
    assert scratch.run(document(pems), "--forget", str(copy))["ok"]
    assert not copy.exists()
    copy.write_text("secrets", encoding="utf-8")
    assert not scratch.run("{", "--forget", str(copy))["ok"]
    assert not copy.exists()


def test_root_by_environment(scratch: Scratch, tmp_path: Path) -> None:
    settings = tmp_path / "empty.json"
    settings.write_text("{}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--settings", str(settings)],
        env={**os.environ, "DOCKER_SETUP_ROOT": str(scratch.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f'"root": "{scratch.root}"' in done.stdout


def test_verify_without_record(scratch: Scratch) -> None:
    assert scratch.call("--verify")["differences"] == ["this program has left no record on this machine"]
    assert list(scratch.files()) == ["etc/os-release"]


def test_api_use_by_vermin() -> None:
    """Not only the syntax, but also what is used of the standard library is there in Python 3.6."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "vermin"), "-t=3.6-", "--violations", "--no-tips", str(PROGRAM)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def spoil_compose(scratch: Scratch, pems: Pems) -> dict[str, t.Any]:
    """Settings whose run fails after the engine was configured: where a project is to be written there is a file."""
    scratch.put("/etc/docker/compose", "in the way")
    settings = document(pems, daemon={"debug": True})
    settings["settings"]["compose-projects"] = {"web": {"file": "services: {}"}}
    settings["protectedSettings"]["logins"] = [{"server": "r.example.com", "username": "u", "password": "wrong one"}]
    return settings


def test_a_run_that_fails_after_the_engine_is_configured_leaves_its_record(
    scratch: Scratch, pems: Pems, other_pems: Pems
) -> None:
    scratch.put("/etc/docker/daemon.json", '{"log-driver": "local"}')
    settings = spoil_compose(scratch, pems)
    failed = scratch.run(settings)
    assert (failed["ok"], failed["stage"]) == (False, "compose")
    assert scratch.call("--verify")["differences"][0] == "the last run did not end well"
    # The next run knows the CA that is trusted, and what is ours.
    assert "trusts the CA" in scratch.run(document(other_pems))["error"]
    scratch.run(settings)
    copies = {name for name in scratch.files() if name.endswith(".before-docker-host")}
    assert copies == {"etc/docker/daemon.json.before-docker-host"}
    assert scratch.run(document(pems))["ok"]
    assert scratch.call("--verify")["differences"] == []
    assert '"debug"' not in scratch.text("/etc/docker/daemon.json")


def test_what_a_failed_run_left_is_taken_away(scratch: Scratch, pems: Pems) -> None:
    scratch.run(spoil_compose(scratch, pems))
    (scratch.root / "etc/docker/compose").unlink()
    assert scratch.run({"state": "absent"})["ok"]
    assert {name for name in scratch.files() if name.startswith(("etc/", "var/lib/docker-host/s"))} == {
        "etc/os-release"
    }


def test_a_configuration_without_a_record_is_known_by_its_drop_in(
    scratch: Scratch, pems: Pems, other_pems: Pems
) -> None:
    scratch.run(document(pems))
    (scratch.root / "var/lib/docker-host/state.json").unlink()
    assert "trusts the CA" in scratch.run(document(other_pems))["error"]
    assert scratch.run({"state": "absent"})["changes"] == [
        "remove /etc/docker/ca.pem",
        "remove /etc/docker/cert.pem",
        "remove /etc/docker/key.pem",
        f"remove {DROP_IN}",
    ]
    assert not scratch.exists("/etc/docker/key.pem.before-docker-host")


def test_certificates_of_others_are_left_alone_where_none_are_wanted(scratch: Scratch) -> None:
    scratch.put("/etc/docker/key.pem", "a foreign key")
    scratch.run(document())
    scratch.run(document(options=["--debug"]))
    scratch.run({"state": "absent"})
    assert scratch.text("/etc/docker/key.pem") == "a foreign key"


@pytest.mark.parametrize("python", interpreters())
def test_a_ca_that_was_renewed_with_its_key_is_the_same_ca(tmp_path: Path, python: str) -> None:
    tree = Scratch(tmp_path / "root", python)
    tree.put("/etc/os-release", OS_RELEASES["debian12"])
    old, renewed, stranger = make_renewed()
    tree.run(document(old))
    assert "trusts the CA" in tree.run(document(stranger))["error"]
    assert tree.run(document(renewed))["ok"]
    assert tree.text("/etc/docker/ca.pem") == renewed.ca.decode()
    assert "trusts the CA" in tree.run(document(stranger))["error"]
    # The record's word counts, not that of a file that somebody has put there.
    tree.put("/etc/docker/ca.pem", stranger.ca.decode())
    assert "trusts the CA" in tree.run(document(stranger))["error"]


def test_certificates_alone_do_not_make_a_failed_run_a_good_one(scratch: Scratch, pems: Pems) -> None:
    scratch.run(spoil_compose(scratch, pems))
    assert scratch.run({"certs-only": True, "protectedSettings": {"certs": pems.settings()}})["ok"]
    assert scratch.call("--verify")["differences"][0] == "the last run did not end well"


def test_a_compose_project_with_characters_beyond_the_first_plane(scratch: Scratch) -> None:
    """YAML does not know the two escapes that JSON writes for them."""
    definition = {"services": {"a": {"labels": {"note": "done \U0001f600 \u00e4"}}}}
    assert scratch.run({"settings": {"compose": definition}})["ok"]
    assert yaml.safe_load(scratch.text("/etc/docker/compose/compose/compose.yaml")) == definition


def test_data_is_removed_with_everything_in_it(scratch: Scratch, pems: Pems) -> None:
    scratch.put("/etc/docker/daemon.json", '{"data-root": "/big/docker"}')
    scratch.run(document(pems))
    for folder in ("/big/docker", "/var/lib/containerd"):
        scratch.put(folder + "/a/b", "x")
    result = scratch.run({"state": "absent", "remove": ["data"]})
    assert [change for change in result["changes"] if change.startswith("remove /big") or "containerd" in change] == [
        "remove /big/docker",
        "remove /var/lib/containerd",
    ]
    assert not scratch.exists("/big/docker")
    assert scratch.run({"state": "absent", "remove": ["data"]})["changes"] == []


def test_files_of_others_in_a_data_root_that_is_not_only_the_engines_stay(scratch: Scratch, pems: Pems) -> None:
    scratch.run(document(pems, daemon={"data-root": "/data"}))
    for path in ("/data/overlay2/x/diff", "/data/volumes/v/_data/x", "/data/0.0/x", "/data/backup/x", "/data/notes"):
        scratch.put(path, "x")
    result = scratch.run({"state": "absent", "remove": ["data"]})
    assert "remove /data" in result["changes"]
    assert any("/data stays" in note for note in result["notes"])
    assert sorted(path.name for path in (scratch.root / "data").iterdir()) == ["backup", "notes"]
    assert scratch.run({"state": "absent", "remove": ["data"]})["changes"] == []


@pytest.mark.parametrize("mode", [None, 0o640])
def test_a_password_in_daemon_json_is_for_root_alone(scratch: Scratch, pems: Pems, mode: int | None) -> None:
    path = scratch.root / "etc/docker/daemon.json"
    if mode:
        scratch.put("/etc/docker/daemon.json", '{"debug": true}').chmod(mode)
    proxies = {"http-proxy": "http://user:hunter2@proxy:3128"}
    scratch.run(document(pems, daemon={"proxies": proxies}))
    assert path.stat().st_mode & 0o777 == 0o600
    scratch.run({"state": "absent"})
    assert (path.stat().st_mode & 0o777 if path.exists() else None) == mode


def test_data_to_which_a_link_leads_is_removed_and_link_and_folder_stay(scratch: Scratch, pems: Pems) -> None:
    """dockerd makes no directory where a link leads nowhere."""
    scratch.put("/big/docker/a/b", "x")
    scratch.put("/big/docker/c", "x")
    scratch.put("/elsewhere/d", "x")
    (scratch.root / "big/docker/link").symlink_to(scratch.root / "elsewhere")
    (scratch.root / "var/lib").mkdir(parents=True)
    (scratch.root / "var/lib/docker").symlink_to(scratch.root / "big/docker")
    scratch.run(document(pems))
    assert "remove /var/lib/docker" in scratch.run({"state": "absent", "remove": ["data"]})["changes"]
    assert list((scratch.root / "big/docker").iterdir()) == []
    assert (scratch.root / "var/lib/docker").is_symlink()
    assert scratch.exists("/elsewhere/d")
    assert scratch.run({"state": "absent", "remove": ["data"]})["changes"] == []
