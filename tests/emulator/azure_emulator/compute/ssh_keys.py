# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSH public keys as resources, which ``az sshkey`` manages and ``az vm create --ssh-key-name`` takes."""

from __future__ import annotations

import typing as t

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from ..arm.messages import ArmRequest, Reply
from ..arm.resource import Json, Resource
from ..arm.routing import GROUP, route
from ..errors import invalid_parameter, operation_not_allowed
from .names import SSH_KEY
from .synchronous import Kind, base_body, serve

if t.TYPE_CHECKING:
    from ..cloud import Cloud

BITS = 3072


def render_key(_cloud: Cloud, key: Resource) -> Json:
    """Return the body of a key; it has no ``type`` (recorded in 2024-08 and 2024-09)."""
    body = {name: value for name, value in base_body(key).items() if name != "type"}
    return {**body, "properties": dict(key.properties)}


def _apply(_cloud: Cloud, key: Resource, body: Json, _new: bool) -> None:
    public = (body.get("properties") or {}).get("publicKey")
    if public is not None:
        key.properties = {"publicKey": public}


def _in_use(_cloud: Cloud, _key: Resource) -> None:
    """Allow the deletion: machines have copies of the key."""


serve(Kind(SSH_KEY, render_key, _apply, _in_use))


@route("POST", f"{GROUP}/providers/{SSH_KEY}/{{name}}/generateKeyPair", SSH_KEY)
async def generate(cloud: Cloud, request: ArmRequest) -> Reply:
    """Generate a key pair, which is possible once. Only this answer contains the private key."""
    key = cloud.resource(request.id_of(SSH_KEY, request.params["name"])).copy()
    body = request.required_json() if request.raw else {}
    kind = str(body.get("encryptionType") or "RSA")
    if kind.lower() not in ("rsa", "ed25519"):
        raise invalid_parameter(f"The value '{kind}' of parameter 'encryptionType' is invalid.", "encryptionType")
    if key.properties.get("publicKey"):
        raise operation_not_allowed(f"The SSH public key '{key.name}' already has a public key.")
    private, public = _rsa() if kind.lower() == "rsa" else _ed25519()
    key.properties = {"publicKey": public}
    cloud.store.save(key)
    return Reply(200, {"privateKey": private, "publicKey": public, "id": key.id})


def _rsa() -> tuple[str, str]:
    pair = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    # RFC 3447, as the specification says.
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return _private(pair, form), _public(pair.public_key())


def _ed25519() -> tuple[str, str]:
    pair = ed25519.Ed25519PrivateKey.generate()
    return _private(pair, serialization.PrivateFormat.OpenSSH), _public(pair.public_key())


def _private(pair: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, form: serialization.PrivateFormat) -> str:
    return pair.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _public(key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey) -> str:
    text = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    return f"{text} generated-by-azure"
