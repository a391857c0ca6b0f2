# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which values of a task's arguments are secret, in whatever form they were written.

Ansible collects the values of options with ``no_log`` as they were given. It misses them in a dictionary that was
written as text, below an option of the wrong type, and in options that are not secret themselves.
"""

from __future__ import annotations

import functools
import json
import re
import typing as t
from urllib.parse import unquote

from ansible.module_utils.common.text.converters import to_text
from ansible.module_utils.common.validation import check_type_dict

Spec = t.Mapping[str, t.Mapping[str, t.Any]]

SHORTEST_GUESS = 4
"""Characters of the shortest value that is hidden on suspicion; shorter ones would garble every message."""
SHORTEST_TOKEN = 16
"""Characters of the shortest user of a URL without a password that is an access token rather than a name."""
# They begin with fixed text, so that the search through a long text is fast. The first one ends at the first @, also
# behind a slash, the second one at the last @ before the path, as browsers and curl read it.
_USER_INFORMATION = (
    re.compile(r"://([^/?#\s:@]*):([^\s@]+)@"),
    re.compile(r"://([^/?#\s:@]*):([^/?#\r\n\"']+)@"),
)
_TOKEN = re.compile(rf"(?<!ssh)://([^/?#\s:@]{{{SHORTEST_TOKEN},}})(?::[^/?#\s@]*)?@")
# A shared access signature of Azure Storage, and what other servers take in its place.
_SIGNATURE = re.compile(r"[?&](?:sig|signature|token|access_token|api_key|password)=([^&#\s\"']+)", re.IGNORECASE)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)


class LongestFirst(set[str]):
    """Secrets in the order in which they must be hidden, since one may be a part of another.

    ansible-core before 2.19 hides them in the order of the set: what was left of the longer one would be shown.
    """

    def __iter__(self) -> t.Iterator[str]:
        return iter(sorted(super().__iter__(), key=len, reverse=True))


def secret_values(spec: Spec, arguments: t.Mapping[str, t.Any]) -> LongestFirst:
    """Return every text that no result, log or message of a task may show.

    :param spec: the argument spec, in the language of ``AnsibleModule``.
    :param arguments: the arguments as they were given, before validation.
    """
    own = {name: value for name, value in arguments.items() if not name.startswith("_ansible_")}
    values = LongestFirst(_declared(spec, own, True))
    for text in _texts(own):
        values.update(embedded_secrets(text))
    return values


def _declared(spec: Spec, arguments: t.Mapping[str, t.Any], is_top: bool = False) -> t.Iterator[str]:
    """Yield the values of secret options, and of unknown ones beside them, which may be misspelt."""
    names = {alias: name for name, option in spec.items() for alias in (name, *option.get("aliases", ()))}
    has_secrets = is_top or _has_secrets(spec)
    for given, value in arguments.items():
        name = names.get(given)
        if name is None:
            yield from _guessed(value) if has_secrets else ()
        elif spec[name].get("no_log"):
            yield from _texts(value)
            if spec[name].get("type") in ("dict", "list"):
                yield from _texts(_parsed(value))
        elif spec[name].get("options"):
            yield from _below(spec[name]["options"], value)


def _below(spec: Spec, value: t.Any) -> t.Iterator[str]:
    """Yield the secrets of a dictionary, or list of dictionaries, that can also be written as text."""
    if isinstance(value, t.Mapping):
        yield from _declared(spec, {str(key): entry for key, entry in value.items()})
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _below(spec, entry)
    elif _has_secrets(spec):
        parsed = _parsed(value)
        if isinstance(parsed, (t.Mapping, list)):
            yield from _below(spec, parsed)
        yield from _guessed(value)


def _has_secrets(spec: Spec) -> bool:
    return any(option.get("no_log") or _has_secrets(option.get("options") or {}) for option in spec.values())


def _parsed(value: t.Any) -> t.Any:
    """Return the dictionary or list that Ansible reads from a text; None if it cannot be read."""
    if not isinstance(value, str):
        return None
    for read in (json.loads, check_type_dict):
        try:
            return read(value)
        except (TypeError, ValueError):
            continue
    return None


def _guessed(value: t.Any) -> t.Iterator[str]:
    """Yield texts that may be secret, and their parts at commas: Ansible splits a text where it expects a list."""
    for text in _texts(value):
        for part in (text, *text.split(",")):
            if len(part.strip()) >= SHORTEST_GUESS:
                yield part
                yield part.strip()


@functools.lru_cache(maxsize=512)
def embedded_secrets(text: str) -> tuple[str, ...]:
    """Return passwords and tokens in URLs, and private keys, whichever option contains them."""
    return tuple(_embedded(text))


def _embedded(text: str) -> t.Iterator[str]:
    for match in (match for form in _USER_INFORMATION for match in form.finditer(text)):
        user, password = match.groups()
        yield f"{user}:{password}"
        yield from _password(password)
    for match in (*_TOKEN.finditer(text), *_SIGNATURE.finditer(text)):
        yield from _password(match.group(1))
    for match in _PRIVATE_KEY.finditer(text):
        yield text
        yield match.group()
        yield from (
            line.strip() for line in match.group().splitlines() if not line.startswith("-----") and line.strip()
        )


def _password(text: str) -> t.Iterator[str]:
    """Yield a part of a URL as it was written and as it is meant, unless hiding it would garble every message."""
    if len(text) >= SHORTEST_GUESS:
        yield text
        yield unquote(text)


def _texts(value: t.Any) -> t.Iterator[str]:
    """Yield every text and number in nested lists and dictionaries, not the keys."""
    if isinstance(value, t.Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, (list, tuple, set)):
        for entry in value:
            yield from _texts(entry)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, (str, bytes)) and value:
        yield to_text(value)
