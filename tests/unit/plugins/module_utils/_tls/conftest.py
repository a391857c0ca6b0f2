# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the task as Ansible would, with a clock and a file system of the test's own."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import pathlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ansible_collections.dockerhost.azure.plugins.module_utils._backend import Request
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, render
from ansible_collections.dockerhost.azure.plugins.module_utils._tls import task
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.argument_spec import SPEC
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.filesystem import FileSystem

UTC = dt.timezone.utc
HOSTS = [{"name": "web1"}, {"name": "web2"}]
NOBODY = 65534
PURPOSES = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "anyExtendedKeyUsage": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
}


class Syncing(FileSystem):
    """Tell a subclass which files and directories are synced, by their paths."""

    def __init__(self) -> None:
        self.opened: dict[int, str] = {}

    def create(self, path: str, mode: int) -> int:
        descriptor = super().create(path, mode)
        self.opened[descriptor] = path
        return descriptor

    def open_existing(self, path: str) -> int:
        descriptor = super().open_existing(path)
        self.opened[descriptor] = path
        return descriptor

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        self.note(self.opened[descriptor])

    def note(self, path: str) -> None:
        """Subclasses are told here."""
        raise NotImplementedError


class Certs:
    """A certificate directory and the task that looks after it."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.now = dt.datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
        self.warnings: list[str] = []

    def later(self, **span: float) -> None:
        """Let time go by."""
        self.now += dt.timedelta(**span)

    def params(self, **options: t.Any) -> dict[str, t.Any]:
        """All options, as an argument spec fills them in."""
        options.setdefault("cert_dir", str(self.directory))
        spec = {name: dict(option) for name, option in SPEC.argument_spec.items()}
        validation = ArgumentSpecValidator(spec, **SPEC.rules()).validate(options)
        assert not validation.error_messages, validation.error_messages
        return t.cast("dict[str, t.Any]", validation.validated_parameters)

    def run(self, *, check: bool = False, files: FileSystem | None = None, **options: t.Any) -> dict[str, t.Any]:
        """Run the task; the diff is always asked for."""
        self.warnings = []
        request = Request(
            self.params(**options), check, diff=True, warn=lambda text: self.warnings.append(render(text))
        )
        return task.run(request, files=files, clock=lambda: self.now)

    def settled(self, **options: t.Any) -> None:
        """See that another run finds nothing to do."""
        result = self.run(**options)
        assert result["actions"] == []
        assert not result["changed"]

    def path(self, relative: str) -> pathlib.Path:
        return self.directory / relative

    def bytes(self, relative: str) -> bytes:
        return self.path(relative).read_bytes()

    def cert(self, relative: str) -> x509.Certificate:
        return self.chain(relative)[0]

    def chain(self, relative: str) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.bytes(relative))

    def key(self, relative: str, passphrase: bytes | None = None) -> t.Any:
        return serialization.load_pem_private_key(self.bytes(relative), passphrase)

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Every file below the directory with content and mode, the lock left out."""
        found = {}
        for path in sorted(self.directory.rglob("*")):
            if path.is_file() and path.name != "lock":
                found[str(path.relative_to(self.directory))] = (path.read_bytes(), path.stat().st_mode & 0o777)
        return found

    def pairs(self) -> list[str]:
        """Directories (relative) that hold a certificate or key."""
        return sorted({str(path.parent.relative_to(self.directory)) for path in self.directory.rglob("cert.pem")})

    def check_pairs(self) -> None:
        """See that every certificate has its key and is signed by a CA of its trust list's counterpart."""
        for place in self.pairs():
            certificate, key = self.cert(f"{place}/cert.pem"), self.key(f"{place}/key.pem")
            assert public(certificate) == public(key), place
            issuers = self.chain("ca.pem")
            assert any(is_signed_by(certificate, issuer) for issuer in issuers), place


def public(thing: t.Any) -> bytes:
    """The public key of a certificate or private key."""
    return t.cast(
        bytes,
        thing.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    )


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 - any reason is a no
        return False
    return True


@pytest.fixture
def certs(tmp_path: pathlib.Path) -> Certs:
    return Certs(tmp_path / "certs")


def sequence(content: bytes) -> bytes:
    """A DER sequence of 256 to 65535 bytes."""
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


class Maker:
    """Makes certificates as somebody else would, with any fault wanted."""

    now = dt.datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

    def key(self, kind: str = "ec") -> t.Any:
        if kind.startswith("rsa"):
            return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:] or 2048))
        return ec.generate_private_key(ec.SECP256R1())

    def name(self, common_name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

    def ca(
        self,
        common_name: str = "Their CA",
        *,
        key: t.Any = None,
        signer: tuple[x509.Certificate, t.Any] | None = None,
        is_ca: bool | None = True,
        path_length: int | None = None,
        cert_sign: bool | None = True,
        days: float = 365,
        begins: float = 0,
        critical: bool = True,
        digest: t.Any = None,
    ) -> tuple[x509.Certificate, t.Any]:
        """A CA's certificate and key. ``None`` for ``is_ca`` or ``cert_sign`` leaves the extension out."""
        key = key or self.key()
        issuer_key = signer[1] if signer else key
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name(common_name))
            .issuer_name(signer[0].subject if signer else self.name(common_name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + dt.timedelta(days=begins, hours=-1))
            .not_valid_after(self.now + dt.timedelta(days=begins + days))
        )
        if is_ca is not None:
            length = path_length if is_ca else None
            builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=length), critical=critical)
        if cert_sign is not None:
            usage = x509.KeyUsage(not cert_sign, False, False, False, False, cert_sign, False, False, False)
            builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        if signer:
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
            )
        return builder.sign(issuer_key, digest or hashes.SHA256()), key

    def leaf(
        self,
        ca: tuple[x509.Certificate, t.Any],
        common_name: str = "them",
        *,
        key: t.Any = None,
        purpose: str | t.Sequence[str] | None = "clientAuth",
        dns_names: t.Sequence[str] = (),
        days: float = 365,
        digest: t.Any = None,
        key_identifier: bool = True,
    ) -> tuple[x509.Certificate, t.Any]:
        """A leaf's certificate and key."""
        key = key or self.key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name(common_name))
            .issuer_name(ca[0].subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - dt.timedelta(days=400))
            .not_valid_after(self.now + dt.timedelta(days=days))
        )
        if purpose:
            oids = [PURPOSES[name] for name in ([purpose] if isinstance(purpose, str) else purpose)]
            builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
        if dns_names:
            san = x509.SubjectAlternativeName([x509.DNSName(name) for name in dns_names])
            builder = builder.add_extension(san, critical=False)
        if key_identifier:
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca[1].public_key()), critical=False
            )
        return builder.sign(ca[1], digest or hashes.SHA256()), key

    def sign_request(
        self,
        ca: tuple[x509.Certificate, t.Any],
        request: bytes,
        *,
        days: float = 300,
        purposes: t.Sequence[str] = (),
    ) -> str:
        """What a CA elsewhere makes of a request, with these purposes in place of the requested one."""
        csr = x509.load_pem_x509_csr(request)
        builder = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(ca[0].subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - dt.timedelta(hours=1))
            .not_valid_after(self.now + dt.timedelta(days=days))
        )
        for extension in csr.extensions:
            if purposes and isinstance(extension.value, x509.ExtendedKeyUsage):
                usage = x509.ExtendedKeyUsage([PURPOSES[name] for name in purposes])
                builder = builder.add_extension(usage, extension.critical)
                continue
            builder = builder.add_extension(extension.value, extension.critical)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca[1].public_key()), critical=False
        )
        return builder.sign(ca[1], hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def with_sha1(self, certificate: x509.Certificate, ca: tuple[x509.Certificate, t.Any]) -> x509.Certificate:
        """The same certificate signed with ECDSA and SHA-1, put together by hand: no library does that any more."""
        sha256, sha1 = (bytes.fromhex(text) for text in ("300a06082a8648ce3d040302", "300906072a8648ce3d0401"))
        tbs = sequence(certificate.tbs_certificate_bytes[4:].replace(sha256, sha1))
        # As a number, a SHA-1 digest is a SHA-256 digest that begins with zeros.
        digest = bytes(12) + hashlib.sha1(tbs).digest()
        signature = ca[1].sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        bits = b"\x03" + bytes([len(signature) + 1, 0]) + signature
        signed = x509.load_der_x509_certificate(sequence(tbs + sha1 + bits))
        assert isinstance(signed.signature_hash_algorithm, hashes.SHA1)
        return signed

    @staticmethod
    def pem(*things: t.Any, passphrase: str | None = None) -> str:
        """Certificates and keys in PEM."""
        parts = []
        for thing in things:
            if hasattr(thing, "private_bytes"):
                encryption: t.Any = serialization.NoEncryption()
                if passphrase:
                    encryption = serialization.BestAvailableEncryption(passphrase.encode())
                form = serialization.PrivateFormat.PKCS8
                parts.append(thing.private_bytes(serialization.Encoding.PEM, form, encryption))
            else:
                parts.append(thing.public_bytes(serialization.Encoding.PEM))
        return b"".join(parts).decode()


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    for name in ("DOCKER_CERT_PATH", "AWX_PRIVATE_DATA_DIR", "JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def in_a_child(work: t.Callable[[], t.Any], *, user: int | None = None) -> str:
    """Do something in a process of its own, perhaps as another user, and return its result or error as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            if user is not None:
                os.setgid(user)
                os.setuid(user)
            text = f"ok {work()}"
        except DockerHostError as error:
            text = f"refused {error!s}"
        except BaseException as error:  # noqa: BLE001 - handed to the parent
            text = f"broken {error!r}"
        os.write(writer, text.encode()[:4000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        text = stream.read().decode()
    os.waitpid(child, 0)
    return text


def snapshot(path: pathlib.Path) -> t.Any:
    """Return the content of a file, or of all files below a directory."""
    if path.is_dir():
        return {str(entry): entry.read_bytes() for entry in path.rglob("*") if entry.is_file()}
    return path.read_bytes()
