# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a soak does, round by round: its seed alone decides every step and fault."""

from __future__ import annotations

import itertools
import random
import typing as t
from dataclasses import dataclass, field, replace

HOSTS_PER_WORKER = 3
NECESSARY = ("made", "changed", "rotated", "deleted")
"""What a soak must have done to hosts, else it has shown nothing."""
PORTS = (2376, 4243)
COLOURS = "rgb"
PATHS = (r"/virtualMachines/", r"/extensions/", r"/publicIPAddresses/", r"/networkInterfaces/", r"/operations/", r".*")
STATUSES = (429, 500, 502, 503, 504)
ACTIONS = ("reset", "reset_after", "truncate", "slow", "status", "throttle", "operation", "lost_poll")


@dataclass(frozen=True)
class Host:
    """A host as it is to be. ``port`` is None while there is none."""

    name: str
    port: int | None = None
    stopped: bool = False
    tags: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One playbook run.

    :param done: what it does to the host, in a word: made, changed, rotated, stopped, started, deleted, or kept.
    :param after: the host as it is to be then.
    :param variables: of the playbook, besides those that say what the host is to be.
    """

    done: str
    playbook: str
    after: Host
    variables: t.Mapping[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """One step for each worker, all at the same time, and the faults that strike meanwhile."""

    steps: tuple[Step, ...]
    faults: tuple[dict[str, t.Any], ...]


class Plan:
    """Rounds without end.

    :param seed: the same seed gives the same rounds.
    :param workers: playbooks at a time.
    """

    def __init__(self, seed: int, workers: int) -> None:
        self._random = random.Random(seed)
        self._hosts = [[Host(f"w{worker}-{number}") for number in range(HOSTS_PER_WORKER)] for worker in range(workers)]

    @property
    def hosts(self) -> list[Host]:
        """Every host as it is to be after the last round that was planned."""
        return [host for hosts in self._hosts for host in hosts]

    def round(self) -> Round:
        """Plan the next round."""
        steps = tuple(self._step(hosts) for hosts in self._hosts)
        faults = tuple(self._fault() for _number in range(self._random.randint(1, 6)))
        return Round(steps, faults)

    def _step(self, hosts: list[Host]) -> Step:
        index = self._random.randrange(len(hosts))
        step = self._for(hosts[index])
        hosts[index] = step.after
        return step

    def _for(self, host: Host) -> Step:
        if host.port is None:
            return Step("made", "create_docker_host", replace(host, port=self._random.choice(PORTS)))
        moved = replace(host, port=PORTS[1 - PORTS.index(host.port)], stopped=False)
        colours = COLOURS.replace(host.tags.get("colour", "-"), "")
        coloured = replace(host, tags={"colour": self._random.choice(colours)})
        gone = Step("deleted", "delete_docker_host", Host(host.name))
        if host.stopped:
            choices = [
                Step("started", "start_docker_host", replace(host, stopped=False)),
                Step("changed", "create_docker_host", moved, {"docker_host_start": True}),
                Step("changed", "create_docker_host", coloured, {"docker_host_wait": False}),
                gone,
            ]
        else:
            choices = [
                Step("changed", "create_docker_host", moved),
                Step("changed", "create_docker_host", coloured),
                Step("rotated", "rotate_docker_certs", host),
                Step("stopped", "stop_docker_host", replace(host, stopped=True)),
                Step("kept", "create_docker_host", host),
                gone,
            ]
        return self._random.choice(choices)

    def _fault(self) -> dict[str, t.Any]:
        """Something that goes wrong."""
        action = self._random.choice(ACTIONS)
        fields: dict[str, t.Any] = {
            "action": action,
            "path": self._random.choice(PATHS[-1:] if action in ("operation", "lost_poll") else PATHS),
            "nth": self._random.randint(1, 8),
            "times": self._random.randint(1, 3),
        }
        if action == "status":
            fields |= {"status": self._random.choice(STATUSES), "retry_after": 1}
        elif action == "throttle":
            fields["retry_after"] = 1
        elif action == "operation":
            fields |= {"ends": self._random.choice(["Failed", "Canceled"]), "method": "PUT", "times": 1}
        elif action == "lost_poll":
            fields |= {"method": self._random.choice(["PUT", "DELETE"]), "times": 1}
        return fields


def done_within(seed: int, workers: int, rounds: int) -> set[str]:
    """What the first rounds of a seed do."""
    plan = Plan(seed, workers)
    return {step.done for _number in range(rounds) for step in plan.round().steps}


def telling_seed(workers: int, rounds: int) -> int:
    """The lowest seed whose first rounds do everything that is necessary.

    :raises ValueError: so few rounds cannot; in the first one hosts can only be made.
    """
    if workers * (rounds - 1) < len(NECESSARY) - 1:
        raise ValueError(f"{rounds} rounds of {workers} cannot make, change, rotate and delete hosts")
    return next(seed for seed in itertools.count() if done_within(seed, workers, rounds).issuperset(NECESSARY))
