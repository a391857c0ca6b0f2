# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The custom data of a new VM: the user's, the move of sshd to another port, and the installation of the engine.

Several parts become one MIME message, as cloud-init reads it ("User data formats", docs.cloud-init.io). cloud-init also
reads it if it is compressed with gzip.
"""

from __future__ import annotations

import base64
import gzip
import typing as t

from ..._ports import DEFAULT_SSH_PORT

LIMIT = 65535
"""Bytes of custom data before Base64: OSProfile.customData of the Compute API."""

# A drop-in, since the image's own file may be replaced by an update. ssh.socket (Ubuntu) listens by itself on what its
# unit says; the drop-in moves it too, where it exists. Under SELinux (RHEL, AlmaLinux, Rocky, Fedora) sshd may listen
# on ports of its own type only (semanage-port(8)), so that the port gets it before sshd is restarted.
_SSH_PORT = """\
#cloud-config
write_files:
  - path: /etc/ssh/sshd_config.d/10-docker-host.conf
    content: |
      Port {port}
  - path: /etc/systemd/system/ssh.socket.d/10-docker-host.conf
    content: |
      [Socket]
      ListenStream=
      ListenStream={port}
runcmd:
  - - sh
    - -c
    - |
      command -v selinuxenabled >/dev/null && selinuxenabled || exit 0
      command -v semanage >/dev/null || dnf -q -y install policycoreutils-python-utils
      semanage port -a -t ssh_port_t -p tcp {port} || semanage port -m -t ssh_port_t -p tcp {port}
  - - sh
    - -c
    - |
      command -v firewall-cmd >/dev/null && firewall-cmd -q --state || exit 0
      firewall-cmd -q --permanent --add-port={port}/tcp && firewall-cmd -q --reload
  - [sh, -c, "systemctl daemon-reload; if systemctl is-enabled -q ssh.socket; then systemctl restart ssh.socket; fi"]
  - [sh, -c, "systemctl restart ssh 2>/dev/null || systemctl restart sshd"]
"""

# What the first line of custom data says about its format ("User data formats", docs.cloud-init.io).
_FORMATS: t.Mapping[str, str] = {
    "#!": "x-shellscript",
    "#cloud-config-archive": "cloud-config-archive",
    "#cloud-config-jsonp": "cloud-config-jsonp",
    "#cloud-config": "cloud-config",
    "#cloud-boothook": "cloud-boothook",
    "#include-once": "x-include-once-url",
    "#include": "x-include-url",
    "#part-handler": "part-handler",
    "## template: jinja": "jinja2",
}
_BOUNDARY = "==docker-host-part=="


def is_mergeable(custom_data: str) -> bool:
    """Return whether custom data has a format that can be a part of a MIME message."""
    return custom_data.lstrip().startswith(tuple(_FORMATS))


def mergeable_formats() -> str:
    """Return how custom data may start that can be a part of a MIME message, in words."""
    *first, last = _FORMATS
    return f"{', '.join(first)} or {last}"


def assemble_custom_data(custom_data: str | None, ssh_port: int, boot_script: str | None) -> bytes | None:
    """Return the custom data that Azure gets, before Base64; None if the VM needs none.

    :param custom_data: the user's.
    :param ssh_port: where sshd listens; 22 needs no custom data.
    :param boot_script: starts the installation of the engine; None installs nothing at boot.
    """
    # The user's part comes before the installation, which it may prepare.
    parts = [text for text in (custom_data, boot_script) if text]
    if ssh_port != DEFAULT_SSH_PORT:
        parts.append(_SSH_PORT.format(port=ssh_port))
    if not parts:
        return None
    data = (parts[0] if len(parts) == 1 else _multipart(parts)).encode()
    # The setup program alone is longer than the limit.
    return gzip.compress(data, 9, mtime=0) if boot_script else data


def _multipart(parts: t.Sequence[str]) -> str:
    """Return the parts in the MIME format of cloud-init. The same parts give the same text.

    A part says how it is merged with those before it. Only the last one does, the move of sshd, so that its commands
    run first whatever the user's parts say: an archive or a template would replace them if it came later.
    """
    lines = [f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"', "MIME-Version: 1.0", ""]
    for text in parts:
        subtype = _subtype(text)
        lines += [f"--{_BOUNDARY}", f'Content-Type: text/{subtype}; charset="utf-8"']
        if subtype == "cloud-config":
            lines.append("Merge-Type: list(prepend)+dict(no_replace,recurse_list)+str()")
        content = text.rstrip("\n")
        if not content.isascii():
            # Python's parser of messages, which cloud-init uses, decodes other characters only if they are encoded.
            lines.append("Content-Transfer-Encoding: base64")
            content = base64.encodebytes(content.encode()).decode("ascii").rstrip("\n")
        lines += ["", content]
    lines += [f"--{_BOUNDARY}--", ""]
    return "\n".join(lines)


def _subtype(text: str) -> str:
    start = text.lstrip()
    return next((kind for mark, kind in _FORMATS.items() if start.startswith(mark)), "x-shellscript")
