# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Import modules once in the main process, before it forks its workers. Private to this collection.

This creates no client, credential or thread. The garbage collector pauses meanwhile, because it would scan tens of
thousands of new and permanent objects again and again. Afterwards the objects are frozen, as the documentation of
``gc.freeze`` recommends before a fork: a worker's collector then neither visits nor copies them. Without both measures,
a run of the whole role takes a sixth more processor time.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import ssl
import typing as t

from ansible import template
from ansible.errors import AnsibleError
from ansible.plugins.loader import connection_loader, filter_loader, lookup_loader, test_loader

from ansible_collections.dockerhost.azure.plugins.module_utils._azure.settings import CA_VARIABLE, first_set
from ansible_collections.dockerhost.azure.plugins.module_utils._azure.transport import tls_context

AZURE = (
    "azure.core.pipeline.transport",
    "azure.core.rest",
    "azure.identity",
    "azure.mgmt.core.exceptions",
    "azure.mgmt.core.polling.arm_polling",
    "azure.mgmt.core.policies",
    "requests",
    # Modules that the ones above import only when they send a request.
    "azure.core.pipeline.transport._requests_basic",
    "azure.core.rest._requests_basic",
    "encodings.utf_8_sig",
    "msal_extensions",
    "netrc",
)
CERTIFICATES = ("cryptography.x509", "cryptography.hazmat.primitives.serialization")
DATE = "Jan  1 00:00:00 2026 GMT"


def warm_up() -> None:
    """Create what is created at its first use and then kept, so that not every worker has to create it again.

    These are the parts of Ansible's templates (the lexer, filters and tests) and the parser of a certificate's dates.
    """
    trusted: t.Callable[[str], str] = getattr(template, "trust_as_template", str)
    template.Templar(loader=None).template(trusted("{{ 1 }}"))
    for loader, name in ((filter_loader, "ansible.builtin.default"), (test_loader, "ansible.builtin.match")):
        loader.get(name)
    connection_loader.get("ansible.builtin.local", class_only=True)
    ssl.cert_time_to_seconds(DATE)


def load_lookups(*names: str) -> None:
    """Load lookups of this collection, with their documentation, which Ansible reads when it loads one."""
    for name in names:
        lookup_loader.get(f"dockerhost.azure.{name}", class_only=True)


def load_azure() -> None:
    """Load the modules that every step in Azure needs, and the authorities that it trusts, for all workers."""
    load(*AZURE)
    with contextlib.suppress(ImportError, OSError):
        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        named = first_set(os.environ, CA_VARIABLE, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        tls_context(named or DEFAULT_CA_BUNDLE_PATH)


def read_once(read: t.Callable[[], t.Any]) -> None:
    """Read something once, so that it is kept. The task that needs it reports what cannot be read."""
    with contextlib.suppress(AnsibleError):
        read()


def load(*names: str) -> None:
    """Import the packages that exist. The task that needs a missing one reports it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        for name in names:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        gc.freeze()
    finally:
        if collecting:
            gc.enable()
