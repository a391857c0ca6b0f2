# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job on the local Azure, as a user would do it on Azure: one playbook, then the docker CLI.

Everything that it makes is in ``.demo`` of the checkout, but for a marked block in ``/etc/hosts`` (as root).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import typing as t
from pathlib import Path

from azure_emulator.machines import names

TOP = Path(__file__).resolve().parents[1]
DEMO = TOP / ".demo"
CACHE = TOP / ".cache"
READY = DEMO / "azure.json"
HOSTS = DEMO / "azure" / "hosts"
CERT_DIR = DEMO / "docker"
OWNER = f"demo-{hashlib.sha256(str(TOP).encode()).hexdigest()[:12]}"
HOST = "demo1"
GROUP = "dockerhost-demo"
PORT = 4243


class StepError(Exception):
    """A step failed; the text says what happened and what to do."""


@contextlib.contextmanager
def step(title: str) -> t.Iterator[None]:
    """Print what is being done and how long it took."""
    print(f"== {title}", flush=True)
    begin = time.monotonic()
    yield
    print(f"   done in {time.monotonic() - begin:.1f} s", flush=True)


def running_azure() -> dict[str, t.Any] | None:
    """What the ready file says, when its server is alive."""
    try:
        ready: dict[str, t.Any] = json.loads(READY.read_text())
        os.kill(int(ready["pid"]), 0)
        command = Path(f"/proc/{ready['pid']}/cmdline")
        if command.exists() and b"azure_emulator" not in command.read_bytes():
            return None
    except (OSError, ValueError, KeyError):
        return None
    return ready


def start_azure() -> dict[str, t.Any]:
    """Start the local Azure, or find the one that runs."""
    ready = running_azure()
    if ready:
        print(f"   it runs already: {ready['url']}")
        return ready
    DEMO.mkdir(mode=0o700, exist_ok=True)
    READY.unlink(missing_ok=True)
    log = DEMO / "azure.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "azure_emulator", "--port", "0", "--state-dir", str(DEMO / "azure")]
            + ["--machines", "auto", "--ready-file", str(READY)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=TOP,
            env={**os.environ, "DOCKERHOST_CACHE": str(CACHE)},
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if READY.exists():
            ready = json.loads(READY.read_text())
            print(f"   {ready['url']} (machines: {ready['machines']}; log: {log})")
            return ready
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise StepError(f"The local Azure did not start. Its log: {log}\n{log.read_text()[-3000:]}")


def environment(ready: dict[str, t.Any]) -> dict[str, str]:
    """What a user of a private cloud has in the environment: where it is, whom to trust, who signs in."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("AZURE_", "ANSIBLE_", "DOCKER_", "ARM_"))
    }
    return {
        **kept,
        "AZURE_CLOUD_ENVIRONMENT": ready["url"],
        "AZURE_CLOUD_CA_PATH": ready["ca_file"],
        "AZURE_TENANT": ready["tenant"],
        "AZURE_CLIENT_ID": ready["client_id"],
        "AZURE_SECRET": ready["secret"],
        "AZURE_SUBSCRIPTION_ID": ready["subscription_id"],
        "ANSIBLE_COLLECTIONS_PATH": str(TOP / ".build" / "collections"),
        "ANSIBLE_HOME": str(DEMO / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "DOCKER_CONFIG": str(DEMO / "docker-config"),
        "DOCKER_CERT_PATH": str(CERT_DIR),
        "HOME": str(DEMO / "home"),
    }


def resolving(command: list[str]) -> list[str]:
    """The command in a mount namespace where the machines' names resolve, where such a namespace can be made."""
    bound = names.command_with_hosts(HOSTS, command)
    probe = subprocess.run(names.command_with_hosts(HOSTS, ["true"]), capture_output=True, check=False)
    return bound if probe.returncode == 0 else command


def run_playbook(env: dict[str, str]) -> str:
    """``ansible-playbook dockerhost.azure.create_docker_host``; returns the host name that the new context names."""
    variables = {
        "docker_host_name": HOST,
        "docker_host_resource_group": GROUP,
        "docker_host_location": "westeurope",
        "docker_host_cert_dir": str(CERT_DIR),
        "docker_host_port": PORT,
    }
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "dockerhost.azure.create_docker_host"]
    for key, value in variables.items():
        command += ["-e", json.dumps({key: value})]
    print(f"   $ ansible-playbook dockerhost.azure.create_docker_host -e docker_host_name={HOST} ...", flush=True)
    (DEMO / "home").mkdir(mode=0o700, exist_ok=True)
    result = subprocess.run(resolving(command), env=env, cwd=DEMO, stdin=subprocess.DEVNULL, check=False)
    if result.returncode:
        raise StepError("The playbook failed; its last task above says why. Type 'make demo' again to go on.")
    inspect = ["docker", "context", "inspect", HOST, "--format", "{{.Endpoints.docker.Host}}"]
    context = subprocess.run(inspect, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    name = context.stdout.strip().removeprefix("tcp://").rpartition(":")[0]
    if context.returncode or not name:
        raise StepError(f"The docker CLI does not know the context {HOST}: {context.stdout}")
    return name


def address_of(name: str) -> str:
    """The IP address that the local Azure's hosts file gives for a name."""
    for line in HOSTS.read_text().splitlines():
        words = line.partition("#")[0].split()
        if name in words[1:]:
            return words[0]
    return name


def docker(env: dict[str, str], address: str, *arguments: str, **kwargs: t.Any) -> subprocess.CompletedProcess[bytes]:
    """The docker CLI over mutual TLS, by address."""
    command = ["docker", "--tlsverify", "-H", f"tcp://{address}:{PORT}", *arguments]
    print(f"   $ {shlex.join(command)}", flush=True)
    return subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **kwargs)


def expect(result: subprocess.CompletedProcess[bytes], what: str) -> str:
    """The output of a command that must succeed."""
    text = result.stdout.decode(errors="replace")
    if result.returncode:
        raise StepError(f"{what} failed: {text[-2000:]}")
    return text


def show(text: str, *keys: str) -> None:
    """Print the lines that begin with one of the keys (all when none is given), indented."""
    for line in text.splitlines():
        if not keys or line.strip().startswith(keys):
            print(f"     {line.strip()}")


def busybox_image() -> bytes:
    """A root file system for ``docker import``: one static busybox."""
    busybox = CACHE / "bin" / "busybox"
    if not busybox.exists():
        raise StepError(f"{busybox} is missing: remove .build/system.stamp and type 'make demo' again.")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(busybox, arcname="bin/busybox")
        for name in ("sh", "echo", "uname", "hostname", "id"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type = tarfile.SYMTYPE
            link.linkname = "busybox"
            tar.addfile(link)
    return archive.getvalue()


def prove(env: dict[str, str], address: str, machines: str) -> None:
    """Run the docker CLI against the new host."""
    with step(f"docker info over mutual TLS, by {address}"):
        info = expect(docker(env, address, "info"), "docker info")
        show(info, "Server Version", "Operating System", "Name:", "Storage Driver", "Kernel Version")
    if machines == "guest":
        with step("A container, from an image made on the spot"):
            expect(docker(env, address, "import", "-", "busybox:demo", input=busybox_image()), "docker import")
            said = docker(
                env, address, "run", "--rm", "busybox:demo", "sh", "-c", "echo hello from $(hostname), $(uname -sr)"
            )
            show(expect(said, "docker run"))
    else:
        print("   The machine is a stand-in: it answers like an engine, but runs no containers.")
    with step("A client without a certificate is refused"):
        bare = DEMO / "no-certificate"
        bare.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(CERT_DIR / "ca.pem", bare / "ca.pem")
        command = ["docker", "--tls", "--tlscacert", str(bare / "ca.pem"), "-H", f"tcp://{address}:{PORT}", "version"]
        stripped = {key: value for key, value in env.items() if not key.startswith("DOCKER_")}
        result = subprocess.run(
            command,
            env={**stripped, "DOCKER_CONFIG": str(bare), "DOCKER_CERT_PATH": str(bare)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        last = result.stdout.strip().splitlines()[-1] if result.stdout.strip() else ""
        # The engine closes at once: the client sees the TLS alert, or only that it can't write any more.
        if result.returncode == 0 or not any(word in result.stdout for word in ("certificate", "error during connect")):
            raise StepError(f"A client without a certificate was not refused: {last}")
        show(last)


def start() -> None:
    """The whole demo."""
    begin = time.monotonic() - float(os.environ.get("DEMO_STARTED", "0"))
    with step("The local Azure"):
        ready = start_azure()
    env = environment(ready)
    with step("The playbook"):
        name = run_playbook(env)
    address = address_of(name)
    if os.geteuid() == 0 and address != name:
        names.set_block(OWNER, {name: address}, pid=int(ready["pid"]))
        print(f"   {name} -> {address} is in /etc/hosts until 'make demo-stop'")
        address = name
    prove(env, address, ready["machines"])
    print(f"""
Your Docker host on the local Azure: {address} port {PORT} (took {time.monotonic() - begin:.0f} s)
Certificates: {CERT_DIR}

Try:
  export DOCKER_CERT_PATH={CERT_DIR} DOCKER_HOST=tcp://{address}:{PORT} DOCKER_TLS_VERIFY=1
  {shutil.which("docker")} info
  {shutil.which("docker")} {"run --rm -it busybox:demo sh" if ready["machines"] == "guest" else "version"}
Watch the local Azure in a browser: {ready["url"]} (its certificate comes from the demo's own CA)
The machine has no internet access, so it cannot pull images. The image busybox:demo comes from this machine.

Stop the demo and remove what it created: make demo-stop
Also remove the caches and the Python environment: make clean""")


def stop() -> None:
    """End everything that the demo started and remove what it created."""
    ready = running_azure()
    if ready:
        pid = int(ready["pid"])
        print("Stopping the local Azure and its machines")
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 60
        while running_azure() and time.monotonic() < deadline:
            time.sleep(0.1)
        if running_azure():
            os.kill(pid, signal.SIGKILL)
            time.sleep(1)
    if os.geteuid() == 0:
        names.remove_block(OWNER)
    shutil.rmtree(DEMO, ignore_errors=True)
    if DEMO.exists():
        raise StepError(f"{DEMO} could not be removed whole: something in it is still in use.")
    print("Nothing of the demo is left.")


def main() -> int:
    """Start or stop; a failed step ends with what failed and what to do."""
    try:
        if sys.argv[1:] == ["stop"]:
            stop()
        else:
            start()
    except StepError as error:
        print(f"\n== FAILED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
