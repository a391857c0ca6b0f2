# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags, whose names Azure compares case-insensitively. Every reader of one must do the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.dockerhost.azure.plugins.module_utils._azure import tags

MODULE_UTILS = Path(tags.__file__).parents[1]
NAMES = sorted(value for name, value in vars(tags).items() if name.endswith("_TAG"))


@pytest.mark.parametrize("spelling", ["docker-host", "Docker-Host", "DOCKER-HOST"])
def test_a_tag_is_found_in_every_spelling(spelling: str) -> None:
    resource = {"tags": {spelling: "web1", tags.COLLECTION_TAG.upper(): tags.COLLECTION}}
    assert tags.tag_of(resource, tags.OWNER_TAG) == "web1"
    assert tags.owner_of(resource) == "web1"
    assert tags.is_from_collection(resource)
    assert tags.tags_without(resource["tags"], NAMES) == {}


def test_a_resource_without_the_collections_mark_has_no_owner() -> None:
    assert tags.owner_of({"tags": {tags.OWNER_TAG: "web1"}}) is None
    assert tags.owner_of({"tags": None}) is None
    assert tags.owner_of(None) is None


def test_a_tag_that_exists_keeps_its_spelling_when_it_is_set() -> None:
    current = {"Docker-Host": "web1", "team": "build"}
    assert tags.merged_tags(current, {"docker-host": "web2", "new": "x"}) == {
        "Docker-Host": "web2",
        "team": "build",
        "new": "x",
    }


def test_no_other_file_names_a_tag() -> None:
    # The mark of a context in the docker CLI's own files is called like a tag without being one.
    exceptions = {"_docker/context_store.py"}
    pattern = re.compile("|".join(rf'"{name}"' for name in NAMES if name != tags.OWNER_TAG))
    files = [path for path in MODULE_UTILS.rglob("*.py") if path.name != "tags.py"]
    naming = {str(path.relative_to(MODULE_UTILS)) for path in files if pattern.search(path.read_text(encoding="utf-8"))}
    assert naming == exceptions
