# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The renewal of certificates by several hosts of one play together.

Hosts that share a certificate directory (or a key vault's CA) are *peers*. The first of them, the *leader*, renews for
all; each host then uses the leader's result. Each host shares its own state with the others in a variable.
"""

from __future__ import annotations

import typing as t

from .._errors import DockerHostError
from .options import RoleVariables, Values
from .results import StageResults

SHARED = "_docker_host_rotation"
"""The variable of each host with what :meth:`Rotation.shared` returned."""
RENEWED = "_docker_host_renewed"
"""The variable of the leader with the result of its last task that renewed certificates."""
TRUST = "_docker_host_trust"
"""The variable of each host with the certificates that were pushed to it last."""


class Rotation:
    """One host's part in a rotation.

    :param variables: the role's variables of the host.
    :param results: what is known of the host.
    :param get: gives a variable of the host by its name, None when it is not defined.
    :param get_of: gives a variable of another host of the play.
    """

    def __init__(
        self,
        variables: RoleVariables,
        results: StageResults,
        get: t.Callable[[str], t.Any],
        get_of: t.Callable[[str, str], t.Any],
    ) -> None:
        self._variables = variables
        self._results = results
        self._get = get
        self._get_of = get_of

    def answer(self, question: str) -> t.Any:
        """Return the answer to a question of the role's tasks.

        :param question: the name of a public method.
        """
        return getattr(self, question)()

    @property
    def _hosts(self) -> list[str]:
        return list(self._get("ansible_play_batch") or [])

    @property
    def _peers(self) -> list[str]:
        own = self._get(SHARED)["directory"]
        return [host for host in self._hosts if (self._get_of(host, SHARED) or {}).get("directory") == own]

    def has_external_ca(self) -> bool:
        """Return whether the CA is kept elsewhere, so that the certificate directory may be empty."""
        value = self._variables.value
        return bool(value("store") == "key_vault" or value("ca_path") or value("ca_content"))

    def lacks_certificate(self) -> bool:
        """Return whether the host's certificate must be issued first, because an earlier job discarded it."""
        return self.has_external_ca() and not self._results.server.get("fingerprint")

    def shared(self) -> Values:
        """Return what the other hosts of the play need to know about this one.

        :raises DockerHostError: the certificate directory has no certificate for the host.
        """
        server = self._results.known_server
        value = self._variables.value
        vault = ""
        if value("store") == "key_vault":
            vault = f"{value('key_vault') or ''} {value('key_vault_secret') or ''}"
        directory = [str(value("delegate_to")), str(self._results.certificates.get("cert_dir")), vault]
        names = {kind: list(server.get(kind) or []) for kind in ("dns_names", "ip_addresses")}
        return {
            "host": {"name": self._variables.name, **names},
            "resource_group": str(value("resource_group")),
            "vault": vault,
            "directory": " ".join(directory),
        }

    def check(self) -> Values:
        """Check everything that would stop a rotation halfway.

        :raises DockerHostError: the hosts cannot be renewed together now.
        """
        name = self._variables.name
        state = self._results.host.get("power_state")
        if state in ("stopped", "deallocated") and not self._variables.is_true("start"):
            raise DockerHostError(
                f"{name} must run to get new certificates, but it is {state}. Nothing was renewed. Start it with the"
                " playbook dockerhost.azure.start_docker_host or with docker_host_start=true."
            )
        if self._variables.value("rotate") == "ca":
            self._check_together()
        return {}

    def _check_together(self) -> None:
        batch = self._hosts
        own = self._get(SHARED)
        shared = [self._get_of(host, SHARED) or {} for host in batch]
        of_vault = {each.get("directory") for each in shared if own["vault"] and each.get("vault") == own["vault"]}
        if set(self._get("ansible_play_hosts") or []) - set(batch) or len(of_vault) > 1:
            raise DockerHostError(
                "A CA is renewed for all its hosts together: leave serial out of the play, and give hosts that share"
                " the CA of a key vault one docker_host_cert_dir."
            )

    def check_nobody_failed(self) -> Values:
        """Check that no host of the play has failed: another host would start the rotation in its place.

        :raises DockerHostError: a host has failed.
        """
        failed = [host for host in self._get("ansible_play_hosts_all") or [] if host not in self._hosts]
        if failed:
            raise DockerHostError(
                f"The CA of all hosts is renewed together, and {', '.join(failed)} failed before. The CA was not"
                " renewed. Fix the error of that host and run the playbook again."
            )
        return {}

    def check_nobody_is_locked_out(self) -> Values:
        """Check that every host that trusts the CA is in the play.

        :raises DockerHostError: a host outside of the play trusts the CA.
        """
        shared = [self._get_of(host, SHARED) for host in self._hosts]
        in_play = {_place(each["resource_group"], each["host"]["name"]) for each in shared if each}
        trusted = set(self._results.certificates.get("trusted_cas") or [])
        left_out = [
            f"{host['name']} ({host['resource_group']})"
            for host in self._trusting()
            if trusted & set(str(host.get("ca_fingerprint") or "").split(","))
            and _place(host["resource_group"], host["name"]) not in in_play
        ]
        if left_out:
            raise DockerHostError(
                f"docker_host_targets: must include every host that trusts this CA, but lacks {', '.join(left_out)}."
                " With another CA nobody could reach them. Add them to the play (the inventory plugin"
                " dockerhost.azure.docker_vm_host finds them), or set docker_host_allow_ca_lockout=true. Nothing was"
                " changed."
            )
        return {}

    def _trusting(self) -> list[Values]:
        whole = self._get("_docker_host_in_subscription") or {}
        if "hosts" in whole:
            return list(whole["hosts"])
        groups = self._get("_docker_host_in_groups") or {}
        return [host for result in groups.get("results") or [] for host in result.get("hosts") or []]

    def resource_groups(self) -> list[str]:
        """Return the resource groups of the play's hosts."""
        return sorted({str((self._get_of(host, SHARED) or {}).get("resource_group")) for host in self._hosts})

    def leads(self) -> bool:
        """Return whether this host renews for its peers."""
        return bool(self._peers[0] == self._get("inventory_hostname"))

    def hosts(self) -> list[Values]:
        """Return the peers with the names that their certificates have."""
        return [self._get_of(host, SHARED)["host"] for host in self._peers]

    def trust(self) -> list[Values]:
        """Return what each peer trusts and shows since the last push."""
        return [self._get_of(host, TRUST) for host in self._peers]

    def pushed(self) -> Values:
        """Return what this host trusts and shows since the last push."""
        return {
            "name": self._variables.name,
            "ca_fingerprints": self._results.certificates["trusted_cas"],
            "fingerprint": self._results.server["fingerprint"],
        }

    def renewed(self) -> Values:
        """Return the leader's result.

        :raises DockerHostError: the leader failed.
        """
        result = self._get_of(self._peers[0], RENEWED)
        if not result or result.get("failed") or result.get("skipped"):
            raise DockerHostError(
                f"{self._variables.name} got no new certificates, because renewing them failed for a host that shares"
                f" the directory {self._results.certificates.get('cert_dir')}. See the error of that host."
            )
        return t.cast("Values", result)


def _place(resource_group: str, name: str) -> str:
    """Return what identifies a VM in a subscription. Azure names are case-insensitive."""
    return f"{resource_group}/{name}".lower()
