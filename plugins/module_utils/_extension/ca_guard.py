# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The VM's tags record which CA its engine trusts, so that a run with another CA stops.

``docker-host-ca`` names the CAs that the engine trusts by their certificates, ``docker-host-ca-key`` by their public
keys, which stay when a CA is renewed; ``docker-host-cert-expires`` says when the engine's certificate expires. A run
with another CA (a lost cert_dir, a job with an empty home) stops before it locks out all clients.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

from .._azure.tags import CA_KEY_TAG, CA_TAG, CERT_EXPIRES_TAG, merged_tags, tag_value, tags_without
from .._errors import DockerHostError
from .certificates import ServerCertificates

TAGS = (CA_TAG, CA_KEY_TAG, CERT_EXPIRES_TAG)
# A tag's value has at most 256 characters: three fingerprints. A rotation needs two.
MOST_FINGERPRINTS = 3
EXPIRES_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
MARGIN = timedelta(days=30)


class CaMismatchError(DockerHostError):
    """The engine trusts another CA than the given one. The failed result contains ``recorded`` and ``given``."""


def recorded_ca(tags: t.Mapping[str, str], tag: str = CA_TAG) -> set[str]:
    """Return the fingerprints that the VM's tag names."""
    return {part.strip().lower() for part in (tag_value(tags, tag) or "").split(",") if part.strip()}


def check_ca_unchanged(
    host: str, tags: t.Mapping[str, str], certs: ServerCertificates | None, replace_ca: bool, *, guest_checks: bool
) -> None:
    """Stop a push of certificates whose CA the engine does not trust, unless the options allow to replace it.

    :param guest_checks: the program on the VM checks the same. It decides where the tags name no keys, because it has
        the CA's certificate and can compare the keys.
    :raises CaMismatchError: none of the given CAs is recorded.
    """
    recorded, keys = recorded_ca(tags), recorded_ca(tags, CA_KEY_TAG)
    if not certs or not recorded or replace_ca or recorded & set(certs.ca_fingerprints):
        return
    if keys & set(certs.ca_keys) or (guest_checks and not keys):
        return
    raise CaMismatchError(
        f"{host}: its engine trusts the CA {_short(recorded)}, and these certificates come from another one,"
        f" {_short(certs.ca_fingerprints)}. Pushing them would lock out every client of the first, so nothing was"
        " changed. If its directory was lost or this run used another one, restore the first CA: run with the"
        " O(cert_dir) that contains it (ca.pem and ca-key.pem; the default is DOCKER_CERT_PATH, else ~/.docker), for"
        " example from a backup. To replace it and lock those clients out, set O(replace_ca=true); to replace it"
        " without locking anybody out, rotate it (playbook rotate_docker_certs).",
        recorded=sorted(recorded),
        given=list(certs.ca_fingerprints),
    )


def certificate_still_valid(tags: t.Mapping[str, str], certs: ServerCertificates | None, now: datetime) -> bool:
    """Return whether the engine trusts exactly these CAs and its certificate is valid for :data:`MARGIN` longer."""
    if not certs or recorded_ca(tags) != set(certs.ca_fingerprints[:MOST_FINGERPRINTS]):
        return False
    try:
        value = tag_value(tags, CERT_EXPIRES_TAG) or ""
        expires = datetime.strptime(value, EXPIRES_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return expires - now > MARGIN


def desired_tags(tags: t.Mapping[str, str], certs: ServerCertificates | None) -> dict[str, str]:
    """Return the VM's tags with these certificates' CA recorded; without certificates the record is dropped."""
    if not certs:
        return tags_without(tags, TAGS)
    recorded = {
        CA_TAG: ",".join(certs.ca_fingerprints[:MOST_FINGERPRINTS]),
        CA_KEY_TAG: ",".join(certs.ca_keys[:MOST_FINGERPRINTS]),
        CERT_EXPIRES_TAG: certs.not_after.strftime(EXPIRES_FORMAT),
    }
    return merged_tags(tags, recorded)


def _short(fingerprints: t.Iterable[str]) -> str:
    return " and ".join(f"{fingerprint[:16]}..." for fingerprint in sorted(fingerprints))
