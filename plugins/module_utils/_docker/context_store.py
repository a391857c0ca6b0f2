# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contexts of the docker CLI, in the CLI's own format on disk. Private to this collection.

The format is docker/cli's ``cli/context/store``: a context's id is the SHA-256 of its name;
``contexts/meta/ID/meta.json`` says what it is, ``contexts/tls/ID/docker/`` holds copies of its PEM files. The name of
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
from .._files import locked, make_directory, read_if_there, write_whole

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+")
"""The CLI's own rule (``cli/context/store/store.go``)."""

MARK = "docker-host-collection"
"""The key in a context's ``Metadata`` that says that this collection made it. The CLI keeps keys it does not know."""
MARK_VALUE = "dockerhost.azure"

TLS_FILES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True)
class Context:
    """What a context consists of.

    :param host: the engine's URL, as the CLI's ``DOCKER_HOST``; None if it is not known yet, in check mode only.
    :param tls: content of its PEM files by the CLI's file names, a private key among them.
    :param managed: whether this collection created it, or took it over.
    :param document: ``meta.json`` as it is, for keys that this collection does not know.
    """

    name: str
    host: str | None
    description: str = ""
    skip_tls_verify: bool = False
    tls: t.Mapping[str, bytes] = field(default_factory=dict, repr=False)
    managed: bool = True
    document: t.Mapping[str, t.Any] = field(default_factory=dict, repr=False)

    def as_document(self) -> dict[str, t.Any]:
        """The content of ``meta.json``."""
        document = dict(self.document)
        metadata = {**document.get("Metadata", {}), MARK: MARK_VALUE}
        metadata.pop("Description", None)
        if self.description:
            metadata["Description"] = self.description
        endpoints = document.get("Endpoints", {})
        endpoint = {**endpoints.get("docker", {}), "Host": self.host, "SkipTLSVerify": self.skip_tls_verify}
        return {**document, "Name": self.name, "Metadata": metadata, "Endpoints": {**endpoints, "docker": endpoint}}


def check_name(name: str) -> None:
    """Check a context's name by the CLI's rules.

    :raises OptionError: it is not allowed.
    """
    if name == "default":
        raise OptionError("name", "'default' is the docker CLI's own context; choose another name")
    if not NAME.fullmatch(name):
        problem = f"{name!r} is no name of a context: two or more letters, digits and _ . + -, the first no punctuation"
        raise OptionError("name", problem)


class ContextStore:
    """The contexts below a configuration directory of the docker CLI.

    :param directory: what ``DOCKER_CONFIG`` names, absolute. It need not exist.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.contexts = os.path.join(directory, "contexts")
        self.config = os.path.join(directory, "config.json")

    def meta_path(self, name: str) -> str:
        """Where a context's ``meta.json`` is."""
        return os.path.join(self.contexts, "meta", _id(name), "meta.json")

    def tls_directory(self, name: str) -> str:
        """Where a context's copies of ``ca.pem``, ``cert.pem`` and ``key.pem`` are."""
        return os.path.join(self.contexts, "tls", _id(name), "docker")

    @contextlib.contextmanager
    def changing(self) -> t.Iterator[None]:
        """Keep other runs of this collection out."""
        make_directory(self.directory, 0o700)
        make_directory(self.contexts, 0o755)
        with locked(os.path.join(self.contexts, ".docker-host.lock")):
            yield

    def read(self, name: str) -> Context | None:
        """The context of that name.

        :raises DockerHostError: its files cannot be understood.
        """
        path = self.meta_path(name)
        content = read_if_there(path)
        if content is None:
            return None
        document = _json_object(path, content)
        metadata = document.get("Metadata")
        endpoints = document.get("Endpoints")
        if not isinstance(metadata, dict) or not isinstance(endpoints, dict):
            raise DockerHostError(f"{path} is no context as the docker CLI writes them; remove it, or repair it")
        endpoint = endpoints.get("docker") or {}
        directory = self.tls_directory(name)
        tls = {file: content for file in TLS_FILES if (content := read_if_there(os.path.join(directory, file)))}
        return Context(
            name=name,
            host=str(endpoint.get("Host", "")),
            description=str(metadata.get("Description", "")),
            skip_tls_verify=bool(endpoint.get("SkipTLSVerify", False)),
            tls=tls,
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
            content = read_if_there(path)
            name = _json_object(path, content).get("Name") if content is not None else None
            # The CLI finds a context by the hash of its name.
            if isinstance(name, str) and _id(name) == context_id and (context := self.read(name)):
                contexts.append(context)
        return sorted(contexts, key=lambda context: context.name)

    def write(self, context: Context) -> None:
        """Make or change a context. ``meta.json`` comes last: without it there is no context."""
        directory = self.tls_directory(context.name)
        if context.tls:
            make_directory(directory, 0o700)
        for file in TLS_FILES:
            path = os.path.join(directory, file)
            content = context.tls.get(file)
            if content is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
            elif read_if_there(path) != content or os.stat(path).st_mode & 0o077:
                write_whole(path, content, 0o600, scratch=self.contexts)
        path = self.meta_path(context.name)
        make_directory(os.path.dirname(path), 0o755)
        write_whole(path, json.dumps(context.as_document()).encode(), 0o644, scratch=self.contexts)

    def remove(self, name: str) -> None:
        """Remove a context, its private key first."""
        for directory in (os.path.dirname(self.tls_directory(name)), os.path.dirname(self.meta_path(name))):
            try:
                shutil.rmtree(directory)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise DockerHostError(f"{directory} cannot be removed: {error.strerror}") from error

    def current(self) -> str | None:
        """The name of the selected context, or None for the CLI's default.

        :raises DockerHostError: ``config.json`` cannot be understood.
        """
        name = self._configuration().get("currentContext")
        return str(name) if name and name != "default" else None

    def select(self, name: str | None) -> None:
        """Select a context, None for the CLI's default. All other keys of ``config.json`` stay as they are."""
        configuration = self._configuration()
        configuration.pop("currentContext", None)
        if name is not None:
            configuration["currentContext"] = name
        # Indented as the CLI does (cli/config/configfile/file.go); it may hold credentials of registries.
        write_whole(self.config, json.dumps(configuration, indent="\t").encode(), 0o600)

    def _configuration(self) -> dict[str, t.Any]:
        content = read_if_there(self.config)
        return _json_object(self.config, content) if content and content.strip() else {}


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _json_object(path: str, content: bytes) -> dict[str, t.Any]:
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise DockerHostError(f"{path} holds no JSON object; the docker CLI could not read it either. Repair it first")
    return value
