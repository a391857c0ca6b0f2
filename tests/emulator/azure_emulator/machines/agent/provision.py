# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""First boot of a guest: user, keys, password, host name and custom data, as cloud-init does it on Azure.

Called by ``cloud-init.service`` (``provision.py init``) and ``cloud-final.service`` (``provision.py final``); installed
as ``/usr/bin/cloud-init`` too, for ``cloud-init status [--wait] [--long] [--format json]``. It is a small substitute:
of custom data it runs scripts (``#!``) and, of ``#cloud-config``, ``write_files``, ``packages`` and ``runcmd``; other
keys are named as errors in ``status --long``. Custom data may be compressed with gzip, and may be a MIME message of
several such parts: their lists are appended to one another, or prepended if the part's ``Merge-Type`` says so, and
scripts run by name, ``part-001`` before ``runcmd``.
"""

from __future__ import annotations

import argparse
import base64
import email
import grp
import gzip
import json
import os
import pwd
import subprocess
import sys
import time
import typing as t
from pathlib import Path

ORDER = Path("/var/lib/waagent/provision.json")
DONE = Path("/var/lib/cloud/instance/boot-finished")
RUN = Path("/run/cloud-init")
STATUS = RUN / "status.json"
USER_DATA = Path("/var/lib/cloud/instance/user-data.txt")
GROUPS = ("adm", "sudo", "dip", "plugdev", "cdrom", "audio", "video", "floppy", "dialout")


def say(stage: str, errors: t.Sequence[str] = ()) -> None:
    """Keep the status for ``cloud-init status`` and for programs that read the file."""
    RUN.mkdir(exist_ok=True)
    known = json.loads(STATUS.read_text(encoding="utf-8")) if STATUS.exists() else {"errors": []}
    known = {"status": stage, "errors": [*known["errors"], *errors], "datasource": "azure"}
    temporary = STATUS.with_suffix(".new")
    temporary.write_text(json.dumps(known), encoding="utf-8")
    temporary.replace(STATUS)


def write(path: str, content: str | bytes, mode: int = 0o644) -> None:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content.encode() if isinstance(content, str) else content)


def init() -> None:
    """Everything that must be there before anybody can log in."""
    say("running")
    if not ORDER.exists():
        return
    order = json.loads(ORDER.read_text(encoding="utf-8"))
    name = order["computer_name"]
    write("/etc/hostname", name + "\n")
    subprocess.run(["hostname", name], check=False)
    write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost ip6-loopback\n")
    for kind in ("ed25519", "ecdsa"):
        key = f"/etc/ssh/ssh_host_{kind}_key"
        if not os.path.exists(key):
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", key], check=True)
    make_user(order)
    write(
        "/var/lib/waagent/ovf-env.xml",
        f"<Environment><UserName>{order['admin_username']}</UserName><HostName>{name}</HostName></Environment>\n",
        0o600,
    )
    data = order.get("user_data")
    if data:
        write(str(USER_DATA), base64.b64decode(data), 0o600)
    ORDER.unlink()


def make_user(order: dict[str, t.Any]) -> None:
    user = order["admin_username"]
    groups = [name for name in GROUPS if name in {entry.gr_name for entry in grp.getgrall()}]
    if user not in {entry.pw_name for entry in pwd.getpwall()}:
        subprocess.run(["useradd", "-m", "-s", "/bin/bash", "-G", ",".join(groups), user], check=True)
    if order.get("admin_password"):
        line = f"{user}:{order['admin_password']}\n"
        subprocess.run(["chpasswd"], input=line.encode(), check=True)
    yes = "no" if order.get("disable_password_authentication") else "yes"
    write("/etc/ssh/sshd_config.d/50-cloud-init.conf", f"PasswordAuthentication {yes}\n", 0o600)
    rule = "ALL" if order.get("admin_password") else "NOPASSWD:ALL"
    write("/etc/sudoers.d/90-cloud-init-users", f"{user} ALL=(ALL) {rule}\n", 0o440)
    if order.get("ssh_public_keys"):
        home = pwd.getpwnam(user)
        keys = f"{home.pw_dir}/.ssh/authorized_keys"
        write(keys, "\n".join(order["ssh_public_keys"]) + "\n", 0o600)
        for path in (os.path.dirname(keys), keys):
            os.chown(path, home.pw_uid, home.pw_gid)
        os.chmod(os.path.dirname(keys), 0o700)


def final() -> None:
    """Custom data, once in the life of the machine; its failure is an error in the status, never of the boot."""
    errors: list[str] = []
    if USER_DATA.exists() and not DONE.exists():
        try:
            errors = apply_user_data(USER_DATA.read_bytes())
        except Exception as error:  # noqa: BLE001
            errors = [f"user data: {error}"]
    DONE.parent.mkdir(parents=True, exist_ok=True)
    DONE.write_text(time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime()), encoding="utf-8")
    say("error" if errors else "done", errors)
    write(str(RUN / "result.json"), json.dumps({"v1": {"datasource": "DataSourceAzure", "errors": errors}}))


def apply_user_data(data: bytes) -> list[str]:
    """Apply custom data and return what went wrong."""
    scripts: dict[str, bytes] = {}
    config: dict[str, list[t.Any]] = {}
    errors: list[str] = []
    for number, (merge_type, part) in enumerate(parts_of(data), 1):
        if part.startswith(b"#!"):
            scripts[f"part-{number:03}"] = part
        elif part.startswith(b"#cloud-config"):
            errors += merge_config(config, part, first="list(prepend)" in merge_type)
        else:
            errors.append("user data: neither a script (#!) nor #cloud-config")
    return errors + apply_config(config) + run_scripts(scripts, config.get("runcmd", []))


def parts_of(data: bytes) -> list[tuple[str, bytes]]:
    """Return the parts of custom data, each with its own format (``cloudinit/user_data.py``), after its merge type."""
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    if b"mime-version:" not in data[:4096].lower():
        return [("", data)]
    message = email.message_from_string(data.decode())
    return [
        (part.get("Merge-Type", ""), t.cast("bytes", part.get_payload(decode=True)))
        for part in message.walk()
        if part.get_content_maintype() != "multipart"
    ]


def merge_config(config: dict[str, list[t.Any]], part: bytes, *, first: bool) -> list[str]:
    """Merge the lists of a ``#cloud-config`` with those of earlier ones, and return which keys are not supported.

    :param first: put them before those of earlier ones, not after.
    """
    import yaml

    found = yaml.safe_load(part) or {}
    known = [key for key in ("write_files", "packages", "runcmd") if key in found]
    for key in known:
        present = config.get(key, [])
        config[key] = [*found[key], *present] if first else [*present, *found[key]]
    return [f"user data: {key} is not supported here" for key in sorted(found.keys() - set(known))]


def apply_config(config: dict[str, list[t.Any]]) -> list[str]:
    for file in config.get("write_files", []):
        content = file.get("content", "")
        raw = base64.b64decode(content) if file.get("encoding") in ("b64", "base64") else content.encode()
        write(file["path"], raw, int(str(file.get("permissions", "0644")), 8))
    return run_logged(["apt-get", "install", "-y", *config["packages"]]) if config.get("packages") else []


def run_scripts(scripts: dict[str, bytes], commands: list[t.Any]) -> list[str]:
    """Run the parts that are scripts, and then the commands of ``runcmd``."""
    errors: list[str] = []
    for name, content in sorted(scripts.items()):
        script = USER_DATA.parent / "scripts" / name
        write(str(script), content, 0o700)
        errors += run_logged([str(script)])
    for command in commands:
        errors += run_logged(["sh", "-c", command] if isinstance(command, str) else [str(word) for word in command])
    return errors


def run_logged(command: list[str]) -> list[str]:
    with open("/var/log/cloud-init-output.log", "ab") as log:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    return [f"{command[0]} ended with {done.returncode}"] if done.returncode else []


def status(arguments: argparse.Namespace) -> int:
    """What ``cloud-init status`` says; 0 done, 1 error, also after waiting."""
    while True:
        known = (
            json.loads(STATUS.read_text(encoding="utf-8")) if STATUS.exists() else {"status": "not run", "errors": []}
        )
        if not arguments.wait or known["status"] in ("done", "error"):
            break
        time.sleep(0.25)
    if arguments.format == "json":
        print(json.dumps(known))
    else:
        print(f"status: {known['status']}")
        if arguments.long:
            print("\n".join(["detail:", "DataSourceAzure", *known["errors"]]))
    return 1 if known["status"] == "error" else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="cloud-init", description=__doc__)
    parser.add_argument(
        "--version", action="version", version="cloud-init 22.4.2 (substitute in a local Azure's guest)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("init", "final"):
        commands.add_parser(name)
    ask = commands.add_parser("status")
    ask.add_argument("-w", "--wait", action="store_true")
    ask.add_argument("-l", "--long", action="store_true")
    ask.add_argument("--format", choices=["tabular", "json"], default="tabular")
    arguments = parser.parse_args()
    if arguments.command == "status":
        return status(arguments)
    init() if arguments.command == "init" else final()
    return 0


if __name__ == "__main__":
    sys.exit(main())
