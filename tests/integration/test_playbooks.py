# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks as a user runs them, judged by the docker CLI and by the requests that Azure got."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t

import pytest

from .conftest import REPOSITORY, Ran, User, needs_docker


@needs_docker
def test_predict_create_again(user: User) -> None:
    shown = {"ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    terse = {**shown, "ANSIBLE_DISPLAY_OK_HOSTS": "false"}
    predicted = user.play("create_docker_host", "--check", "--diff", name="web1", environment=shown)
    assert predicted.changed == {"localhost": 4}
    assert user.writes() == []
    assert user.files() == []

    made = user.play("create_docker_host", name="web1", environment=terse)
    assert made.changed == predicted.changed
    assert '"docker_hosts":{"web1":{' in "".join(made.output.split("CUSTOM STATS")[1].split())
    assert "CUSTOM STATS" not in predicted.output
    # A preview and a result name the same changes; the preview does not say how to connect.
    announced = _block(predicted.output, "Check mode: nothing was changed. web1 would be created:")
    assert announced == [
        line for line in _block(made.output, "web1 was created:") if not line.startswith("  on the VM")
    ]
    assert any(
        line.startswith("  create virtual machine web1: Standard_B2als_v2 in westeurope, ") for line in announced
    )
    assert "docker --context" not in predicted.output
    assert user.writes() != []
    summary = (
        "Addresses: web1-",
        "Ports: 4243 (Docker) from Internet; 22 (SSH) closed",
        "expire: host 2",
    )
    for line in (*summary, "docker --context web1 info", "docker --tlsverify --tlscacert"):
        assert line in made.output
    name = user.docker("--context", "web1", "info", "--format", "{{.Name}}").strip()
    url = user.docker("context", "inspect", "web1", "--format", "{{.Endpoints.docker.Host}}").strip()
    assert url.startswith("tcp://web1-")
    environment = {"DOCKER_HOST": url, "DOCKER_TLS_VERIFY": "1"}
    assert user.docker("info", "--format", "{{.Name}}", **environment).strip() == name
    by_address = {**environment, "DOCKER_HOST": f"tcp://{user.address('web1')}:4243"}
    assert user.docker("info", "--format", "{{.Name}}", **by_address).strip() == name
    stranger = user.home / "stranger"
    stranger.mkdir()
    (stranger / "ca.pem").write_bytes((user.docker_directory / "ca.pem").read_bytes())
    refused = user.docker("info", fails=True, **{**environment, "DOCKER_CERT_PATH": str(stranger)})
    # The engine closes at once: the client sees the TLS alert, or only that it can't write any more.
    assert "certificate required" in refused or "error during connect" in refused

    before = user.contents()
    again = user.play("create_docker_host", name="web1")
    assert again.changed == {"localhost": 0}
    for line in ("web1 is as desired: nothing needed to change.\n", "\n  docker --context web1 info\n", *summary):
        assert line in again.output
    assert user.play("create_docker_host", "--check", name="web1").changed == {"localhost": 0}
    assert user.writes() == []
    assert user.contents() == before


@pytest.mark.slow
@needs_docker
def test_another_port(user: User) -> None:
    user.play("create_docker_host", name="web1")
    user.writes()
    ran = user.play("create_docker_host", name="web1", port="5000")
    assert ran.changed == {"localhost": 3}
    assert not [line for line in user.writes() if "virtualNetworks" in line or "publicIPAddresses" in line]
    assert "5000" in user.docker("context", "inspect", "web1")
    user.docker("--context", "web1", "info")
    assert user.play("create_docker_host", name="web1", port="5000").changed == {"localhost": 0}


@pytest.mark.slow
def test_stop_and_start(user: User) -> None:
    user.play("create_docker_host", name="web1", allowed_sources=["198.51.100.0/24"])
    user.writes()
    predicted = user.play("stop_docker_host", "--check", name="web1")
    assert predicted.changed == {"localhost": 1}
    assert "Check mode: nothing was changed. web1 would be deallocated: only its" in predicted.output
    assert "Start it again" not in predicted.output
    assert user.writes() == []
    assert user.play("stop_docker_host", name="web1").changed == {"localhost": 1}
    assert user.play("stop_docker_host", name="web1").changed == {"localhost": 0}
    refused = user.play("rotate_docker_certs", name="web1", fails=True)
    assert "web1 must run to get new certificates, but it is deallocated" in refused.output
    user.writes()
    predicted = user.play("start_docker_host", "--check", name="web1")
    assert predicted.changed == {"localhost": 1}
    assert "Check mode: nothing was changed. web1 would be changed:\n  start virtual machine web1\n" in predicted.output
    for check in (["--check"], []):
        refused = user.play("create_docker_host", *check, name="web1", port=2376, fails=True)
        assert "web1 is deallocated, so it cannot take all changes, and nothing was changed" in refused.output
    assert user.writes() == []
    started = user.play("start_docker_host", name="web1")
    assert started.changed == {"localhost": 1}
    ports = "Ports: 4243 (Docker) and 22 (SSH); the network security group controls access"
    for line in ("docker --context web1 info", ports, "expire: host 2"):
        assert line in started.output
    assert user.play("start_docker_host", name="web1").changed == {"localhost": 0}
    assert not [line for line in user.writes() if line.startswith(("PUT", "DELETE"))]
    missing = user.play("start_docker_host", name="web2", fails=True)
    assert "The host web2 does not exist" in missing.output
    assert user.play("restart_docker_host", name="web1").changed == {"localhost": 1}
    assert any(line.startswith("POST ") and line.endswith("/restart") for line in user.writes())


def test_commands_of_docker_machine(user: User) -> None:
    user.play("create_docker_host", name="web1")
    user.writes()
    table = user.play("list_docker_hosts").output.splitlines()
    columns = next(line for line in table if line.startswith("NAME"))
    assert columns.split("  ")[0] == "NAME"
    row = next(line for line in table if line.startswith("web1 ")).split()
    assert (row[1], row[4], row[6]) == ("running", "4243", "Standard_B2als_v2")
    assert row[2].startswith("web1-")
    assert 300 < int(row[5]) < 400
    listed = _json_of(user.play("list_docker_hosts", output="json").output)
    assert [(host["name"], host["docker_host"]) for host in listed] == [("web1", f"tcp://{row[2]}:4243")]
    refused = user.play("list_docker_hosts", fails=True, output="yaml").output
    assert "docker_host_output: must be one of text, json, ssh_config, got 'yaml'" in refused
    assert "lookup plugin" not in refused
    ssh = user.play("list_docker_hosts", output="ssh_config", resource_gruop="web").output
    assert "did you mean docker_host_resource_group?" in ssh
    assert f"Host web1\n  HostName {row[2]}\n  User azureuser\n  Port 22\n" in ssh

    healthy = _json_of(user.play("verify_docker_host", name="web1", output="json").output)
    assert (healthy["name"], healthy["ok"]) == ("web1", True)
    assert "web1 is healthy: Docker " in user.play("verify_docker_host", name="web1").output
    expiring = user.play("verify_docker_host", name="web1", output="json", server_renew_before="+9999d", fails=True)
    report = _json_of(expiring.output)
    assert (report["name"], report["ok"]) == ("web1", False)
    assert "must be renewed" in report["error"]

    for name, problem in (("web2", "must be a host whose address is known, got web2"), ("WEB1", "must be spelled as")):
        assert f"docker_host_name: {problem}" in user.play("docker_host_env", name=name, fails=True).output
    file = user.home / "web1.env"
    shown = user.play("docker_host_env", name="web1", env_file=str(file)).output
    lines = file.read_text().splitlines()
    assert f"export DOCKER_HOST=tcp://{row[2]}:4243" in lines
    assert f"export DOCKER_CERT_PATH={user.docker_directory}" in lines
    assert "\n".join(lines) in shown
    assert file.stat().st_mode & 0o777 == 0o600
    fish = user.play("docker_host_env", name="web1", env_shell="fish").output
    assert f"set -gx DOCKER_HOST 'tcp://{row[2]}:4243'" in fish
    assert user.writes() == []


def test_access_is_widened_only_with_a_warning_and_a_line_in_the_summary(user: User) -> None:
    given = {"name": "web1", "wait": False}
    user.play("create_docker_host", **given, allowed_sources=["198.51.100.0/24"])
    user.writes()
    for left_out in ({}, {"allowed_sources": None}):
        kept = user.play("create_docker_host", **given, **left_out)
        assert kept.changed == {"localhost": 0}
        assert "4243 (Docker) from 198.51.100.0/24" in " ".join(kept.output.split())
    refused = user.play("create_docker_host", **given, allowed_sources=" , ", fails=True)
    assert "docker_host_allowed_sources: must have at least one source" in " ".join(refused.output.split())
    assert user.writes() == []
    opened = " ".join(user.play("create_docker_host", "--check", **given, allowed_sources="default").output.split())
    widened = "Docker port 4243 of web1 after this run: Internet; until now 198.51.100.0/24."
    assert opened.count(widened) == 2, opened[-3000:]


def test_delete(user: User) -> None:
    user.play("create_docker_host", name="web1")
    user.play("create_docker_host", name="web2")
    assert user.play("delete_docker_host", "--check", name="web1").changed == {"localhost": 3}
    elsewhere = user.play("delete_docker_host", name="web1", resource_group="elsewhere")
    assert elsewhere.changed == {"localhost": 0}
    # What Azure refuses to delete keeps its context and its certificates.
    before = user.contents()
    locked = {"status": 409, "code": "ScopeLocked", "message": "The scope is locked.", "method": "DELETE"}
    user.azure.fault("status", path="/virtualMachines/web1", times=1, **locked)
    assert "`az lock list` shows it" in user.play("delete_docker_host", name="web1", fails=True).output
    assert user.contents() == before
    ran = user.play("delete_docker_host", name="web1")
    assert ran.changed == {"localhost": 3}
    assert "Deleted web1:" in ran.output
    group = user.variables["docker_host_resource_group"]
    left = [path for path in user.azure.dump() if f"/{group}/" in path.lower()]
    assert left
    assert not [path for path in left if "web1" in path]
    assert not [path for path in user.files() if "web1" in path]
    assert [path for path in user.files() if "servers/web2" in path]
    again = user.play("delete_docker_host", name="web1")
    assert again.changed == {"localhost": 0}
    assert "web1 does not exist" in again.output


@pytest.mark.slow
@needs_docker
def test_a_group_of_hosts_and_a_later_play(user: User) -> None:
    user.write_inventory(["n1", "n2", "n3"])
    later = user.home / "site.yml"
    later.write_text(
        json.dumps(
            [
                {"import_playbook": "dockerhost.azure.create_docker_host"},
                {
                    "hosts": "docker_hosts",
                    "gather_facts": False,
                    "tasks": [
                        {
                            "dockerhost.azure.docker_endpoint_info": {"wait": False},
                            "module_defaults": {"group/dockerhost.azure.all": "{{ docker_host_facts.connection }}"},
                            "delegate_to": "localhost",
                            "register": "engine",
                        },
                        {
                            "ansible.builtin.debug": {
                                "msg": "{{ inventory_hostname }}: {{ engine.version.ApiVersion }} at {{ ansible_host }}"
                            }
                        },
                    ],
                },
            ]
        )
    )
    arguments = ("-i", "inventory.json", "-e", "docker_host_targets=docker_hosts", "-f", "10")
    ran = user.play(str(later), *arguments)
    assert ran.changed == {"n1": 4, "n2": 4, "n3": 4}
    rows = _block(
        ran.output.replace("\nn", "\n  n"), next(line for line in ran.output.splitlines() if "RESULT" in line)
    )
    assert [row.split()[:2] for row in rows] == [["n1", "created"], ["n2", "created"], ["n3", "created"]]
    assert ran.output.count("RESULT") == ran.output.count("Connect with:") == 1
    for name in ("n1", "n2", "n3"):
        # There SSH finds it, too.
        assert re.search(rf"{name}: 1\.[0-9]+ at {name}-[a-z0-9.-]+", ran.output)
        user.docker("--context", name, "info")
    assert len(list(user.docker_directory.glob("ca*.pem"))) == 2
    assert user.play(str(later), *arguments).changed == {"n1": 0, "n2": 0, "n3": 0}
    role = "dockerhost.azure.docker_host"
    local = user.home / "local.yml"
    tasks = [{"ansible.builtin.import_role": {"name": role, **part}} for part in ({}, {"tasks_from": "summary"})]
    play = {"hosts": "docker_hosts", "connection": "local", "strategy": "free", "gather_facts": False, "tasks": tasks}
    local.write_text(json.dumps([play]))
    free = user.play(str(local), *arguments)
    assert free.changed == {"n1": 0, "n2": 0, "n3": 0}
    for name in ("n1", "n2", "n3"):
        # Hosts do not wait for each other, so each has a block of its own.
        assert f"\n{name} is as desired: nothing needed to change.\nDocker " in free.output


@pytest.mark.slow
@needs_docker
def test_several_hosts_on_localhost(user: User) -> None:
    """One after the other by a loop: nothing of one host is taken for the next one's."""
    names = ["n1", "n2"]
    include = {
        "ansible.builtin.include_role": {"name": "dockerhost.azure.docker_host"},
        "vars": {"docker_host_name": "{{ item }}"},
        "loop": names,
    }
    ask = {
        "dockerhost.azure.docker_endpoint_info": "{{ hostvars[item].docker_host_facts.connection }}",
        "loop": "{{ groups.docker_hosts }}",
        "register": "engines",
    }
    told = {"ansible.builtin.debug": {"msg": "{{ engines.results | map(attribute='info.Name') | join('+') }}"}}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [include, ask, told]}
    site = user.home / "site.yml"
    site.write_text(json.dumps([play]))
    predicting = user.home / "predicting.yml"
    predicting.write_text(json.dumps([{**play, "tasks": [include]}]))
    assert user.play(str(predicting), "--check").changed == {"localhost": 8}
    assert user.files() == []
    ran = user.play(str(site))
    assert ran.changed == {"localhost": 8}
    assert "n1+n2" in ran.output
    assert user.play(str(site)).changed == {"localhost": 0}
    for name in names:
        user.docker("--context", name, "info")


@pytest.mark.slow
def test_all_by_file(user: User) -> None:
    """From a clone, with no name of the collection typed."""

    def play(playbook: str) -> Ran:
        return user.play(str(REPOSITORY / "playbooks" / f"{playbook}.yml"), name="web1")

    assert play("create_docker_host").changed == {"localhost": 4}
    assert "ubuntu" in play("list_docker_images").output
    assert play("stop_docker_host").changed == {"localhost": 1}
    assert play("start_docker_host").changed == {"localhost": 1}
    assert play("rotate_docker_certs").changed["localhost"] >= 2
    assert "Deleted web1:" in play("delete_docker_host").output


def test_from_a_plain_clone(user: User) -> None:
    """With the files that a clone has, nothing built or installed, and no variable that says where collections are."""
    clone = user.home / "a clone"
    clone.mkdir()
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(listed, cwd=REPOSITORY, check=True, capture_output=True).stdout
    there = b"\0".join(name for name in names.split(b"\0") if name and os.path.lexists(REPOSITORY / os.fsdecode(name)))
    pack = subprocess.run(
        ("tar", "--null", "-T", "-", "-c"), cwd=REPOSITORY, input=there, check=True, capture_output=True
    )
    subprocess.run(("tar", "-x"), cwd=clone, input=pack.stdout, check=True)
    extra = json.dumps({**user.variables, "docker_host_name": "web1"})
    for name, told in (("list_docker_images", "ubuntu"), ("create_docker_host", "web1 would be created")):
        playbook = str(clone / "playbooks" / f"{name}.yml")
        command = ("env", "-u", "ANSIBLE_COLLECTIONS_PATH", "ansible-playbook", playbook, "--check", "-e", extra)
        ran = user.run(*command)
        assert ran.code == 0, ran.output
        assert told in ran.output


def test_images_with_the_roles_credentials(user: User) -> None:
    """By variables, as for every other playbook; the environment has none."""
    azure = user.azure
    given = {
        "client_id": azure.client_id, "secret": azure.secret, "tenant": azure.tenant, "cloud_ca_path": azure.ca_file,
        "subscription_id": azure.subscription_id, "cloud_environment": azure.url, "auth_source": "auto",
    }  # fmt: skip
    variables = {f"docker_host_{key}": value for key, value in given.items()} | {"docker_images_family": "debian-12"}
    nothing = [word for name in os.environ | azure.environment if name.startswith("AZURE_") for word in ("-u", name)]
    playbook = ("ansible-playbook", "dockerhost.azure.list_docker_images", "-e")
    ran = user.run("env", *nothing, *playbook, json.dumps(variables))
    assert ran.code == 0, ran.output
    assert "Debian:debian-12:" in ran.output
    refused = user.run(*playbook, json.dumps({"docker_host_client_id": "nobody", "docker_host_auth_source": "auto"}))
    assert refused.code != 0


@pytest.mark.slow
def test_all_by_import(user: User) -> None:
    """In somebody's own playbook, in one run."""
    names = [path.stem for path in (REPOSITORY / "playbooks").glob("*.yml")]
    order = ["create", "list", "docker_host_env", "verify", "sign", "stop", "start", "restart", "rotate", "delete"]
    ordered = [name for verb in order for name in names if name.startswith(verb)]
    assert sorted(ordered) == sorted(names)
    site = user.home / "site.yml"
    site.write_text(json.dumps([{"ansible.builtin.import_playbook": f"dockerhost.azure.{name}"} for name in ordered]))
    asked = {"client_name": "anna", "client_request": str(user.make_request("anna"))}
    output = user.play(str(site), name="web1", **asked).output
    for line in ("docker --context web1 info", "Signed for anna, valid until", "web1 is deallocated", "Deleted web1:"):
        assert line in output
    group = user.variables["docker_host_resource_group"]
    assert not [path for path in user.azure.dump() if f"/{group}/" in path.lower() and "/web1" in path.lower()]


def test_somebody_elses_files_stay(user: User) -> None:
    user.docker_directory.mkdir()
    (user.docker_directory / "ca.pem").write_text("mine")
    ran = user.play("create_docker_host", name="web1", fails=True)
    assert "ca.pem" in ran.output
    assert "docker_host_adopt_certificates" in ran.output
    assert user.writes() == []
    assert (user.docker_directory / "ca.pem").read_text() == "mine"


@pytest.mark.slow
@needs_docker
def test_somebody_elses_context_stays(user: User) -> None:
    user.docker("context", "create", "web1", "--docker", "host=tcp://mine:1")
    ran = user.play("create_docker_host", name="web1", fails=True)
    assert "was not created by this collection" in ran.output
    assert "docker_host_adopt_context" in ran.output
    assert user.writes() == []
    made = user.play("create_docker_host", name="web1", context_name="web1-azure")
    assert made.changed == {"localhost": 4}
    # With certificates, too, it is seen before the first change.
    user.writes()
    again = user.play("create_docker_host", name="web1", port=5000, fails=True)
    assert "Or set docker_host_context=false" in " ".join(again.output.split())
    assert user.writes() == []
    deleted = user.play("delete_docker_host", name="web1")
    assert "The Docker context web1 was not created by this collection, so it stays" in " ".join(deleted.output.split())
    assert deleted.changed == {"localhost": 2}
    assert "tcp://mine:1" in user.docker("context", "inspect", "web1")


def test_no_secret_at_the_highest_verbosity(user: User) -> None:
    """Of all that the role takes, makes or sends."""
    words = {
        name: f"Correct-{name}-7-battery" for name in ("login", "passphrase", "custom", "user", "compose", "proxy")
    }
    given = {
        "docker_host_admin_password": "Correct-horse-7-battery",
        "docker_host_ca_key_passphrase": words["passphrase"],
        "docker_host_custom_data": f"#!/bin/sh\n# {words['custom']}\n",
        "docker_host_user_data": words["user"],
        "docker_host_logins": [{"server": "registry.example", "username": "me", "password": words["login"]}],
        "docker_host_compose": [{"name": "a", "content": "services: {}", "secrets": {"TOKEN": words["compose"]}}],
        "docker_host_docker": {"proxies": {"https": f"http://me:{words['proxy']}@proxy.example:3128"}},
    }
    (user.home / "secrets.yml").write_text(json.dumps(given))
    # Whether it ends well on a machine without a registry and a proxy is not the question.
    extra = {**user.variables, "docker_host_name": "web1", "docker_host_endpoint_wait_timeout": 5}
    arguments = ("-vvvvv", "--diff", "-e", "@secrets.yml", "-e", json.dumps(extra))
    ran = user.run("ansible-playbook", "dockerhost.azure.create_docker_host", *arguments)
    assert "Push the Docker settings" in ran.output, ran.output[-3000:]
    keys = [path.read_text() for path in user.docker_directory.rglob("*key.pem")]
    # CA, client, host, and the client's copy in the context, if the run came that far.
    assert len(keys) >= 3
    secrets = [user.azure.secret, given["docker_host_admin_password"], *words.values()]
    secrets += ["".join(key.splitlines()[1:-1])[:40] for key in keys] + [key.splitlines()[1] for key in keys]
    assert [secret for secret in secrets if secret in ran.output] == []


def _json_of(output: str) -> t.Any:
    """Return what the one line of JSON in an output says."""
    return json.loads(next(line for line in output.splitlines() if line.startswith(('{"', '[{"'))))


def _block(output: str, headline: str) -> list[str]:
    """Return the indented lines after a line."""
    lines = output.splitlines()
    rest = lines[lines.index(headline) + 1 :]
    return rest[: next(index for index, line in enumerate(rest) if not line.startswith("  "))]
