# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller knows of an existing host that Azure does not know: a host keeps it where variables are left out.

Names come from the record beside the certificates, the transport from the Docker context. Both are files of the user
who runs Ansible; nothing here comes from a tag, which others may write.
"""

from __future__ import annotations

import os
import typing as t

from .._docker.context_store import Context, ContextStore
from .._tls.options import cert_dir
from .._tls.recorded_names import read_recorded_names

Values = dict[str, t.Any]


def read_known(name: str, places: t.Mapping[str, Values]) -> Values:
    """Return what is known of a host.

    :param places: the options that say where the host, its certificates and its context are, by module.
    :raises DockerHostError: the record of the certificates or the context cannot be read.
    """
    host, certificates, context = (places.get(f"docker_{stage}") for stage in ("vm_host", "tls_certs", "context"))
    known: Values = {"name": name}
    if certificates and (names := read_recorded_names(cert_dir(certificates), name)):
        known["extra_names"] = names
    if host and context and (current := current_context(context)) and not leads_elsewhere(current, host):
        known["context_transport"] = "ssh" if str(current.host).startswith("ssh://") else "tls"
    return known


def current_context(options: Values) -> Context | None:
    """Return the context of the name in the options if this collection created it for a host in Azure."""
    current = ContextStore(os.path.abspath(options["docker_config"])).read(options["name"])
    return current if current and current.managed and current.host_id else None


def leads_elsewhere(current: Context, host: Values) -> bool:
    """Return whether a context leads to another host than the options say, as far as they say which.

    Without a subscription, the one to which the sign-in leads is not known here; docker_context compares it later.
    """
    path = str(current.host_id).lower().split("/")
    subscription = str(host["subscription_id"] or path[2]).lower()
    desired = f"/subscriptions/{subscription}/resourcegroups/{host['resource_group'].lower()}"
    return f"{desired}/{host['name'].lower()}" != f"{'/'.join(path[:5])}/{path[-1]}"
