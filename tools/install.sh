#!/usr/bin/env bash
# Build the collection artifact and install it where ansible-playbook of this checkout looks for it.
#
# usage: tools/install.sh BUILD_DIR COLLECTIONS_DIR
set -euo pipefail

build=$1
collections=$2
top=$(cd "$(dirname "$0")/.." && pwd)

rm -rf "$build/artifact"
mkdir -p "$build/artifact" "$collections"
export ANSIBLE_HOME="$build/ansible"
# The server's status is asked for even when an archive is installed; nothing of it is needed.
ansible-galaxy collection build "$top" --output-path "$build/artifact" --force >"$build/artifact.log" 2>&1 || { cat "$build/artifact.log"; exit 1; }
ansible-galaxy collection install "$build"/artifact/*.tar.gz -p "$collections" --force --offline >>"$build/artifact.log" 2>&1 ||
    { cat "$build/artifact.log"; exit 1; }
echo "Installed $(basename "$build"/artifact/*.tar.gz) below $collections"
