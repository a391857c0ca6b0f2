# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m azure_emulator run``: run a command against a server of its own; ``exec``: against one that runs.

The command sees no other Azure: whatever the user's environment says about Azure is removed. It has a home directory
of its own, so that it cannot change the user's Docker contexts, certificates and SSH keys. Signals go to the command;
the server of ``run`` is stopped when the command has ended.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from .home import docker_variables, make_home
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


def run(command: t.Sequence[str], options: t.Sequence[str], *, keep_home: bool = False) -> int:
    """Start a server, run a command against it, and stop it; return its exit status, 128+n if signal n ended it.

    The names of the machines resolve for the command, where the host lets a command have an /etc/hosts of its own.

    :param options: of the server, as on the command line.
    :param keep_home: let the command use the user's own home directory.
    """
    if not _exists(command[0]):
        return 127
    azure = LocalAzure("auto", options=options)
    try:
        _interrupt_by_signals()
        with azure, tempfile.TemporaryDirectory(prefix="azure-config-") as configuration:
            return _follow(_named(azure, command), _environment(azure, Path(configuration), keep_home))
    except _Told as told:
        return 128 + told.number
    except (StartError, OSError) as error:
        print(f"azure_emulator: {error.reason if isinstance(error, StartError) else error}", file=sys.stderr)
        return 1


def run_in(ready_file: Path, command: t.Sequence[str], *, keep_home: bool = False) -> int:
    """Run a command against a server that runs, and return its exit status as :func:`run` does.

    Its home directory is kept in the server's state directory, so that the next command finds what it left.
    """
    if not _exists(command[0]):
        return 127
    try:
        azure = LocalAzure.running(ready_file)
        return _follow(_named(azure, command), _environment(azure, client_directory(azure), keep_home))
    except (StartError, OSError) as error:
        print(f"azure_emulator: {error.reason if isinstance(error, StartError) else error}", file=sys.stderr)
        return 1


def show_environment(ready_file: Path, *, keep_home: bool = False) -> int:
    """Print what a shell must evaluate to use a server that runs, and return the exit status.

    HOME stays, since the shell's own; Docker's files have a directory of their own.
    """
    try:
        azure = LocalAzure.running(ready_file)
    except StartError as error:
        print(f"azure_emulator: {error.reason}", file=sys.stderr)
        return 1
    own = client_directory(azure)
    docker = {} if keep_home else docker_variables(own / "home")
    variables = {**client_variables(azure, os.environ, str(own / "azure")), **docker}
    print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
    return 0


def client_directory(azure: LocalAzure) -> Path:
    """Return the directory of the commands that use a running server."""
    return Path(azure.state_dir) / "client"


def _environment(azure: LocalAzure, directory: Path, keep_home: bool) -> dict[str, str]:
    """Return a command's environment.

    :param directory: where its home directory and the configuration of the Azure CLI are.
    """
    configuration = directory / "azure"
    configuration.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = {} if keep_home else make_home(directory / "home", Path.home())
    return {**environment_for(azure, os.environ, str(configuration)), **home}


def _exists(program: str) -> bool:
    if shutil.which(program) is None:
        print(f"{program}: command not found", file=sys.stderr)
        return False
    return True


def _named(azure: LocalAzure, command: t.Sequence[str]) -> list[str]:
    return list(command) if azure.machines == "none" else _with_names(azure.hosts_file, command)


def environment_for(azure: LocalAzure, given: t.Mapping[str, str], configuration: str) -> dict[str, str]:
    """Return the command's environment.

    :param given: the user's.
    :param configuration: a directory for the Azure CLI instead of the user's own.
    """
    kept = {name: value for name, value in given.items() if not name.startswith(FOREIGN) and name not in CLEARED}
    return {**kept, **client_variables(azure, given, configuration)}


def client_variables(azure: LocalAzure, given: t.Mapping[str, str], configuration: str) -> dict[str, str]:
    """Return the variables that lead a client to the server; the parameters are those of :func:`environment_for`."""
    # With the source "env" a profile in ~/.azure/credentials is ignored, even if a task names one.
    own = {**azure.environment, "ANSIBLE_AZURE_AUTH_SOURCE": "env", "AZURE_CONFIG_DIR": configuration}
    return {**own, **without_proxy(given, azure.no_proxy)}


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
