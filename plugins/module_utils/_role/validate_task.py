# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of docker_host_validate: find every error that can be known before the first change."""

from __future__ import annotations

import re
import typing as t
from functools import partial

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from .._argspec import ArgumentSpec, check_values, copy_option
from .._azure.option_checks import check_azure_options
from .._backend import Backend, Request
from .._docker.context_store import Context
from .._docker.context_task import BACKEND as CONTEXT
from .._docker.context_task import redirection_error
from .._errors import DockerHostError, OptionError
from .._extension.task import check_options as check_extension
from .._secrets import secret_values
from .._tls.names import check_identity_name
from .._vault.task import BACKEND as CERTIFICATES
from .._vm_host.desired.engine_source import engine_source_fault
from .._vm_host.desired.host_spec import read_host_spec
from .._vm_host.desired.topology import check_references
from .at_boot import check_engine_at_boot
from .known import current_context, leads_elsewhere, read_known
from .options import STAGES, Stage, Values, unknown_variables

_LOCKSTEP = ("linear", "debug")
_TYPES = {"int": "an integer", "bool": "true or false", "float": "a number", "dict": "a dictionary", "list": "a list"}


def secrets_of(params: t.Mapping[str, t.Any]) -> set[str]:
    """Return every value that the modules of the stages would hide, and all values of unknown stages."""
    others = {name: value for name, value in params.items() if name != "stages"}
    stages = params.get("stages") or {}
    if not isinstance(stages, t.Mapping):
        return secret_values(SPEC.argument_spec, params)
    values = secret_values(SPEC.argument_spec, others)
    for module, options in stages.items():
        if module in STAGES and isinstance(options, t.Mapping):
            values |= secret_values(STAGES[module].spec.argument_spec, options)
        else:
            values |= secret_values(SPEC.argument_spec, {"stages": {module: options}})
    return values


def _has_secret(option: t.Mapping[str, t.Any]) -> bool:
    return bool(option.get("no_log")) or any(_has_secret(each) for each in (option.get("options") or {}).values())


SPEC = ArgumentSpec(
    argument_spec={
        "name": {"type": "str", "default": ""},
        # Kept out of every log as a whole; what is secret in it is known by the modules' own specs.
        "stages": {"type": "dict", "required": True, "no_log": True},
        "known_from": {"type": "dict", "default": {}},
        "variables": {"type": "list", "elements": "str", "default": []},
        "identity": {"type": "dict"},
        "others": {"type": "list", "elements": "dict", "default": []},
        "lockstep": {"type": "bool", "default": False},
        "strategy": {"type": "str", "default": "linear"},
    }
)


def run(request: Request) -> Values:
    """Validate the options of all stages, the certificate directory, the context's name and the host's identity.

    :raises OptionError: an option is invalid; the option is that of the first stage in which it is.
    :raises DockerHostError: two hosts of the play would be one.
    """
    params = request.params
    for warning in unknown_variables(params["variables"]):
        request.warn(warning)
    _check_name(params["name"])
    if params["lockstep"]:
        _check_strategy(params["strategy"])
    _check_clash(params["identity"], params["others"])
    given = _known_stages(params["stages"])
    typed = {module: in_words_of(STAGES[module], partial(_typed, STAGES[module], given[module])) for module in given}
    for module, options in typed.items():
        in_words_of(STAGES[module], partial(check_azure_options, options))
        in_words_of(STAGES[module], partial(_CHECKS[module], request, options, params["name"]))
    _check_context_target(typed)
    _check_engine_source(typed)
    check_engine_at_boot(typed.get("docker_vm_host") or {}, typed.get("docker_vm_extension") or {})
    places = {
        module: in_words_of(STAGES[module], partial(_typed, STAGES[module], options))
        for module, options in _known_stages(params["known_from"]).items()
    }
    return {"changed": False, "stages": list(given), "known": read_known(params["name"], places)}


def _known_stages(stages: Values) -> Values:
    for module in stages:
        if module not in STAGES:
            raise OptionError("stages", f"must name modules of the role's stages ({', '.join(STAGES)}), got {module}")
        if not isinstance(stages[module], (t.Mapping, type(None))):
            raise OptionError(f"stages.{module}", "must be a dictionary of the module's options")
    return {module: options for module, options in stages.items() if options is not None}


def in_words_of(stage: Stage, act: t.Callable[[], t.Any]) -> t.Any:
    """Run a function for a stage, and name options in errors by the role's variables."""
    try:
        return act()
    except DockerHostError as error:
        error.message = _translated(error.message, stage.variables())
        raise


def _translated(text: str, variables: t.Mapping[str, str]) -> str:
    """Return a text whose references to options are references to the role's variables."""

    def variable(match: re.Match[str]) -> str:
        return f"O({variables.get(match[1], match[1])}"

    return re.sub(r"\bO\(([^()=.\[]+)", variable, text)


def _check_name(name: str) -> None:
    if not name:
        raise OptionError(
            "docker_host_name",
            "must be set, for example with -e docker_host_name=web1; for the hosts of an inventory, set"
            " docker_host_targets to their group, for example with -e docker_host_targets=docker_hosts",
        )


def _check_strategy(strategy: str) -> None:
    if strategy.removeprefix("ansible.builtin.") not in _LOCKSTEP:
        raise DockerHostError(
            f"The strategy must be linear, got {strategy}: one host renews certificates for several, so all hosts of"
            " the play must run each task together. Nothing was changed."
        )


def _check_clash(identity: Values | None, others: t.Sequence[Values]) -> None:
    """Refuse two hosts of one play that would write the same machine, certificate or context.

    :raises DockerHostError: an other host has the identity of this one.
    """
    if not identity:
        return
    for other in others:
        both = f"{identity['inventory_name']} and {other['inventory_name']}"
        remedy = (
            "Give each a docker_host_name of its own (not with -e, which sets it for all hosts), or a"
            " docker_host_cert_dir and a docker_host_context_name of its own if they are in different resource groups."
        )
        if _is_same_host(identity, other):
            case = "" if identity["name"] == other["name"] else " (Azure names are case-insensitive)"
            raise DockerHostError(f"docker_host_name: {both} are both called {identity['name']}{case}. {remedy}")
        if identity["context"] and identity["context"] == other["context"]:
            raise DockerHostError(
                f"docker_host_context_name: {both} both have the context {identity['context']}. {remedy}"
            )


def _is_same_host(one: Values, other: Values) -> bool:
    if one["name"].lower() != other["name"].lower():
        return False
    places = ("resource_group", "subscription_id")
    return one["cert_dir"] == other["cert_dir"] or all(one[key].lower() == other[key].lower() for key in places)


def _typed(stage: Stage, raw: Values) -> Values:
    """Return a stage's options with the types of its module.

    :raises OptionError: one has the wrong type, or is none of the choices.
    """
    given = {option: value for option, value in raw.items() if value is not None}
    check_values(stage.spec.argument_spec, given)
    spec = {name: _without_requirement(option) for name, option in stage.spec.argument_spec.items()}
    rules = {**stage.spec.rules(), "required_if": [], "required_one_of": []}
    validation = ArgumentSpecValidator(spec, **rules).validate(given)
    if validation.error_messages:
        # Only a failed validation costs one of each option, to find the one to name.
        for option, value in given.items():
            _check_type(option, stage.spec.argument_spec[option], value)
        raise DockerHostError(_with_references(validation.error_messages[0], given))
    return t.cast("Values", validation.validated_parameters)


def _without_requirement(option: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**copy_option(option), "required": False}


def _check_type(option: str, spec: t.Mapping[str, t.Any], value: t.Any) -> None:
    alone = ArgumentSpecValidator({option: _without_requirement(spec)}).validate({option: value})
    if not alone.error_messages:
        return
    shown = "a value of another type" if _has_secret(spec) or isinstance(value, (dict, list)) else repr(value)
    choices = spec.get("choices")
    if choices and not isinstance(value, (dict, list)):
        raise OptionError(option, f"must be one of {', '.join(map(str, choices))}, got {shown}")
    if _has_shape(spec, value):
        # The first error of a suboption or an element names its place.
        unsupported = "has no option " if isinstance(alone.errors[0], UnsupportedError) else ""
        raise DockerHostError(f"O({option}): {unsupported}{alone.error_messages[0]}")
    kind = "a list of dictionaries" if _has_dictionaries(spec) else _TYPES.get(str(spec.get("type")), "text")
    raise OptionError(option, f"must be {kind}, got {shown}")


def _has_shape(spec: t.Mapping[str, t.Any], value: t.Any) -> bool:
    """Return whether a value is the dictionary or the list that the option must be, whatever is in it."""
    if _has_dictionaries(spec):
        return isinstance(value, list) and all(isinstance(element, dict) for element in value)
    return isinstance(value, {"dict": dict, "list": list}.get(str(spec.get("type")), ()))


def _has_dictionaries(spec: t.Mapping[str, t.Any]) -> bool:
    return spec.get("type") == "list" and spec.get("elements") == "dict"


def _with_references(text: str, options: t.Iterable[str]) -> str:
    """Return a message of Ansible's own validation with references to the options that it names."""
    names = "|".join(sorted(map(re.escape, options), key=len, reverse=True))
    return re.sub(rf"(?<![\w(])({names})(?![\w)])", r"O(\1)", text) if names else text


def _check_virtual_machine(_request: Request, params: Values, _name: str) -> None:
    check_references(read_host_spec(params))


def _check_certificates(request: Request, params: Values, name: str) -> None:
    check_identity_name("docker_host_name", name)
    # With this host alone, the certificates of the other hosts in the directory are not examined.
    hosts = [{"name": name, "unknown": ["dns_names", "ip_addresses"]}]
    try:
        CERTIFICATES.run(Request({**params, "hosts": hosts}, check_mode=True, warn=request.warn))
    except OptionError as error:
        raise OptionError("docker_host_name", error.problem) if error.option == "hosts" else error from None


def _check_extension(request: Request, params: Values, _name: str) -> None:
    if (params.get("docker") or {}).get("port") is not None:
        raise OptionError("docker.port", "must not be set here: set docker_host_port, which also opens the port")
    check_extension(Request(params, check_mode=True, warn=request.warn))


def _check_context(_request: Request, params: Values, name: str) -> None:
    try:
        CONTEXT.run(
            Request({**params, "docker_host": f"tcp://{name}:2376", "host": None, "tls": None}, check_mode=True)
        )
    except DockerHostError as error:
        advice = "Or set docker_host_context=false to keep no context."
        if params["name"] == name and isinstance(error, OptionError) and error.option == "name":
            advice = "It is the name of the host by default: set it to another one, or set docker_host_context=false."
        error.message = f"{error.message.rstrip('.')}. {advice}"
        raise


def _check_context_target(typed: Values) -> None:
    """Refuse a context that leads to another host, as far as the options say which host it would lead to.

    :raises DockerHostError: it does.
    """
    host, context = typed.get("docker_vm_host"), typed.get("docker_context")
    if not host or not context or context["adopt"]:
        return
    current = current_context(context)
    if current and leads_elsewhere(current, host):
        shown = f"{host['name']} in the resource group {host['resource_group']}"
        in_words_of(STAGES["docker_context"], partial(_refuse_redirection, current, shown))


def _refuse_redirection(current: Context, desired: str) -> None:
    raise redirection_error(current.name, current, desired)


def _check_engine_source(typed: Values) -> None:
    """Refuse an image for which the source of the engine has no packages."""
    image = (typed.get("docker_vm_host") or {}).get("image")
    engine = (typed.get("docker_vm_extension") or {}).get("engine") or {}
    fault = engine_source_fault(image, engine)
    if fault:
        raise OptionError("docker_host_engine", fault)


def _check_endpoint(_request: Request, params: Values, _name: str) -> None:
    if params["wait_timeout"] < 0:
        raise OptionError("wait_timeout", f"must be at least 0 seconds, got {params['wait_timeout']}")


_CHECKS: t.Mapping[str, t.Callable[[Request, Values, str], None]] = {
    "docker_vm_host": _check_virtual_machine,
    "docker_tls_certs": _check_certificates,
    "docker_vm_extension": _check_extension,
    "docker_context": _check_context,
    "docker_endpoint_info": _check_endpoint,
}
BACKEND = Backend(name="docker_host_validate", spec=SPEC, run=run, secrets=secrets_of)
