#!/usr/bin/env bash
# Import the collection's artifact as Ansible Galaxy does, with its own importer in a virtual environment of its own.
#
# usage: tools/galaxy.sh PYTHON BUILD_DIR VENVS_DIR
set -euo pipefail

python=$1
build=$(realpath -m "$2")
venv=$(realpath -m "$3")/galaxy

if [ ! -e "$venv/ready.stamp" ]; then
    echo "Installing galaxy-importer into $venv"
    "$python" "$(dirname "$0")/venv.py" "$venv" --python "$python" "galaxy-importer>=0.4.31"
    touch "$venv/ready.stamp"
fi

# The importer would run ansible-lint once more, with the profile that `make ansible-lint` runs it with.
mkdir -p "$build/galaxy"
cat >"$build/galaxy/importer.cfg" <<'CFG'
[galaxy-importer]
RUN_ANSIBLE_DOC = True
RUN_ANSIBLE_LINT = False
CHECK_REQUIRED_TAGS = True
CFG

cd "$build/galaxy"
rm -f importer_result.json
export GALAXY_IMPORTER_CONFIG=$build/galaxy/importer.cfg PATH=$venv/bin:$PATH
# It unpacks the artifact below a directory of its own; what is configured for this checkout does not concern it.
env -u ANSIBLE_COLLECTIONS_PATH -u PYTHONPATH "$venv/bin/python" -m galaxy_importer.main "$build"/artifact/*.tar.gz >importer.log 2>&1 ||
    { cat importer.log; exit 1; }
# It ends well with errors and warnings, too.
if grep -E "^(ERROR|WARNING)|: (ERROR|WARNING)|Importer processing (failed|error)" importer.log; then
    exit 1
fi
grep -q "Importer processing completed successfully" importer.log || { cat importer.log; exit 1; }
