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

# What the real one takes; of it, the imitation does what is heeded, and says so of the rest.
FLAGS = """-4 -6 -b -C -h -q -v -x -y --allowerasing --assumeno --assumeyes --best --cacheonly --debugsolver
    --disableexcludes --downloadonly --help --json --noautoremove --nogpgcheck --noplugins --quiet --refresh --security
    --skipconflicts --skipdigest --skipobsoletes --skipsignature --verbose --version"""
VALUES = """-c -d -e -i --config --debuglevel --disableplugin --disablerepo --downloaddir --enableplugin --enablerepo
    --exclude --installroot --releasever --repo --repofrompath --repoid --rpmverbosity --sec-severity --setopt"""
HEEDED = ("-q", "-y", "--assumeyes", "--quiet", "--refresh")
COMMANDS = """autoerase autoremove check check-local check-update clean count distro-sync downgrade erase help history
    info install list makecache mark provides whatprovides reinstall remove repolist reposync repoquery search update
    update-to upgrade upgrade-to updateinfo"""
LOCKS = Path("/etc/tdnf/locks.d")


def fail(code: int, text: str, said: str = "") -> t.NoReturn:
    """End as tdnf does, whose exit code is the lowest byte of the error's number."""
    if said:
        print(said)
    print(f"Error({code}) : {text}", file=sys.stderr)
    sys.exit(code % 256)


def call(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program; without a network that ends as tdnf does then."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    for number, text in ((6, "Couldn't resolve host name"), (7, "Couldn't connect to server")):
        if done.returncode and f"Curl error ({number})" in done.stdout + done.stderr:
            fail(1201 + number, text)
    return done


def locked(names: set[str]) -> bool:
    """Return whether a lock names one of the packages."""
    lines = [line for file in LOCKS.glob("*.conf") for line in file.read_text(encoding="utf-8").split()]
    return bool(names & set(lines))


def is_installed(name: str) -> bool:
    return call("rpm", "-q", name).returncode == 0


def listed(name: str) -> None:
    """Every version: installed ones, and those that repositories offer."""
    lines = []
    done = call("dnf", "list", "--showduplicates", name)
    for line in done.stdout.splitlines():
        found = re.match(r"(\S+\.\S+)\s+(\S+)\s+(\S+)\s*$", line)
        if found:
            where = "@System" if found[3].startswith("@") else found[3]
            lines.append(f"{found[1]:40}{found[2]:30}{where}")
    if not lines:
        fail(1011, "No matching packages")
    print("\n".join(lines))


def install(words: list[str]) -> None:
    """``NAME`` or ``NAME=VERSION-RELEASE``, up or down."""
    for word in words:
        if re.search(r"-\d[^=]*-\d", word) and "=" not in word:
            fail(1011, "No matching packages", f"{word} package not found or not installed")
    names = {word.partition("=")[0] for word in words}
    if locked({name for name in names if is_installed(name)}):
        fail(1301, "Solv general runtime error", "conflicting requests")
    done = call("dnf", "-y", "install", *(word.replace("=", "-", 1) for word in words))
    if done.returncode:
        fail(1011, "No matching packages", done.stdout + done.stderr)


def remove(words: list[str]) -> None:
    """All of them, or none if one is not there."""
    if not all(is_installed(word) for word in words):
        fail(1011, "No matching packages")
    if locked(set(words)):
        fail(1301, "Solv general runtime error", "conflicting requests")
    done = call("dnf", "-y", "remove", *words)
    if done.returncode:
        fail(1301, "Solv general runtime error", done.stdout + done.stderr)


def main(arguments: list[str]) -> None:
    """Parse as tdnf does: unknown options and commands end the program."""
    words, left = [], list(arguments)
    while left:
        word = left.pop(0)
        name, sign, _value = word.partition("=")
        if not word.startswith("-"):
            words.append(word)
        elif name in VALUES.split():
            left = left if sign else left[1:]
        elif word not in FLAGS.split():
            help_text = "Please use /usr/bin/tdnf --help"
            fail(908, "Command line error: option is invalid.", f"No such option: {word}. {help_text}")
        if word.startswith("-") and word not in HEEDED:
            sys.exit(f"this imitation does not do what {word} does")
    command, names = words[0], words[1:]
    if command not in COMMANDS.split():
        fail(912, "Invalid command", f"No such command: {command}. Please use /usr/bin/tdnf --help")
    if command == "list" and len(names) == 1:
        listed(names[0])
    elif command == "install":
        install(names)
    elif command == "remove":
        remove(names)
    elif command in ("makecache", "clean", "repolist") and not names[1:]:
        sys.exit(call("dnf", "-y", *words).returncode)
    else:
        sys.exit(f"this imitation does not do {' '.join(words)}")


if __name__ == "__main__":
    main(sys.argv[1:])
