#!/usr/bin/env bash
# Run a talkative command; show what it says only when it fails.
#
# usage: tools/quiet.sh COMMAND...
set -uo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$@" >"$log" 2>&1 && exit 0
status=$?
cat "$log"
exit "$status"
