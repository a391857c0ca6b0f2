#!/usr/bin/env bash
# Make the virtual environment of the checkout, with all that the collection, the local Azure and the tests need.
#
# usage: tools/venv.sh PYTHON DIRECTORY
set -euo pipefail

python=$1
venv=$2
top=$(cd "$(dirname "$0")/.." && pwd)

"$python" - <<'PY' || exit 1
import sys
if sys.version_info < (3, 10):
    sys.exit("Python 3.10 or newer is needed, this is %s. Name another one: make PYTHON=python3.12 ..." % sys.version.split()[0])
PY
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "Installing the Python requirements into $venv"
"$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --upgrade-strategy only-if-needed \
    -r "$top/meta/ee-requirements.txt" -r "$top/tests/requirements.txt" --editable "$top/tests/emulator"
