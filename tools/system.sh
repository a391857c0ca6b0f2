#!/usr/bin/env bash
# Install the system packages that real guests and the docker CLI need. Where that is not possible, say what to type;
# the demo then goes on with stand-in machines. With "tests", install what only the tests need instead, and with "browser"
# what only slow tests need.
#
# usage: tools/system.sh CACHE_DIR [tests|browser]
set -euo pipefail

cache=$1
mkdir -p "$cache/bin"

# usage: install_packages PACKAGE...
install_packages() {
    local log
    echo "Installing with apt: $*"
    log=$(mktemp)
    if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >"$log" 2>&1; then
        cat "$log" >&2
        echo "apt could not install: $*. Fix the problem that apt reports above, then run the same command again." >&2
        exit 1
    fi
    rm -f "$log"
}

if [ "${2:-}" = tests ]; then
    # A test asks fish whether it understands the lines that are meant for it; without fish it is skipped.
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 && ! command -v fish >/dev/null 2>&1; then
        install_packages fish
    fi
    exit 0
fi

if [ "${2:-}" = browser ]; then
    # 95 MB. Ubuntu has no such package, and there these tests are skipped.
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 &&
        ! command -v chromium-headless-shell >/dev/null 2>&1 && ! command -v chromium >/dev/null 2>&1; then
        (install_packages chromium-headless-shell fonts-dejavu-core) || echo "Tests that need a browser are skipped."
    fi
    exit 0
fi

declare -A provides=(
    [debootstrap]=debootstrap
    [systemd-nspawn]=systemd-container
    [ip]=iproute2
    [nft]=nftables
    [openssl]=openssl
    [rsync]=rsync
)

missing=()
for program in "${!provides[@]}"; do
    command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || missing+=("${provides[$program]}")
done
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
if ! python3 -c 'import ensurepip' >/dev/null 2>&1; then
    missing+=(python3-venv)
fi
# Take one program out of a Debian package without installing it: docker.io would start an engine on this machine, and only
# its client is wanted here.
#
# usage: fetch_program NAME PACKAGE...   (the first package that holds NAME)
fetch_program() {
    local name=$1 work package archive
    shift
    work=$(mktemp -d)
    chmod 0755 "$work"
    for package in "$@"; do
        (cd "$work" && apt-get download -q "$package") >>"$work/log" 2>&1 || continue
        for archive in "$work/$package"_*.deb; do
            dpkg-deb --fsys-tarfile "$archive" | tar -xO --wildcards "./*bin/$name" >"$work/$name" 2>/dev/null || true
        done
        if [ -s "$work/$name" ]; then
            install -m 0755 "$work/$name" "$cache/bin/$name"
            rm -rf "$work"
            return 0
        fi
    done
    cat "$work/log" >&2
    rm -rf "$work"
    return 1
}

# usage: need_program NAME PACKAGE...
need_program() {
    [ -x "$cache/bin/$1" ] && return 0
    echo "Fetching $1 with apt"
    fetch_program "$@" 2>/dev/null || { apt-get update -q >/dev/null 2>&1 && fetch_program "$@"; }
}

if ! command -v apt-get >/dev/null 2>&1; then
    [ ${#missing[@]} -eq 0 ] || echo "Not installed: ${missing[*]} (this is neither Debian nor Ubuntu; machines are stand-ins)."
    exit 0
fi

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -eq 0 ]; then
        install_packages "${missing[@]}"
    else
        echo "Not root: real guests need these packages, the machines are stand-ins without them. To install them:"
        echo "    sudo apt-get install -y --no-install-recommends ${missing[*]}"
        case " ${missing[*]} " in
        *" python3-venv "*) exit 1 ;;
        esac
    fi
fi

command -v docker >/dev/null 2>&1 || need_program docker docker-cli docker.io || {
    echo "The docker CLI could not be fetched. Install it (Debian 13: apt-get install docker-cli), then run the same command again." >&2
    exit 1
}
need_program busybox busybox-static || {
    echo "busybox-static could not be fetched with apt (see above); it is what the demo's container is made of." >&2
    exit 1
}
