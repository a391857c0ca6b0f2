# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be turned on and off while the server runs: states of the cloud that are not faults."""

from __future__ import annotations

import typing as t

from .machines.base import PACKAGE_LOCKS

Value = t.Any

DEFAULTS: t.Mapping[str, Value] = {
    "accepted_terms": [],
    "agent": "ready",
    "basic_public_ip": False,
    "clock_ahead": 0,
    "cores_quota": 100,
    "cross_subscription_networks": False,
    "docker_extension": False,
    "encryption_at_host": False,
    "extra_extensions": [],
    "extra_images": [],
    "extra_sizes": [],
    "extra_subscriptions": [],
    "forbidden": [],
    "package_locks": [],
    "package_rate": 0,
    "page_size": 0,
    "previous_sizes": False,
    "retry_after": 0,
    "role": [],
    "sku_not_available": [],
    "sold_images": [],
    "taken_labels": [],
    "throttle": "",
    "token_lifetime": 3599,
    "unregistered": [],
    "updated_handlers": False,
    "withdrawn_images": [],
}
"""Name and default of each switch.

accepted_terms: plans whose terms the subscription has accepted, publisher:product:plan.
agent: what new answers of the guest agents look like: ready (what the machine says), not_ready or absent.
basic_public_ip: whether public addresses of the Basic SKU can still be created.
clock_ahead: seconds by which the Resource Manager's header Date is ahead of this machine's clock; below 0 behind.
cores_quota: cores a subscription may use in a region.
cross_subscription_networks: whether an interface may refer to networks, groups and addresses of other subscriptions.
docker_extension: whether Microsoft.Azure.Extensions/DockerExtension is in the catalogue.
encryption_at_host: whether the subscription has the feature Microsoft.Compute/EncryptionAtHost.
extra_extensions: further extension types, Publisher.Type or Publisher.Type:VERSION.
extra_images: further platform images, Publisher:Offer:Sku:Version[:V2][:TrustedLaunch][:Windows].
extra_sizes: further VM sizes; they have two cores.
extra_subscriptions: further subscriptions that the client may see, by their ids.
forbidden: actions the signed-in client has no right to, for example Microsoft.Compute/virtualMachines/write.
package_locks: package managers' locks that guests hold from their boot on, NAME:SECONDS, for example apt-lists:30.
package_rate: megabytes a second at which apt in guests that boot from now on gets packages; 0 is as fast as it can.
page_size: items on a page of a list; 0 is all of them.
previous_sizes: whether the subscription has quota, from before July 2026, for VM sizes of previous generations.
retry_after: seconds that every poll is told to wait; 0 is what was recorded.
role: the only actions that the client has a right to, less the forbidden ones; empty means all.
sku_not_available: VM sizes that cannot be had.
sold_images: platform images that are sold with a plan, Publisher:Offer:Sku.
taken_labels: DNS labels that somebody else has.
throttle: answer every request of compute with 429; ``retry-after`` or ``bare``.
token_lifetime: seconds that a new access token is good for.
unregistered: resource providers that the subscription is not registered for.
updated_handlers: whether the handlers of extensions were updated since their last run, so that its message is lost.
withdrawn_images: platform images whose end is announced, Publisher:Offer:Sku.
"""


class Switches:
    """The switches of one server.

    :raises KeyError: the name is not a switch.
    """

    def __init__(self, initial: t.Mapping[str, Value] | None = None) -> None:
        self._values: dict[str, Value] = dict(DEFAULTS)
        for name, value in (initial or {}).items():
            self.set(name, value)

    def set(self, name: str, value: Value) -> None:
        """Set a switch. Text is taken in the form of the default: yes/no, a number, or items with commas.

        :raises KeyError: the name is not a switch.
        :raises ValueError: the value has not the switch's type, or names a lock that does not exist.
        """
        if name not in DEFAULTS:
            raise KeyError(f"unknown switch {name!r}; there are: {', '.join(DEFAULTS)}")
        default = DEFAULTS[name]
        if isinstance(value, str) and not isinstance(default, str):
            value = _from_text(value, default)
        if not isinstance(value, type(default)) and not (isinstance(default, list) and isinstance(value, tuple)):
            raise ValueError(f"switch {name!r}: expected {type(default).__name__}, got {value!r}")
        if name == "package_locks":
            _check_locks(value)
        self._values[name] = value

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def all(self) -> dict[str, Value]:
        """Return every switch with its value."""
        return dict(self._values)


def _check_locks(locks: t.Sequence[str]) -> None:
    for lock in locks:
        name, _colon, seconds = lock.partition(":")
        if name not in PACKAGE_LOCKS or not seconds.isdigit():
            known = ", ".join(PACKAGE_LOCKS)
            raise ValueError(f"switch 'package_locks': must be NAME:SECONDS with a name of {known}, got {lock!r}")


def _from_text(text: str, default: Value) -> Value:
    if isinstance(default, bool):
        return text.strip().lower() in ("1", "on", "true", "yes")
    if isinstance(default, int):
        return int(text)
    return [item.strip() for item in text.split(",") if item.strip()]
