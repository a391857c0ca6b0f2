# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes that actions make, in the user's words: "Docker port 4243 -> 2376". Pure.

A prediction and a result use the same words, because both describe the same actions.
"""

from __future__ import annotations

import re
import typing as t

from ..._azure.resource_ids import name_in
from ..._azure.tags import CUSTOM_DATA_TAG, PORT_TAG, SSH_PORT_TAG
from ..._azure.wire import Json, dig, properties_of
from ..._diff import Difference
from ..bodies.network import shown_rule
from ..bodies.schedule import shown_schedule
from ..desired.inbound_rules import DOCKER_RULE, SSH_RULE
from .model import Action
from .vm_patch import RESTARTED

_TAGS: t.Mapping[str, str] = {PORT_TAG: "Docker port", SSH_PORT_TAG: "SSH port"}
_WITHOUT_MEANING = frozenset((CUSTOM_DATA_TAG,))
_RULES: t.Mapping[str, str] = {DOCKER_RULE: "Docker", SSH_RULE: "SSH"}
_RULE = re.compile(r"Allow Inbound (?P<protocol>\w+) (?P<ports>\S+) from (?P<sources>\S+) to \*")


def describe(actions: t.Iterable[Action]) -> list[str]:
    """Return one line for each change that actions make, the most important ones first.

    Differences between resources that say the same are one line.
    """
    ordered = sorted(actions, key=lambda action: action.kind != "virtual_machine")
    return list(dict.fromkeys(line for action in ordered for line in _lines(action)))


def _lines(action: Action) -> list[str]:
    if action.verb == "create" and action.body is not None:
        shown = _CREATED[action.kind](action.body) if action.kind in _CREATED else ""
        details = ", ".join(part for part in (shown, action.also) if part)
        return [f"{action.line}: {details}" if details else action.line]
    if action.verb in ("update", "tag", "grow", "convert"):
        return _updates(action) or [action.line]
    return [action.line]


def _updates(action: Action) -> list[str]:
    """Return the lines of an update; none if users know none of its properties."""
    lines: list[str] = []
    cause = -1  # the line that the action's note belongs to: the one of what restarts the VM, else the last one
    for entry in action.differences:
        if entry.path in RESTARTED:
            cause = len(lines)
        if entry.path == "tags":
            lines += _tags(entry)
        elif entry.path.startswith("security_rules."):
            lines.append(_rule(entry))
        else:
            lines.append(_property(action, entry))
    if lines and action.note:
        lines[cause] += action.note
    return lines


def _tags(entry: Difference) -> list[str]:
    before, after = entry.before or {}, entry.after or {}
    lines = []
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name) or name in _WITHOUT_MEANING:
            continue
        label = _TAGS.get(name, f"tag {name}")
        lines.append(_change(label, before.get(name), after.get(name)))
    return lines


def _rule(entry: Difference) -> str:
    """Return a change of who may reach a port."""
    label = _RULES.get(entry.path.partition(".")[2], "")
    before, after = _opening(entry.before, label), _opening(entry.after, label)
    if not after:
        return f"close {before}"
    return f"allow {after} (was: {before})" if before else f"allow {after}"


def _opening(rule: t.Any, label: str) -> str:
    """Return what a rule allows, from its text: "TCP 80 from Internet"."""
    match = _RULE.fullmatch(str(rule or ""))
    if not match:
        return str(rule or "")
    words = [label, match["protocol"].upper(), match["ports"], "from", match["sources"].replace(",", ", ")]
    return " ".join(word for word in words if word)


def _property(action: Action, entry: Difference) -> str:
    disk = re.fullmatch(r"data_disks\[lun (\d+)\]", entry.path)
    if disk and entry.before is None:
        return f"attach data disk {entry.after} (LUN {disk[1]})"
    label = entry.path.replace("_", " ")
    if action.kind != "virtual_machine":
        label = f"{action.readable} {name_in(action.resource_id)}: {label}"
    return _change(label, entry.before, entry.after)


def _change(label: str, before: t.Any, after: t.Any) -> str:
    if before is None:
        return f"{label}: set to {_shown(after)}"
    if after is None:
        return f"{label}: remove {_shown(before)}"
    return f"{label} {_shown(before)} -> {_shown(after)}"


def _shown(value: t.Any) -> str:
    """Return a value as text; of a resource id its name is enough."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return name_in(text) if text.startswith("/subscriptions/") else text


def _machine(body: Json) -> str:
    properties = properties_of(body)
    storage = properties.get("storageProfile") or {}
    os_disk = storage.get("osDisk") or {}
    size = f"{os_disk['diskSizeGB']} GiB " if os_disk.get("diskSizeGB") else ""
    parts = [
        f"{dig(properties, 'hardwareProfile', 'vmSize')} in {body.get('location')}",
        f"image {_image(storage.get('imageReference') or {})}",
        f"OS disk {size}{dig(os_disk, 'managedDisk', 'storageAccountType')}",
        *(f"data disk {disk.get('diskSizeGB')} GiB (LUN {disk.get('lun')})" for disk in storage.get("dataDisks") or []),
    ]
    zones = body.get("zones") or []
    spot = "Spot" if properties.get("priority") == "Spot" else ""
    return ", ".join([*parts, *(f"zone {zone}" for zone in zones), *filter(None, [spot])])


def _image(reference: Json) -> str:
    for key in ("id", "communityGalleryImageId", "sharedGalleryImageId"):
        if reference.get(key):
            return str(reference[key])
    return ":".join(str(reference.get(key) or "latest") for key in ("publisher", "offer", "sku", "version"))


def _security_group(body: Json) -> str:
    rules = properties_of(body).get("securityRules") or []
    openings = [
        f"allow {_opening(shown_rule(properties_of(rule)), _RULES.get(str(rule['name']), ''))}" for rule in rules
    ]
    closed = [] if any(rule["name"] == SSH_RULE for rule in rules) else ["SSH stays closed"]
    return ", ".join([*openings, *closed])


def _public_ip_address(body: Json) -> str:
    label = dig(body, "properties", "dnsSettings", "domainNameLabel")
    return f"static, DNS label {label}" if label else "static, without a DNS name"


def _network(body: Json) -> str:
    prefixes = dig(body, "properties", "addressSpace", "addressPrefixes") or []
    return ", ".join(prefixes)


_CREATED: t.Mapping[str, t.Callable[[Json], str]] = {
    "virtual_machine": _machine,
    "security_group": _security_group,
    "public_ip_address": _public_ip_address,
    "virtual_network": _network,
    "auto_shutdown": shown_schedule,
}
