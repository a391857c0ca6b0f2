# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is published: small, with what users need and nothing else, and enough by itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import typing as t
from pathlib import Path

import pytest
import yaml

from azure_emulator.launcher import LocalAzure

from .conftest import BIN, REPOSITORY, User
from .links import ONLINE, dead_links

LIMIT = 1_000_000
"""Bytes."""
TOP = {
    *("MANIFEST.json", "FILES.json", "README.md", "SECURITY.md", "LICENSE"),
    *("CHANGELOG.md", "CHANGELOG.rst"),
    *("changelogs", "docs", "meta", "playbooks", "plugins", "roles"),
}
PLUGINS = {"action", "doc_fragments", "inventory", "lookup", "module_utils", "modules", "plugin_utils"}
# Hides the checkout's own copy of what the artifact has.
HIDE = 'for name in plugins roles playbooks meta .build; do mount -t tmpfs none "$0/$name" || exit 9; done; exec "$@"'


def built(source: Path, directory: Path) -> Path:
    """The artifact of a tree."""
    subprocess.run(
        [BIN / "ansible-galaxy", "collection", "build", source, "--output-path", directory],
        env={**os.environ, "ANSIBLE_HOME": str(directory / "ansible")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (archive,) = directory.glob("dockerhost-azure-*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of this tree."""
    return built(REPOSITORY, tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="module")
def unpacked(artifact: Path) -> Path:
    """What the artifact holds."""
    directory = artifact.parent / "unpacked"
    shutil.unpack_archive(artifact, directory)
    return directory


def test_content(artifact: Path) -> None:
    assert artifact.stat().st_size < LIMIT
    with tarfile.open(artifact) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
    names = [member.name for member in files]
    assert {name.split("/")[0] for name in names} == TOP
    assert {name.split("/")[1] for name in names if name.startswith("plugins/")} == PLUGINS
    endings = {Path(name).suffix for name in names}
    assert endings <= {".py", ".yml", ".yaml", ".md", ".rst", ".txt", ".json", ""}
    unwanted = re.compile(r"__pycache__|(^|/)tests?/|emulator/|(^|/)\.|\.pyc$|\.key$|\.pem$")
    assert [name for name in names if unwanted.search(name)] == []
    # A symbolic link, or a file that everybody may write, has no place in it.
    with tarfile.open(artifact) as archive:
        assert not [member.name for member in archive.getmembers() if member.issym() or member.mode & 0o022]


# What somebody who works in a clone has there, at its top or in any of its directories.
KEYS = (
    "id_rsa id_ed25519 id_rsa.pub x.pfx x.p12 x.jks x.ppk key.der key ca-key.PEM ca-key.pem ca.crt"
    " server.key known_hosts"
)
CREDENTIALS = (
    "sp.json azureProfile.json msal_token_cache.json accessTokens.json credentials.json credentials.yml credentials"
    " azure_credentials vault_pass .vault_pass vault.yml secrets.yml secrets/vault.yml password.txt passwords.yml"
    " token.txt netrc .netrc .git-credentials kubeconfig .docker/ca.pem .azure/credentials certs/servers/web1/key"
    " config.json"
)
VARIABLES = (
    "host_vars/web1.yml group_vars/all.yml inventory.yml hosts hosts.ini hosts.yml local.yml ansible.cfg env.sh .env"
)
STATE = (
    "core terraform.tfstate terraform.tfvars cloud.json cloud/state.json db.sqlite dump.sql parameters.json run.log"
    " notes~ main.yml.orig .main.yml.swp x.swp patch.rej backup.tar.gz x.zip .vscode/settings.json venv/pyvenv.cfg"
    " .coverage x.egg-info/PKG-INFO node_modules/x/package.json __pycache__/x.pyc"
)
STRAY = " ".join((KEYS, CREDENTIALS, VARIABLES, STATE)).split()


def files_of(archive: Path) -> list[str]:
    """The names of an artifact's files."""
    with tarfile.open(archive) as opened:
        return sorted(member.name for member in opened.getmembers() if member.isfile())


def near(name: str, other: str) -> t.Iterator[str]:
    """Yield names that a user may give a file beside this one: an edited copy, a backup, one of the same kind."""
    stem, dot, ending = name.partition(".")
    yield from (f"{name}.orig", f"{stem}2{dot}{ending}", name[:-1], name[1:])
    # The beginning of this one, the end of another one.
    for middle in (1, len(stem) // 2):
        yield name[:middle] + other[-middle:]


def plant(clone: Path, files: t.Collection[Path]) -> int:
    """Put files that must stay out into each directory of a clone; return how many."""
    planted = 0
    for directory in {file.parent for file in files}:
        names = sorted(file.name for file in files if file.parent == directory)
        neighbours = [name for one, other in zip(names, names[::-1], strict=True) for name in near(one, other)]
        for name in (*STRAY, *neighbours):
            path = clone / directory / name
            # What a directory of the collection is called, or has, is not planted over.
            if name.strip(".") and not path.exists() and not any(parent.is_file() for parent in path.parents):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("stray")
                planted += 1
    return planted


def tracked_files() -> list[str]:
    """The names of the files that git tracks here."""
    listing = subprocess.check_output(["git", "ls-files", "-z"], cwd=REPOSITORY, text=True)
    return [name for name in listing.split("\0") if name and (REPOSITORY / name).exists()]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this tree."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a clone")
    top = tmp_path_factory.mktemp("clone") / "repository"
    for name in tracked_files():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, top / name, follow_symlinks=False)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    subprocess.run(["git", "add", "-A"], cwd=top, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "Everything"], cwd=top, check=True)
    return top


@pytest.fixture(scope="module")
def dirty(clone: Path, unpacked: Path) -> Path:
    """The clone of somebody who works in it: with files of every kind in every directory."""
    files = [path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file()]
    assert plant(clone, files) > 10 * len(files)
    return clone


def test_what_lies_about_in_a_clone_is_not_packed(dirty: Path, artifact: Path, tmp_path: Path) -> None:
    packed = files_of(built(dirty, tmp_path))
    assert packed == files_of(artifact)
    assert set(packed) - {"MANIFEST.json", "FILES.json"} <= set(tracked_files())


def test_make_packs_what_git_tracks(dirty: Path, artifact: Path) -> None:
    subprocess.run(
        [dirty / "tools/install.sh", dirty / ".build", dirty / ".build/collections"],
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (packed,) = (dirty / ".build/artifact").glob("*.tar.gz")
    assert files_of(packed) == files_of(artifact)


def test_what_git_has_can_be_installed_from_it(clone: Path, artifact: Path, tmp_path: Path) -> None:
    command = [BIN / "ansible-galaxy", "collection", "install", f"git+file://{clone}", "--offline"]
    subprocess.run(
        [*map(str, command), "-p", str(tmp_path / "installed")],
        env={**os.environ, "ANSIBLE_HOME": str(tmp_path / "ansible")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    installed = tmp_path / "installed/ansible_collections/dockerhost/azure"
    assert sorted(str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()) == files_of(
        artifact
    )


def test_its_links_lead_somewhere(unpacked: Path) -> None:
    pages = sorted(unpacked.rglob("*.md"))
    assert {"README.md", "awx.md"} <= {page.name for page in pages}
    for page in pages:
        assert dead_links(page, unpacked) == [], page.name
        for named in re.findall(r"`((?:meta|playbooks)/[\w./-]+\.\w+)`", page.read_text()):
            assert (unpacked / named).exists(), f"{page.name}: {named}"
    source = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())["repository"]
    assert ONLINE.match(f"{source}/blob/main/")


def test_nothing_in_it_knows_the_local_azure(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        for member in archive.getmembers():
            if member.isfile() and member.name.startswith(("plugins/", "roles/", "playbooks/", "meta/")):
                content = t.cast(t.IO[bytes], archive.extractfile(member)).read()
                assert b"azure_emulator" not in content, member.name


def test_it_works_without_a_checkout(azure: LocalAzure, tmp_path: Path, artifact: Path) -> None:
    user = User(azure, tmp_path / "home")
    collections = user.home / ".ansible" / "collections"
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "PYTHONPATH": ""}
    installed = user.run(
        *("ansible-galaxy", "collection", "install", str(artifact), "--offline", "-p", str(collections)),
        environment=environment,
    )
    assert installed.code == 0, installed.output
    user.variables.update(docker_host_name="artifact1")
    arguments = [f"-e{name}={value}" for name, value in user.variables.items() if isinstance(value, str)]
    arguments += ["-e", '{"docker_host_engine": {"source": "distribution"}}', "-vvv"]
    alone: list[str] = []
    if os.geteuid() == 0:
        alone = ["unshare", "--mount", "--propagation", "private", "sh", "-c", HIDE, str(REPOSITORY)]
    command = [*alone, "ansible-playbook", "dockerhost.azure.create_docker_host", *arguments]
    made = user.run(*command, environment=environment)
    assert made.code == 0, made.output[-6000:]
    assert made.changed["localhost"] > 0
    for directory in ("plugins", "roles", "playbooks", ".build"):
        assert f"{REPOSITORY}/{directory}/" not in made.output
    assert f"{collections}/ansible_collections/dockerhost/azure/roles/docker_host/" in made.output
    again = user.run(*command, environment=environment)
    assert again.changed == {"localhost": 0}, again.output[-6000:]
    (user.home / "docker_vm_host.yml").write_text("plugin: dockerhost.azure.docker_vm_host\n")
    listed = user.run(*alone, "ansible-inventory", "-i", "docker_vm_host.yml", "--list", environment=environment)
    assert json.loads(listed.output)["docker_hosts"]["hosts"] == ["artifact1"], listed.output
    for playbook, says in (("list_docker_images", "ubuntu"), ("delete_docker_host", "Deleted artifact1:")):
        command[command.index("ansible-playbook") + 1] = f"dockerhost.azure.{playbook}"
        ran = user.run(*command, environment=environment)
        assert ran.code == 0, ran.output[-6000:]
        assert says in ran.output


def test_release_notes_name_everything() -> None:
    notes = (REPOSITORY / "CHANGELOG.rst").read_text()
    version = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())["version"]
    assert f"v{version}" in notes
    modules = [path.stem for path in (REPOSITORY / "plugins" / "modules").glob("*.py")]
    inventory = [path.stem for path in (REPOSITORY / "plugins" / "inventory").glob("*.py")]
    playbooks = [path.stem for path in (REPOSITORY / "playbooks").glob("*.yml")]
    roles = [path.name for path in (REPOSITORY / "roles").iterdir() if path.is_dir()]
    assert modules
    assert playbooks
    missing = [name for name in (*modules, *inventory, *playbooks, *roles) if f"dockerhost.azure.{name}" not in notes]
    assert missing == []
