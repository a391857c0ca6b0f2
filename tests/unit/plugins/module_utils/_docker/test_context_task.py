# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docker_context: what it writes, as the real docker CLI and OpenSSH read it."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError

from .conftest import HOST, Setup, needs_docker


@needs_docker
def test_the_cli_lists_inspects_and_selects_it(setup: Setup) -> None:
    result = setup.run(docker_host=HOST, description="a host", current=True, **setup.files)
    assert result["changed"]
    assert result["current_context"] == "web1"
    listed = [json.loads(line) for line in setup.docker("context", "ls", "--format", "json").splitlines()]
    mine = next(entry for entry in listed if entry["Name"] == "web1")
    assert mine["Current"] is True
    assert mine["DockerEndpoint"] == HOST
    assert mine["Description"] == "a host"
    assert mine["Error"] == ""
    (inspected,) = json.loads(setup.docker("context", "inspect", "web1"))
    assert inspected["Endpoints"]["docker"] == {"Host": HOST, "SkipTLSVerify": False}
    assert inspected["TLSMaterial"] == {"docker": ["ca.pem", "cert.pem", "key.pem"]}
    assert inspected["Storage"]["TLSPath"] + "/docker" == result["context"]["tls_directory"]
    assert setup.docker("context", "show").strip() == "web1"


@needs_docker
def test_the_cli_uses_it_against_an_engine(setup: Setup, engines: t.Any, certificates: t.Any) -> None:
    with engines.SmallEngine(certificates=certificates.server) as engine:
        setup.run(docker_host=f"tcp://localhost:{engine.port}", **setup.files)
        out = setup.docker("--context", "web1", "version", "--format", "{{.Server.Version}}")
    assert out.strip() == engines.VERSION["Version"]


def test_again_without_change_and_check_mode(setup: Setup) -> None:
    predicted = setup.run(docker_host=HOST, check_mode=True, current=True, **setup.files)
    assert setup.tree() == {}
    assert not setup.config.exists()
    made = setup.run(docker_host=HOST, current=True, **setup.files)
    assert made == predicted
    before = setup.tree()
    again = setup.run(docker_host=HOST, current=True, **setup.files)
    assert again["changed"] is False
    assert again["diff"] == {"before": {}, "after": {}}
    assert setup.tree() == before


def test_check_mode_before_the_certificates_are_made(setup: Setup) -> None:
    files = {"ca_path": "/nowhere/ca.pem", "client_cert": "/nowhere/cert.pem", "client_key": "/nowhere/key.pem"}
    result = setup.run(docker_host=HOST, check_mode=True, **t.cast("dict[str, t.Any]", files))
    assert result["diff"]["after"]["key.pem"] == "not known yet"
    with pytest.raises(OptionError):
        setup.run(docker_host=HOST, **t.cast("dict[str, t.Any]", files))


def test_check_mode_after_the_certificates_would_have_been_made_anew(setup: Setup) -> None:
    setup.run(docker_host=HOST, **setup.files)
    pending = {"docker_host": HOST, "pending_files": [setup.files["client_cert"]], **setup.files}
    predicted = setup.run(check_mode=True, **pending)
    assert predicted["changed"]
    assert list(predicted["diff"]["after"]) == ["cert.pem"]
    assert setup.run(**pending)["changed"] is False


def test_renewed_certificates_are_copied_again(setup: Setup, certificates: t.Any, tmp_path: pathlib.Path) -> None:
    setup.run(docker_host=HOST, **setup.files)
    renewed = tmp_path / "renewed"
    certificates.authority.issue(renewed, server=False)
    files: dict[str, t.Any]
    files = {"ca_path": f"{renewed}/ca.pem", "client_cert": f"{renewed}/cert.pem", "client_key": f"{renewed}/key.pem"}
    result = setup.run(docker_host=HOST, **files)
    assert result["changed"]
    assert sorted(result["diff"]["after"]) == ["cert.pem", "key.pem"]
    directory = pathlib.Path(result["context"]["tls_directory"])
    assert (directory / "key.pem").read_bytes() == (renewed / "key.pem").read_bytes()


def test_context_that_loses_its_certificates(setup: Setup) -> None:
    setup.run(docker_host=HOST, **setup.files)
    result = setup.run(docker_host="ssh://me@web1.example")
    assert result["changed"]
    assert result["context"]["tls_directory"] is None
    assert not list((setup.config / "contexts/tls").rglob("*.pem"))
    assert result["docker_env"] == {"DOCKER_HOST": "ssh://me@web1.example"}


@needs_docker
def test_foreign_context_is_left_alone(setup: Setup) -> None:
    setup.docker("context", "create", "web1", "--docker", "host=tcp://mine:1")
    setup.docker("context", "use", "web1")
    before = setup.tree()
    with pytest.raises(DockerHostError, match=r"was not created by this collection.*adopt"):
        setup.run(docker_host=HOST)
    left = setup.run(state="absent")
    assert left["changed"] is False
    assert left["current_context"] == "web1"
    assert "web1 was not created by this collection, so it stays" in setup.warnings[-1]
    assert {key: value for key, value in setup.tree().items() if not key.endswith(".lock")} == before
    assert setup.run(docker_host=HOST, adopt=True)["changed"]
    assert setup.run(docker_host=HOST)["changed"] is False


def machine(group: str, url: str = HOST) -> dict[str, t.Any]:
    """The result host of docker_vm_host, as far as it matters here."""
    path = f"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/{group}"
    return {"name": "web1", "id": f"{path}/providers/Microsoft.Compute/virtualMachines/web1", "docker_host": url}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_context_that_leads_to_another_host_is_not_redirected(setup: Setup, check_mode: bool) -> None:
    tls = {"tls": setup.files}
    setup.run(host=machine("one"), **tls)
    before = setup.tree()
    with pytest.raises(DockerHostError, match=r"leads to another host, /subscriptions/.*/resourceGroups/one/.*adopt"):
        setup.run(host=machine("two"), check_mode=check_mode, **tls)
    assert setup.tree() == before
    assert setup.run(host=machine("two"), adopt=True, **tls)["changed"]
    assert setup.run(host=machine("two"), **tls)["changed"] is False
    with pytest.raises(DockerHostError, match="leads to another host"):
        setup.run(host=machine("one"), **tls)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_context_that_leads_to_another_host_is_not_removed(setup: Setup, check_mode: bool) -> None:
    setup.run(host=machine("one"), tls=setup.files, current=True)
    before = setup.tree()
    without_subscription = {"id": "/resourceGroups/two/providers/Microsoft.Compute/virtualMachines/web1"}
    for other in (machine("two"), without_subscription):
        result = setup.run(state="absent", host=other, check_mode=check_mode)
        assert (result["changed"], result["of_another_host"], result["current_context"]) == (False, True, "web1")
        assert "leads to another host" in setup.warnings.pop()
    assert setup.tree() == before
    same = {"id": "/resourcegroups/ONE/providers/Microsoft.Compute/virtualMachines/WEB1"}
    result = setup.run(state="absent", host=same, check_mode=check_mode)
    assert (result["changed"], result["of_another_host"]) == (True, False)


def test_another_address_of_the_same_host_changes_the_context(setup: Setup) -> None:
    tls = {"tls": setup.files}
    setup.run(host=machine("one"), **tls)
    moved = setup.run(host=machine("one", "tcp://web1.example:2376"), **tls)
    assert moved["actions"] == [f"Docker context web1: {HOST} -> tcp://web1.example:2376"]
    # A URL of its own says nothing of a host, and forgets it.
    assert setup.run(docker_host="tcp://other.example:2376", **setup.files)["changed"]
    assert setup.run(host=machine("two"), **tls)["changed"]


@needs_docker
def test_the_cli_can_change_ours_and_it_stays_ours(setup: Setup) -> None:
    setup.run(docker_host=HOST, **setup.files)
    setup.docker("context", "update", "web1", "--description", "changed by hand")
    result = setup.run(docker_host=HOST, description="ours", **setup.files)
    assert result["diff"]["before"] == {"description": "changed by hand"}
    setup.docker("context", "rm", "web1")
    assert setup.run(docker_host=HOST, check_mode=True, **setup.files)["diff"]["before"]["exists"] is False


def test_absent_removes_everything_and_the_selection(setup: Setup) -> None:
    setup.config.mkdir()
    config = setup.config / "config.json"
    config.write_text('{"auths": {"registry.example": {"auth": "c2VjcmV0"}}, "unknown": [1]}')
    config.chmod(0o600)
    setup.run(docker_host=HOST, current=True, **setup.files)
    setup.run("other", docker_host=HOST, **setup.files)
    assert setup.run(state="absent", check_mode=True)["current_context"] == "default"
    result = setup.run(state="absent")
    assert result["changed"]
    assert result["current_context"] == "default"
    assert json.loads(config.read_text()) == {"auths": {"registry.example": {"auth": "c2VjcmV0"}}, "unknown": [1]}
    assert config.stat().st_mode & 0o777 == 0o600
    assert len(list((setup.config / "contexts/meta").iterdir())) == 1
    assert len(list((setup.config / "contexts/tls").iterdir())) == 1
    assert setup.run(state="absent")["changed"] is False


def test_selection_alone(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    setup.run(docker_host=HOST)
    assert setup.run(docker_host=HOST)["current_context"] == "default"
    assert setup.run(docker_host=HOST, current=True)["diff"]["after"] == {"current_context": "web1"}
    assert setup.run(docker_host=HOST, current=False)["current_context"] == "default"
    assert setup.warnings == []
    monkeypatch.setenv("DOCKER_HOST", HOST)
    setup.run(docker_host=HOST, current=True)
    assert "DOCKER_HOST is set" in setup.warnings[0]
