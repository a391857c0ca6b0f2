# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advice on errors of Key Vault."""

from __future__ import annotations

# By the inner code of Key Vault's error "Forbidden"; the texts are those of Azure/azure-powershell#14740 and of
# Microsoft's page on common error codes.
_BY_INNER_CODE = {
    "ForbiddenByRbac": (
        "The identity needs the role Key Vault Secrets User on the vault to use an existing CA, and Key Vault"
        " Secrets Officer to create or change one. A fresh role assignment can take some minutes to apply."
    ),
    "AccessDenied": (
        "The vault's access policies must give the identity the secret permissions get and list to use an existing"
        " CA, and set (delete, to remove it) to create or change one."
    ),
    "ForbiddenByFirewall": (
        "The vault's firewall blocks this machine: allow its address, or use the vault's private endpoint."
    ),
    "ForbiddenByConnection": "The vault is closed to public networks: run where its private endpoint is reachable.",
    "ForbiddenByPolicy": "A policy of the vault's subscription forbids this; its administrators know what it allows.",
    "SecretDisabled": "Somebody disabled this version of the secret: enable it again, or choose another secret.",
    "ObjectIsDeletedButRecoverable": (
        "The secret was deleted, and its name is not free until it is recovered (`az keyvault secret recover`) or"
        " purged."
    ),
    "ObjectIsBeingRecovered": "The secret is being recovered: try again in a minute.",
    "ObjectIsBeingDeleted": "The secret is being deleted: try again in a minute.",
}


def vault_advice_for(inner_code: str) -> str:
    """Return one or two sentences of advice, empty without any.

    :param inner_code: the code of the inner error, for example ``ForbiddenByRbac``.
    """
    return _BY_INNER_CODE.get(inner_code, "")
