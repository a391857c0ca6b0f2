# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job from nothing to a running container, and what comes after it. The tests go in order on one host."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest

from .conftest import Controller

HOST = {
    "docker_host_name": "web1",
    "docker_host_resource_group": "web",
    "docker_host_location": "westeurope",
}


def fqdn(controller: Controller) -> str:
    """The host's name, as the local Azure's DNS has it."""
    (name,) = controller.azure.names()
    return name


def test_check_mode_on_a_fresh_cloud_predicts_everything_and_makes_nothing(controller: Controller) -> None:
    controller.azure.clear_requests()
    run = controller.playbook("create_docker_host", HOST, "--check")
    assert run.changed >= 3, run.output
    assert controller.writing_requests() == []
    assert not controller.cert_dir.exists()
    assert controller.azure.dump() == {} or not any("virtualMachines" in key for key in controller.azure.dump())


def test_one_playbook_makes_the_host(controller: Controller) -> None:
    run = controller.playbook("create_docker_host", HOST, "-v")
    assert run.changed >= 4, run.output
    # The default: to a guest, a mirror is Docker's repository, and its image trusts it.
    assert '"source": "docker"' in run.output, run.output
    status, info = controller.docker(fqdn(controller), "info")
    assert status == 0, info
    assert "Server Version" in info
    for name, mode in {"ca.pem": 0o644, "cert.pem": 0o644, "key.pem": 0o600, "ca-key.pem": 0o600}.items():
        assert (controller.cert_dir / name).stat().st_mode & 0o777 & ~mode == 0, name


def test_a_container_runs(controller: Controller, busybox_image: bytes) -> None:
    name = fqdn(controller)
    status, said = controller.docker(name, "import", "-", "busybox:test", input=busybox_image)
    assert status == 0, said
    status, said = controller.docker(name, "run", "--rm", "busybox:test", "echo", "hello")
    assert (status, said.strip()) == (0, "hello")


def test_the_context_works_by_its_name(controller: Controller) -> None:
    done = controller.command(["docker", "--context", "web1", "version", "--format", "{{.Server.Os}}"])
    assert (done.returncode, done.stdout.strip()) == (0, b"linux"), done.stdout


def test_every_address_of_the_host_is_in_its_certificate(controller: Controller) -> None:
    name = fqdn(controller)
    address = controller.azure.names()[name]
    status, said = controller.docker(address, "version")
    assert status == 0, said


def test_strangers_are_refused(controller: Controller, tmp_path: Path) -> None:
    name = fqdn(controller)
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(controller.cert_dir / "ca.pem", bare)
    done = controller.command(
        ["docker", "--tls", "--tlscacert", str(bare / "ca.pem"), "-H", f"tcp://{name}:4243", "version"],
        env={**controller.environment, "HOME": str(tmp_path), "DOCKER_CERT_PATH": str(bare)},
    )
    assert done.returncode != 0
    # The engine closes at once: the client sees the TLS alert, or only that it can't write any more.
    assert b"certificate" in done.stdout or b"error during connect" in done.stdout, done.stdout
    no_tls = {**controller.environment, "HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / "none")}
    plain = controller.command(["docker", "-H", f"tcp://{name}:4243", "version"], env=no_tls)
    assert plain.returncode != 0


def test_ssh_is_closed(controller: Controller) -> None:
    address = controller.azure.names()[fqdn(controller)]
    done = controller.command(["timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{address}/22"])
    assert done.returncode != 0


def test_the_second_run_changes_nothing_and_writes_nothing(controller: Controller) -> None:
    controller.azure.clear_requests()
    before = {path: path.stat().st_mtime_ns for path in controller.cert_dir.rglob("*") if path.is_file()}
    run = controller.playbook("create_docker_host", HOST)
    assert run.changed == 0, run.output
    assert controller.writing_requests() == []
    assert {path: path.stat().st_mtime_ns for path in controller.cert_dir.rglob("*") if path.is_file()} == before


def test_check_mode_agrees_that_there_is_nothing_to_do(controller: Controller) -> None:
    assert controller.playbook("create_docker_host", HOST, "--check", "--diff").changed == 0


def test_a_context_over_ssh(controller: Controller, tmp_path: Path) -> None:
    """For networks that forbid the TLS port: the host's keys are known before the first connection."""
    over_ssh = {
        **HOST,
        "docker_host_ssh_allowed_sources": ["Internet"],
        "docker_host_docker": {"users": ["azureuser"]},
        "docker_host_context_name": "web1-ssh",
        "docker_host_context_transport": "ssh",
    }
    controller.playbook("create_docker_host", over_ssh)
    home = controller.home / ".ssh"
    assert f"{fqdn(controller)} ssh-ed25519 " in (home / "known_hosts").read_text()
    (home / "config").write_text(f"IdentityFile {home}/docker_host_ed25519\nStrictHostKeyChecking yes\n")
    # OpenSSH takes the home of the password database, which is not this user's.
    wrapper = tmp_path / "ssh"
    wrapper.write_text(
        f'#!/bin/sh\nexec {shutil.which("ssh")} -F {home}/config -o UserKnownHostsFile={home}/known_hosts "$@"\n'
    )
    wrapper.chmod(0o755)
    environment = {**controller.environment, "PATH": f"{tmp_path}:{controller.environment['PATH']}"}
    done = controller.command(["docker", "--context", "web1-ssh", "info", "--format", "{{.Name}}"], env=environment)
    assert (done.returncode, done.stdout.strip()) == (0, b"web1"), done.stdout
    assert controller.playbook("create_docker_host", over_ssh).changed == 0
    (home / "known_hosts").write_text("")
    done = controller.command(["docker", "--context", "web1-ssh", "info"], env=environment)
    assert b"Host key verification failed" in done.stdout, done.stdout
    assert controller.playbook("create_docker_host", over_ssh).changed == 1
    controller.playbook("create_docker_host", HOST)


def test_another_ca_while_somebody_uses_the_host(controller: Controller) -> None:
    """The daemon is away while it restarts; it never refuses its client, and the client never doubts it."""
    said: list[tuple[int, str]] = []
    end = threading.Event()

    def use() -> None:
        while not end.wait(0.2):
            done = controller.command(["docker", "--context", "web1", "version"])
            said.append((done.returncode, done.stdout.decode(errors="replace")))
            said.append(controller.docker(fqdn(controller), "version"))

    before = (controller.cert_dir / "ca.pem").read_bytes()
    user = threading.Thread(target=use)
    user.start()
    try:
        controller.playbook("rotate_docker_certs", {**HOST, "docker_host_rotate": "ca"})
    finally:
        end.set()
        user.join()
    assert (controller.cert_dir / "ca.pem").read_bytes() != before
    good = [text for code, text in said if code == 0]
    bad = [text for code, text in said if code != 0]
    assert len(good) > len(bad), bad
    assert not [text for text in bad if "certificate" in text or "tls: " in text], bad
    assert controller.playbook("create_docker_host", HOST).changed == 0


def test_another_port_changes_only_what_must(controller: Controller) -> None:
    name = fqdn(controller)
    other = {**HOST, "docker_host_port": 2376}
    controller.azure.clear_requests()
    assert controller.playbook("create_docker_host", other, "--check").changed >= 2
    assert controller.writing_requests() == []
    controller.playbook("create_docker_host", other)
    written = controller.writing_requests()
    assert not any("publicIPAddresses" in line or "/virtualNetworks" in line for line in written), written
    assert not any(line.startswith("PUT") and line.endswith("/virtualMachines/web1") for line in written), written
    status, said = controller.docker(name, "info", port=2376)
    assert status == 0, said
    status, said = controller.docker(name, "images", "-q", port=2376)
    assert said.strip(), "images must survive"
    assert controller.docker(name, "version")[0] != 0, "the old port is closed"
    assert controller.playbook("create_docker_host", other).changed == 0


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"docker_host_name": "web_1!"}, "name"),
        ({"docker_host_port": 70000}, "port"),
        ({"docker_host_admin_username": "docker"}, "docker"),
        ({"docker_host_admin_password": "P@ssw0rd"}, "password"),
        ({"docker_host_dns_label": "-x"}, "label"),
    ],
)
def test_bad_input_stops_before_the_first_request(
    controller: Controller, variables: dict[str, t.Any], words: str
) -> None:
    controller.azure.clear_requests()
    run = controller.playbook("create_docker_host", {**HOST, **variables}, fails=True)
    assert words in run.output.lower()
    assert controller.azure.requests() == []


def test_missing_credentials_are_named(controller: Controller, tmp_path: Path) -> None:
    poor = Controller(
        controller.azure, tmp_path, dict.fromkeys(("AZURE_SECRET", "AZURE_CLIENT_ID", "AZURE_TENANT"), "")
    )
    run = poor.playbook("create_docker_host", HOST, fails=True)
    assert "AZURE_CLIENT_ID" in run.output
    assert ".azure/credentials" in run.output


def test_no_key_material_in_the_most_talkative_output(controller: Controller) -> None:
    run = controller.playbook("create_docker_host", {**HOST, "docker_host_port": 2376}, "-vvvv", "--diff")
    for path in (controller.cert_dir / "key.pem", controller.cert_dir / "ca-key.pem"):
        body = "".join(line for line in path.read_text().splitlines() if "-----" not in line)
        assert body[:40] not in run.output.replace("\\n", "")
    assert controller.azure.environment["AZURE_SECRET"] not in run.output


def test_the_server_certificate_is_of_our_authority(controller: Controller) -> None:
    """Python's strictest verification accepts what docker accepts."""
    address = controller.azure.names()[fqdn(controller)]
    context = ssl.create_default_context(cafile=str(controller.cert_dir / "ca.pem"))
    context.verify_flags |= getattr(ssl, "VERIFY_X509_STRICT", 0)
    context.load_cert_chain(controller.cert_dir / "cert.pem", controller.cert_dir / "key.pem")
    with (
        socket.create_connection((address, 2376), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=fqdn(controller)) as secure,
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_deleting_leaves_nothing_of_the_host(controller: Controller) -> None:
    variables = {"docker_host_name": "web1", "docker_host_resource_group": "web"}
    controller.playbook("delete_docker_host", variables)
    left = [key for key in controller.azure.dump() if "/providers/microsoft.compute" in key.lower()]
    assert left == []
    assert (controller.cert_dir / "ca-key.pem").exists(), "other hosts may live by this CA"
    assert controller.playbook("delete_docker_host", variables).changed == 0


def test_the_local_azure_leaves_nothing_behind(controller: Controller) -> None:
    controller.azure.stop()
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "systemd-nspawn -q --register=no --keep-unit -M web1" not in processes
    controller.azure.start()
