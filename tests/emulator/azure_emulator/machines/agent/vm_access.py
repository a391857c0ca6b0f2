# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The VMAccessForLinux handler, as far as hosts need it: set a user's password or key, remove a user, reset SSH."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import typing as t
from pathlib import Path

from azure_emulator.machines.agent.handler import Handler, HandlerError


class VMAccess(Handler):
    """Shares the frame of the settings and the status with CustomScript."""

    def run(self, settings: dict[str, t.Any]) -> str:
        user = settings.get("username")
        if settings.get("remove_user"):
            self._call(["userdel", "-r", str(settings["remove_user"])])
        if user:
            if user not in {entry.pw_name for entry in pwd.getpwall()}:
                self._call(["useradd", "-m", "-s", "/bin/bash", "-G", "sudo", str(user)])
            if settings.get("password"):
                self._call(["chpasswd"], f"{user}:{settings['password']}\n")
            if settings.get("ssh_key"):
                add_key(str(user), str(settings["ssh_key"]))
        if settings.get("reset_ssh"):
            self._call(["systemctl", "restart", "ssh"])
        return ""

    def _call(self, command: list[str], text: str = "") -> None:
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            raise HandlerError(f"Enable failed: {command[0]} ended with {done.returncode}", 1)


def add_key(user: str, key: str) -> None:
    entry = pwd.getpwnam(user)
    folder = Path(entry.pw_dir) / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    keys = folder / "authorized_keys"
    old = keys.read_text(encoding="utf-8").splitlines() if keys.exists() else []
    keys.touch(mode=0o600)
    keys.write_text("\n".join([*(line for line in old if line != key.strip()), key.strip()]) + "\n", encoding="utf-8")
    for path in (folder, keys):
        os.chown(path, entry.pw_uid, entry.pw_gid)


if __name__ == "__main__":
    if sys.argv[1] == "enable":
        VMAccess().enable()
