# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare-and-set for the secret of a key vault.

Key Vault does not offer it: Set Secret has no ``If-Match`` and always adds a version. The service does not say in which
order versions were added either: their list is unordered, and ``created`` has whole seconds
(Azure/azure-sdk-for-python#39790, Azure/azure-sdk-for-net#45792). If simply the latest version counted, the last of
several writers would undo what the others already use. Instead, all readers come to the same decision by these rules:

* Every version names in a tag the version that it should follow (the *compare*). Versions that name the same one are
  proposals for the same place.
* The first of them by ``created``, then by id, gets the place. All times are the service's, so clients may have wrong
  clocks.
* A run uses a proposal only after watching it for :data:`SETTLE` seconds of its own monotonic clock. A proposal that is
  made later has a later ``created`` and loses; one of the same second is in the list by then. So all runs see the same
  first one after that time, even if its writer has died.
* The first run that knows the choice records it on the version (``accepted``), and no run changes it afterwards, so an
  ordinary run does not wait. The other writers disable their versions (``withdrawn``) and start over with the accepted
  one.

A writer may be stopped at any of its requests, for any time: before the first one nothing happened; after it, its
proposal is one like any other, and the next run decides. A writer that continues after a decision finds it. This
assumes that the clocks behind ``created`` differ by less than SETTLE between two of the service's nodes, and that a
version that was written SETTLE seconds ago is in the list. If either fails, two versions can be
accepted for one place: then the first of them counts for everybody, and the other job's next run follows it.

If a request was sent twice because its answer was lost, one writer has two equal proposals; either may win.
"""

from __future__ import annotations

import time
import typing as t
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone

from .._azure.key_vault import KeyVault, SecretVersion
from .._backend import silent
from .._errors import DockerHostError
from .._tls.store import Outdated

SETTLE = 5.0
STATE_TAG = "docker-tls-certs"
AFTER_TAG = "docker-tls-certs-after"
WRITER_TAG = "docker-tls-certs-writer"
NOTHING = "nothing"
PROPOSED, ACCEPTED, WITHDRAWN = "proposed", "accepted", "withdrawn"
CONTENT_TYPE = "application/vnd.dockerhost.azure.ca+json"


@dataclass(frozen=True)
class Head:
    """The state of a secret by the list of its versions.

    :param accepted: the accepted versions, each the follower of the one before.
    :param proposals: versions that propose to follow the last of them, the first one first; nothing is decided yet.
    :param lost: enabled proposals for places that another version has.
    """

    accepted: tuple[SecretVersion, ...]
    proposals: tuple[SecretVersion, ...]
    lost: tuple[SecretVersion, ...]

    @property
    def tip(self) -> SecretVersion | None:
        """The version in use."""
        return self.accepted[-1] if self.accepted else None

    @property
    def place(self) -> str:
        """The version that the next one must name as the one before it."""
        return self.accepted[-1].id if self.accepted else NOTHING


def find_head(versions: t.Iterable[SecretVersion]) -> Head:
    """Find the versions that count. The answer does not depend on the order of the list."""
    ours = sorted(
        (version for version in versions if version.tags.get(STATE_TAG) in (PROPOSED, ACCEPTED)),
        key=lambda version: (version.created, version.id),
    )
    accepted: list[SecretVersion] = []
    place = NOTHING
    while True:
        followers = [version for version in ours if version.tags.get(AFTER_TAG) == place and version not in accepted]
        chosen = next((version for version in followers if version.tags[STATE_TAG] == ACCEPTED), None)
        if chosen is None:
            break
        accepted.append(chosen)
        place = chosen.id
    # A list of several pages is not a snapshot: the successor of a version that looks undecided may already be in use.
    taken = {version.tags.get(AFTER_TAG) for version in accepted}
    lost = [
        version
        for version in ours
        if version.enabled and version.tags[STATE_TAG] == PROPOSED and version.tags.get(AFTER_TAG) in taken
    ]
    return Head(tuple(accepted), tuple(followers), tuple(lost))


class VersionedSecret:
    """The versions of one secret.

    :param name: the secret's name.
    :param settle: see :data:`SETTLE`.
    """

    def __init__(
        self,
        vault: KeyVault,
        name: str,
        *,
        settle: float = SETTLE,
        progress: t.Callable[[str], None] = silent,
    ) -> None:
        self.vault = vault
        self.name = name
        self._settle = settle
        self._progress = progress
        self._writer = uuid.uuid4().hex

    @property
    def label(self) -> str:
        """The secret in words."""
        return f"the secret {self.name} of {self.vault.url}"

    def current_head(self) -> Head:
        """Return the current head. If proposals are undecided, wait for them first.

        If the result has proposals, one for the same place was seen before the wait, so the first of them has won. If
        another run decides during the wait, the proposals for the next place get a wait of their own.

        :raises DockerHostError: the secret was deleted, or the module did not write it.
        """
        head = self._head()
        while head.proposals:
            watched = head.proposals[0].id
            self._wait()
            head = self._head()
            if any(version.id == watched for version in head.proposals):
                break
        return head

    def decide(self, head: Head) -> Head:
        """Accept the winner of the proposals that the head shows, and return the new head."""
        if not head.proposals:
            return head
        self._accept(head.proposals[0])
        return self._head()

    def read(self, version: SecretVersion) -> str:
        """Return the value of a version.

        :raises DockerHostError: the version is disabled or expired, or cannot be read.
        """
        if not version.enabled:
            raise DockerHostError(
                f"{self._labelled(version)}, which holds the CA, is disabled. Enable it again"
                " (`az keyvault secret set-attributes --enabled true`), or choose another O(key_vault_secret)."
            )
        if version.expires is not None and version.expires <= datetime.now(timezone.utc):
            raise DockerHostError(
                f"{self._labelled(version)}, which holds the CA, expired at {version.expires:%Y-%m-%dT%H:%M:%SZ}. "
                "Set a later time (`az keyvault secret set-attributes --expires TIME`), or choose"
                " another O(key_vault_secret)."
            )
        return self.vault.value(self.name, version.id)

    def set(self, value: str, expected: Head) -> SecretVersion:
        """Add ``value`` as the version that follows the expected head.

        :raises Outdated: another writer was faster; this proposal does not count.
        :raises DockerHostError: the vault refused the request.
        """
        tags = {STATE_TAG: PROPOSED, AFTER_TAG: expected.place, WRITER_TAG: self._writer}
        self.vault.add(self.name, value, tags, CONTENT_TYPE)
        self._wait()
        head = self._head()
        if head.place == expected.place and head.proposals:
            self._accept(head.proposals[0])
            head = self._head()
        self._withdraw(head)
        for version in head.accepted:
            if version.tags.get(WRITER_TAG) == self._writer and version.tags.get(AFTER_TAG) == expected.place:
                return version
        raise Outdated(f"{self.label}: another run was faster")

    def delete(self) -> None:
        """Delete the secret; it can be recovered while the vault keeps it."""
        self.vault.delete(self.name)

    def _head(self) -> Head:
        versions = self.vault.versions(self.name)
        if not versions:
            self._check_not_deleted()
        foreign = [version for version in versions if STATE_TAG not in version.tags and version.enabled]
        if foreign:
            raise DockerHostError(
                f"{self._labelled(foreign[0])} was not written by this module. Choose another O(key_vault_secret); or,"
                " if somebody added that version to a CA of this module, disable it."
            )
        return find_head(versions)

    def _check_not_deleted(self) -> None:
        if self.vault.is_deleted(self.name):
            raise DockerHostError(
                f"{self.label} was deleted and can still be recovered. No new CA is created in its place, because hosts"
                f" may trust the one in it: recover it (`az keyvault secret recover --name {self.name}"
                " --vault-name VAULT`), or, for a new CA, purge it or choose another O(key_vault_secret)."
            )

    def _labelled(self, version: SecretVersion) -> str:
        return f"Version {version.id} of {self.label}"

    def _wait(self) -> None:
        self._progress(f"{self.name}: waiting {self._settle:g} s for other runs that write this secret")
        time.sleep(self._settle)

    def _accept(self, version: SecretVersion) -> None:
        self.vault.mark(self.name, version, enabled=True, tags={STATE_TAG: ACCEPTED})

    def _withdraw(self, head: Head) -> None:
        for version in head.lost:
            self.vault.mark(self.name, version, enabled=False, tags={STATE_TAG: WITHDRAWN})
