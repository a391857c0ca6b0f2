# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server can be told at its start."""

from __future__ import annotations

import typing as t
import uuid
from dataclasses import dataclass, field
from pathlib import Path

MachineKind = t.Literal["auto", "guests", "stand-in", "none"]
Provision = t.Literal["fast", "cloud-init"]


def new_guid() -> str:
    """Return a random GUID in its usual text form."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Settings:
    """The options of one server.

    :param port: TCP port on the loopback address; 0 takes a free one.
    :param state_dir: where state, CA and machines live; None means a temporary directory.
    :param latency: ``instant``, ``recorded[:SCALE]`` (durations drawn from recorded ones, multiplied by SCALE), or
        ``handlers[:SCALE]`` (the same, but what a handler in a machine does takes its own time).
    :param ready_file: where the server's facts are written once it answers; ``ready_fd``: an open file descriptor that
        gets them and is closed.
    :param until_stdin_closes: end when standard input is closed, as it is when the parent process is gone.
    :param cache_dir: where what guests are made of is kept between servers.
    :param handlers: a directory with packages of extension handlers, ``PUBLISHER.TYPE__VERSION.zip``, for
        guests.
    :param provision: who provisions new guests: ``fast``, a small program, or ``cloud-init``, Debian's.
    :param record_traffic: a file for every request and answer in full, for validation.
    :param dns_suffix: what follows LABEL.REGION in a public address's name.
    """

    port: int = 0
    state_dir: Path | None = None
    machines: MachineKind = "none"
    latency: str = "instant"
    seed: int | None = None
    ready_file: Path | None = None
    ready_fd: int | None = None
    request_log: Path | None = None
    dns_suffix: str = "cloudapp.azure.com"
    cache_dir: Path | None = None
    handlers: Path | None = None
    provision: Provision = "fast"
    until_stdin_closes: bool = False
    record_traffic: Path | None = None
    faults: tuple[str, ...] = ()
    switches: t.Mapping[str, str] = field(default_factory=dict)


@dataclass
class Identity:
    """Who may sign in, and to what. The same after a restart with the same state directory."""

    tenant: str = field(default_factory=new_guid)
    subscription_id: str = field(default_factory=new_guid)
    client_id: str = field(default_factory=new_guid)
    object_id: str = field(default_factory=new_guid)
    secret: str = field(default="", repr=False)
    control_token: str = field(default="", repr=False)
    signing_key: str = field(default="", repr=False)
    certificates: list[str] = field(default_factory=list)
