# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How names of machines resolve on the host, two ways.

``python -m azure_emulator.machines.names --hosts FILE -- COMMAND`` runs a command for which FILE is /etc/hosts: in a
mount namespace of its own, so that nothing is left whatever happens. FILE must be updated in place, never by renaming.

A marker block in /etc/hosts itself, for a user's own shell: each block names the process that wants it, and is removed
by that process or, when it is gone, by whoever comes next.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import sys
import typing as t
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HOSTS = Path("/etc/hosts")
_BLOCK = re.compile(
    r"^# BEGIN azure_emulator (?P<owner>\S+) pid=(?P<pid>\d+) start=(?P<start>\d+)\n"
    r"(?:.*\n)*?# END azure_emulator (?P=owner)\n",
    re.MULTILINE,
)  # fmt: skip
_BIND = 'mount --bind "$0" /etc/hosts && exec "$@"'


def command_with_hosts(hosts: Path, command: t.Sequence[str]) -> list[str]:
    """Return a command line that runs ``command`` with ``hosts`` as /etc/hosts; without root in a user namespace."""
    if os.geteuid() == 0:
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", _BIND, str(hosts), *command]
    # The inner namespace restores the user's own identity, which ssh and others check.
    back = ["unshare", "--user", f"--map-user={os.getuid()}", f"--map-group={os.getgid()}"]
    outer = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private", "sh", "-c", _BIND]
    return [*outer, str(hosts), *back, *command]


def set_block(owner: str, entries: Mapping[str, str], *, pid: int | None = None, path: Path = HOSTS) -> None:
    """Write or replace one owner's block. Blocks of processes that are gone are removed on the way.

    :param owner: a word; one block each.
    :param entries: address by name.
    :param pid: the process whose end makes the block stale; default: this one.
    """
    process = pid or os.getpid()
    lines = [f"# BEGIN azure_emulator {owner} pid={process} start={_start_time(process) or 0}"]
    lines += [f"{address} {name}" for name, address in sorted(entries.items())]
    block = "\n".join([*lines, f"# END azure_emulator {owner}"]) + "\n"
    with _edit(path) as edit:
        edit(lambda text: _without(text, owner) + block)


def remove_block(owner: str, *, path: Path = HOSTS) -> None:
    """Remove one owner's block, and stale ones. Nothing happens when there is none."""
    with _edit(path) as edit:
        edit(lambda text: _without(text, owner))


def remove_stale(*, path: Path = HOSTS) -> None:
    """Remove the blocks whose process is gone."""
    remove_block("", path=path)


def _without(text: str, owner: str) -> str:
    if text and not text.endswith("\n"):
        text += "\n"

    def keep(match: re.Match[str]) -> str:
        alive = _start_time(int(match["pid"])) == int(match["start"])
        return match[0] if alive and match["owner"] != owner else ""

    return _BLOCK.sub(keep, text)


def _start_time(pid: int) -> int | None:
    """When the process started, in the kernel's ticks: tells a process from a later one with its number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])


@contextmanager
def _edit(path: Path) -> Iterator[Callable[[Callable[[str], str]], None]]:
    """Change the file in place under a lock: it may be a bind mount, or be bound somewhere, so no renaming."""
    with open(path, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        def edit(change: Callable[[str], str]) -> None:
            old = file.read().decode("utf-8", "surrogateescape")
            new = change(old)
            if new == old:
                return
            content = new.encode("utf-8", "surrogateescape")
            os.pwrite(file.fileno(), content, 0)
            os.ftruncate(file.fileno(), len(content))

        yield edit


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="azure_emulator.machines.names", description=__doc__)
    parser.add_argument("--hosts", type=Path, required=True, help="the file that the command sees as /etc/hosts")
    parser.add_argument("command", nargs="+", help="after --, the command and its arguments")
    arguments = parser.parse_args(argv)
    if not arguments.hosts.is_file():
        parser.error(f"--hosts: there is no file {arguments.hosts}")
    line = command_with_hosts(arguments.hosts.resolve(), arguments.command)
    try:
        os.execvp(line[0], line)
    except OSError as error:
        print(f"cannot run unshare (package util-linux): {error}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main())
