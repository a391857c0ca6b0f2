# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contexts of the Docker CLI in the CLI's own format on disk.

The format is docker/cli's ``cli/context/store``: a context's id is the SHA-256 of its name;
``contexts/meta/ID/meta.json`` describes it, ``contexts/tls/ID/docker/`` contains copies of its PEM files. The name of
the selected context is ``currentContext`` in ``config.json``. Unknown keys of all these files are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import typing as t
from dataclasses import dataclass, field

from .._errors import DockerHostError, OptionError
from .._files import (
    check_below,
    check_directory,
    create_directory,
    locked,
    read_if_exists,
    replace_file,
    update_user_file,
)

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+")
"""The CLI's own rule (``cli/context/store/store.go``)."""

MARK = "docker-host-collection"
"""The key in a context's ``Metadata`` that marks it as managed. The CLI keeps keys that it does not know."""
MARK_VALUE = "dockerhost.azure"

HOST_ID = "docker-host-id"
"""The key in a managed context's ``Metadata`` with the id of the Azure VM that it leads to."""

TLS_FILES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True)
class Context:
    """The content of a context.

    :param host: the engine's URL, as the CLI's ``DOCKER_HOST``; None if it is not known yet, in check mode only.
    :param tls: content of its PEM files by the CLI's file names, a private key among them.
    :param host_id: id of the VM that the context leads to, None if it is not known.
    :param managed: whether this collection created the context, or took it over.
    :param document: ``meta.json`` as it is, for keys that this collection does not know.
    """

    name: str
    host: str | None
    description: str = ""
    skip_tls_verify: bool = False
    tls: t.Mapping[str, bytes] = field(default_factory=dict, repr=False)
    host_id: str | None = None
    managed: bool = True
    document: t.Mapping[str, t.Any] = field(default_factory=dict, repr=False)

    def as_document(self) -> dict[str, t.Any]:
        """Return the content of ``meta.json``."""
        document = dict(self.document)
        metadata = {**document.get("Metadata", {}), MARK: MARK_VALUE}
        for key, value in (("Description", self.description), (HOST_ID, self.host_id)):
            metadata.pop(key, None)
            if value:
                metadata[key] = value
        endpoints = document.get("Endpoints", {})
        endpoint = {**endpoints.get("docker", {}), "Host": self.host, "SkipTLSVerify": self.skip_tls_verify}
        return {**document, "Name": self.name, "Metadata": metadata, "Endpoints": {**endpoints, "docker": endpoint}}


def check_name(name: str) -> None:
    """Check a context's name by the CLI's rules.

    :raises OptionError: the CLI does not allow the name.
    """
    if name == "default":
        raise OptionError("name", "must not be 'default', which is the Docker CLI's own context")
    if not NAME.fullmatch(name):
        problem = f"must be two or more letters, digits and _ . + -, the first a letter or digit, got {name!r}"
        raise OptionError("name", problem)


class ContextStore:
    """The contexts in a configuration directory of the Docker CLI.

    :param directory: the absolute path of the directory that ``DOCKER_CONFIG`` names. It need not exist.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.contexts = os.path.join(directory, "contexts")
        self.config = os.path.join(directory, "config.json")

    def meta_path(self, name: str) -> str:
        """Return the path of a context's ``meta.json``."""
        return os.path.join(self.contexts, "meta", _id(name), "meta.json")

    def tls_directory(self, name: str) -> str:
        """Return the directory of a context's copies of ``ca.pem``, ``cert.pem`` and ``key.pem``."""
        return os.path.join(self.contexts, "tls", _id(name), "docker")

    @contextlib.contextmanager
    def changing(self) -> t.Iterator[None]:
        """Exclude other runs of this collection.

        :raises DockerHostError: another user could change the directory, or it cannot be created.
        """
        check_directory(self.directory, "docker_config")
        create_directory(self.directory, 0o700)
        # It may be new: somebody else could have created it after the first check, below a directory such as /tmp.
        check_directory(self.directory, "docker_config")
        check_below(self.directory, self.contexts)
        create_directory(self.contexts, 0o755)
        with locked(os.path.join(self.contexts, ".docker-host.lock")):
            yield

    def read(self, name: str) -> Context | None:
        """Return the context of that name, None if it does not exist.

        :raises DockerHostError: its files cannot be read or understood.
        """
        path = self.meta_path(name)
        content = read_if_exists(path)
        if content is None:
            return None
        document = _json_object(path, content)
        metadata = document.get("Metadata")
        endpoints = document.get("Endpoints")
        endpoint = (endpoints.get("docker") or {}) if isinstance(endpoints, dict) else None
        if not isinstance(metadata, dict) or not isinstance(endpoint, dict):
            raise DockerHostError(f"{path} must describe a context as the Docker CLI does; repair or remove it")
        directory = self.tls_directory(name)
        tls = {file: content for file in TLS_FILES if (content := read_if_exists(os.path.join(directory, file)))}
        return Context(
            name=name,
            host=str(endpoint.get("Host", "")),
            description=str(metadata.get("Description", "")),
            skip_tls_verify=bool(endpoint.get("SkipTLSVerify", False)),
            tls=tls,
            host_id=str(metadata.get(HOST_ID) or "") or None,
            managed=metadata.get(MARK) == MARK_VALUE,
            document=document,
        )

    def all(self) -> list[Context]:
        """Return every context, sorted by name.

        :raises DockerHostError: a file cannot be read or understood.
        """
        directory = os.path.join(self.contexts, "meta")
        try:
            ids = os.listdir(directory)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DockerHostError(f"{directory} cannot be read: {error.strerror}") from error
        contexts = []
        for context_id in ids:
            path = os.path.join(directory, context_id, "meta.json")
            content = read_if_exists(path)
            name = _json_object(path, content).get("Name") if content is not None else None
            # The CLI finds a context by the hash of its name.
            if isinstance(name, str) and _id(name) == context_id and (context := self.read(name)):
                contexts.append(context)
        return sorted(contexts, key=lambda context: context.name)

    def write(self, context: Context) -> None:
        """Create or update a context. ``meta.json`` comes last: without it there is no context."""
        directory = self.tls_directory(context.name)
        for file in TLS_FILES:
            check_below(self.directory, os.path.join(directory, file))
        check_below(self.directory, self.meta_path(context.name))
        if context.tls:
            create_directory(directory, 0o700)
        for file in TLS_FILES:
            path = os.path.join(directory, file)
            content = context.tls.get(file)
            if content is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
            elif read_if_exists(path) != content or os.stat(path).st_mode & 0o077:
                replace_file(path, content, 0o600, scratch=self.contexts)
        path = self.meta_path(context.name)
        create_directory(os.path.dirname(path), 0o755)
        replace_file(path, json.dumps(context.as_document()).encode(), 0o644, scratch=self.contexts)

    def remove(self, name: str) -> None:
        """Delete a context, its private key first."""
        for directory in (os.path.dirname(self.tls_directory(name)), os.path.dirname(self.meta_path(name))):
            check_below(self.directory, directory)
            try:
                shutil.rmtree(directory)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise DockerHostError(f"{directory} cannot be deleted: {error.strerror}") from error

    def current(self) -> str | None:
        """Return the name of the selected context, None for the CLI's default.

        :raises DockerHostError: ``config.json`` cannot be understood.
        """
        name = self._configuration().get("currentContext")
        return str(name) if name and name != "default" else None

    def select(self, name: str | None) -> None:
        """Select a context, None for the CLI's default. All other keys of ``config.json`` stay."""
        configuration = self._configuration()
        configuration.pop("currentContext", None)
        if name is not None:
            configuration["currentContext"] = name
        # Indented as the CLI does (cli/config/configfile/file.go); it may contain credentials of registries.
        update_user_file(self.config, json.dumps(configuration, indent="\t").encode(), 0o600)

    def _configuration(self) -> dict[str, t.Any]:
        content = read_if_exists(self.config)
        return _json_object(self.config, content) if content and content.strip() else {}


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _json_object(path: str, content: bytes) -> dict[str, t.Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise DockerHostError(
            f"{path} must contain a JSON object; the Docker CLI could not read it either. Repair it first"
        )
    return value
