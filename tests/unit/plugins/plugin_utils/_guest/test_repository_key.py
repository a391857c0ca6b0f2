# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key of Docker's repository: the pinned one is written, and a file with anything else is refused."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from .conftest import OS_RELEASES, Recorder, armour, fingerprint, packet, public_key

DOCKER, EVIL = public_key(b"docker"), public_key(b"evil")
SUBKEY = packet(14, b"\x04subkey") + packet(2, b"\x04binding")


@pytest.fixture
def pinned(setup: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    """The program, with a key of the tests' own in the place of Docker's."""
    monkeypatch.setattr(setup, "DOCKER_KEYS", (fingerprint(b"docker"),))
    return setup


def repository(setup: t.Any, root: Path, served: bytes, system: str = "debian12", **engine: t.Any) -> t.Any:
    """A repository on a mirror that serves this key."""
    mirror = root.parent / "mirror"
    for name in ("debian", "rhel"):
        (mirror / "linux" / name).mkdir(parents=True, exist_ok=True)
        (mirror / "linux" / name / "gpg").write_bytes(served)
    return Recorder(setup, root, OS_RELEASES[system]).repository(mirror=f"file://{mirror}", **engine)


@pytest.mark.parametrize(
    "served",
    [DOCKER, armour(DOCKER).encode(), armour(DOCKER).replace("\n", "\r\n").encode(), DOCKER + SUBKEY],
    ids=["binary", "armoured", "CRLF", "subkey"],
)
def test_the_pinned_key_is_accepted_and_written_armoured(pinned: t.Any, tmp_path: Path, served: bytes) -> None:
    written = repository(pinned, tmp_path / "root", served).key()
    assert written.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n")
    expected = pinned.key_packets(DOCKER + (SUBKEY if SUBKEY in served else b""))
    assert pinned.key_packets(written) == expected


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (EVIL, "not Docker's"),
        (DOCKER + EVIL, "must contain one key, got 2"),
        (armour(DOCKER + EVIL).encode(), "must contain one key, got 2"),
        ((armour(DOCKER) + armour(EVIL)).encode(), "not one block"),
        ((armour(DOCKER) + "x").encode(), "not one block"),
        (armour(DOCKER).encode() + EVIL, "not one block"),
        (DOCKER + packet(11, b"data"), "contain only a public key"),
        (DOCKER + packet(7, b"\x04secret"), "contain only a public key"),
        (DOCKER + b"\x99\xff\xff", "damaged"),
        (DOCKER + b"\x9b", "damaged"),
        (packet(13, b"name") + DOCKER, "not an OpenPGP public key"),
        (public_key(b"docker", tag=14), "not an OpenPGP public key"),
        (packet(6, b"\x06docker"), "another version"),
        (b"\x9a" + (0x10000).to_bytes(4, "big") + b"\x04" + b"k" * 0xFFFF, "another version"),
        (b"<html>", "not an OpenPGP public key"),
        (b"", "not an OpenPGP public key"),
    ],
)
@pytest.mark.parametrize("system", ["debian12", "rhel9"])
def test_a_file_that_is_not_the_pinned_key_alone_is_refused(
    pinned: t.Any, tmp_path: Path, system: str, served: bytes, reason: str
) -> None:
    with pytest.raises(pinned.Problem, match=reason) as refused:
        repository(pinned, tmp_path / "root", served, system).key()
    assert "engine.key" in refused.value.text


def test_rpm_gets_no_subkeys_because_old_ones_do_not_check_them(pinned: t.Any, tmp_path: Path) -> None:
    written = repository(pinned, tmp_path / "root", DOCKER + SUBKEY, "rhel9").key()
    assert pinned.key_packets(written) == pinned.key_packets(DOCKER)


def test_a_key_of_the_users_is_checked_before_anything_is_changed(setup: t.Any, tmp_path: Path) -> None:
    mine = armour(EVIL)
    assert repository(setup, tmp_path / "good", DOCKER, key=mine).key() == mine.encode()
    broken = repository(setup, tmp_path / "bad", DOCKER, key="-----BEGIN PGP PUBLIC KEY BLOCK-----")
    with pytest.raises(setup.Problem, match=r"the key from engine\.key is refused"):
        broken.key()


def test_lengths_of_packets(setup: t.Any) -> None:
    """Each form that RFC 4880, 4.2, gives a packet's length; keys have none of unknown length."""
    body = b"\x04" + b"k" * 299
    forms = [b"\x99\x01\x2c", b"\x9a\x00\x00\x01\x2c", b"\xc6\xc0\x6c", b"\xc6\xff\x00\x00\x01\x2c"]
    for head in forms:
        assert setup.key_packets(head + body) == [(6, body)]
    assert setup.key_packets(b"\xc6\x04\x04abc") == [(6, b"\x04abc")]
    for head in (b"\x9b", b"\xc6\xe1"):
        with pytest.raises(setup.Problem):
            setup.key_packets(head + body)


def keyring(*keys: bytes) -> str:
    """Return what rpm says of its keyring with these keys in it."""
    return "".join(f"gpg-pubkey-{fingerprint(key)[-8:].lower()}-5f1e2d3c\n" for key in keys)


RPM_SYSTEMS = {"rhel9": "dnf", "sles15": "zypper"}


def rpm_repository(
    setup: t.Any, tmp_path: Path, system: str, before: str, after: str, **engine: t.Any
) -> tuple[Recorder, t.Any]:
    """Return a system whose keyring changes once the package manager has installed something, and its installation."""
    manager = RPM_SYSTEMS[system]
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES[system], programs=(manager, "rpm"))
    answer = recorder.answer

    def answers(argv: list[str], command: str) -> tuple[int, str]:
        if command.startswith("rpm -q") and command.endswith("gpg-pubkey"):
            return 0, after if recorder.ran("install") else before
        return answer(argv, command)

    recorder.answer = answers  # type: ignore[method-assign]
    return recorder, recorder.installation(source="docker", mirror="http://m", **engine)


def fail(setup: t.Any, installation: t.Any) -> None:
    """Run an installation that fails."""
    with pytest.raises(setup.Problem, match="ended with exit code"):
        installation.run()


@pytest.mark.parametrize("system", RPM_SYSTEMS)
def test_rpm_does_not_trust_a_key_with_which_nothing_is_signed(setup: t.Any, tmp_path: Path, system: str) -> None:
    manager = RPM_SYSTEMS[system]
    recorder, installation = rpm_repository(
        setup, tmp_path, system, keyring(b"os"), keyring(b"os", b"evil", b"other"), key=armour(EVIL)
    )
    options = {"dnf": "-y", "zypper": "--non-interactive"}[manager]
    recorder.answers = {f"{manager} {options} install": (1, "Error: GPG check FAILED")}
    fail(setup, installation)
    assert recorder.ran("rpm", "-e") == [f"rpm -e --allmatches {keyring(b'evil').strip()}"]
    assert recorder.machine.read(setup.KEYRING) is None


def test_rpm_keeps_a_key_that_it_knew_before_or_that_fits(setup: t.Any, tmp_path: Path) -> None:
    recorder, installation = rpm_repository(
        setup, tmp_path / "known", "rhel9", keyring(b"evil"), keyring(b"evil"), key=armour(EVIL)
    )
    recorder.answers = {"dnf -y install": (1, "Error: GPG check FAILED")}
    fail(setup, installation)
    assert not recorder.ran("rpm", "-e")
    recorder, installation = rpm_repository(setup, tmp_path / "fits", "rhel9", "", keyring(b"evil"), key=armour(EVIL))
    installation.run()
    assert not recorder.ran("rpm", "-e")
    assert recorder.machine.read(setup.KEYRING) is None


@pytest.mark.parametrize(("signer", "stays"), [(b"evil", True), (b"other", False), (b"", True)])
def test_rpm_keeps_a_key_only_if_the_engine_is_signed_with_it(
    setup: t.Any, tmp_path: Path, signer: bytes, stays: bool
) -> None:
    """zypper takes packages that another trusted key has signed."""
    recorder, installation = rpm_repository(
        setup, tmp_path, "sles15", keyring(b"other"), keyring(b"other", b"evil"), key=armour(EVIL)
    )
    key_id = fingerprint(signer)[-16:].lower()
    recorder.answers = {"rpm -q --qf %{RSAHEADER": f"RSA/SHA256, today, Key ID {key_id}\n(none)\n" if signer else ""}
    installation.run()
    removed = [] if stays else [f"rpm -e --allmatches {keyring(b'evil').strip()}"]
    assert recorder.ran("rpm", "-e") == removed


def test_a_key_that_a_killed_run_left_is_taken_away(setup: t.Any, tmp_path: Path) -> None:
    left = keyring(b"os", b"evil")
    recorder, installation = rpm_repository(setup, tmp_path, "rhel9", left, left, key=armour(DOCKER))
    note = {"key": fingerprint(b"evil"), "before": keyring(b"os").split()}
    recorder.put(setup.KEYRING, json.dumps(note))
    installation.run()
    assert recorder.ran("rpm", "-e") == [f"rpm -e --allmatches {keyring(b'evil').strip()}"]


def test_rpm_6_deletes_a_key_in_another_way(setup: t.Any, tmp_path: Path) -> None:
    recorder = Recorder(setup, tmp_path / "root", OS_RELEASES["fedora40"], {"rpm -e": (1, "not installed")})
    recorder.facts().packages.forget_key("gpg-pubkey-621e9f35-58adea78")
    assert recorder.ran("rpmkeys") == ["rpmkeys --delete 621e9f35"]
