# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m azure_emulator``: a local Azure on loopback."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import typing as t
from pathlib import Path

from .settings import Settings

EPILOG = """
`python -m azure_emulator run [OPTIONS] -- COMMAND ...` starts a server, runs COMMAND with the environment
variables that clients need, stops the server and exits with the command's status.
`python -m azure_emulator exec FILE -- COMMAND ...` runs COMMAND against the running server that wrote the ready file
FILE, and `python -m azure_emulator env FILE` prints the variables for a shell.
"""
RUN_USAGE = "python -m azure_emulator run [OPTIONS] -- COMMAND ..."
KEEP_HOME = "--keep-home"
KEEP_HOME_HELP = "let the command use your own home directory, with its Docker contexts, certificates and SSH keys"


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    arguments = argparse.ArgumentParser(prog="python -m azure_emulator", description=__doc__, epilog=EPILOG)
    arguments.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1 (default: a free one)")
    arguments.add_argument("--state-dir", type=Path, help="directory for state, CA and machines (default: temporary)")
    arguments.add_argument(
        "--machines",
        choices=("auto", "guests", "stand-in", "none"),
        default="auto",
        help="what VMs are: real guests, stand-ins for an engine, or nothing (default: auto)",
    )
    arguments.add_argument(
        "--handlers", type=Path, metavar="DIR", help="packages PUBLISHER.TYPE__VERSION.zip for guests"
    )
    arguments.add_argument(
        "--provision",
        choices=("fast", "cloud-init"),
        default="fast",
        help="who provisions new guests: a small program, or Debian's cloud-init (default: fast)",
    )
    arguments.add_argument(
        "--latency", default="instant", help="instant, recorded[:SCALE] or handlers[:SCALE] (default: instant)"
    )
    arguments.add_argument("--seed", type=int, help="seed of the drawn latencies")
    arguments.add_argument(
        "--ready-file", type=Path, help="written (0600) once the server answers: URL, CA, credentials"
    )
    arguments.add_argument("--request-log", type=Path, help="file for one JSON line per request")
    arguments.add_argument("--cache-dir", type=Path, help="directory for what guests are made of")
    arguments.add_argument("--record-traffic", type=Path, help="file for every request and answer in full")
    arguments.add_argument("--dns-suffix", default="cloudapp.azure.com", help="ending of public DNS names")
    arguments.add_argument("--fault", action="append", default=[], metavar="JSON", help="a fault (can be given again)")
    arguments.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help="a switch (can be given again)"
    )
    arguments.add_argument(
        "--until-stdin-closes", action="store_true", help="end when standard input closes (the parent is gone)"
    )
    arguments.add_argument("--ready-fd", type=int, help="like --ready-file, into an open file descriptor, then closed")
    arguments.add_argument("--verbose", action="store_true", help="say more")
    return arguments


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings from the command line."""
    switches = dict(text.partition("=")[::2] for text in options.switch)
    return Settings(
        port=options.port,
        state_dir=options.state_dir,
        machines=options.machines,
        latency=options.latency,
        seed=options.seed,
        ready_file=options.ready_file,
        ready_fd=options.ready_fd,
        request_log=options.request_log,
        dns_suffix=options.dns_suffix,
        cache_dir=options.cache_dir,
        handlers=options.handlers,
        provision=options.provision,
        until_stdin_closes=options.until_stdin_closes,
        record_traffic=options.record_traffic,
        faults=tuple(options.fault),
        switches=switches,
    )


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["run"]:
        return _run(given[1:])
    if given[:1] in (["exec"], ["env"]):
        return _attach(given[0], given[1:])
    options = parser().parse_args(given)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("uvicorn", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from .machines.base import MachineError
    from .serving import serve

    # Until the server runs and handles it: what was begun is undone in that case, too.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        serve(settings_of(options))
    except (OSError, RuntimeError, ValueError, KeyError, MachineError) as error:
        reason = str(error.args[-1] if isinstance(error, KeyError) else error)
        print(f"azure_emulator: {' '.join(reason.split())}", file=sys.stderr)
        return 1
    return 0


def _run(given: list[str]) -> int:
    at = given.index("--") if "--" in given else len(given)
    options = parser()
    options.prog, options.usage = f"{options.prog} run", RUN_USAGE
    options.add_argument(KEEP_HOME, action="store_true", help=KEEP_HOME_HELP)
    keep_home = options.parse_args(given[:at]).keep_home
    if not given[at + 1 :]:
        print(f"usage: {RUN_USAGE}", file=sys.stderr)
        return 2
    from .run import run

    server = [word for word in given[:at] if word != KEEP_HOME]
    return run(given[at + 1 :], server, keep_home=keep_home)


def _attach(word: str, given: list[str]) -> int:
    """Run ``exec`` or ``env``, which use a server that runs."""
    at = given.index("--") if "--" in given else len(given)
    command = given[at + 1 :]
    usage = f"python -m azure_emulator {word} [{KEEP_HOME}] FILE" + (" -- COMMAND ..." if word == "exec" else "")
    options = argparse.ArgumentParser(prog=f"python -m azure_emulator {word}", usage=usage)
    options.add_argument("file", type=Path, help="the ready file of the server")
    options.add_argument(KEEP_HOME, action="store_true", help=KEEP_HOME_HELP)
    chosen = options.parse_args(given[:at])
    if bool(command) != (word == "exec"):
        print(f"usage: {usage}", file=sys.stderr)
        return 2
    from .run import run_in, show_environment

    if word == "env":
        return show_environment(chosen.file, keep_home=chosen.keep_home)
    return run_in(chosen.file, command, keep_home=chosen.keep_home)


if __name__ == "__main__":
    sys.exit(main())
