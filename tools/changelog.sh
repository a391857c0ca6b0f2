#!/usr/bin/env bash
# Write the notes of a release that is not published yet again: its text, all plugins, the role and the playbooks.
#
# usage: tools/changelog.sh COLLECTIONS_PATH      (the working tree must be below it; `make dev` sees to that)
set -euo pipefail

export ANSIBLE_COLLECTIONS_PATH=$1
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$ANSIBLE_COLLECTIONS_PATH/ansible_collections/dockerhost/azure"

version=$(sed -n 's/^version: //p' galaxy.yml)
python - "$version" <<'PY'
import pathlib
import sys

import yaml

version = sys.argv[1]
log = pathlib.Path("changelogs/changelog.yaml")
notes = yaml.safe_load(log.read_text())
changes = notes["releases"].pop(version, {}).get("changes", {})
log.write_text(yaml.safe_dump(notes))
new = {name: text for name, text in changes.items() if name != "release_summary"}
new["release_summary"] = changes.get("release_summary", "")
new["add object.playbook"] = [
    {"name": path.stem, "description": yaml.safe_load(path.read_text())[0]["name"]}
    for path in sorted(pathlib.Path("playbooks").glob("*.yml"))
]
pathlib.Path(f"changelogs/fragments/{version}.yml").write_text(yaml.safe_dump(new, sort_keys=True))
PY
rm -f changelogs/.plugin-cache.yaml
antsibull-changelog release --version "$version" --reload-plugins
git -C "$top" status --short CHANGELOG.md CHANGELOG.rst changelogs
