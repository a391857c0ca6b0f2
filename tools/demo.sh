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
        echo "== $title: FAILED after $((SECONDS - begin)) s. Mend what is said above, then type 'make demo' again." >&2
        exit $status
    fi
    echo "   done in $((SECONDS - begin)) s"
}

step "System packages and the docker CLI" make --no-print-directory system
step "Python environment (.venv)" make --no-print-directory python
step "The collection, built and installed below .build/collections" make --no-print-directory install
reason=$(.venv/bin/python -c 'from azure_emulator.machines.guests import guests_possible; print(guests_possible() or "")')
if [ -z "$reason" ]; then
    step "Debian tree and package pool for the machines (.cache)" make --no-print-directory guests
else
    echo "== Real guests can't run here, the machine will be a stand-in: $reason"
fi
DEMO_STARTED=$((SECONDS - started)) exec env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE -u SSL_CERT_FILE -u SSL_CERT_DIR \
    .venv/bin/python tools/demo.py start
