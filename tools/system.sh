#!/usr/bin/env bash
# Install the system packages that real guests and the docker CLI need. Where that is not possible, say what to type;
# the demo then goes on with stand-in machines.
#
# usage: tools/system.sh CACHE_DIR
set -euo pipefail

cache=$1
mkdir -p "$cache/bin"

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
if ! python3 -c 'import ensurepip' >/dev/null 2>&1; then
    missing+=(python3-venv)
fi

docker_cli() {
    command -v docker >/dev/null 2>&1 || [ -x "$cache/bin/docker" ]
}

# Debian's and Ubuntu's docker.io would start an engine on this machine: only its client is taken.
fetch_docker_cli() {
    local work
    work=$(mktemp -d)
    if (cd "$work" && (apt-get download -q docker-cli || apt-get download -q docker.io)) >"$work/log" 2>&1; then
        for archive in "$work"/*.deb; do
            dpkg-deb --fsys-tarfile "$archive" | tar -xO --wildcards './usr/bin/docker' >"$work/docker" 2>/dev/null || true
        done
        if [ -s "$work/docker" ]; then
            install -m 0755 "$work/docker" "$cache/bin/docker"
            rm -rf "$work"
            return 0
        fi
    fi
    cat "$work/log" >&2
    rm -rf "$work"
    return 1
}

if ! command -v apt-get >/dev/null 2>&1; then
    [ ${#missing[@]} -eq 0 ] || echo "Not installed: ${missing[*]} (this is neither Debian nor Ubuntu; machines are stand-ins)."
    exit 0
fi

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -eq 0 ]; then
        echo "Installing with apt: ${missing[*]}"
        log=$(mktemp)
        if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
            cat "$log" >&2
            echo "apt could not install: ${missing[*]}. Mend what it says above, then run the same command again." >&2
            exit 1
        fi
        rm -f "$log"
    else
        echo "Not root: real guests need these packages, the machines are stand-ins without them. To install them:"
        echo "    sudo apt-get install -y --no-install-recommends ${missing[*]}"
        case " ${missing[*]} " in
        *" python3-venv "*) exit 1 ;;
        esac
    fi
fi

if ! docker_cli; then
    echo "Fetching the docker CLI with apt"
    fetch_docker_cli || { apt-get update -q >/dev/null 2>&1 && fetch_docker_cli; } || {
        echo "The docker CLI could not be fetched. Install it (Debian 13: apt-get install docker-cli), then run the same command again." >&2
        exit 1
    }
fi
