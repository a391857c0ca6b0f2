# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handler of managed run commands: ``run_command.py install|enable|disable|uninstall|update``.

It serves several extensions, one for each run command; the agent names the one it means. The status message is the
instance view as JSON. As with Azure's handler, a script runs by bash, carriage returns and all, and its unnamed
parameters are words of a command line, which the shell splits and interprets.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

from azure_emulator.machines.agent.handler import (
    FAILED_EXIT,
    Handler,
    HandlerError,
    now,
    private_file,
    put_script,
    tail,
)

DATA = Path("/var/lib/waagent/run-command-handler")
RUN_AS = "waagent/run-command-handler-runas"
DEFAULT_TIMEOUT = 90 * 60.0
BAD_SETTINGS, UNKNOWN_USER = -202, -102
FAILED = "failed to execute command: command terminated with exit status"
NO_USER = (
    "failed to execute command: Failed to lookup RunAs user '{0}'. Looks like user does not exist. For RunAs to work "
    "properly, contact admin of VM and make sure RunAs user is added on the VM and user has access to resources "
    "accessed by the Run Command (Directories, Files, Network etc.). Refer: https://aka.ms/RunCommandManagedLinux: "
    "user: unknown user {0}"
)


class RunCommand(Handler):
    """Runs a script, and keeps the instance view in its status."""

    data = DATA

    def __init__(self, operation: str = "enable") -> None:
        super().__init__(operation)
        self.log_folder = Path("/var/log/azure/run-command-handler")

    def enable(self) -> int:
        if not self.begin():
            self.clean()
            return FAILED_EXIT
        view: dict[str, t.Any] = {
            "executionState": "Running", "executionMessage": "Execution in progress", "output": "", "error": "",
            "exitCode": 0, "startTime": now(), "endTime": "",
        }  # fmt: skip
        self._show("transitioning", view)
        public: dict[str, t.Any] = {}
        code = 0
        try:
            public, protected = self.both_settings()
            view.update(self.executed({**public, **protected}))
        except HandlerError as error:
            view.update(
                executionState="Failed", executionMessage=f"Execution failed: {error.reason}", exitCode=error.code
            )
            code = FAILED_EXIT if error.code == BAD_SETTINGS else 0
        view["endTime"] = now()
        failed = view["executionState"] == "Failed"
        as_failure = failed and public.get("treatFailureAsDeploymentFailure")
        self._show("error" if as_failure else "success", view)
        self.log("failed to handle" if failed else "end")
        return code

    def _show(self, status: str, view: t.Mapping[str, t.Any]) -> None:
        self.report(status, json.dumps(view, separators=(",", ":")), name=self.prefix.rstrip("."))

    def executed(self, settings: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the script and return how it ended. :raises HandlerError: it cannot be run."""
        text = (settings.get("source") or {}).get("script")
        if not text:
            reason = "invalid configuration: Either 'source.script' or 'source.scriptUri' has to be specified"
            raise HandlerError(f"failed to get configuration: {reason}", BAD_SETTINGS)
        folder = self.data / "download" / self.prefix.rstrip(".") / str(self.number)
        shutil.rmtree(folder, ignore_errors=True)
        for path in (folder.parents[1], folder.parent, folder):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        put_script(folder / "script.sh", str(text).encode())
        code = self._run(settings, folder)
        self.clean()
        outcome = {"executionState": "Failed", "executionMessage": f"Execution failed: {FAILED}={code}"}
        if code == 0:
            outcome = {"executionState": "Succeeded", "executionMessage": "Execution completed"}
        return {**outcome, "output": tail(folder / "stdout"), "error": tail(folder / "stderr"), "exitCode": code}

    def _run(self, settings: dict[str, t.Any], folder: Path) -> int:
        given = [*(settings.get("parameters") or []), *(settings.get("protectedParameters") or [])]
        given = [item for item in given if item.get("value")]
        named = {str(item["name"]): str(item["value"]) for item in given if item.get("name")}
        words = [str(item["value"]) for item in given if not item.get("name")]
        with private_file(folder / "stdout") as out, private_file(folder / "stderr") as err:
            command = self._command(settings, folder)
            process = subprocess.Popen(
                ["/bin/bash", "-c", " ".join([command, *words])], cwd=folder, env={**os.environ, **named},
                stdin=subprocess.PIPE, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
            return self._wait(process, settings)

    def _command(self, settings: dict[str, t.Any], folder: Path) -> str:
        """Return what the shell calls: for another user ``sudo``, which drops the variables of named parameters."""
        user = str(settings.get("runAsUser") or "")
        return f"sudo -S -u {user} {self._users_copy(folder, user)}" if user else str(folder / "script.sh")

    def _users_copy(self, folder: Path, user: str) -> Path:
        """Return a copy of the script below the home of the user who runs it, since the agent's folder is closed."""
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            raise HandlerError(NO_USER.format(user), UNKNOWN_USER) from None
        copy = Path(entry.pw_dir) / RUN_AS / folder.relative_to(self.data)
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir(parents=True)
        put_script(copy / "script.sh", (folder / "script.sh").read_bytes())
        shutil.chown(copy / "script.sh", user)
        return copy / "script.sh"

    def _wait(self, process: subprocess.Popen[bytes], settings: dict[str, t.Any]) -> int:
        """Return the exit code; -1 for a script that a signal or the end of its time stopped."""
        password = f"{settings['runAsPassword']}\n" if settings.get("runAsPassword") else ""
        try:
            process.communicate(password.encode(), float(settings.get("timeoutInSeconds") or DEFAULT_TIMEOUT))
            return max(-1, process.returncode)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return -1

    def clean(self) -> None:
        """Remove what other sequence numbers of this run command left: scripts, and the content of their settings."""
        for folder in (self.data / "download" / self.prefix.rstrip(".")).glob("*"):
            if folder.name != str(self.number):
                shutil.rmtree(folder, ignore_errors=True)
        for settings in self.config.glob(f"{self.prefix}*[0-9].settings"):
            if settings.name != f"{self.prefix}{self.number}.settings":
                os.truncate(settings, 0)


def main(command: str) -> int:
    if command == "enable":
        return RunCommand().enable()
    if command == "install":
        DATA.mkdir(mode=0o755, parents=True, exist_ok=True)
    elif command == "uninstall":
        shutil.rmtree(DATA, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
