# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The renewal of certificates by several hosts of one play together.

Hosts that share a certificate directory (or a key vault's CA) are *peers*. The first of them, the *leader*, renews for
all; each host then uses the leader's result. Each host shares its own state with the others in a variable.
"""

from __future__ import annotations

import typing as t
from functools import cached_property

from .._errors import DockerHostError
from .options import RoleVariables, Values
from .results import StageResults

SHARED = "_docker_host_rotation"
"""The variable of each host with what :meth:`Rotation.shared` returned."""
RENEWED = "_docker_host_renewed"
"""The variable of the leader with the result of its last task that renewed certificates."""
TRUST = "_docker_host_trust"
"""The variable of each host with the certificates that were pushed to it last."""
IN_SUBSCRIPTION, IN_GROUPS = "_docker_host_in_subscription", "_docker_host_in_groups"
"""The variables with what a host found: the hosts of its subscription, or of groups if it must not list all."""


class Rotation:
    """One host's part in a rotation.

    :param variables: the role's variables of the host.
    :param results: what is known of the host.
    :param get: gives a variable of the host by its name, None when it is not defined.
    :param get_of: gives a variable of another host of the play.
    :ivar warnings: what the user should know although nothing failed.
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
        self.warnings: list[str] = []

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
        return [host for host, each in self._shared.items() if each["directory"] == own]

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
            "subscription": str(self._results.host.get("subscription_id") or value("subscription_id") or "").lower(),
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
        of_vault = {
            each["directory"] for each in self._shared.values() if own["vault"] and each["vault"] == own["vault"]
        }
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
        in_play = {
            _place(each["subscription"], each["resource_group"], each["host"]["name"]) for each in self._shared.values()
        }
        trusted = set(self._results.certificates.get("trusted_cas") or [])
        left_out = [
            f"{host['name']} ({host['resource_group']})"
            for host in self._trusting()
            if trusted & set(str(host.get("ca_fingerprint") or "").split(","))
            and _place(host["subscription_id"], host["resource_group"], host["name"]) not in in_play
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
        """Return the hosts that trust a CA, in all subscriptions of the play.

        :raises DockerHostError: a subscription was not searched.
        """
        trusting: list[Values] = []
        # Without what the hosts share, nobody would have searched: then the error below says so.
        for subscription, host in (self._searching or {"": self._get("inventory_hostname")}).items():
            whole, groups = self._get_of(host, IN_SUBSCRIPTION) or {}, self._get_of(host, IN_GROUPS) or {}
            if "hosts" in whole:
                trusting += whole["hosts"]
            elif "results" in groups:
                trusting += [found for result in groups["results"] for found in result["hosts"]]
                self._warn_of_unseen(subscription)
            else:
                raise DockerHostError(
                    f"The hosts that trust the CA are not known, because searching the subscription of {host} failed."
                    " Nothing was changed. Correct the error of that host and run the playbook again."
                )
        return trusting

    def _warn_of_unseen(self, subscription: str) -> None:
        groups = ", ".join(self._groups_in(subscription))
        self.warnings.append(
            f"Only the resource groups {groups} of the subscription {subscription} were searched for hosts that trust"
            " the CA, because listing the VMs of the subscription is forbidden (403). After the rotation, hosts in"
            " other groups that trust the CA cannot be reached."
        )

    @cached_property
    def _shared(self) -> dict[str, Values]:
        """What each host of the play shares."""
        return {host: shared for host in self._hosts if (shared := self._get_of(host, SHARED))}

    @property
    def _searching(self) -> dict[str, str]:
        """The host that searches, by subscription: the first one of the play."""
        return {each["subscription"]: host for host, each in reversed(self._shared.items())}

    def _groups_in(self, subscription: str) -> list[str]:
        return sorted(
            {each["resource_group"] for each in self._shared.values() if each["subscription"] == subscription}
        )

    def searches(self) -> bool:
        """Return whether this host searches its subscription for hosts that trust the CA."""
        return self._get("inventory_hostname") in self._searching.values()

    def resource_groups(self) -> list[str]:
        """Return the resource groups of the play's hosts in this host's subscription."""
        return self._groups_in(self._get(SHARED)["subscription"])

    def leads(self) -> bool:
        """Return whether this host renews for its peers."""
        return bool(self._peers[0] == self._get("inventory_hostname"))

    def hosts(self) -> list[Values]:
        """Return the peers with the names that their certificates have."""
        return [self._shared[host]["host"] for host in self._peers]

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


def _place(subscription: str, resource_group: str, name: str) -> str:
    """Return what identifies a VM. Azure names are case-insensitive."""
    return f"{subscription}/{resource_group}/{name}".lower()
