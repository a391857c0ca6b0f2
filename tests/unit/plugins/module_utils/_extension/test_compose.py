# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compose projects: how they are read and written."""

from __future__ import annotations

import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.settings import read_settings

from .conftest import options

WEB = {"services": {"web": {"image": "nginx"}}}


def test_compose_tags_of_its_own_are_taken() -> None:
    content = "services:\n  web:\n    image: nginx\n    ports: !reset []\n"
    settings = read_settings(options(compose=[{"name": "web", "content": content}]))
    assert settings.public()["compose-projects"]["web"]["file"] == content


def test_a_text_that_only_looks_like_a_date_is_a_text() -> None:
    content = "services: {web: {image: nginx, labels: {release: 2026-99-99}}}\n"
    settings = read_settings(options(compose=[{"name": "web", "content": content}]))
    assert settings.projects[0].definition["services"]["web"]["labels"] == {"release": "2026-99-99"}


def test_a_definition_is_yaml_with_every_character() -> None:
    label = 'e\u0301 \U0001f433 \x7f \u2028 "quoted" \\\n'
    definition = {"services": {"web": {"image": "nginx", "labels": {"name": label, "\U0001f600": "1"}}}}
    settings = read_settings(options(compose=[{"name": "web", "definition": definition}]))
    text = settings.public()["compose-projects"]["web"]["file"]
    assert yaml.safe_load(text) == definition
    assert text.isascii()
