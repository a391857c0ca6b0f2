# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sign-in: the token endpoint of the tenant, and the check of tokens."""

from __future__ import annotations

import base64
import hashlib
import time
import typing as t
import urllib.parse
from functools import cached_property

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..arm.messages import Reply
from ..errors import ApiError, Json
from ..settings import new_guid
from ..vault.names import audience

if t.TYPE_CHECKING:
    from ..cloud import Cloud

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FEDERATION_AUDIENCE = "api://AzureADTokenExchange"
DRIFT = 300
"""Seconds that clocks may differ by."""
CACHE = 1000


class TokenError(Exception):
    """A refusal of the token endpoint: OAuth error, AADSTS number and text."""

    def __init__(self, error: str, number: int, text: str, status: int = 401) -> None:
        super().__init__(text)
        self.error, self.number, self.text, self.status = error, number, text, status

    def reply(self) -> Reply:
        """Return the answer, in Microsoft Entra's form."""
        trace, correlation = new_guid(), new_guid()
        moment = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
        body = {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {moment}",
            "error_codes": [self.number],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
        }
        return Reply(self.status, body)


class Tokens:
    """Issues and checks the tokens of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._checked: dict[str, Json] = {}

    @cached_property
    def _private(self) -> rsa.RSAPrivateKey:
        """The signing key; made at its first use."""
        identity = self._cloud.identity
        if not identity.signing_key:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            identity.signing_key = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
            self._cloud.save_identity()
        private = serialization.load_pem_private_key(identity.signing_key.encode(), None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError("the signing key of the state directory is not an RSA key")
        return private

    @cached_property
    def _public(self) -> rsa.RSAPublicKey:
        return self._private.public_key()

    @cached_property
    def _key_id(self) -> str:
        return hashlib.sha256(str(self._public.public_numbers().n).encode()).hexdigest()[:27]

    def issuer(self) -> str:
        """Return the issuer of the tokens."""
        return f"{self._cloud.origin}/{self._cloud.identity.tenant}/v2.0"

    def configuration(self, tenant: str) -> Json:
        """Return the OpenID configuration of a tenant."""
        base = f"{self._cloud.origin}/{tenant}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": self.issuer(),
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "tenant_region_scope": None,
        }

    def keys(self) -> Json:
        """Return the keys that tokens are signed with."""
        numbers = self._public.public_numbers()
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        key = {"kty": "RSA", "use": "sig", "kid": self._key_id, "n": _base64url(modulus), "e": "AQAB"}
        return {"keys": [key]}

    def grant(self, tenant: str, form: t.Mapping[str, str]) -> Reply:
        """Answer a POST to the token endpoint; ``scope`` (v2.0) or ``resource`` says what for."""
        try:
            return self._granted(tenant, form)
        except TokenError as error:
            return error.reply()

    def _granted(self, tenant: str, form: t.Mapping[str, str]) -> Reply:
        identity = self._cloud.identity
        if tenant.lower() != identity.tenant.lower():
            raise TokenError(
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.",
                400,
            )
        grant_type = form.get("grant_type", "")
        if grant_type != "client_credentials":
            if not grant_type:
                raise TokenError(
                    "invalid_request",
                    900144,
                    "The request body must contain the following parameter: 'grant_type'.",
                    400,
                )
            raise TokenError(
                "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant_type}'.", 400
            )
        client = form.get("client_id", "")
        if client.lower() != identity.client_id.lower():
            raise TokenError(
                "unauthorized_client",
                700016,
                f"Application with identifier '{client}' was not found in the directory '{identity.tenant}'.",
                400,
            )
        self._authenticate(form)
        audience = self._audience(form)
        lifetime = int(self._cloud.switches["token_lifetime"])
        body: Json = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self.issue(audience, lifetime),
        }
        if "scope" not in form:
            now = int(time.time())
            body = {k: str(v) for k, v in body.items()}
            body |= {"expires_on": str(now + lifetime), "not_before": str(now), "resource": form.get("resource", "")}
        return Reply(200, body, {"Cache-Control": "no-store, no-cache"})

    def _audience(self, form: t.Mapping[str, str]) -> str:
        wanted = form.get("resource") or form.get("scope", "").split(" ")[0].removesuffix("/.default")
        if not wanted:
            raise TokenError(
                "invalid_request", 900144, "The request body must contain the following parameter: 'scope'.", 400
            )
        allowed = [self._cloud.origin, "https://management.azure.com", "https://management.core.windows.net"]
        allowed += ["https://graph.microsoft.com", "https://vault.azure.net", audience(self._cloud)]
        if wanted.rstrip("/") not in allowed:
            raise TokenError(
                "invalid_resource",
                500011,
                f"The resource principal named {wanted} was not found in the tenant named "
                f"{self._cloud.identity.tenant}.",
                400,
            )
        return wanted

    def _authenticate(self, form: t.Mapping[str, str]) -> None:
        identity = self._cloud.identity
        secret, assertion = form.get("client_secret"), form.get("client_assertion")
        if secret is not None:
            if secret != identity.secret:
                raise TokenError(
                    "invalid_client",
                    7000215,
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                    f"value, not the client secret ID, for a secret added to app '{identity.client_id}'.",
                )
            return
        if assertion is None or form.get("client_assertion_type") != ASSERTION:
            raise TokenError(
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError as error:
            raise TokenError("invalid_request", 50027, "JWT token is invalid or malformed.", 400) from error
        if "x5t" in header or "x5t#S256" in header or "x5c" in header:
            self._check_certificate_assertion(assertion, header)
        else:
            self._check_federated_token(assertion)

    def _check_certificate_assertion(self, assertion: str, header: Json) -> None:
        for text in self._cloud.identity.certificates:
            certificate = x509.load_pem_x509_certificate(text.encode())
            der = certificate.public_bytes(serialization.Encoding.DER)
            thumbs = (_base64url(hashlib.sha1(der).digest()), _base64url(hashlib.sha256(der).digest()))
            given = (str(header.get("x5t", "")).rstrip("="), str(header.get("x5t#S256", "")).rstrip("="))
            if given[0] != thumbs[0] and given[1] != thumbs[1]:
                continue
            client = self._cloud.identity.client_id
            try:
                jwt.decode(
                    assertion,
                    t.cast(rsa.RSAPublicKey, certificate.public_key()),
                    algorithms=["RS256", "PS256"],
                    options={"verify_aud": False, "require": ["exp", "iss", "sub", "aud"]},
                    issuer=client,
                    leeway=DRIFT,
                )
            except jwt.InvalidTokenError as error:
                raise TokenError(
                    "invalid_client", 700027, f"Client assertion failed signature validation. {error}"
                ) from error
            return
        raise TokenError(
            "invalid_client",
            700027,
            "The certificate with identifier used to sign the client assertion is not registered on application.",
        )

    def _check_federated_token(self, assertion: str) -> None:
        try:
            jwt.decode(
                assertion,
                self._public,
                algorithms=["RS256"],
                audience=FEDERATION_AUDIENCE,
                issuer=f"{self._cloud.origin}/federation",
            )
        except jwt.InvalidTokenError as error:
            raise TokenError(
                "invalid_client",
                700211,
                f"No matching federated identity record found for presented assertion. {error}",
            ) from error

    def federated_token(self, subject: str = "system:serviceaccount:awx:awx") -> str:
        """Return a token of the workload's own issuer, which can be exchanged for an access token."""
        now = int(time.time())
        claims = {
            "iss": f"{self._cloud.origin}/federation",
            "sub": subject,
            "aud": FEDERATION_AUDIENCE,
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(claims, self._private, algorithm="RS256", headers={"kid": self._key_id})

    def issue(self, audience: str, lifetime: int) -> str:
        """Return an access token."""
        identity, now = self._cloud.identity, int(time.time())
        claims = {
            "aud": audience,
            "iss": self.issuer(),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "appid": identity.client_id,
            "idtyp": "app",
            "oid": identity.object_id,
            "sub": identity.object_id,
            "tid": identity.tenant,
            "uti": new_guid(),
            "ver": "1.0",
        }
        return jwt.encode(claims, self._private, algorithm="RS256", headers={"kid": self._key_id})

    def claims(self, token: str) -> Json | None:
        """Return the claims of a token; None if this server did not issue it, or if it has expired."""
        try:
            return jwt.decode(
                token,
                self._public,
                algorithms=["RS256"],
                options={"verify_aud": False, "require": ["exp", "aud", "tid"]},
            )
        except jwt.InvalidTokenError:
            return None

    def check(self, authorization: str | None) -> Json:
        """Return the claims of a request's token.

        :raises ApiError: 401 with the challenge.
        """
        if not authorization:
            raise self.refused(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "The authentication failed because of missing 'Authorization' header.",
            )
        scheme, _unused, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self.refused(
                "AuthenticationFailedInvalidHeader",
                "Authentication failed. The 'Authorization' header is provided in an invalid format.",
                "The authentication scheme is not supported.",
            )
        claims = self._checked.get(token) or self._decoded(token)
        if claims["exp"] <= time.time():
            expired = time.strftime("%m/%d/%Y %I:%M:%S %p", time.gmtime(claims["exp"]))
            now = time.strftime("%m/%d/%Y %I:%M:%S %p", time.gmtime())
            raise self.refused(
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{expired}' is earlier than current UTC time '{now}'.",
                "The access token has expired.",
            )
        return claims

    def _decoded(self, token: str) -> Json:
        try:
            claims: Json = jwt.decode(
                token,
                self._public,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "require": ["exp", "aud", "tid"]},
            )
        except jwt.InvalidTokenError as error:
            raise self.refused(
                "InvalidAuthenticationToken", "The access token is invalid.", "Could not validate the token."
            ) from error
        audiences = [self._cloud.origin, "https://management.core.windows.net", "https://management.azure.com"]
        if str(claims["aud"]).rstrip("/") not in audiences:
            raise self.refused(
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. It should "
                "exactly "
                f"match with one of the allowed audiences '{','.join(a + '/' for a in audiences)}'.",
                "The access token has the wrong audience.",
            )
        if len(self._checked) >= CACHE:
            self._checked.clear()
        self._checked[token] = claims
        return claims

    def refused(self, code: str, message: str, description: str, claims: str | None = None) -> ApiError:
        """Return 401 with its challenge.

        :param claims: what a new token must contain, as JSON ("Claims challenges, claims requests, and client
            capabilities", learn.microsoft.com).
        """
        authority = f"{self._cloud.origin}/{self._cloud.identity.tenant}"
        challenge = f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{description}"'
        if claims is not None:
            encoded = base64.b64encode(claims.encode()).decode()
            challenge = challenge.replace("invalid_token", "insufficient_claims") + f', claims="{encoded}"'
        return ApiError(401, code, message, headers={"WWW-Authenticate": challenge, "x-ms-failure-cause": "gateway"})


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def form_of(raw: bytes) -> dict[str, str]:
    """Return the fields of a form in a request's body."""
    return dict(urllib.parse.parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
