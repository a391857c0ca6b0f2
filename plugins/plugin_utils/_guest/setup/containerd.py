# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""containerd's root on the data disk.

With the containerd image store, which Docker 29 uses on a new machine, images and the file systems of containers are
in containerd's root, and the engine's data-root does not move them
(https://docs.docker.com/engine/storage/containerd/).
"""

import os
import re

from .paths import CONTAINERD_DROP_IN, CONTAINERD_TOML, COPY, MARK
from .unit import unit_file

DEFAULT_ROOT = "/var/lib/containerd"
# A key of the document itself: after the first table it would be that table's.
ROOT_LINE = re.compile(r"^root\s*=\s*[\"']([^\"'\n]*)[\"'].*\n?", re.MULTILINE)
FIRST_TABLE = re.compile(r"^\s*\[[^\],]*\]", re.MULTILINE)


def split_toml(text):
    """Return the keys of the document itself, and the rest from the first table on."""
    table = FIRST_TABLE.search(text)
    place = table.start() if table else len(text)
    return text[:place], text[place:]


def root_of(text):
    """Return the root that a configuration of containerd names; empty without one."""
    found = ROOT_LINE.search(split_toml(text)[0])
    return found.group(1) if found else ""


def containerd_root(machine):
    """Return where containerd keeps images and snapshots."""
    return root_of(machine.text(CONTAINERD_TOML)) or DEFAULT_ROOT


def with_root(text, root):
    """Return the configuration with another root (empty: the default one); all else stays as it is."""
    head, rest = split_toml(text)
    line = 'root = "{}"\n'.format(root) if root else ""
    if ROOT_LINE.search(head):
        return ROOT_LINE.sub(line, head, count=1) + rest
    return line + text


def uses_containerd(info):
    """Return whether the running engine keeps its images in containerd."""
    return ["driver-type", "io.containerd.snapshotter.v1"] in (info.get("DriverStatus") or [])


def kept(info):
    """Return how many containers and images the running engine has."""
    return info.get("Containers") or 0, info.get("Images") or 0


def wanted_root(machine, settings, facts):
    """Return the root on the data disk; None where containerd's root stays what it is.

    The root does not move if containerd is not installed, or if an engine with its own image store has containers.
    Such an engine would lose its containers, and its images are in its data-root already.
    """
    if settings.absent or not settings.disk or not unit_file(machine, "containerd.service"):
        return None
    root = os.path.join(settings.disk.get("path") or "/srv/docker", "containerd")
    if containerd_root(machine) != root and any(kept(facts.info)):
        return None
    return root


def containerd_files(machine, settings, facts):
    """Return containerd's files as ``path -> (content or None, mode)``; nothing where they are none of our business."""
    root = wanted_root(machine, settings, facts)
    text, mode = machine.text(CONTAINERD_TOML), machine.mode(CONTAINERD_TOML)
    if root:
        lines = MARK + "[Unit]\nRequiresMountsFor={}\n".format(os.path.dirname(root))
        wanted = with_root(text, root)
        return {CONTAINERD_TOML: (wanted.encode(), mode), CONTAINERD_DROP_IN: (lines.encode(), 0o644)}
    if not facts.state.get("containerd-root") or (settings.disk and not settings.absent):
        return {}
    first, ours = machine.text(CONTAINERD_TOML + COPY), facts.state["containerd-root"]
    wanted = with_root(text, root_of(first)) if root_of(text) == ours else text
    if with_root(first, ours) == text:  # nobody has changed anything else since
        wanted = first
    return {CONTAINERD_TOML: (wanted.encode() if wanted else None, mode), CONTAINERD_DROP_IN: (None, 0o644)}
