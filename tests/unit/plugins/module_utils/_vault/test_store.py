# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CA's life in a key vault."""

from __future__ import annotations

import json
import shutil
import typing as t

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.key_vault import check_vault
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import DockerHostError, OptionError
from ansible_collections.dockerhost.azure.plugins.module_utils._tls.store import CA_KEY, CURRENT_CA
from ansible_collections.dockerhost.azure.plugins.module_utils._vault.ca_document import CaDocument
from azure_emulator.launcher import LocalAzure
from azure_emulator.vault.testing import make_vault

from .conftest import Job, Jobs

HOSTS = [{"name": "web1", "ip_addresses": ["10.0.0.4"]}]
LEAVES = [
    ".docker-tls-certs/state.json",
    "ca.pem",
    "cert.pem",
    "key.pem",
    "servers/web1/ca.pem",
    "servers/web1/cert.pem",
    "servers/web1/key.pem",
]


def test_two_jobs_in_a_row(jobs: Jobs) -> None:
    first, second = jobs.new(), jobs.new()
    made = first.run(hosts=HOSTS)
    assert made["changed"]
    assert made["ca"]["key_path"] is None
    assert first.files() == LEAVES
    assert made["key_vault"]["url"].startswith(f"https://{jobs.vault}.vault.localhost:")
    again = first.run(hosts=HOSTS)
    assert not again["changed"]
    assert again["key_vault"] == made["key_vault"]
    shutil.rmtree(first.directory)
    fresh = second.run(hosts=HOSTS)
    assert fresh["ca"]["fingerprint"] == made["ca"]["fingerprint"]
    assert fresh["key_vault"] == made["key_vault"]
    assert fresh["trusted_cas"] == made["trusted_cas"]
    document = second.document()
    assert load_pem_private_key(document["ca_key"].encode(), None)
    assert document["ca"] == (second.directory / "ca.pem").read_text()


def test_requests_of_an_ordinary_run(signed_in: LocalAzure, job: Job) -> None:
    job.run()
    signed_in.clear_requests()
    job.run()
    asked = [f"{entry['method']} {entry['path']}" for entry in signed_in.requests() if "/secrets/" in entry["path"]]
    assert all(line.startswith("GET ") for line in asked)
    # The list and the value; the challenge is known to the process already, or asks once more.
    assert len(asked) <= 3


def test_check_mode(signed_in: LocalAzure, job: Job) -> None:
    signed_in.clear_requests()
    predicted = job.run(check=True, hosts=HOSTS)
    assert predicted["changed"]
    assert predicted["key_vault"]["version"] is None
    assert not job.directory.exists()
    assert not [entry for entry in signed_in.requests() if entry["writing"] and entry["path"].startswith("/secrets")]
    job.run(hosts=HOSTS)
    assert not job.run(check=True, hosts=HOSTS)["changed"]


def test_no_key_in_results(job: Job) -> None:
    made = job.run(hosts=HOSTS, ca_key_passphrase="four green hedgehogs")
    key = job.document()["ca_key"]
    assert "ENCRYPTED" in key
    assert "PRIVATE KEY" not in json.dumps(made)
    assert key.splitlines()[1] not in json.dumps(made)


def test_passphrase(jobs: Jobs) -> None:
    jobs.new().run(ca_key_passphrase="four green hedgehogs")
    with pytest.raises(OptionError, match=r"ca-key.pem in the secret docker-ca of the key vault .* cannot be read"):
        jobs.new().run(ca_key_passphrase="five green hedgehogs")
    with pytest.raises(OptionError, match=r"ca-key.pem in the secret docker-ca .* is encrypted"):
        jobs.new().run()
    jobs.new().run(ca_key_passphrase="four green hedgehogs")


def test_a_ca_in_the_directory_moves_into_the_vault(jobs: Jobs) -> None:
    job, other = jobs.new(), jobs.new()
    before = job.run(store="directory", key_vault=None, hosts=HOSTS)
    assert before["key_vault"] is None
    key = (job.directory / "ca-key.pem").read_bytes()
    predicted = job.run(check=True, hosts=HOSTS)
    assert predicted["actions"] == ["move the CA into the key vault"]
    assert (job.directory / "ca-key.pem").exists()
    moved = job.run(hosts=HOSTS)
    assert (moved["changed"], moved["actions"]) == (True, ["move the CA into the key vault"])
    assert moved["ca"]["fingerprint"] == before["ca"]["fingerprint"]
    assert moved["servers"]["web1"]["fingerprint"] == before["servers"]["web1"]["fingerprint"]
    assert job.files() == LEAVES
    assert job.document()["ca_key"].encode() == key
    assert not job.run(hosts=HOSTS)["changed"]
    assert other.run()["ca"]["fingerprint"] == before["ca"]["fingerprint"]


def test_another_ca_in_the_directory(jobs: Jobs) -> None:
    jobs.new().run()
    job = jobs.new()
    job.run(store="directory", key_vault=None)
    files = job.files()
    with pytest.raises(DockerHostError, match="has a CA of its own, which is not the one in the secret docker-ca"):
        job.run()
    assert job.files() == files
    made = job.run(key_vault_secret="other-ca")
    assert made["key_vault"]["secret"] == "other-ca"


def test_somebody_elses_files(jobs: Jobs) -> None:
    job = jobs.new()
    job.run(store="directory", key_vault=None)
    shutil.rmtree(job.directory / ".docker-tls-certs")
    key = (job.directory / "ca-key.pem").read_bytes()
    with pytest.raises(DockerHostError, match="did not create are in the way"):
        job.run()
    adopted = job.run(adopt=True)
    assert "move the CA into the key vault" in adopted["actions"]
    assert job.document()["ca_key"].encode() == key
    assert "ca-key.pem" not in job.files()
    assert not job.run()["changed"]


def test_rotation(jobs: Jobs) -> None:
    first = jobs.new()
    old = first.run(hosts=HOSTS)["ca"]["fingerprint"]
    started = first.run(hosts=HOSTS, rotate_ca="start")
    new = started["rotation"]["new_fingerprint"]
    assert started["trusted_cas"] == [old, new]
    # Another job, with an empty home, sees the phase and goes on.
    second = jobs.new()
    seen = second.run(hosts=HOSTS)
    assert (seen["rotation"]["phase"], seen["trusted_cas"]) == ("trust", [old, new])
    assert not second.run(hosts=HOSTS, rotate_ca="start")["changed"]
    with pytest.raises(DockerHostError, match="web1: not reported"):
        second.run(hosts=HOSTS, rotate_ca="advance")
    with pytest.raises(OptionError, match="no host is known here"):
        jobs.new().run(rotate_ca="advance")
    for phase in ("servers", "clients", None):
        report = second.run(hosts=HOSTS)
        trust = [
            {"name": "web1", "ca_fingerprints": [old, new], "fingerprint": report["servers"]["web1"]["fingerprint"]}
        ]
        gone_on = second.run(hosts=HOSTS, rotate_ca="advance", host_trust=trust)
        assert gone_on["rotation"]["phase"] == phase
    assert gone_on["trusted_cas"] == [new]
    third = jobs.new()
    assert third.run(hosts=HOSTS)["ca"]["fingerprint"] == new
    assert second.files() == LEAVES
    # The versions of the secret keep the old CA.
    with third.client() as client:
        versions = client.versions("docker-ca")
        kept = [json.loads(client.value("docker-ca", version.id)) for version in versions]
    assert sum(entry["ca"] in (first.directory / "ca.pem").read_text() for entry in kept) >= 4


def test_a_host_that_lacks_trust_stops_a_rotation_also_when_its_files_are_not_here(jobs: Jobs) -> None:
    first = jobs.new()
    old = first.run(hosts=HOSTS)["ca"]["fingerprint"]
    first.run(hosts=HOSTS, rotate_ca="start")
    trust = [{"name": "web9", "ca_fingerprints": [old], "fingerprint": None}]
    with pytest.raises(DockerHostError, match="web9: does not trust both CAs yet"):
        jobs.new().run(rotate_ca="advance", host_trust=trust)


def test_cancelling_a_rotation(jobs: Jobs) -> None:
    job = jobs.new()
    old = job.run()["ca"]["fingerprint"]
    job.run(rotate_ca="start")
    cancelled = jobs.new().run(rotate_ca="cancel")
    assert cancelled["rotation"]["phase"] is None
    assert job.run()["trusted_cas"] == [old]


def test_removing(jobs: Jobs) -> None:
    job = jobs.new()
    job.run(hosts=HOSTS)
    job.run(state="absent", hosts=HOSTS)
    assert "servers/web1/cert.pem" not in job.files()
    gone = job.run(state="absent", remove_ca=True)
    assert gone["changed"]
    assert gone["key_vault"]["version"] is None
    assert job.files() == []
    with pytest.raises(DockerHostError, match="was deleted and can still be recovered") as caught:
        jobs.new().run()
    assert "az keyvault secret recover" in str(caught.value)
    with pytest.raises(DockerHostError, match="was deleted and can still be recovered"):
        jobs.new().run(check=True)


def test_own_authority(jobs: Jobs) -> None:
    authority, job = jobs.new(), jobs.new()
    authority.run(store="directory", key_vault=None)
    own = {"ca_path": str(authority.directory / "ca.pem"), "ca_key_path": str(authority.directory / "ca-key.pem")}
    job.run(hosts=HOSTS, **own)
    document = job.document()
    assert document["own"] is True
    assert "ca_key" not in document
    with pytest.raises(OptionError, match="the CA is your own and its key is not kept here"):
        jobs.new().run(hosts=HOSTS)
    assert not job.run(hosts=HOSTS, **own)["changed"]


def test_too_long_a_chain() -> None:
    document = CaDocument({CURRENT_CA: b"x" * 13000, CA_KEY: b"y" * 13000})
    with pytest.raises(DockerHostError, match="a secret of a key vault holds at most 25600") as caught:
        document.dump()
    assert "yyy" not in str(caught.value)
    fits = CaDocument({CURRENT_CA: b"x" * 12000, CA_KEY: b"y" * 12000})
    assert CaDocument.load(fits.dump(), "it") == fits


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"key_vault": "no_name"}, "must be a key vault's name"),
        ({"key_vault": "http://x.vault.azure.net"}, "is not the URL of a key vault"),
        ({"key_vault": "https://x.vault.azure.net/secrets/y"}, "is not the URL of a key vault"),
        ({"key_vault": ""}, "needs the name or the URL"),
        ({"key_vault_secret": "a_b"}, "must have 1 to 127 letters"),
        ({"store": "directory"}, "with store: key_vault only"),
    ],
)
def test_bad_options(job: Job, options: dict[str, t.Any], problem: str) -> None:
    with pytest.raises(OptionError, match=problem):
        job.run(**options)
    assert not job.directory.exists()


def test_a_vault_that_is_not_there(job: Job) -> None:
    with pytest.raises(DockerHostError, match="the key vault cannot be reached") as caught:
        job.run(key_vault="nowhere-at-all")
    assert "nowhere-at-all" in str(caught.value)
    assert not job.directory.exists()


def test_a_server_that_is_no_vault(signed_in: LocalAzure, job: Job) -> None:
    with pytest.raises(DockerHostError) as caught:
        job.run(key_vault=signed_in.url)
    assert signed_in.url in str(caught.value)
    assert not job.directory.exists()


def test_by_url(jobs: Jobs) -> None:
    by_name = jobs.new().run()
    by_url = jobs.new().run(key_vault=by_name["key_vault"]["url"] + "/")
    assert by_url["ca"]["fingerprint"] == by_name["ca"]["fingerprint"]


def test_missing_rights(signed_in: LocalAzure, jobs: Jobs) -> None:
    closed = make_vault(signed_in, accessPolicies=[])
    with pytest.raises(DockerHostError, match="access policies must give the identity the secret permissions"):
        jobs.new().run(key_vault=closed)
    vault = make_vault(signed_in, enableRbacAuthorization=True, accessPolicies=[])
    rights = "Microsoft.KeyVault/vaults/secrets/"
    signed_in.switch("forbidden", [f"{rights}setSecret/action", f"{rights}update/action"])
    job = jobs.new()
    with pytest.raises(DockerHostError, match="Key Vault Secrets Officer") as caught:
        job.run(key_vault=vault)
    assert caught.value.details["azure_error"]["status"] == 403
    assert job.files() == []
    signed_in.switch("forbidden", [])
    job.run(key_vault=vault)
    # A job that only uses the CA needs no right to write.
    signed_in.switch("forbidden", [f"{rights}setSecret/action", f"{rights}update/action", f"{rights}delete"])
    jobs.new().run(key_vault=vault, hosts=HOSTS)
    signed_in.switch("forbidden", [f"{rights}*"])
    with pytest.raises(DockerHostError, match="Key Vault Secrets User"):
        jobs.new().run(key_vault=vault)


def mark(job: Job, **attributes: t.Any) -> None:
    """Change the version in use as a person does, by Microsoft's client."""
    version = job.run(check=True)["key_vault"]["version"]
    with job.client() as client:
        client._client.update_secret_properties("docker-ca", version, **attributes)


def test_disabled_and_expired(jobs: Jobs) -> None:
    import datetime as dt

    job = jobs.new()
    job.run()
    mark(job, enabled=False)
    with pytest.raises(DockerHostError, match=r"is disabled\. Enable it again"):
        jobs.new().run()
    with job.client() as client:
        version = client.versions("docker-ca")[0]
        client.mark("docker-ca", version, enabled=True, tags={})
    mark(job, expires_on=dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1))
    with pytest.raises(DockerHostError, match=r"expired at .*Z\. Set a later time"):
        jobs.new().run()
    assert job.files() == [name for name in LEAVES if "web1" not in name]


def test_a_secret_of_somebody_else(jobs: Jobs) -> None:
    job = jobs.new()
    with job.client() as client:
        client.add("docker-ca", "their password", {}, "text/plain")
    with pytest.raises(DockerHostError, match="was not written by this module") as caught:
        job.run()
    assert "their password" not in str(caught.value)
    assert not job.directory.exists()


def test_a_value_that_cannot_be_read(jobs: Jobs) -> None:
    from ansible_collections.dockerhost.azure.plugins.module_utils._vault.versioned_secret import (
        ACCEPTED,
        AFTER_TAG,
        STATE_TAG,
    )

    job = jobs.new()
    with job.client() as client:
        client.add("docker-ca", '{"ca_key": "very secret"', {STATE_TAG: ACCEPTED, AFTER_TAG: "nothing"}, "x")
    with pytest.raises(
        DockerHostError, match="contains no CA in the format of this version of the collection"
    ) as caught:
        job.run()
    assert "very secret" not in str(caught.value)


def test_names_of_clouds() -> None:
    from ansible_collections.dockerhost.azure.plugins.module_utils._azure.clouds import find_cloud
    from ansible_collections.dockerhost.azure.plugins.module_utils._azure.credentials import AuthTarget
    from ansible_collections.dockerhost.azure.plugins.module_utils._azure.key_vault import _url

    for cloud, suffix in (
        ("AzureCloud", "vault.azure.net"),
        ("AzureChinaCloud", "vault.azure.cn"),
        ("AzureUSGovernment", "vault.usgovcloudapi.net"),
    ):
        assert _url(AuthTarget(find_cloud(cloud)), check_vault("key_vault", "contoso")) == f"https://contoso.{suffix}"


def test_under_awx_nothing_needs_a_warning(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_ID", "7")
    job.run()
    assert job.warnings == []
