#!/usr/bin/env bash
# Build the documentation site: guides, playbooks and the reference of role, modules and inventory plugin, all made from
# the sources; HTML below BUILD_DIR/docs/build/html.
#
# usage: tools/docs.sh BUILD_DIR COLLECTIONS_PATH
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
site=$(realpath -m "$1")/docs

rm -rf "$site"
umask 077
mkdir -p "$site/rst/reference" "$site/collections/ansible_collections/dockerhost"
# The lookups are private to the role, so the reference leaves them out.
cp -r "$2/ansible_collections/dockerhost/azure" "$site/collections/ansible_collections/dockerhost/azure"
grep -lr "Private to the role" "$site/collections/ansible_collections/dockerhost/azure/plugins/lookup" | xargs rm
export ANSIBLE_COLLECTIONS_PATH=$site/collections

antsibull-docs sphinx-init --use-current --squash-hierarchy --fail-on-error --sphinx-theme sphinx_ansible_theme \
    --project dockerhost.azure --title "dockerhost.azure" --html-short-title "dockerhost.azure" \
    --dest-dir "$site" dockerhost.azure >/dev/null
rm "$site/rst/index.rst"

# Nothing is fetched from elsewhere; what other documentation holds is named, but not linked.
cat >>"$site/conf.py" <<'CONF'
extensions.append("myst_parser")
myst_heading_anchors = 6
highlight_language = "text"
intersphinx_mapping = {}
suppress_warnings = ["ref.ref", "ref.envvar", "misc.highlighting_failure"]
html_static_path = ["static"]
html_css_files = ["site.css"]
CONF
mkdir "$site/static"
cp "$top/tools/site.css" "$site/static"

cd "$site"
antsibull-docs --config-file antsibull-docs.cfg collection --cleanup everything --fail-on-error --use-current \
    --squash-hierarchy --dest-dir rst/reference dockerhost.azure
python "$top/tools/site.py" rst
sphinx-build -M html rst build -c . -W --keep-going -q
echo "$site/build/html/index.html"
