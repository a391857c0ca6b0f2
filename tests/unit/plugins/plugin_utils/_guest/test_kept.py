# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings that a push leaves out: the machine keeps those that it has."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.sections import SECTIONS

from .conftest import Pems, Scratch

COPY = "/var/lib/docker-host/settings.json"
DROP_IN = "/etc/systemd/system/docker.service.d/zz-docker-host.conf"
PROXY = {"http": "http://user:hunter2@proxy:3128"}


def whole(pems: Pems) -> dict[str, t.Any]:
    """Settings of several kinds."""
    docker = {"port": "5000", "daemon": {"log-driver": "json-file"}, "options": ["--log-level=debug"]}
    return {
        "digest": "d",
        "settings": {"docker": docker, "compose-projects": {"web": {"file": "services: {}"}}},
        "protectedSettings": {
            "certs": pems.settings(),
            "proxies": PROXY,
            "compose-secrets": {"web": {"TOKEN": "t0p-secret"}},
        },
    }


def leaving_out(*given: str, **docker: t.Any) -> dict[str, t.Any]:
    """Settings that leave out every section but those that are given."""
    keep = sorted(set(SECTIONS) - {*given, *docker})
    return {"digest": "e", "keep": keep, "settings": {"docker": docker}, "protectedSettings": {}}


@pytest.fixture
def configured(scratch: Scratch, pems: Pems) -> Scratch:
    """A machine with settings."""
    assert scratch.run(whole(pems))["ok"]
    return scratch


def configuration(scratch: Scratch) -> dict[str, tuple[int, bytes]]:
    """Every file but those of the program itself."""
    return {name: entry for name, entry in scratch.files().items() if not name.startswith("var/")}


def test_everything_that_is_left_out_stays(configured: Scratch) -> None:
    before, copied = configuration(configured), configured.text(COPY)
    result = configured.run(leaving_out())
    assert (result["ok"], result["changes"], result["port"]) == (True, [], 5000)
    assert configuration(configured) == before
    assert configured.text(COPY) == copied
    assert configured.call("--verify")["differences"] == []


def test_what_is_given_changes_and_the_rest_stays(configured: Scratch) -> None:
    assert configured.run(leaving_out(daemon={"log-driver": "local"}))["changes"] == ["write /etc/docker/daemon.json"]
    assert configured.run(leaving_out("options"))["changes"] == [f"write {DROP_IN}"]
    assert "tcp://0.0.0.0:5000" in configured.text(DROP_IN)
    assert "--log-level" not in configured.text(DROP_IN)
    assert '"local"' in configured.text("/etc/docker/daemon.json")
    assert configured.run(leaving_out())["changes"] == []


def test_new_certificates_with_the_port_that_the_engine_has(configured: Scratch, other_pems: Pems) -> None:
    settings = leaving_out("certs")
    settings["protectedSettings"]["certs"] = other_pems.settings()
    settings["replace-ca"] = True
    result = configured.run(settings)
    assert result["port"] == 5000
    assert "write /etc/docker/key.pem" in result["changes"]
    assert not any(DROP_IN in line for line in result["changes"])


def test_the_copy_is_for_root_alone_and_has_no_key(configured: Scratch, pems: Pems) -> None:
    mode, content = configured.files()[COPY.lstrip("/")]
    assert mode == 0o600
    assert b"t0p-secret" in content
    assert not any(line.encode() in content for line in pems.key.decode().splitlines()[1:-1])


def test_secrets_that_are_kept_are_not_shown(configured: Scratch) -> None:
    result = configured.run(leaving_out(users=["root"]))
    log = configured.text("/var/log/docker-host-setup.log")
    for secret in ("t0p-secret", "hunter2"):
        assert secret not in str(result)
        assert secret not in log


def test_a_new_machine_has_the_defaults(scratch: Scratch, pems: Pems) -> None:
    assert scratch.run(leaving_out())["port"] is None
    settings = leaving_out("certs")
    settings["protectedSettings"]["certs"] = pems.settings()
    assert scratch.run(settings)["port"] == 4243
    assert "tcp://0.0.0.0:4243" in scratch.text(DROP_IN)


def test_a_record_without_a_copy_is_an_error_that_names_the_settings(configured: Scratch, pems: Pems) -> None:
    (configured.root / COPY.lstrip("/")).unlink()
    before = configuration(configured)
    result = configured.run(leaving_out("daemon", "options"))
    assert not result["ok"]
    assert "has no copy of its settings" in result["error"]
    assert "logins" in result["error"]
    assert "daemon" not in result["error"]
    assert configuration(configured) == before
    assert configured.run(whole(pems))["ok"]
    assert configured.run(leaving_out())["changes"] == []


def test_certificates_that_are_gone_cannot_be_kept(configured: Scratch) -> None:
    (configured.root / "etc/docker/key.pem").unlink()
    assert "/etc/docker/key.pem is gone" in configured.run(leaving_out())["error"]


def test_settings_that_failed_are_not_those_that_are_kept(configured: Scratch) -> None:
    (configured.root / "etc/docker/daemon.json").unlink()
    (configured.root / "etc/docker/daemon.json").mkdir()
    assert not configured.run(leaving_out(options=["--debug"]))["ok"]
    (configured.root / "etc/docker/daemon.json").rmdir()
    assert configured.run(leaving_out())["ok"]
    assert "--log-level=debug" in configured.text(DROP_IN)


def test_the_copy_goes_with_the_configuration(configured: Scratch, pems: Pems) -> None:
    assert configured.run({"digest": "f", "state": "absent"})["ok"]
    assert not configured.exists(COPY)
    settings = leaving_out("certs")
    settings["protectedSettings"]["certs"] = pems.settings()
    assert configured.run(settings)["port"] == 4243


def test_certificates_alone_leave_the_copy(configured: Scratch, pems: Pems) -> None:
    before = configured.text(COPY)
    assert configured.run({"digest": "g", "certs-only": True, "protectedSettings": {"certs": pems.settings()}})["ok"]
    assert configured.text(COPY) == before
