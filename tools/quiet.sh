#!/usr/bin/env bash
# Run a talkative command with its output in a log file; show the log only when it fails.
#
# usage: tools/quiet.sh LOG COMMAND...
set -uo pipefail

log=$1
shift
mkdir -p "$(dirname "$log")"
echo "$* (log: $log)"
"$@" >"$log" 2>&1 && exit 0
status=$?
cat "$log"
exit "$status"
