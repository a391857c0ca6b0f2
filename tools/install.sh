#!/usr/bin/env bash
# Build the collection artifact from what git tracks, as it is in the working tree, and install it where ansible-playbook of this checkout looks for it.
#
# usage: tools/install.sh BUILD_DIR COLLECTIONS_DIR
set -euo pipefail

build=$1
collections=$2
top=$(cd "$(dirname "$0")/.." && pwd)

rm -rf "$build/artifact" "$build/source"
mkdir -p "$build/artifact" "$build/source" "$collections"
# A clone may hold keys, credentials and state of its user, and build_ignore may not know a new file yet. What is not a clone of its own,
# such as an unpacked archive, has nothing else.
source=$top
if [ "$(git -C "$top" rev-parse --show-toplevel 2>/dev/null)" = "$(realpath "$top")" ]; then
    source=$(realpath "$build/source")
    python "$top/tools/build_ignore.py" --names | (cd "$top" && tar --null -T - -c) | tar -x -C "$source"
    # Nothing is left to ignore; without patterns, the build is fast with every version of Python.
    sed '/^build_ignore:/,$d' "$top/galaxy.yml" >"$source/galaxy.yml"
fi
export ANSIBLE_HOME="$build/ansible"
# The server's status is asked for even when an archive is installed; nothing of it is needed.
ansible-galaxy collection build "$source" --output-path "$build/artifact" --force >"$build/artifact.log" 2>&1 || { cat "$build/artifact.log"; exit 1; }
ansible-galaxy collection install "$build"/artifact/*.tar.gz -p "$collections" --force --offline >>"$build/artifact.log" 2>&1 ||
    { cat "$build/artifact.log"; exit 1; }
echo "Installed $(basename "$build"/artifact/*.tar.gz) below $collections"
