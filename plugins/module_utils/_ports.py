# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ports of a host unless the user chooses others.

Part of the program on the VM, too: it keeps to Python 3.6 and the standard library.
"""

DEFAULT_PORT = 4243
"""Docker's, over mutual TLS."""

DEFAULT_SSH_PORT = 22
