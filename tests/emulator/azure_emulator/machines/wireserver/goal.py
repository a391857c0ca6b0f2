# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure wants of one machine: the handlers, their settings and the number of the whole, kept across restarts."""

from __future__ import annotations

import dataclasses
import json
import typing as t
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from azure_emulator.authority import write_private


@dataclass(frozen=True)
class Settings:
    """One set of settings for a handler.

    :param sequence: rises by one with every push; a handler runs each number once.
    :param protected: encrypted for the tenant certificate, in base64.
    :param enabled: False asks a handler of several extensions to disable this one.
    """

    sequence: int
    public: t.Mapping[str, t.Any] = field(default_factory=dict)
    protected: str | None = field(default=None, repr=False)
    enabled: bool = True


@dataclass
class Plugin:
    """One handler on the machine.

    :param name: ``Publisher.Type``.
    :param enabled: False asks the agent to uninstall it.
    :param several: whether it serves several extensions, each with its own settings (``supportsMultipleExtensions``).
    :param settings: by extension name; a handler of one extension has one entry with an empty name.
    """

    name: str
    version: str
    enabled: bool = True
    several: bool = False
    settings: dict[str, Settings] = field(default_factory=dict)


@dataclass
class Goal:
    """The goal state of one machine.

    :param incarnation: another number means a new goal state.
    """

    container_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    instance_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    incarnation: int = 1
    plugins: dict[str, Plugin] = field(default_factory=dict)

    def put(self, plugin: Plugin, extension: str, public: t.Mapping[str, t.Any], protected: str | None) -> Settings:
        """Give a handler new settings, and return them with their sequence number.

        :param extension: its name for a handler of several extensions, else empty.
        """
        present = self.plugins.setdefault(plugin.name.lower(), plugin)
        present.version, present.enabled = plugin.version, True
        before = present.settings.get(extension)
        settings = Settings(before.sequence + 1 if before else 0, public, protected)
        present.settings[extension] = settings
        self.incarnation += 1
        return settings

    def disable(self, name: str, extension: str) -> bool:
        """Ask a handler of several extensions to disable one, and return whether it had that one."""
        plugin = self.plugins.get(name.lower())
        if plugin is None or extension not in plugin.settings:
            return False
        plugin.settings[extension] = dataclasses.replace(plugin.settings[extension], enabled=False)
        self.incarnation += 1
        return True

    def uninstall(self, name: str) -> bool:
        """Ask the agent to uninstall a handler, and return whether the machine has it.

        A handler that only vanishes from the goal state is deleted without its commands disable and uninstall.
        """
        plugin = self.plugins.get(name.lower())
        if plugin is None:
            return False
        plugin.enabled = False
        self.incarnation += 1
        return True

    def forget(self, name: str, extension: str | None = None) -> None:
        """Leave out what the agent no longer reports: a handler, or one extension of it."""
        plugin = self.plugins.get(name.lower())
        if plugin is not None and extension is not None:
            plugin.settings.pop(extension, None)
        if plugin is not None and (extension is None or not plugin.settings):
            del self.plugins[name.lower()]


def save(goal: Goal, file: Path) -> None:
    """Write a goal state; protected settings are in it as the machine gets them, encrypted."""
    write_private(file, json.dumps(dataclasses.asdict(goal)).encode())


def load(file: Path) -> Goal:
    """Return the goal state of a file; a first one if there is none."""
    if not file.exists():
        return Goal()
    saved = json.loads(file.read_text(encoding="utf-8"))
    plugins = {key: _plugin(value) for key, value in saved.pop("plugins").items()}
    return Goal(**saved, plugins=plugins)


def _plugin(saved: dict[str, t.Any]) -> Plugin:
    settings = {name: Settings(**value) for name, value in saved.pop("settings").items()}
    return Plugin(**saved, settings=settings)
