# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold after each round of a soak, and at its end."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import statistics
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .soak_plan import Host

OWN_TAGS = "docker-host"
"""How the tags begin that the collection writes for itself."""
Resources = t.Mapping[str, t.Mapping[str, t.Any]]


def differences(host: Host, cloud: Resources) -> list[str]:
    """How a host in the cloud differs from what it is to be: there or not, tags, power, and the port that is let in.

    :param cloud: every resource by its id, as the local Azure dumps them.
    """
    machine = _one(cloud, f"/virtualMachines/{host.name}")
    if host.port is None:
        left = [id_ for id_ in cloud if re.search(rf"/{re.escape(host.name)}(?![a-z0-9])", id_, re.IGNORECASE)]
        return [f"{host.name}: it is to be gone, and there is {id_}" for id_ in left]
    if machine is None:
        return [f"{host.name}: there is no such machine"]
    rules = [rule for id_, rule in cloud.items() if f"/{host.name}-nsg/securityRules/" in id_]
    found = {
        "tags": {name: value for name, value in machine["tags"].items() if not name.startswith(OWN_TAGS)},
        "port on record": machine["tags"].get("docker-host-port"),
        "power": machine["power"],
        "open ports": sorted(_opened(rule["properties"]) for rule in rules),
        "state": machine["properties"]["provisioningState"],
    }
    wanted = {
        "tags": dict(host.tags),
        "port on record": str(host.port),
        "power": "deallocated" if host.stopped else "running",
        "open ports": [f"Allow Inbound Tcp {host.port}"],
        "state": "Succeeded",
    }
    return [f"{host.name}: {name} {found[name]}, not {wanted[name]}" for name in wanted if found[name] != wanted[name]]


def _opened(rule: t.Mapping[str, t.Any]) -> str:
    return " ".join(str(rule[name]) for name in ("access", "direction", "protocol", "destinationPortRange"))


def _one(cloud: Resources, ending: str) -> t.Mapping[str, t.Any] | None:
    return next((resource for id_, resource in cloud.items() if id_.endswith(ending)), None)


def address_of(host: Host, cloud: Resources) -> str:
    """A host's public address."""
    address = _one(cloud, f"/publicIPAddresses/{host.name}-ip")
    return str(address["properties"]["ipAddress"]) if address is not None else ""


def engine_says(host: Host, address: str, cert_dir: Path) -> str:
    """What is wrong with a running host's engine, asked over mutual TLS; empty when nothing is.

    It must show the certificate that lies in the client's directory for it.
    """
    try:
        context = ssl.create_default_context(cafile=str(cert_dir / "ca.pem"))
        context.load_cert_chain(cert_dir / "cert.pem", cert_dir / "key.pem")
        connection = http.client.HTTPSConnection(address, host.port, context=context, timeout=20)
        connection.connect()
        shown = t.cast(ssl.SSLSocket, connection.sock).getpeercert(binary_form=True)
        connection.request("GET", "/version")
        version = json.loads(connection.getresponse().read())["ApiVersion"]
        connection.close()
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
        return f"{host.name}: the engine at {address}:{host.port} does not answer: {error!r}"
    pem = (cert_dir / "servers" / host.name / "cert.pem").read_text(encoding="ascii")
    first, end, _rest = pem.partition("-----END CERTIFICATE-----")
    if shown != ssl.PEM_cert_to_DER_cert(f"{first}{end}\n"):
        return f"{host.name}: the engine of API {version} shows another certificate than the one that was made for it"
    return ""


@dataclass
class Memory:
    """A process's memory over time, in seconds and MiB."""

    samples: list[tuple[float, float]] = field(default_factory=list)

    def growth(self) -> float:
        """MiB that it grows in ten minutes: the median of the slopes between any two samples after the first third."""
        late = self.samples[len(self.samples) // 3 :]
        slopes = [
            (later[1] - earlier[1]) / (later[0] - earlier[0])
            for index, earlier in enumerate(late)
            for later in late[index + 1 :]
        ]
        return 600 * statistics.median(slopes) if slopes else 0.0
