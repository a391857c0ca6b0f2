#!/usr/bin/env bash
# Show the targets that a Makefile describes: the text after ## in the line of each.
#
# usage: tools/help.sh MAKEFILE...
set -euo pipefail
sed -nE 's/^([a-z0-9-]+):[^=].*## (.*)/\1\t\2/p' "$@" | while IFS=$'\t' read -r target text; do
    printf '  make %-16s %s\n' "$target" "$text"
done
