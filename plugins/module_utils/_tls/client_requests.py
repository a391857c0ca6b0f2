# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sign client certificates for keys that stay with their owners. Nothing of them is kept in the set."""

from __future__ import annotations

import typing as t

from .._errors import DockerHostError, OptionError
from . import ca, names
from .ca_set import CaSet
from .changeset import ChangeSet
from .client_request import ClientRequest
from .times import iso


def check_ca_exists(changeset: ChangeSet, ca_set: CaSet) -> None:
    """Check that requests are not signed by a CA that only this run would create.

    :raises OptionError: there is no CA yet.
    """
    requests = changeset.options.client_requests
    if requests and ca_set.current is None and ca_set.own is None:
        raise OptionError(
            requests[0].option.partition("[")[0],
            f"needs the CA that the hosts trust, but there is none in {changeset.place}: check O(cert_dir), O(store)"
            " and O(ca_path), or create a host first",
        )


def sign_client_requests(changeset: ChangeSet, ca_set: CaSet, *, check: bool) -> list[dict[str, t.Any]]:
    """Sign the requests, and return a result for each; in check mode without a certificate.

    :raises DockerHostError: the CA's key is not available here, or the CA may not sign any more.
    """
    results = []
    for request in changeset.options.client_requests:
        issued = None if check else _sign(changeset, ca_set, request)
        results.append(
            {
                "name": request.name,
                "certificate": ca.to_pem([issued]).decode() if issued else None,
                "ca": ca_set.client_trust().decode(),
                "fingerprint": ca.fingerprint(issued) if issued else None,
                "not_after": iso(issued.not_valid_after_utc) if issued else None,
            }
        )
        changeset.actions.append(f"sign the request of {request.name}")
    return results


def _sign(changeset: ChangeSet, ca_set: CaSet, request: ClientRequest) -> t.Any:
    signer = ca_set.signer("clients")
    if signer is None:
        raise DockerHostError("There is no CA to sign with")
    signer = ca_set.require_key(signer, f"the request of {request.name}")
    try:
        ca.check_may_sign(signer.chain, changeset.now)
    except ca.CaError as error:
        raise DockerHostError(f"{changeset.place}: {error}; rotate the CA (O(rotate_ca=start))") from error
    options = changeset.options
    leaf = ca.Leaf(names.make_name(options.fields, request.name), "clientAuth")
    return ca.sign_key(signer, leaf, request.public_key, changeset.now, options.clients[0].not_after)
