# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role beyond a host's creation: what rotations keep, pieces taken alone, several directories, SSH."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from cryptography import x509

from .conftest import Ran, User, needs_docker
from .plays import failures
from .watch import Watch

ROLE = "dockerhost.azure.docker_host"
GROUP = ("-i", "inventory.json", "-e", "docker_host_targets=docker_hosts")


@pytest.fixture
def role(user: User) -> t.Callable[..., Ran]:
    def run(piece: str, *arguments: str, fails: bool = False, **variables: t.Any) -> Ran:
        """One task file of the role alone, in a run of its own."""
        playbook = user.home / f"{piece}.yml"
        task = {"ansible.builtin.import_role": {"name": ROLE, "tasks_from": piece}}
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
        return user.play(str(playbook), *arguments, fails=fails, **variables)

    return run


@pytest.mark.slow
@needs_docker
def test_a_rotation_by_name_keeps_all_but_the_certificates(user: User, role: t.Callable[..., Ran]) -> None:
    """Its name is all that is said; it has another port, settings of its own and a DNS name that leads nowhere."""
    made: dict[str, t.Any] = {
        "name": "web1",
        "port": 5000,
        "docker": {"daemon": {"labels": ["a=b"]}},
        "assign_dns_label": False,
        "dns_names": ["docker.example.com"],
        "ssh_allowed_sources": "198.51.100.0/24",
        "allowed_sources": "Internet",
        "open_ports": "8080,8443",
    }
    created = user.play("create_docker_host", **made)
    ports = (
        "5000 (Docker) from Internet; 22 (SSH) from 198.51.100.0/24; 8080 from Internet; 8443 from Internet",
        "5000 (Docker) and 22 (SSH); the network security group controls access",
    )
    assert f"Ports: {ports[0]}" in created.output
    closed = user.play("create_docker_host", "--check", **{**made, "open_ports": 8080}).output
    assert "close TCP 8443 from Internet" in closed
    assert "8080" not in closed
    url = _context(user, "web1")
    assert re.fullmatch(r"tcp://[0-9.]+:5000", url)
    user.writes()
    predicted = user.play("rotate_docker_certs", "--check", name="web1")
    assert predicted.changed["localhost"] >= 2
    assert user.writes() == []
    with Watch(user, ["web1"]) as watch:
        rotated = user.play("rotate_docker_certs", name="web1", ssh_allowed_sources="198.51.100.0/24")
    watch.check()
    assert not [line for line in user.writes() if "/extensions/" not in line and "/virtualMachines/web1" not in line]
    for line in (f"Ports: {ports[1]}", "expire: host 2", "docker --context web1 info", "  ssh -i "):
        assert line in rotated.output
    assert _context(user, "web1") == url
    assert user.play("create_docker_host", **made).changed == {"localhost": 0}

    assert role("verify", name="web1", endpoint_wait_timeout=1).changed == {"localhost": 0}
    wanting = role("verify", name="web1", server_not_after="+600d", server_renew_before="+500d", fails=True)
    assert "The certificates of web1 must be renewed" in wanting.output
    (user.docker_directory / "contexts").rename(user.home / "contexts")
    unknown = role("verify", name="web1", endpoint_wait_timeout=0, fails=True)
    assert "tcp://docker.example.com:4243" in unknown.output
    (user.home / "contexts").rename(user.docker_directory / "contexts")
    certificates = {"dns_names": ["docker.example.com"], "ip_addresses": [url[6:-5]], "regenerate": "always"}
    assert role("certificates", name="web1", **certificates).changed == {"localhost": 1}
    other = role("verify", name="web1", fails=True)
    assert "the engine shows another certificate than" in other.output


@pytest.mark.slow
@needs_docker
def test_pieces_alone(user: User) -> None:
    """Each as a host of its own in the inventory, so that none has what another found out; delegated elsewhere."""
    pieces = ("virtual_machine", "extension", "context", "endpoint", "verify", "summary")
    hosts: dict[str, t.Any] = {piece: {"docker_host_name": "web1"} for piece in (*pieces, "validation")}
    inventory = {
        "ungrouped": {"hosts": {"elsewhere": {"ansible_connection": "local"}}},
        "pieces": {"hosts": hosts},
        "docker_hosts": {"hosts": {"web1": {}}},
    }
    (user.home / "inventory.json").write_text(json.dumps(inventory))
    playbook = user.home / "pieces.yml"
    tasks = [
        {
            "ansible.builtin.include_role": {"name": ROLE, "tasks_from": piece},
            "when": f"inventory_hostname == '{piece}'",
        }
        for piece in hosts
    ]
    # The validation wants other hosts of the play to have other names.
    plays = [{"hosts": hosts, "gather_facts": False, "tasks": tasks} for hosts in ("pieces:!validation", "validation")]
    playbook.write_text(json.dumps(plays))
    before = user.play(str(playbook), *GROUP, "--check", fails=True)
    said = failures(before)
    assert set(said) == {"extension", "context", "endpoint", "verify", "summary"}
    assert "Nothing is known about the host web1" in said.pop("summary")["msg"]
    for piece, result in said.items():
        assert "has no certificate for web1. Set docker_host_cert_dir" in result["msg"], piece
    delegated = {"delegate_to": "elsewhere"}
    assert user.play("create_docker_host", *GROUP, **delegated).changed == {"web1": 4}
    assert user.play("create_docker_host", *GROUP, **delegated).changed == {"web1": 0}
    assert user.play("create_docker_host", *GROUP).changed == {"web1": 0}
    after = user.play(str(playbook), *GROUP, fails=True)
    assert set(failures(after)) == {"summary"}
    assert after.changed == dict.fromkeys(hosts, 0)


@pytest.mark.slow
@needs_docker
def test_a_directory_for_each_host(user: User) -> None:
    names = ("n1", "n2")
    hosts = {name: {"docker_host_cert_dir": str(user.home / name)} for name in names}
    (user.home / "inventory.json").write_text(json.dumps({"docker_hosts": {"hosts": hosts}}))
    user.play("create_docker_host", *GROUP)
    authorities = [(user.home / name / "ca.pem").read_text() for name in names]
    for rotate in ("leaves", "ca"):
        old = [(user.home / name / "servers" / name / "cert.pem").read_text() for name in names]
        user.play("rotate_docker_certs", *GROUP, rotate=rotate)
        for place, name in enumerate(names):
            user.docker("--context", name, "info")
            assert [path.name for path in (user.home / name / "servers").iterdir()] == [name]
            assert (user.home / name / "servers" / name / "cert.pem").read_text() != old[place]
            assert ((user.home / name / "ca.pem").read_text() == authorities[place]) == (rotate == "leaves")
    assert user.play("create_docker_host", *GROUP).changed == {"n1": 0, "n2": 0}


@pytest.mark.slow
@needs_docker
def test_a_ca_is_not_renewed_for_some_hosts_only(user: User) -> None:
    _inventory(user, "n1", "n2")
    user.play("create_docker_host", *GROUP)
    with Watch(user, ["n1", "n2"]) as watch:
        refused = user.play("rotate_docker_certs", *GROUP, "--limit", "n1", rotate="ca", fails=True)
        assert "n2" in refused.output
        user.play("rotate_docker_certs", *GROUP, rotate="ca")
    watch.check()
    assert user.play("create_docker_host", *GROUP).changed == {"n1": 0, "n2": 0}
    # Hosts in batches can't trust a CA at the same time.
    site = user.home / "site.yml"
    task = {"ansible.builtin.import_role": {"name": ROLE, "tasks_from": "rotate"}}
    site.write_text(json.dumps([{"hosts": "docker_hosts", "gather_facts": False, "serial": 1, "tasks": [task]}]))
    assert "leave serial out of the play" in user.play(str(site), *GROUP, rotate="ca", fails=True).output
    ran = user.play(str(site), *GROUP)
    assert min(ran.changed.values()) >= 2
    # The second batch renewed the client's certificate once more, which the first host's context has not seen.
    assert user.play("create_docker_host", *GROUP).changed == {"n1": 1, "n2": 0}
    assert user.play("create_docker_host", *GROUP).changed == {"n1": 0, "n2": 0}


@pytest.mark.slow
def test_a_host_that_is_made_again_in_one_run(user: User) -> None:
    """Later plays see the second one, by what the role said and not by what it said first."""
    _inventory(user, "n1")
    first = {"docker_host_ssh_port": 2222, "docker_host_assign_dns_label": True}
    second = {"docker_host_ssh_port": 2223, "docker_host_assign_dns_label": False}
    told = {"ansible.builtin.debug": {"msg": "{{ inventory_hostname }} AT {{ ansible_host }}:{{ ansible_port }} END"}}
    later = {"hosts": "docker_hosts", "gather_facts": False, "tasks": [told]}
    create, delete = ("dockerhost.azure.create_docker_host", "dockerhost.azure.delete_docker_host")
    site = user.home / "site.yml"
    site.write_text(
        json.dumps(
            [
                {"import_playbook": create, "vars": first},
                later,
                {"import_playbook": delete},
                {"import_playbook": create, "vars": second},
                later,
            ]
        )
    )
    ran = user.play(str(site), *GROUP)
    assert re.search(r"n1 AT n1-[a-z0-9.-]+:2222 END", ran.output)
    assert re.search(r"n1 AT [0-9.]+:2223 END", ran.output)
    # What the inventory says is kept.
    inventory = {"docker_hosts": {"hosts": {"n1": {"ansible_host": "jump.example.com"}}}}
    (user.home / "inventory.json").write_text(json.dumps(inventory))
    kept = user.home / "kept.yml"
    kept.write_text(json.dumps([{"import_playbook": create, "vars": second}, later]))
    assert "n1 AT jump.example.com:2223 END" in user.play(str(kept), *GROUP).output


@pytest.mark.slow
@needs_docker
def test_contexts_over_ssh(user: User) -> None:
    refused = user.play("create_docker_host", name="web1", context_transport="ssh", fails=True)
    assert "docker_host_ssh_allowed_sources" in refused.output, refused.output[-1500:]
    assert user.writes() == []
    opened = {"name": "web1", "ssh_allowed_sources": ["198.51.100.0/24"]}
    user.play("create_docker_host", **opened, docker={"users": ["azureuser"]})
    # The user whom the context names is in the group docker already, so only the context differs.
    ran = user.play("create_docker_host", **opened, context_transport="ssh")
    assert ran.changed == {"localhost": 1}
    assert _context(user, "web1").startswith("ssh://azureuser@web1-")
    # Nothing is asked over TLS.
    assert re.search(r"Wait for the Docker engine\] \*+\nskipping: ", ran.output)
    assert user.play("create_docker_host", **opened, context_transport="ssh").changed == {"localhost": 0}
    user.play("rotate_docker_certs", name="web1", context_transport="ssh")
    assert _context(user, "web1").startswith("ssh://azureuser@web1-")


ELSEWHERE = {
    "address": "web1.example.com",
    "dns_names": ["docker.example.com"],
    "ip_addresses": ["192.0.2.7"],
    "handler": "run_command",
    "context_transport": "ssh",
}
"""Properties of a host that are not in its resources in Azure."""


@pytest.mark.slow
@needs_docker
def test_what_azure_does_not_know_of_a_host_is_kept_until_it_is_reset(user: User) -> None:
    def names() -> list[str]:
        shown = user.docker("context", "inspect", "web1", "--format", "{{.Endpoints.docker.Host}}").strip()
        pem = (user.home / ".docker/servers/web1/cert.pem").read_bytes()
        extension = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        found = [str(name.value) for name in extension.value]
        return [shown, *(name for name in ("web1.example.com", "docker.example.com", "192.0.2.7") if name in found)]

    made = ["ssh://azureuser@web1.example.com:22", "web1.example.com", "docker.example.com", "192.0.2.7"]
    first = user.play("create_docker_host", name="web1", ssh_allowed_sources=["198.51.100.0/24"], **ELSEWHERE)
    assert names() == made
    commands = [path for path in user.azure.dump() if "/runcommands/" in path.lower()]
    assert len(commands) == 1
    for arguments in (("--check", "--diff"), ()):
        again = user.play("create_docker_host", *arguments, name="web1")
        assert again.changed == {"localhost": 0}, again.output
        assert "docker.example.com" in again.output
    assert names() == made
    user.play("rotate_docker_certs", name="web1")
    assert names() == made
    reset = dict.fromkeys(ELSEWHERE, "default")
    predicted = user.play("create_docker_host", "--check", name="web1", **reset)
    assert names() == made
    real = user.play("create_docker_host", name="web1", **reset)
    assert predicted.changed == real.changed
    assert re.fullmatch("tcp://web1-[0-9a-f]{8}.*:4243", " ".join(names()))
    assert [path for path in user.azure.dump() if "/runcommands/" in path.lower()] == []
    assert user.play("create_docker_host", name="web1").changed == {"localhost": 0}
    assert first.changed == {"localhost": 4}


def _inventory(user: User, *names: str) -> None:
    inventory = {"docker_hosts": {"hosts": dict.fromkeys(names)}}
    (user.home / "inventory.json").write_text(json.dumps(inventory))


def _context(user: User, name: str) -> str:
    return user.docker("context", "inspect", name, "--format", "{{.Endpoints.docker.Host}}").strip()
