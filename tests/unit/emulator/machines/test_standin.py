# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins: what they run, what they refuse, and how they answer a Docker client."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import datetime
import ipaddress
import json
import ssl
import typing as t
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from azure_emulator.machines.base import (
    AgentUnreachable,
    ExtensionSettings,
    HandlerReference,
    Interface,
    MachineSpec,
    RunCommandSpec,
)
from azure_emulator.machines.standin import StandIn, StandInProvider
from azure_emulator.machines.standin_engine import exec_start, read_daemon

PORT = 4243
CONFIGURE = """#!/bin/sh
set -eu
mkdir -p "$DOCKER_SETUP_ROOT/etc/docker" "$DOCKER_SETUP_ROOT/etc/systemd/system/docker.service.d"
cp {certs}/* "$DOCKER_SETUP_ROOT/etc/docker/"
cat > "$DOCKER_SETUP_ROOT/etc/systemd/system/docker.service.d/50-test.conf" <<'END'
[Service]
ExecStart=
ExecStart=/usr/bin/dockerd -H fd:// -H tcp://0.0.0.0:{port} --tlsverify --tlscacert=/etc/docker/ca.pem \\
  --tlscert=/etc/docker/cert.pem --tlskey /etc/docker/key.pem --label colour=blue
END
echo configured
"""


class Certificates:
    """A CA with a server's and a client's certificate, as files."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])
        server, client = folder / "server", folder / "client"
        for place, common_name in ((server, "server"), (client, "client")):
            place.mkdir(parents=True)
            (place / "ca.pem").write_bytes(self._certificate("test CA", self._key, None).public_bytes(_PEM))
            key = ec.generate_private_key(ec.SECP256R1())
            (place / "cert.pem").write_bytes(self._certificate(common_name, key, address).public_bytes(_PEM))
            encoding = (_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            (place / "key.pem").write_bytes(key.private_bytes(*encoding))

    def _certificate(self, name: str, key: t.Any, address: str | None) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder(
            self._name, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), key.public_key(),
            x509.random_serial_number(), now - datetime.timedelta(minutes=5), now + datetime.timedelta(days=1),
        ).add_extension(x509.BasicConstraints(address is None, None), critical=True)  # fmt: skip
        if address:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def context(self, *, client: bool = True) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "client/ca.pem"))
        if client:
            context.load_cert_chain(self.folder / "client/cert.pem", self.folder / "client/key.pem")
        return context


_PEM = serialization.Encoding.PEM


class Stage:
    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.provider = StandInProvider(folder / "state")
        self.address = str(ipaddress.ip_network(self.provider.public_pool)[7])
        nic = Interface("/nics/a", "00-0D-3A-00-00-01", "10.0.0.4", "10.0.0.0/24", "net", self.address)
        self.spec = MachineSpec("/vms/a", "a", "a", "azureuser", {}, (nic,))
        self.machine: StandIn = self.run(self.provider.create(self.spec))
        self.certificates = Certificates(folder / "certs", self.address)

    def run(self, work: t.Any) -> t.Any:
        return self.loop.run_until_complete(work)

    def extension(self, script: str) -> t.Any:
        settings = {"script": base64.b64encode(script.encode()).decode()}
        extension = ExtensionSettings(
            "x", "Microsoft.Azure.Extensions", "CustomScript", "2.1", {"timestamp": 1}, settings
        )
        return self.run(self.machine.enable_extension(extension))

    def configure(self, port: int = PORT) -> t.Any:
        return self.extension(CONFIGURE.format(certs=self.certificates.folder / "server", port=port))

    def get(self, path: str, *, client: bool = True, port: int = PORT) -> t.Any:
        handler = urllib.request.HTTPSHandler(context=self.certificates.context(client=client))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
        with opener.open(f"https://{self.address}:{port}{path}", timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body[:1] == b"{" else body


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.run(stage.provider.close())
    stage.loop.close()


def test_answers_over_the_tls_settings_it_was_given(stage: Stage) -> None:
    stage.run(stage.machine.start())
    result = stage.configure()
    assert (result.status, result.message) == ("success", "Enable succeeded: \n[stdout]\nconfigured\n\n[stderr]\n")
    assert stage.get("/_ping") == b"OK"
    assert "stand-in" in stage.get("/v1.41/version")["Version"]
    info = stage.get("/info")
    assert info["Name"] == "a"
    assert "stand-in" in info["OperatingSystem"]
    assert "colour=blue" in info["Labels"]
    with pytest.raises(OSError, match=r"(?i)certificate required|reset|closed|eof"):
        stage.get("/info", client=False)
    with pytest.raises(urllib.error.HTTPError, match="501"):
        stage.get("/containers/json")


def test_the_docker_extension_restarts_the_engine_only_for_other_arguments(stage: Stage) -> None:
    """As Azure/azure-docker-extension 1.2.2 does: renewed certificates alone are not served."""
    stage.run(stage.machine.start())

    def enable(certificates: Certificates, *options: str, **protected: t.Any) -> t.Any:
        files = {name: (certificates.folder / f"server/{name}.pem").read_bytes() for name in ("ca", "cert", "key")}
        protected["certs"] = {name: base64.b64encode(content).decode() for name, content in files.items()}
        public = {"docker": {"port": str(PORT), "options": list(options)}}
        reference = ("old", "Microsoft.Azure.Extensions", "DockerExtension")
        return stage.run(stage.machine.enable_extension(ExtensionSettings(*reference, "1.2.2", public, protected)))

    assert enable(stage.certificates).status == "success"
    assert stage.get("/_ping") == b"OK"
    renewed = Certificates(stage.certificates.folder / "renewed", stage.address)
    enable(renewed)
    assert stage.get("/_ping") == b"OK", "the certificates that it was started with"
    failed = enable(renewed, "--label=a=b", login={"username": "me", "password": "secret", "email": "me@x"})
    assert (failed.status, failed.message) == ("error", "'docker login' failed")
    stage.certificates = renewed
    assert "a=b" in stage.get("/info")["Labels"]
    stage.run(stage.machine.remove_extension(HandlerReference("old", "Microsoft.Azure.Extensions", "DockerExtension")))
    with pytest.raises(OSError, match="refused"):
        stage.get("/_ping")
    assert (stage.machine.root / "etc/docker/key.pem").exists()
    stage.configure(PORT + 1)
    enable(renewed, "--label=c=d")
    with pytest.raises(OSError, match="refused"):
        stage.get("/_ping")


def test_power_and_changed_settings(stage: Stage) -> None:
    stage.run(stage.machine.start())
    stage.configure()
    stage.configure(PORT + 1)
    assert stage.get("/_ping", port=PORT + 1) == b"OK"
    with pytest.raises(OSError, match="refused"):
        stage.get("/_ping")
    stage.run(stage.machine.power_off())
    with pytest.raises(OSError, match="refused"):
        stage.get("/_ping", port=PORT + 1)
    assert stage.run(stage.machine.agent_status()).state == "absent"
    stage.run(stage.machine.start())
    assert stage.get("/_ping", port=PORT + 1) == b"OK"
    gone = dataclasses.replace(stage.spec, interfaces=())
    stage.run(stage.machine.reconfigure(gone))
    with pytest.raises(OSError, match="refused"):
        stage.get("/_ping", port=PORT + 1)


def test_script_that_would_change_the_host_is_refused(stage: Stage, tmp_path: Path) -> None:
    stage.run(stage.machine.start())
    result = stage.extension(f"#!/bin/sh\ntouch {tmp_path}/oops\n")
    assert result.status == "error"
    assert "does not run this script" in result.message
    command = stage.run(stage.machine.run_command(RunCommandSpec(f"touch {tmp_path}/oops")))
    assert command.exit_code == 126
    assert not (tmp_path / "oops").exists()


def test_failing_script_and_run_command(stage: Stage) -> None:
    stage.run(stage.machine.start())
    result = stage.extension("#!/bin/sh\n# DOCKER_SETUP_ROOT\necho doing\nexit 7\n")
    assert result.status == "error"
    assert "exit status=7\n[stdout]\ndoing\n" in result.message
    script = 'echo "$WHO" "$1" "${DOCKER_SETUP_ROOT##*/}"; exit 3'
    done = stage.run(stage.machine.run_command(RunCommandSpec(script, (("WHO", "me"), ("", "word")))))
    assert (done.exit_code, done.output) == (3, "me word root\n")
    late = stage.run(stage.machine.run_command(RunCommandSpec("# DOCKER_SETUP_ROOT\nsleep 60", timeout=0.3)))
    assert late.timed_out


def test_only_the_script_itself_says_that_it_can_be_kept_off_the_host(stage: Stage) -> None:
    stage.run(stage.machine.start())
    command = RunCommandSpec('eval "$PROGRAM"', (("PROGRAM", "DOCKER_SETUP_ROOT"),))
    assert stage.run(stage.machine.run_command(command)).exit_code == 126


def test_a_deleted_machine_leaves_nothing_with_its_provider(stage: Stage) -> None:
    stage.run(stage.machine.start())
    stage.configure()
    assert list(stage.provider.machines.values()) == [stage.machine]
    stage.run(stage.machine.delete())
    assert stage.provider.machines == {}
    assert list((stage.provider.state_dir / "stand-ins").iterdir()) == []


def test_machine_that_is_off_has_no_agent(stage: Stage) -> None:
    with pytest.raises(AgentUnreachable):
        stage.configure()


def test_unit_files_are_read_as_systemd_reads_them(tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    (units / "docker.service.d").mkdir(parents=True)
    (units / "docker.service").write_text("[Service]\nExecStart=/usr/bin/dockerd -H fd://\n")
    assert exec_start(tmp_path) == ["/usr/bin/dockerd", "-H", "fd://"]
    drop_in = "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd \\\n  --host=tcp://0.0.0.0:2376 --tls\n"
    (units / "docker.service.d/20.conf").write_text(drop_in)
    daemon = read_daemon(tmp_path)
    assert (daemon.ports, daemon.tls, daemon.tlsverify) == ([2376], True, False)
    (tmp_path / "etc/docker").mkdir()
    (tmp_path / "etc/docker/daemon.json").write_text('{"hosts": ["tcp://0.0.0.0:1"], "labels": ["a=b"]}')
    assert read_daemon(tmp_path).labels == ["a=b"]
    assert read_daemon(tmp_path / "nothing").ports == []
