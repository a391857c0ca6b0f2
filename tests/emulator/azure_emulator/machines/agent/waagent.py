# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guest's Linux agent: ``waagent.py start|certificate|enable|remove|run``, one JSON object on stdin and stdout.

Follows Azure's handler contract: each handler lives in ``/var/lib/waagent/<Publisher>.<Type>-<Version>/``, is started
by the commands of its HandlerManifest.json, reads ``config/N.settings`` (protected settings encrypted for the agent's
transport certificate) and answers in ``status/N.status``. The host plays the fabric: it hands over what Azure would
put into the goal state, and reads what the agent would report.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

HOME = Path("/var/lib/waagent")
LOG = Path("/var/log/waagent.log")
PROGRAMS = Path(__file__).resolve().parent
HANDLERS = {
    "Microsoft.Azure.Extensions.CustomScript": ("2.1.19", "custom_script.py"),
    "Microsoft.OSTCExtensions.VMAccessForLinux": ("1.5.18", "vm_access.py"),
}
SHIM = """#!/bin/sh
# Enabling may take long: it goes on in the background and tells its end in the status file.
if [ "$1" = enable ]; then
  nohup {python} {program} enable >/dev/null 2>>"{errors}" </dev/null &
else
  exec {python} {program} "$1"
fi
"""
INSTALL_LIMIT, ENABLE_LIMIT, EXTENSION_LIMIT = 900, 300, 90 * 60
TAIL = 4096


def log(text: str) -> None:
    with LOG.open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S.000000Z', time.gmtime())} INFO {text}\n")


def start() -> None:
    """Make the transport certificate, once, and say that the agent runs."""
    HOME.mkdir(exist_ok=True)
    HOME.chmod(0o700)
    if not list(HOME.glob("*.prv")):
        key, certificate = HOME / "TransportPrivate.pem", HOME / "TransportCert.pem"
        command = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=LinuxTransport", "-days", "730", "-newkey"]
        command += ["rsa:2048", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        name = thumbprint(certificate)
        key.chmod(0o600)
        shutil.copyfile(certificate, HOME / f"{name}.crt")
        os.link(key, HOME / f"{name}.prv")
    log("Agent WALinuxAgent-2.9.1.1 is running as the goal state agent")


def thumbprint(certificate: Path) -> str:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha1"]
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return line.strip().rpartition("=")[2].replace(":", "")


def certificate() -> dict[str, t.Any]:
    path = HOME / "TransportCert.pem"
    return {"thumbprint": thumbprint(path), "pem": path.read_text(encoding="utf-8")}


class Handler:
    """One installed handler, or the place where it will be."""

    def __init__(self, publisher: str, type_: str) -> None:
        self.name = f"{publisher}.{type_}"
        by_lower_name = {name.lower(): name for name in HANDLERS}
        if self.name.lower() not in by_lower_name:
            raise SystemExit(f"no handler {self.name} in this guest")
        self.name = by_lower_name[self.name.lower()]
        self.version, self.program = HANDLERS[self.name]
        self.home = HOME / f"{self.name}-{self.version}"
        self.log_folder = Path("/var/log/azure") / self.name

    def install(self) -> None:
        if (self.home / "HandlerManifest.json").exists():
            return
        log(f"[{self.name}-{self.version}] Target handler state: enabled; installing")
        for folder in (*(self.home / name for name in ("bin", "config", "status", "events")), self.log_folder):
            folder.mkdir(parents=True, exist_ok=True)
        (self.home / "config").chmod(0o700)
        shim = self.home / "bin" / "shim"
        words = {"python": sys.executable, "program": PROGRAMS / self.program, "errors": self.log_folder / "errors.log"}
        shim.write_text(SHIM.format(**words), encoding="utf-8")
        shim.chmod(0o755)
        environment = {
            "logFolder": str(self.log_folder),
            "configFolder": str(self.home / "config"),
            "statusFolder": str(self.home / "status"),
            "heartbeatFile": str(self.home / "heartbeat.log"),
            "eventsFolder": str(self.home / "events"),
        }
        document: list[dict[str, t.Any]] = [{"name": self.name, "version": 1.0, "handlerEnvironment": environment}]
        (self.home / "HandlerEnvironment.json").write_text(json.dumps(document), encoding="utf-8")
        self.command("install", INSTALL_LIMIT)
        commands: dict[str, t.Any] = {
            f"{verb}Command": f"bin/shim {verb}" for verb in ("install", "enable", "disable", "uninstall", "update")
        }
        commands |= {"rebootAfterInstall": False, "reportHeartbeat": False}
        manifest = [{"name": self.name, "version": 1.0, "handlerManifest": commands}]
        (self.home / "HandlerManifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def command(self, verb: str, limit: float, number: int | None = None) -> None:
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {key: value for key, value in os.environ.items() if key in ("LANG", "INVOCATION_ID")}
        environment |= {
            "PATH": path,
            "AZURE_GUEST_AGENT_EXTENSION_PATH": str(self.home),
            "AZURE_GUEST_AGENT_EXTENSION_VERSION": self.version,
        }
        if number is not None:
            environment["ConfigSequenceNumber"] = str(number)
        with (self.log_folder / "CommandExecution.log").open("ab") as output:
            subprocess.run(
                ["bin/shim", verb], cwd=self.home, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, timeout=limit, check=True,
            )  # fmt: skip

    def enable(self, request: dict[str, t.Any]) -> dict[str, t.Any]:
        self.install()
        number = 1 + max([-1, *(int(path.stem) for path in (self.home / "config").glob("*.settings"))])
        settings: dict[str, t.Any] = {"publicSettings": request["settings"]}
        if request.get("protected"):
            settings["protectedSettings"] = request["protected"]
            settings["protectedSettingsCertThumbprint"] = request["thumbprint"]
        path = self.home / "config" / f"{number}.settings"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"runtimeSettings": [{"handlerSettings": settings}]}), encoding="utf-8")
        log(f"[{self.name}-{self.version}] Enable extension {request['name']}: sequence number {number}")
        self.command("enable", ENABLE_LIMIT, number)
        status = self.wait(number)
        log(f"[{self.name}-{self.version}] Sequence number {number} ended with {status['status']}")
        return {"version": self.version, "status": status}

    def wait(self, number: int) -> dict[str, t.Any]:
        path, limit = self.home / "status" / f"{number}.status", time.monotonic() + EXTENSION_LIMIT
        while time.monotonic() < limit:
            if path.exists():
                status: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))[0]["status"]
                if status["status"] in ("success", "error"):
                    return status
            time.sleep(0.05)
        text = f"Timeout: the handler has not reported an end within {EXTENSION_LIMIT // 60} minutes"
        return {"status": "error", "code": -1, "formattedMessage": {"lang": "en", "message": text}}

    def remove(self) -> None:
        if self.home.exists():
            self.command("disable", INSTALL_LIMIT)
            self.command("uninstall", INSTALL_LIMIT)
            shutil.rmtree(self.home)
        log(f"[{self.name}-{self.version}] removed")


def run_command(request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Run Command: the script as root or as a user, named parameters as variables, others as arguments."""
    base = HOME / "run-command" / "download"
    base.mkdir(parents=True, exist_ok=True)
    for folder in (HOME, HOME / "run-command", base):
        folder.chmod(0o711)
    number = 1 + max([-1, *(int(path.name) for path in base.iterdir() if path.name.isdigit())])
    folder = base / str(number)
    folder.mkdir()
    script = folder / "script.sh"
    script.touch(mode=0o500)
    script.write_text(request["script"].replace("\r\n", "\n"), encoding="utf-8")
    if not request["script"].startswith("#!"):
        script.write_text("#!/bin/sh\n" + request["script"].replace("\r\n", "\n"), encoding="utf-8")
    script.chmod(0o500)
    named = {name: value for name, value in request["parameters"] if name}
    command = [str(script), *(value for name, value in request["parameters"] if not name)]
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **named}
    user = request.get("run_as_user")
    if user:
        shutil.chown(script, user)
        shutil.chown(folder, user)
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, user=user, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            start_new_session=True, extra_groups=None,
        )  # fmt: skip
        try:
            code, late = process.wait(request["timeout"]), False
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code, late = process.wait(), True
    log(f"[Microsoft.CPlat.Core.RunCommandHandlerLinux] command {number} ended with {code}")
    return {"exit_code": code, "timed_out": late, "output": tail(folder / "stdout"), "error": tail(folder / "stderr")}


def tail(path: Path) -> str:
    return path.read_bytes()[-TAIL:].decode("utf-8", "replace")


def main(command: str) -> int:
    if command == "start":
        start()
        return 0
    if command == "certificate":
        answer: dict[str, t.Any] = certificate()
    else:
        request = json.load(sys.stdin)
        if command == "run":
            answer = run_command(request)
        else:
            handler = Handler(request["publisher"], request["type"])
            if command == "enable":
                answer = handler.enable(request)
            else:
                handler.remove()
                answer = {}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
