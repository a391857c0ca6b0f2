#!/usr/bin/env bash
# Run ansible-test sanity on a copy of the tree (it refuses a clone that is not below ansible_collections/, and a symlink).
#
# usage: tools/sanity.sh DIRECTORY [ansible-test options]
set -euo pipefail

build=$(realpath -m "$1")
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

# ansible-test fetches pip from a server of its own, for each of its environments; the interpreter carries one already.
for version in 23_1_2 24_2 25_2; do
    cat >"$home/.ansible/test/cache/get_pip_$version.py" <<'PIP'
import ensurepip
import pathlib
import sysconfig
import zipfile

bundled = [path for path in pathlib.Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")]
if bundled:
    zipfile.ZipFile(bundled[0]).extractall(sysconfig.get_path("purelib"))
else:
    ensurepip.bootstrap(upgrade=True, default_pip=True)
PIP
done

# ansible-test passes only HOME and PATH on, so pip's settings in the environment go into a file.
{
    printf '[install]\nno-compile = true\n[global]\n'
    env | sed -n 's/^PIP_\(CERT\|INDEX_URL\|EXTRA_INDEX_URL\|PROXY\|TRUSTED_HOST\)=\(.*\)$/\1 = \2/p' | while IFS= read -r line; do
        key=${line%% = *}
        printf '%s = %s\n' "$(echo "$key" | tr 'A-Z_' 'a-z-')" "${line#* = }"
    done
} >"$home/.config/pip/pip.conf"

python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
cd "$tree"
HOME=$home exec ansible-test sanity --venv --python "$python" --color no "$@"
