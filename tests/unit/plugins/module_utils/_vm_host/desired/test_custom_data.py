# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Custom data of several parts, as cloud-init reads it."""

from __future__ import annotations

import email
import gzip
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockerhost.azure.plugins.module_utils._extension.payload import boot_script
from ansible_collections.dockerhost.azure.plugins.module_utils._vm_host.desired.custom_data import (
    LIMIT,
    assemble_custom_data,
    is_mergeable,
)
from ansible_collections.dockerhost.azure.plugins.plugin_utils._bundle import bundle

INSTALL = "#!/bin/sh\necho install\n"
FORMATS = {
    "#!/bin/sh\necho hello\n": "text/x-shellscript",
    "#!/bin/sh\necho größer 你好\n": "text/x-shellscript",
    "#cloud-config\npackages: [jq]\n": "text/cloud-config",
    "#cloud-config\nruncmd: [[echo, größer]]\n": "text/cloud-config",
    "#cloud-config-archive\n- |\n  #cloud-config\n": "text/cloud-config-archive",
    '#cloud-config-jsonp\n[{"op": "add", "path": "/package_update", "value": true}]\n': "text/cloud-config-jsonp",
    "#cloud-boothook\n#!/bin/sh\ntrue\n": "text/cloud-boothook",
    "#include\nhttps://example.com/user-data\n": "text/x-include-url",
    "#include-once\nhttps://example.com/user-data\n": "text/x-include-once-url",
    "#part-handler\n# python\n": "text/part-handler",
    "## template: jinja\n#cloud-config\n": "text/jinja2",
}


def parts_of(data: bytes | None) -> list[tuple[str, str]]:
    """Return type and text of each part, read as cloud-init does (``user_data.py``, ``util.fully_decoded_payload``)."""
    assert data is not None
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    message = email.message_from_string(data.decode())
    return [
        (part.get_content_type(), t.cast("bytes", part.get_payload(decode=True)).decode().strip())
        for part in message.walk()
        if part.get_content_maintype() != "multipart"
    ]


@pytest.mark.parametrize(("own", "kind"), FORMATS.items())
def test_each_format_keeps_its_type_and_every_character(own: str, kind: str) -> None:
    assert is_mergeable(own)
    assert parts_of(assemble_custom_data(own, 22, INSTALL)) == [
        (kind, own.strip()),
        ("text/x-shellscript", INSTALL.strip()),
    ]


def test_data_that_cloud_init_does_not_read_by_its_first_line_cannot_be_a_part() -> None:
    assert not any(map(is_mergeable, ("hello", "Content-Type: multipart/mixed", "# a comment", "")))


@pytest.mark.parametrize("own", ["#cloud-config\npackages: [jq]\n", "#!/bin/sh\necho größer\n"])
def test_custom_data_and_another_ssh_port_are_merged(own: str) -> None:
    mine, move = parts_of(assemble_custom_data(own, 2222, None))
    assert move[0] == "text/cloud-config"
    assert "Port 2222" in move[1]
    assert mine[1] == own.strip()


@pytest.mark.parametrize("own", [own for own in FORMATS if not own.startswith("#!")])
def test_the_move_of_sshd_is_merged_last_so_that_no_part_replaces_its_commands(own: str) -> None:
    """An archive and a template carry no headers to their parts, whose lists then replace what came before them."""
    data = (assemble_custom_data(own, 2222, None) or b"").decode()
    parts = list(email.message_from_string(data).walk())
    assert parts[-1]["Merge-Type"] == "list(prepend)+dict(no_replace,recurse_list)+str()"
    assert "Port 2222" in parts[-1].as_string()


def test_a_single_part_stays_as_it_is() -> None:
    assert assemble_custom_data("anything", 22, None) == b"anything"
    assert b"ListenStream=2222" in (assemble_custom_data(None, 2222, None) or b"")
    assert assemble_custom_data(None, 22, None) is None
    assert gzip.decompress(assemble_custom_data(None, 22, INSTALL) or b"") == INSTALL.encode()


def test_the_same_parts_give_the_same_data() -> None:
    assert assemble_custom_data("#!", 2222, INSTALL) == assemble_custom_data("#!", 2222, INSTALL)


def test_the_setup_program_leaves_room_for_the_users_part() -> None:
    script = boot_script(bundle(), {"source": "auto"})
    assert len(assemble_custom_data(None, 2222, script) or b"") < LIMIT - 16384


def ssh_port_commands(tmp_path: Path, *there: str) -> list[str]:
    """What the user data of a host with another SSH port runs, where these commands are there and the port is known."""
    log = tmp_path / "log"
    for name in ("systemctl", *there):
        known = ' case "$*" in "port -a "*) exit 1;; esac' if name == "semanage" else ""
        command = tmp_path / name
        command.write_text(f'#!/bin/sh\necho "{name} $*" >>{log}\n{known}\n')
        command.chmod(0o755)
    for entry in yaml.safe_load(assemble_custom_data(None, 2222, None) or b"")["runcmd"]:
        subprocess.run(["/bin/sh", *entry[1:]], env={"PATH": str(tmp_path)}, check=True)
    return log.read_text().splitlines()


def test_under_selinux_the_port_is_labelled_and_opened_before_sshd_is_restarted(tmp_path: Path) -> None:
    assert ssh_port_commands(tmp_path, "selinuxenabled", "semanage", "firewall-cmd") == [
        "selinuxenabled ",
        "semanage port -a -t ssh_port_t -p tcp 2222",
        "semanage port -m -t ssh_port_t -p tcp 2222",
        "firewall-cmd -q --state",
        "firewall-cmd -q --permanent --add-port=2222/tcp",
        "firewall-cmd -q --reload",
        "systemctl daemon-reload",
        "systemctl is-enabled -q ssh.socket",
        "systemctl restart ssh.socket",
        "systemctl restart ssh",
    ]


def test_without_selinux_sshd_is_moved_and_nothing_else(tmp_path: Path) -> None:
    commands = ssh_port_commands(tmp_path)
    assert commands[0] == "systemctl daemon-reload"
    assert [line for line in commands if not line.startswith("systemctl ")] == []
