#!/usr/bin/env bash
# Run ansible-test sanity on a copy of the tree (it refuses a clone that is not below ansible_collections/, and a symlink).
#
# usage: tools/sanity.sh BUILD_DIR [ansible-test options]
set -euo pipefail

build=$(realpath -m "$1")/sanity
shift
top=$(cd "$(dirname "$0")/.." && pwd)
tree=$build/ansible_collections/dockerhost/azure
home=$build/home

mkdir -p "$tree" "$home/.ansible/test/cache" "$home/.config/pip"

# The link by which playbooks of a clone find its role leads in a circle.
(cd "$top" && git ls-files -z --cached --others --exclude-standard -- . ':!playbooks/collections') >"$build/files"
(cd "$top" && while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done <"$build/files") >"$build/present"
find "$tree" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
(cd "$top" && tar --null -T "$build/present" -cf -) | tar -xf - -C "$tree"

# Without a repository of its own, the copy would count as ignored files of the checkout around it.
git -C "$tree" init -q

# ansible-test fetches pip from a server of its own; the interpreter carries one already.
for version in 23_1_2 24_2 25_2; do
    cat >"$home/.ansible/test/cache/get_pip_$version.py" <<'PIP'
import ensurepip
import os
import subprocess
import sys

ensurepip.bootstrap(upgrade=True, default_pip=True)
os.environ.pop("PIP_CONFIG_FILE", None)  # ensurepip points it at /dev/null
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install"] + arguments))
PIP
done

# ansible-test passes only HOME and PATH on, so pip's settings in the environment go into a file.
{
    echo "[global]"
    env | sed -n 's/^PIP_\(CERT\|INDEX_URL\|EXTRA_INDEX_URL\|PROXY\|TRUSTED_HOST\)=\(.*\)$/\1 = \2/p' | while IFS= read -r line; do
        key=${line%% = *}
        printf '%s = %s\n' "$(echo "$key" | tr 'A-Z_' 'a-z-')" "${line#* = }"
    done
} >"$home/.config/pip/pip.conf"

python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
cd "$tree"
HOME=$home exec ansible-test sanity --venv --python "$python" --color no "$@"
