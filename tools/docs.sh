#!/usr/bin/env bash
# Make the reference of modules, role and inventory plugin from their sources: HTML below BUILD_DIR/docs/build/html.
#
# usage: tools/docs.sh BUILD_DIR COLLECTIONS_PATH
set -euo pipefail

site=$(realpath -m "$1")/docs
export ANSIBLE_COLLECTIONS_PATH=$2

rm -rf "$site"
umask 077
mkdir -p "$site/rst"
antsibull-docs sphinx-init --use-current --squash-hierarchy --fail-on-error --sphinx-theme alabaster \
    --dest-dir "$site" dockerhost.azure >/dev/null

# Nothing is fetched from elsewhere; what other documentation holds is named, but not linked.
cat >>"$site/conf.py" <<'CONF'
intersphinx_mapping = {}
suppress_warnings = ["ref.ref", "ref.envvar"]
CONF

cd "$site"
antsibull-docs --config-file antsibull-docs.cfg collection --cleanup everything --fail-on-error --use-current \
    --squash-hierarchy --dest-dir rst dockerhost.azure
sphinx-build -M html rst build -c . -W --keep-going -q
echo "$site/build/html/index.html"
