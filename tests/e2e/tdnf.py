# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An imitation of tdnf 3.5.8 over dnf and rpm, which accepts and refuses what Azure Linux's tdnf does.

Texts, exit codes and the forms of arguments are those of the real program (https://github.com/vmware/tdnf, v3.5.8).
"""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t
from pathlib import Path

OPTIONS = ("-y", "-q", "--refresh", "--assumeyes", "--quiet")
COMMANDS = ("install", "remove", "list", "makecache", "clean", "info", "upgrade", "update", "check-update", "repolist")
LOCKS = Path("/etc/tdnf/locks.d")


def fail(code: int, text: str, status: int, said: str = "") -> t.NoReturn:
    """End as tdnf does."""
    if said:
        print(said)
    print(f"Error({code}) : {text}", file=sys.stderr)
    sys.exit(status)


def call(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def locked(names: set[str]) -> bool:
    """Return whether a lock names one of the packages."""
    lines = [line for file in LOCKS.glob("*.conf") for line in file.read_text(encoding="utf-8").split()]
    return bool(names & set(lines))


def is_installed(name: str) -> bool:
    return call("rpm", "-q", name).returncode == 0


def listed(name: str) -> None:
    """Every version: installed ones, and those that repositories offer."""
    lines = []
    done = call("dnf", "-q", "list", "--showduplicates", name)
    for line in done.stdout.splitlines():
        found = re.match(r"(\S+\.\S+)\s+(\S+)\s+(\S+)\s*$", line)
        if found:
            where = "@System" if found[3].startswith("@") else found[3]
            lines.append(f"{found[1]:40}{found[2]:30}{where}")
    if not lines:
        fail(1011, "No matching packages", 243)
    print("\n".join(lines))


def install(words: list[str]) -> None:
    """``NAME`` or ``NAME=VERSION-RELEASE``, up or down."""
    for word in words:
        if re.search(r"-\d[^=]*-\d", word) and "=" not in word:
            fail(1011, "No matching packages", 243, f"{word} package not found or not installed")
    names = {word.partition("=")[0] for word in words}
    if locked({name for name in names if is_installed(name)}):
        fail(1301, "Solv general runtime error", 21, "conflicting requests")
    done = call("dnf", "-y", "-q", "install", *(word.replace("=", "-", 1) for word in words))
    if done.returncode:
        fail(1011, "No matching packages", 243, done.stdout + done.stderr)


def remove(words: list[str]) -> None:
    """All of them, or none if one is not there."""
    if not all(is_installed(word) for word in words):
        fail(1011, "No matching packages", 243)
    if locked(set(words)):
        fail(1301, "Solv general runtime error", 21, "conflicting requests")
    done = call("dnf", "-y", "-q", "remove", *words)
    if done.returncode:
        fail(1301, "Solv general runtime error", 21, done.stdout + done.stderr)


def main(arguments: list[str]) -> None:
    """Parse as tdnf does: unknown options and commands end the program."""
    for word in arguments:
        if word.startswith("-") and word not in OPTIONS:
            help_text = "Please use /usr/bin/tdnf --help"
            fail(908, "Command line error: option is invalid.", 140, f"No such option: {word}. {help_text}")
    words = [word for word in arguments if not word.startswith("-")]
    command, names = words[0], words[1:]
    if command not in COMMANDS:
        fail(912, "Invalid command", 144, f"No such command: {command}. Please use /usr/bin/tdnf --help")
    if command == "list":
        listed(names[0])
    elif command == "install":
        install(names)
    elif command == "remove":
        remove(names)
    else:
        sys.exit(call("dnf", "-y", "-q", *words).returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
