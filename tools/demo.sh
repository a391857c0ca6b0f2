#!/usr/bin/env bash
# The demo: set-up, then tools/demo.py does the main job. "stop" ends it.
#
# usage: tools/demo.sh [stop]
set -uo pipefail
cd "$(dirname "$0")/.." || exit

if [ "${1:-}" = stop ]; then
    if [ -x .venv/bin/python ]; then
        exec .venv/bin/python tools/demo.py stop
    fi
    echo "Nothing to stop: the demo was never started here."
    exit 0
fi

started=$SECONDS

step() {
    local title=$1 begin=$SECONDS
    shift
    echo "== $title"
    "$@"
    local status=$?
    if [ $status -ne 0 ]; then
        echo "== $title: FAILED after $((SECONDS - begin)) s. Fix the problem reported above, then type 'make demo' again." >&2
        exit $status
    fi
    echo "   done in $((SECONDS - begin)) s"
}

step "System packages and the docker CLI" make --no-print-directory system
# The machines' tree needs nothing of the Python environment: both are made side by side.
reason=$(PYTHONPATH=tests/emulator python3 -c 'from azure_emulator.machines.possible import guests_possible; print(guests_possible() or "")')
tree_log=.build/guests.log
if [ -z "$reason" ]; then
    PYTHONPATH=tests/emulator python3 -u -m azure_emulator.machines.build --cache-dir .cache >"$tree_log" 2>&1 &
    tree=$!
    # shellcheck disable=SC2064  # the process of now
    trap "kill $tree 2>/dev/null" EXIT
fi
step "Python environment (.venv)" make --no-print-directory python-demo
step "The collection, built and installed below .build/collections" make --no-print-directory install
if [ -z "$reason" ]; then
    wait_for_tree() {
        tail -n +1 -f --pid="$tree" "$tree_log"
        wait "$tree"
    }
    step "Debian tree and package pool for the machines (.cache; begun beside the steps above)" wait_for_tree
    trap - EXIT
else
    echo "== Real guests can't run here, the machine will be a stand-in: $reason"
fi
DEMO_STARTED=$((SECONDS - started)) exec env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE -u SSL_CERT_FILE -u SSL_CERT_DIR \
    .venv/bin/python tools/demo.py start
