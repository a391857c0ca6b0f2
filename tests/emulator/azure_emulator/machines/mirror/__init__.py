# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mirror of Docker's package repository, as a company has one: guests find it where download.docker.com is.

It is built from Debian's packages and signed with a key of its own, so nobody who wants Docker's key accepts it. The
guests' images trust it, as a company's images do: they have its key with an entry for apt, and the CA of its server.
"""
