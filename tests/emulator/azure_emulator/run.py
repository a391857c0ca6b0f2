# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m azure_emulator run``: run a command against a server of its own.

The command sees no other Azure: whatever the user's environment says about Azure is removed. Signals go
to the command; the server is stopped when the command has ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from .launcher import CLEARED, LocalAzure, StartError
from .machines.names import command_with_hosts

FOREIGN = ("AZURE_", "ANSIBLE_AZURE_", "ARM_", "IDENTITY_", "MSI_")
"""How the variables begin that could lead a client to another Azure, or sign it in there."""
FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
AWAITED = {*FORWARDED, signal.SIGCHLD}


class _Told(BaseException):
    """A signal arrived before the command was started."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run(command: t.Sequence[str], options: t.Sequence[str]) -> int:
    """Start a server, run a command against it, and stop it; return its exit status, 128+n if signal n ended it.

    The names of the machines resolve for the command, where the host lets a command have an /etc/hosts of its own.

    :param options: of the server, as on the command line.
    """
    if shutil.which(command[0]) is None:
        print(f"{command[0]}: command not found", file=sys.stderr)
        return 127
    azure = LocalAzure("auto", options=options)
    try:
        _interrupt_by_signals()
        with azure, tempfile.TemporaryDirectory(prefix="azure-config-") as configuration:
            named = list(command) if azure.machines == "none" else _with_names(azure.hosts_file, command)
            return _follow(named, environment_for(azure, os.environ, configuration))
    except _Told as told:
        return 128 + told.number
    except (StartError, OSError) as error:
        print(f"azure_emulator: {error.reason if isinstance(error, StartError) else error}", file=sys.stderr)
        return 1


def environment_for(azure: LocalAzure, given: t.Mapping[str, str], configuration: str) -> dict[str, str]:
    """Return the command's environment.

    :param given: the user's.
    :param configuration: an empty directory, for the Azure CLI instead of the user's own.
    """
    kept = {name: value for name, value in given.items() if not name.startswith(FOREIGN) and name not in CLEARED}
    # With the source "env" a profile in ~/.azure/credentials is ignored, even if a task names one.
    own = {**azure.environment, "ANSIBLE_AZURE_AUTH_SOURCE": "env", "AZURE_CONFIG_DIR": configuration}
    return {**kept, **own, **without_proxy(given, azure.no_proxy)}


def without_proxy(given: t.Mapping[str, str], local: str) -> dict[str, str]:
    """Both spellings of the variable that names what is reached without a proxy, each with ``local`` added.

    Where the user has set one of them alone it counts for both: programs prefer the one or the other.
    """
    found = {}
    for name, other in (("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")):
        before = given.get(name) or given.get(other) or ""
        found[name] = before if before.strip() == "*" else ",".join(filter(None, [before, local]))
    return found


def _interrupt_by_signals() -> None:
    """Let signals end the start of the server; those that this process was told to ignore stay ignored."""
    for number in FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _frame: object) -> None:
    for each in FORWARDED:
        signal.signal(each, _pass)
    raise _Told(number)


def _pass(_number: int, _frame: object) -> None:
    """Handle a signal without an effect, so that its default action does not happen."""


def _follow(command: t.Sequence[str], environment: t.Mapping[str, str]) -> int:
    """Run a command to its end and give it the signals that come; they are held back until this process ends."""
    signal.signal(signal.SIGCHLD, _pass)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    process = subprocess.Popen(
        command, env=environment, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before)
    )
    while (code := process.poll()) is None:
        number, typed = _next_signal()
        if number in FORWARDED and not typed:
            process.send_signal(number)
    return code if code >= 0 else 128 - code


def _next_signal() -> tuple[int, bool]:
    """Wait for a signal; its number, and whether a terminal sent it, which has sent it to the command as well."""
    if sys.platform == "darwin":
        return signal.sigwait(AWAITED), False
    info = signal.sigwaitinfo(AWAITED)
    return info.si_signo, info.si_code > 0


def _with_names(hosts_file: str, command: t.Sequence[str]) -> list[str]:
    """Return a command line for which the machines' names resolve; warn if that is impossible here."""
    try:
        probe = subprocess.run(command_with_hosts(Path(hosts_file), ["true"]), capture_output=True, check=False)
        reason = probe.stderr.decode(errors="replace").strip() if probe.returncode else ""
    except FileNotFoundError as error:
        reason = str(error)
    if reason:
        print(f"azure_emulator: the names of machines will not resolve: {reason}", file=sys.stderr)
        return list(command)
    return command_with_hosts(Path(hosts_file), command)
