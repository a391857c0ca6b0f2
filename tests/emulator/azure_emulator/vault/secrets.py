# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets of one vault: what is stored, and the rules for it.

After the REST reference of Key Vault (Secrets, 7.4) and Microsoft's "About Azure Key Vault secrets". Versions are
listed in the order of their ids and created counts whole seconds, as reported in nagyesta/lowkey-vault#428 and
Azure/azure-sdk-for-net#45792. There is no source for the wording of 400s and for what a list of the versions of a
secret says that was never there (an empty list, here).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
import typing as t
import uuid

from ..arm.resource import Resource
from ..errors import ApiError, Json
from .names import vault_url

if t.TYPE_CHECKING:
    from ..cloud import Cloud

NAME = re.compile(r"^[0-9A-Za-z-]{1,127}$")
LARGEST_VALUE = 25600
LARGEST_TEXT = 256
MOST_TAGS = 15
DAY = 86400
NOT_FOUND = (
    "A secret with (name/id) {} was not found in this key vault. If you recently deleted this secret you may be able "
    "to recover it using the correct recovery command. For help resolving this issue, please see "
    "https://go.microsoft.com/fwlink/?linkid=2125182"
)


def bad_parameter(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadParameter", message)


def not_found(name: str) -> ApiError:
    """Return 404 for a secret or a version."""
    return ApiError(404, "SecretNotFound", NOT_FOUND.format(name))


class Secrets:
    """The secrets of a vault. Every change is saved with the vault."""

    def __init__(self, cloud: Cloud, vault: Resource) -> None:
        self._cloud = cloud
        self._vault = vault
        self._all: dict[str, Json] = vault.hidden.setdefault("secrets", {})

    @property
    def url(self) -> str:
        """The vault's URL."""
        return vault_url(self._cloud, self._vault.name)

    # What is there

    def names(self, *, deleted: bool = False) -> list[str]:
        """Return the names of secrets, in order."""
        return sorted(entry["name"] for entry in self._all.values() if bool(entry.get("deleted")) == deleted)

    def versions(self, name: str) -> list[Json]:
        """Return the versions of a secret, by id; none for one that there is not."""
        entry = self._find(name)
        return sorted(entry["versions"], key=lambda version: str(version["id"])) if entry else []

    def latest(self, name: str) -> Json:
        """Return the version that was set last.

        :raises ApiError: 404.
        """
        return t.cast(Json, self._live(name)["versions"][-1])

    def version(self, name: str, id_: str) -> Json:
        """Return one version; the latest when ``id_`` is empty.

        :raises ApiError: 404.
        """
        if not id_:
            return self.latest(name)
        for version in self._live(name)["versions"]:
            if version["id"] == id_.lower():
                return t.cast(Json, version)
        raise not_found(f"{name}/{id_}")

    def _find(self, name: str, *, deleted: bool = False) -> Json | None:
        entry = self._all.get(name.lower())
        return entry if entry is not None and bool(entry.get("deleted")) == deleted else None

    def _live(self, name: str) -> Json:
        entry = self._find(name)
        if entry is None:
            raise not_found(name)
        return entry

    def _gone(self, name: str) -> Json:
        entry = self._find(name, deleted=True)
        if entry is None:
            raise ApiError(404, "SecretNotFound", f"Deleted Secret not found: {name}")
        return entry

    def _save(self) -> None:
        self._cloud.store.save(self._vault)

    # What is done to it

    def set(self, name: str, body: Json) -> Json:
        """Add a version.

        :raises ApiError: 400, or 409 while a deleted secret has the name.
        """
        if not NAME.match(name):
            raise bad_parameter(f"The request URI contains an invalid name: {name}")
        value = body.get("value")
        if not isinstance(value, str) or not value:
            raise bad_parameter("Property value is required and is not empty.")
        if len(value) > LARGEST_VALUE:
            raise bad_parameter(f"The secret's value has {len(value)} characters; at most {LARGEST_VALUE} are allowed.")
        self._refuse_name_of_deleted(name)
        now = int(time.time())
        version: Json = {"id": uuid.uuid4().hex, "value": value, "created": now, "updated": now, "enabled": True}
        _apply(version, body)
        entry = self._all.setdefault(name.lower(), {"name": name, "versions": []})
        entry["versions"].append(version)
        self._save()
        return version

    def _refuse_name_of_deleted(self, name: str) -> None:
        if self._find(name, deleted=True) is not None:
            raise ApiError(
                409,
                "Conflict",
                f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in "
                "this state, the secret can only be recovered or purged.",
                extra={"innererror": {"code": "ObjectIsDeletedButRecoverable"}},
            )

    def update(self, name: str, id_: str, body: Json) -> Json:
        """Change attributes, tags and type of a version; tags are replaced as a whole."""
        version = self.version(name, id_)
        _apply(version, body)
        version["updated"] = int(time.time())
        self._save()
        return version

    def delete(self, name: str) -> Json:
        """Delete a secret; it can be recovered for the vault's retention."""
        entry = self._live(name)
        entry["deleted"] = int(time.time())
        self._save()
        return self.deleted_body(name)

    def recover(self, name: str) -> Json:
        """Bring a deleted secret back; its latest version."""
        del self._gone(name)["deleted"]
        self._save()
        return self.latest(name)

    def purge(self, name: str) -> None:
        """Forget a deleted secret.

        :raises ApiError: 403 in a vault with purge protection.
        """
        self._gone(name)
        if self._vault.properties.get("enablePurgeProtection"):
            raise ApiError(
                403,
                "Forbidden",
                'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault '
                "service will automatically purge it after the retention period has passed.",
            )
        del self._all[name.lower()]
        self._save()

    def backup(self, name: str) -> str:
        """Return a secret with all versions, in a form that only this cloud can read."""
        text = json.dumps(self._live(name)).encode()
        return base64.urlsafe_b64encode(self._seal(text) + text).decode().rstrip("=")

    def restore(self, blob: t.Any) -> Json:
        """Bring a backup back; its latest version.

        :raises ApiError: 400, or 409 where the name is taken.
        """
        try:
            raw = base64.urlsafe_b64decode(str(blob) + "=" * (-len(str(blob)) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        if not hmac.compare_digest(raw[:32], self._seal(raw[32:])):
            raise bad_parameter("Backup blob is corrupted.")
        entry: Json = json.loads(raw[32:])
        self._refuse_name_of_deleted(entry["name"])
        if self._find(entry["name"]) is not None:
            raise ApiError(
                409,
                "Conflict",
                f"A secret with name {entry['name']} already exists in the specified key vault; restore is not "
                "allowed.",
            )
        self._all[entry["name"].lower()] = entry
        self._save()
        return self.latest(entry["name"])

    def _seal(self, text: bytes) -> bytes:
        return hmac.new(self._cloud.identity.control_token.encode(), text, hashlib.sha256).digest()

    # How it is shown

    def item(self, name: str, version: Json, *, with_version: bool = True) -> Json:
        """Return a version as lists show it, without its value."""
        path = f"{self.url}/secrets/{name}"
        body: Json = {
            "id": f"{path}/{version['id']}" if with_version else path,
            "attributes": self._attributes(version),
        }
        body.update({key: version[key] for key in ("tags", "contentType") if version.get(key)})
        return body

    def bundle(self, name: str, version: Json) -> Json:
        """Return a version with its value."""
        return {"value": version["value"], **self.item(name, version)}

    def deleted_body(self, name: str, *, with_version: bool = True) -> Json:
        """Return a deleted secret."""
        entry = self._gone(name)
        days = int(self._vault.properties["softDeleteRetentionInDays"])
        return {
            "recoveryId": f"{self.url}/deletedsecrets/{entry['name']}",
            "deletedDate": entry["deleted"],
            "scheduledPurgeDate": entry["deleted"] + days * DAY,
            **self.item(entry["name"], entry["versions"][-1], with_version=with_version),
        }

    def _attributes(self, version: Json) -> Json:
        days = int(self._vault.properties["softDeleteRetentionInDays"])
        level = "Recoverable" if days == 90 else "CustomizedRecoverable"
        if not self._vault.properties.get("enablePurgeProtection"):
            level += "+Purgeable"
        body: Json = {key: version[key] for key in ("enabled", "nbf", "exp", "created", "updated") if key in version}
        return {**body, "recoveryLevel": level, "recoverableDays": days}


def _apply(version: Json, body: Json) -> None:
    """Take over what a body says of a version besides its value.

    :raises ApiError: 400.
    """
    attributes = body.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise bad_parameter("Property attributes has invalid value.")
    _take(version, attributes, "enabled", lambda value: isinstance(value, bool))
    for key in ("nbf", "exp"):
        _take(version, attributes, key, lambda value: isinstance(value, int))
    _take(version, body, "tags", _are_tags)
    _take(version, body, "contentType", lambda value: isinstance(value, str) and len(value) < LARGEST_TEXT)


def _take(version: Json, given: Json, name: str, is_valid: t.Callable[[t.Any], bool]) -> None:
    value = given.get(name)
    if value is None:
        return
    if not is_valid(value):
        raise bad_parameter(f"Property {name} has invalid value.")
    version[name] = value


def _are_tags(value: t.Any) -> bool:
    if not isinstance(value, dict) or len(value) > MOST_TAGS:
        return False
    return all(isinstance(text, str) and len(text) <= LARGEST_TEXT for text in (*value, *value.values()))
