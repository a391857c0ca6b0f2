# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``after`` of docker_endpoint_info: the results of earlier tasks."""

from __future__ import annotations

import typing as t

from .._errors import DockerHostError, OptionError

OFF = ("stopped", "stopping", "deallocated", "deallocating")
"""Power states of a VM (Azure's ``PowerState/...``) in which its engine cannot answer."""


class EarlierResults:
    """What earlier tasks returned, in their order.

    :param results: the option's value. Results of skipped tasks are accepted.
    :raises OptionError: an entry is not a result.
    """

    def __init__(self, results: t.Sequence[t.Any]) -> None:
        for index, result in enumerate(results):
            if not isinstance(result, t.Mapping):
                raise OptionError(f"after[{index}]", f"must be the result of a task, got {type(result).__name__}")
        self._results: t.Sequence[t.Mapping[str, t.Any]] = results

    @property
    def _hosts(self) -> list[t.Mapping[str, t.Any]]:
        hosts = (result.get("host") for result in self._results)
        return [host for host in hosts if isinstance(host, t.Mapping)]

    @property
    def is_predicted(self) -> bool:
        """Return whether an earlier task would have made changes, or the engine's address is not known yet."""
        changed = any(result.get("changed") is True for result in self._results)
        return changed or any("docker_host" in (host.get("unknown") or ()) for host in self._hosts)

    def refuse_host_that_is_off(self, *, check_mode: bool) -> None:
        """Refuse to wait for the engine of a VM that is off.

        :param check_mode: whether a task that changes something only predicts it: a later task, which changes nothing,
            then still reads the power state from before.
        :raises DockerHostError: the VM is stopped or deallocated.
        """
        name, power_state, predicted = "the host", None, False
        for result in self._results:
            if predicted and result.get("changed") is not True:
                continue
            host = result.get("host")
            described = host if isinstance(host, t.Mapping) else result
            name = str(described.get("name") or name) if described is host else name
            power_state = described.get("power_state") or power_state
            predicted = check_mode and result.get("changed") is True and bool(described.get("power_state"))
        if power_state in OFF:
            raise DockerHostError(
                f"{name} is {power_state}, so its engine cannot answer. Start it with the playbook"
                " dockerhost.azure.start_docker_host, or with docker_host_start=true in the role.",
                power_state=power_state,
            )
