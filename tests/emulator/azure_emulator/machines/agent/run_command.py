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

sys.path.insert(0, str(Path(__file__).resolve().parent))
from custom_script import Handler, now, private_file, put_script, tail  # type: ignore[import-not-found]

DATA = Path("/var/lib/waagent/run-command-handler/download")
DEFAULT_TIMEOUT = 90 * 60.0
FAILED = "failed to execute command: command terminated with exit status"


class RunCommand(Handler):  # type: ignore[misc]
    """Shares the frame of the settings and the status with CustomScript."""

    def enable(self) -> None:
        if not self.begin():
            return
        public, protected = self.both_settings()
        view: dict[str, t.Any] = {"executionState": "Running", "startTime": now(), "exitCode": 0}
        self.report("transitioning", json.dumps(view))
        try:
            view.update(self.executed({**public, **protected}))
        except (OSError, KeyError) as error:
            view.update(executionState="Failed", executionMessage=f"Execution failed: {error}", exitCode=-1)
        view["endTime"] = now()
        failed = view["executionState"] == "Failed" and public.get("treatFailureAsDeploymentFailure")
        self.report("error" if failed else "success", json.dumps(view))

    def executed(self, settings: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the script and return how it ended."""
        folder, user = self._folder(settings.get("runAsUser"))
        script = folder / "script.sh"
        put_script(script, str((settings.get("source") or {}).get("script") or "").encode())
        if user is not None:
            for path in (folder, script):
                shutil.chown(path, user)
        given = [*(settings.get("parameters") or []), *(settings.get("protectedParameters") or [])]
        named = {str(item["name"]): str(item["value"]) for item in given if item.get("name")}
        words = [str(item["value"]) for item in given if not item.get("name")]
        with private_file(folder / "stdout") as out, private_file(folder / "stderr") as err:
            process = subprocess.Popen(
                ["/bin/bash", "-c", " ".join([str(script), *words])], cwd=folder, env={**os.environ, **named},
                user=user, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
            code = self._wait(process, float(settings.get("timeoutInSeconds") or DEFAULT_TIMEOUT))
        outcome = {"executionState": "Failed", "executionMessage": f"Execution failed: {FAILED}={code}"}
        if code == 0:
            outcome = {"executionState": "Succeeded", "executionMessage": "Execution completed"}
        return {**outcome, "exitCode": code, "output": tail(folder / "stdout"), "error": tail(folder / "stderr")}

    def _folder(self, user: str | None) -> tuple[Path, str | None]:
        """Return where the script runs: for another user below that user's home, since the agent's is closed."""
        below = f"{self.prefix.rstrip('.')}/{self.number}"
        base = DATA if not user else Path(pwd.getpwnam(user).pw_dir) / "waagent/run-command-handler/download"
        folder = base / below
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        return folder, user or None

    def _wait(self, process: subprocess.Popen[bytes], timeout: float) -> int:
        """Return the exit code; -1 for a script that a signal or the end of its time stopped."""
        try:
            return max(-1, process.wait(timeout))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return -1


if __name__ == "__main__":
    if sys.argv[1] == "enable":
        RunCommand().enable()
