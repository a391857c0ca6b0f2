# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docker_vm_extension on real guests through the local Azure, seen from outside with the docker CLI.

The tests go in order on two hosts.
"""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clients import AzureSession
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Backend, Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.task import BACKEND as EXTENSION
from ansible_collections.dockerhost.azure.plugins.module_utils._extension.virtual_machine import (
    VirtualMachine,
    VmReference,
    find_virtual_machine,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.task import BACKEND as CERTS
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.task import BACKEND as HOST
from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle

from .authority import Authority
from .conftest import Controller

pytestmark = pytest.mark.guests

PROGRAM = bundle()
GROUP = "ext"
PASSWORD = "Correct-Horse-9"


class Cloud:
    """The collection's tasks against one local Azure, and what a user at the controller sees."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.cert_dir = controller.cert_dir
        self.hosts: dict[str, dict[str, t.Any]] = {}

    def task(self, task: Backend, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        """Run a task as its action does, with the user's environment."""
        spec = {name: dict(option) for name, option in task.spec.argument_spec.items()}
        validation = ArgumentSpecValidator(spec, **task.spec.rules()).validate(given)
        assert not validation.error_messages, validation.error_messages
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.controller.environment.items():
                patch.setenv(name, value)
            for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
                patch.delenv(name, raising=False)
            return task.run(Request(validation.validated_parameters, check_mode=check_mode))

    def make(self, *names: str) -> None:
        """Make VMs, and certificates for all of them."""
        for name in names:
            made = self.task(
                HOST, resource_group=GROUP, name=name, location="westeurope", admin_username="azureuser",
                admin_password=PASSWORD,
            )  # fmt: skip
            self.hosts[name] = made["host"]
        self.certificates()

    def certificates(self, **options: t.Any) -> dict[str, t.Any]:
        """Bring the certificates to what the options say."""
        hosts = [
            {"name": name, "dns_names": host["dns_names"], "ip_addresses": host["ip_addresses"]}
            for name, host in self.hosts.items()
        ]
        return self.task(CERTS, cert_dir=str(self.cert_dir), hosts=hosts, **options)

    def certs(self, name: str) -> dict[str, str]:
        """The option ``certs`` of a host."""
        return {f"{part}_path": str(self.cert_dir / "servers" / name / f"{part}.pem") for part in ("ca", "cert", "key")}

    def push(self, name: str, *, certs: dict[str, str] | None = None, **options: t.Any) -> dict[str, t.Any]:
        """Push settings to a host, with the distribution's engine."""
        options.setdefault("engine", {"source": "distribution"})
        return self.task(
            EXTENSION, resource_group=GROUP, virtual_machine_name=name, certs=certs or self.certs(name),
            setup_program=PROGRAM, **options,
        )  # fmt: skip

    def docker(self, name: str, *words: str, **options: t.Any) -> str:
        """The docker CLI against a host by its name; it must succeed."""
        status, said = self.controller.docker(str(self.hosts[name]["fqdn"]), *words, **options)
        assert status == 0, said
        return said

    def refused(self, name: str, folder: Path | None = None, port: int = 4243) -> str:
        """What the docker CLI says when it is turned away, with the certificates of another directory, or none."""
        address = f"tcp://{self.hosts[name]['fqdn']}:{port}"
        flags = [f"--tls{part}={folder / part}.pem" for part in ("cert", "key")] if folder else []
        ca = self.cert_dir / "ca.pem"
        # Without certificates of its own the CLI would take those of ~/.docker.
        environment = {**self.controller.environment, "DOCKER_CERT_PATH": "/nowhere"}
        flags = flags or ["--tlscert=", "--tlskey="]
        command = ["docker", "--tlsverify", f"--tlscacert={ca}", *flags, "-H", address, "version"]
        done = self.controller.command(command, env=environment)
        assert done.returncode != 0, done.stdout
        return done.stdout.decode(errors="replace")

    def sh(self, name: str, script: str) -> str:
        """Run a script on a VM through its agent and return what the agent hands on."""
        with self.target(name) as target:
            return target.run_shell(script)

    def forget_tag(self, name: str, tag: str) -> None:
        """Take a tag away from a VM."""
        with self.target(name) as target:
            target.change_tags(lambda tags: {key: value for key, value in tags.items() if key != tag})

    @contextlib.contextmanager
    def target(self, name: str) -> t.Iterator[VirtualMachine]:
        """A VM."""
        with pytest.MonkeyPatch.context() as patch:
            for key, value in self.controller.environment.items():
                patch.setenv(key, value)
            for key in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
                patch.delenv(key, raising=False)
            with AzureSession.from_params({}) as session:
                target = find_virtual_machine(session, VmReference(GROUP, name))
                assert target is not None
                yield target


@pytest.fixture(scope="module")
def cloud(controller: Controller) -> Cloud:
    """Two VMs without an engine."""
    cloud = Cloud(controller)
    cloud.make("web1", "web2")
    return cloud


def test_engine_answers_by_name_and_by_address(cloud: Cloud, busybox_image: bytes) -> None:
    predicted = cloud.task(
        EXTENSION, check_mode=True, resource_group=GROUP, virtual_machine_name="web1", certs=cloud.certs("web1"),
        setup_program=PROGRAM,
    )  # fmt: skip
    assert (predicted["changed"], predicted["pushed"]) == (True, False)
    result = cloud.push("web1")
    assert result["engine"]["source"] == "distribution"
    assert result["engine"]["ssh_host_keys"]
    assert "Server" in cloud.docker("web1", "version")
    status, said = cloud.controller.docker(str(cloud.hosts["web1"]["public_ip_address"]), "info")
    assert status == 0, said
    cloud.docker("web1", "import", "-", "busybox:test", input=busybox_image)
    assert "containers" in cloud.sh("web1", "docker info --format '{{.ContainersRunning}} containers'")


def test_others_are_turned_away(cloud: Cloud, tmp_path: Path) -> None:
    stranger = Authority(tmp_path).issue("client", "clientAuth")
    server = cloud.cert_dir / "servers" / "web1"
    for folder in (None, stranger, server):
        said = cloud.refused("web1", folder)
        # With TLS 1.3 the CLI may write before it reads that it was turned away.
        assert any(word in said for word in ("certificate", "tls", "connection reset", "broken pipe")), said


def test_equal_settings_send_nothing(cloud: Cloud) -> None:
    cloud.controller.azure.clear_requests()
    assert cloud.push("web1")["changed"] is False
    assert cloud.controller.writing_requests() == []


def test_new_certificate_restarts_the_engine_and_nothing_else(cloud: Cloud) -> None:
    cloud.docker("web1", "run", "-d", "--name", "kept", "busybox:test", "sleep", "100000")
    started = cloud.docker("web1", "inspect", "-f", "{{.State.StartedAt}} {{.State.Running}}", "kept")
    cloud.certificates(regenerate="always")
    result = cloud.push("web1")
    assert result["actions"][-1] == "restart the engine"
    assert {change.rpartition("/")[2] for change in result["actions"][:-1]} <= {"cert.pem", "key.pem", "ca.pem"}
    assert cloud.docker("web1", "inspect", "-f", "{{.State.StartedAt}} {{.State.Running}}", "kept") == started


def test_port_and_option(cloud: Cloud) -> None:
    result = cloud.push("web1", docker={"port": 4300, "options": ["--label=place=here and there"]})
    assert result["engine"]["port"] == 4300
    # The security group still opens 4243 only, so the new port is looked at from the inside.
    assert "CONNECTED" in cloud.sh("web1", "openssl s_client -connect 127.0.0.1:4300 </dev/null 2>/dev/null | head -1")
    assert "here and there" in cloud.sh("web1", "docker info -f '{{.Labels}}'")
    cloud.certificates(regenerate="always")
    kept = cloud.push("web1")
    assert kept["engine"]["port"] == 4300
    assert not any("zz-docker-host" in line for line in kept["actions"])
    assert "here and there" in cloud.sh("web1", "docker info -f '{{.Labels}}'")
    cloud.push("web1", reset=["docker"])
    assert "here and there" not in cloud.sh("web1", "docker info -f '{{.Labels}}'")
    assert "Server" in cloud.docker("web1", "version")


def test_a_daemon_that_does_not_start_keeps_the_last_configuration(cloud: Cloud) -> None:
    with pytest.raises(DockerHostError) as caught:
        cloud.push("web1", docker={"options": ["--no-such-option"]})
    assert caught.value.details["stage"] == "configure"
    assert caught.value.details["exit_code"] == 1
    assert "unknown flag: --no-such-option" in caught.value.message
    assert "/var/log/docker-host-setup.log" in caught.value.message
    assert "kept" in cloud.docker("web1", "ps")
    # Equal settings that failed are pushed again.
    with pytest.raises(DockerHostError, match="no-such-option"):
        cloud.push("web1", docker={"options": ["--no-such-option"]})
    assert cloud.push("web1")["actions"] == []


def test_hand_edits_are_found_and_repaired(cloud: Cloud) -> None:
    assert cloud.push("web1", verify=True)["changed"] is False
    drop_in = "/etc/systemd/system/docker.service.d/zz-docker-host.conf"
    cloud.sh("web1", f"rm {drop_in}; systemctl daemon-reload; systemctl restart docker")
    cloud.refused("web1")
    result = cloud.push("web1", verify=True)
    assert f"{drop_in} is gone" in result["reasons"]
    assert "Server" in cloud.docker("web1", "version")
    cloud.sh("web1", "echo x >> /etc/docker/cert.pem")
    assert cloud.push("web1", verify=True)["reasons"] == ["/etc/docker/cert.pem was changed"]


def test_run_command_beside_a_foreign_custom_script(cloud: Cloud) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for key, value in cloud.controller.environment.items():
            patch.setenv(key, value)
        for key in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            patch.delenv(key, raising=False)
        with AzureSession.from_params({}) as session:
            script = base64.b64encode(b"#!/bin/sh\necho theirs > /root/theirs\n").decode()
            session.compute.virtual_machine_extensions.begin_create_or_update(
                GROUP,
                "web2",
                "theirs",
                {
                    "location": "westeurope",
                    "properties": {
                        "publisher": "Microsoft.Azure.Extensions",
                        "type": "CustomScript",
                        "typeHandlerVersion": "2.1",
                        "autoUpgradeMinorVersion": True,
                        "settings": {"script": script},
                    },
                },
                api_version="2024-07-01",
            ).wait()
    with pytest.raises(DockerHostError, match="never replaces"):
        cloud.push("web2", handler="custom_script")
    result = cloud.push("web2")
    assert result["extension"]["handler"] == "run_command"
    assert "Server" in cloud.docker("web2", "version")
    assert cloud.push("web2")["changed"] is False
    assert "theirs" in cloud.sh("web2", "cat /root/theirs")
    found = cloud.sh(
        "web2", "grep -rlE 'BEGIN (EC )?PRIVATE KEY|LS0tLS1CRUdJTi[B]' /var/lib/waagent/run-c* || echo nothing"
    )
    assert "nothing" in found
    with pytest.raises(DockerHostError, match="unknown flag"):
        cloud.push("web2", docker={"options": ["--no-such-option"]})
    assert cloud.push("web2")["pushed"]


@contextlib.contextmanager
def asking(cloud: Cloud, *names: str) -> t.Iterator[list[tuple[str, float, str]]]:
    """Ask the hosts all the time with the user's certificates; the failures, with the time of each."""
    stop, failures = threading.Event(), t.cast("list[tuple[str, float, str]]", [])

    def ask(name: str) -> None:
        while not stop.is_set():
            status, said = cloud.controller.docker(str(cloud.hosts[name]["fqdn"]), "version")
            if status:
                failures.append((name, time.monotonic(), said))
            time.sleep(0.1)

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_the_ca_of_two_running_hosts_is_rotated(cloud: Cloud) -> None:
    """One host after the other, with an interruption: nobody is refused but during a host's own restart."""
    old = (cloud.cert_dir / "ca.pem").read_text(encoding="ascii")
    windows: list[tuple[str, float, float]] = []

    def push(name: str) -> dict[str, t.Any]:
        begun = time.monotonic()
        result = cloud.push(name)
        windows.append((name, begun, time.monotonic()))
        return result

    with asking(cloud, "web1", "web2") as failures:
        state = cloud.certificates(rotate_ca="start")
        push("web1")  # web2 is not reached: the run was interrupted here
        state = cloud.certificates()
        for _round in range(8):
            for name in ("web1", "web2"):
                push(name)
            trust = [
                {"name": name, "ca_fingerprints": trusted(cloud, name), "fingerprint": served(cloud, name)}
                for name in ("web1", "web2")
            ]
            if not (state.get("rotation") or {}).get("phase"):
                break
            state = cloud.certificates(rotate_ca="advance", host_trust=trust)
        else:
            pytest.fail(f"the rotation does not end: {json.dumps(state.get('rotation'))}")
        for name in ("web1", "web2"):
            push(name)
    assert (cloud.cert_dir / "ca.pem").read_text(encoding="ascii") != old
    assert all(len(trusted(cloud, name)) == 1 for name in ("web1", "web2"))
    unexplained = [
        (name, said)
        for name, moment, said in failures
        if not any(host == name and begun <= moment <= ended + 1 for host, begun, ended in windows)
    ]
    assert unexplained == []
    assert not [said for _name, _moment, said in failures if "unknown authority" in said or "bad certificate" in said]


@pytest.mark.parametrize("record", ["of today", "without the CA's key"])
def test_a_ca_that_is_renewed_needs_nothing_but_a_push(cloud: Cloud, tmp_path: Path, record: str) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for name in ("ca.pem", "cert.pem", "key.pem"):
        shutil.copy(cloud.cert_dir / name, before)
    # A CA that holds ten years is near its end for one that is renewed nine years before it.
    years = {"of today": 20, "without the CA's key": 30}[record]
    renewed = cloud.certificates(ca_not_after=f"+{years * 365}d", ca_renew_before=f"+{(years - 10) * 365 + 364}d")
    assert any("renew the CA with the same key" in action for action in renewed["actions"])
    if record != "of today":
        cloud.forget_tag("web1", "docker-host-ca-key")
    assert "write /etc/docker/ca.pem" in cloud.push("web1")["actions"]
    assert trusted(cloud, "web1") == renewed["trusted_cas"]
    assert "Server" in cloud.docker("web1", "version")
    # Whoever has the files of before is still let in, and lets the engine pass.
    address = f"tcp://{cloud.hosts['web1']['fqdn']}:4243"
    flags = [f"--tls{kind}={before / name}.pem" for kind, name in (("cacert", "ca"), ("cert", "cert"), ("key", "key"))]
    done = cloud.controller.command(["docker", "--tlsverify", *flags, "-H", address, "version"])
    assert done.returncode == 0, done.stdout


def trusted(cloud: Cloud, name: str) -> list[str]:
    """The fingerprints that a host's record names."""
    vm = next(value for key, value in cloud.controller.azure.dump().items() if key.lower().endswith(f"/{name}"))
    return [part for part in str((vm.get("tags") or {}).get("docker-host-ca", "")).split(",") if part]


def served(cloud: Cloud, name: str) -> str:
    """The fingerprint of the certificate that a host shows."""
    import hashlib
    import ssl

    address = (str(cloud.hosts[name]["public_ip_address"]), 4243)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(address))).hexdigest()


def test_a_lost_cert_dir_is_fenced_off(cloud: Cloud, tmp_path: Path) -> None:
    kept, cloud.cert_dir = cloud.cert_dir, tmp_path / "empty-home"
    try:
        cloud.certificates()
        cloud.controller.azure.clear_requests()
        with pytest.raises(DockerHostError, match="nothing was changed"):
            cloud.push("web1")
        assert cloud.controller.writing_requests() == []
    finally:
        cloud.cert_dir = kept
    assert "Server" in cloud.docker("web1", "version")


def test_absent_closes_the_port_and_keeps_containers(cloud: Cloud) -> None:
    result = cloud.task(
        EXTENSION, resource_group=GROUP, virtual_machine_name="web1", state="absent", setup_program=PROGRAM
    )
    assert result["changed"]
    cloud.refused("web1")
    assert "kept" in cloud.sh("web1", "docker ps -a")
    assert "docker-host-ca" not in json.dumps(
        [value.get("tags") for key, value in cloud.controller.azure.dump().items() if key.lower().endswith("/web1")]
    )
