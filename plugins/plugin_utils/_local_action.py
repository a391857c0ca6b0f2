# Copyright (c) 2026, The dockerhost.azure authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base class of the actions.

On the controller a task runs in Ansible's own worker process: it costs no new interpreter, its
modules were imported once before the workers were forked, and it can show progress. In every other case the module of
the same name runs as usual. Both ways give the same result.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display

from ansible_collections.dockerhost.azure.plugins.module_utils._argspec import check_values, copy_option
from ansible_collections.dockerhost.azure.plugins.module_utils._backend import (
    UNRENDERED,
    Backend,
    Request,
    failure,
    forget_empty_home,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._errors import (
    DockerHostError,
    OptionError,
    render,
)
from ansible_collections.dockerhost.azure.plugins.module_utils._secrets import LongestFirst, secret_values

display = Display()
LOCKSTEP = ("linear", "debug")
"""Strategies under which all hosts of a play run each task together."""
ROLES = ("dockerhost.azure.docker_host", "docker_host")
HOW_TO_CONNECT = ("ansible_connection", "ansible_host", "ansible_port", "ansible_ssh_host", "ansible_ssh_port")
"""Variables with which an inventory says how to connect to a host."""
LOCAL = "ansible.builtin.local"


class LocalAction(ActionBase):
    """The base of an action that runs its task in this process if the user wants it on this machine."""

    BACKEND: t.ClassVar[Backend]

    _connection: t.Any
    _host_vars: dict[str, t.Any]

    _supports_check_mode = True
    _supports_async = True
    # Every key is validated against the module's own argument spec below.
    _requires_connection = False

    def prepare(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the options with those that only the controller can add. Subclasses override this."""
        return args

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        if self._in_the_role() and not self._is_local() and self._is_controller(task_vars):
            self._connect_locally(task_vars)
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        self._host_vars = task_vars
        try:
            args = self.prepare(self._options(task_vars))
        except DockerHostError as error:
            return {**result, **failure(error), "failed": True}
        if not self._runs_here(task_vars):
            result.update(
                self._execute_module(
                    module_name=f"dockerhost.azure.{self.BACKEND.name}",
                    module_args=args,
                    task_vars=task_vars,
                    wrap_async=self._task.async_val,
                )
            )
            if UNRENDERED in result:
                result["msg"] = render(result.pop(UNRENDERED), self._variables_by_option())
            return result
        with self._task_environment():
            result.update(self._run_here(plain(args), task_vars))
        return result

    def _in_the_role(self) -> bool:
        """Return whether the task belongs to the collection's own role."""
        role = self._task._role
        return role is not None and role.get_name() in ROLES

    def _is_local(self) -> bool:
        return self._connection.transport in ("local", LOCAL)

    def _delegated_vars(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the variables of the host that the task is delegated to."""
        delegated = (task_vars.get("ansible_delegated_vars") or {}).get(self._task.delegate_to) or {}
        return t.cast("dict[str, t.Any]", delegated)

    def _is_controller(self, task_vars: dict[str, t.Any]) -> bool:
        """Return whether the task is delegated to a localhost, and the inventory does not say how to connect to it.

        Ansible adds ``ansible_connection=local`` only to a localhost that is in no inventory. To a host of an
        inventory it may add its name as its address, and an empty port.
        """
        target = self._task.delegate_to
        known = self._delegated_vars(task_vars)
        return target in constants.LOCALHOST and all(known.get(name) in (None, "", target) for name in HOW_TO_CONNECT)

    def _connect_locally(self, task_vars: dict[str, t.Any]) -> None:
        """Replace the connection, which is not open yet. The shell keeps the options that Ansible gave it."""
        # As a template in the role's tasks, each worker would compile this decision anew.
        connection = connection_loader.get(LOCAL, self._play_context, new_stdin=None, shell=self._connection._shell)
        known = self._delegated_vars(task_vars)
        names = constants.config.get_plugin_vars("connection", LOCAL)
        connection.set_options(
            var_options={name: self._templar.template(known[name]) for name in names if name in known}
        )
        self._connection = connection

    def _strategy(self, task_vars: dict[str, t.Any]) -> str:
        """Return the play's strategy; with one host, every strategy runs its tasks one after another."""
        if len(task_vars.get("ansible_play_hosts_all") or []) < 2:
            return "linear"
        parent = self._task
        while getattr(parent, "_parent", None) is not None:
            parent = parent._parent
        return str(parent._play.strategy).removeprefix("ansible.builtin.")

    def _variables_of(self, host: str, task_vars: dict[str, t.Any]) -> t.Callable[[str], t.Any]:
        """Return what gives another host's variables; what is set for the whole play is set for both."""
        theirs = task_vars["hostvars"][host]
        mine = task_vars["hostvars"][task_vars["inventory_hostname"]]

        def get(name: str) -> t.Any:
            if name in theirs:
                return theirs[name]
            shared = name in task_vars and name not in mine
            return self._templar.template(task_vars[name]) if shared else None

        return get

    def _variables_by_option(self) -> dict[str, str]:
        """Return which variable sets an option of this task, by the option's name: empty outside of the role."""
        if not self._in_the_role():
            return {}
        # This imports every backend's options; a task outside of the role needs none of them.
        from ansible_collections.dockerhost.azure.plugins.module_utils._role.options import STAGES

        stage = STAGES.get(self.BACKEND.name)
        return stage.variables() if stage else {}

    def _options(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the options of the task, in the role above the ``module_defaults`` of the play around it.

        A task of the role that gives no options is a stage: it has those of the role's variables and earlier stages.
        They are read here: Ansible would compile a template in each worker and send its value to the main process.
        """
        if not self._in_the_role():
            return dict(self._task.args)
        # Ansible adds the defaults of groups, which other modules of a group may have alone.
        known = self.BACKEND.spec.argument_spec
        given = {option: value for option, value in self._task.args.items() if option in known}
        ds, name = self._task.get_ds() or {}, f"dockerhost.azure.{self.BACKEND.name}"
        if "module_defaults" in ds:
            return {**self._callers_defaults(name), **given}
        return given if ds.get(name) else {**given, **self._stage_options(task_vars)}

    def _stage_options(self, _task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the options that the role gives a stage. The actions of stages override this."""
        return {}

    def _callers_defaults(self, name: str) -> dict[str, t.Any]:
        """Return the ``module_defaults`` for this module that the play around the role sets.

        The task has ``module_defaults`` of its own, and Ansible lets those of the task replace those of the play for
        one module as a whole. Here the role's variables only rank above them, option by option.
        """
        known = self.BACKEND.spec.argument_spec
        defaults: dict[str, t.Any] = {}
        for level in (self._task.module_defaults or [])[:-1]:
            defaults.update(self._templar.template(level.get(name) or {}))
        return {option: value for option, value in defaults.items() if option in known}

    def _runs_here(self, task_vars: dict[str, t.Any]) -> bool:
        """Return whether the module would run on this machine, as this user, with this interpreter."""
        if sys.platform == "darwin":
            # Network calls in a forked process crash in macOS's own libraries.
            return False
        if not self._is_local():
            return False
        if self._play_context.become or self._task.become or self._task.async_val:
            return False
        return self._interpreter_is_ours(task_vars)

    def _interpreter_is_ours(self, task_vars: dict[str, t.Any]) -> bool:
        variables = self._delegated_vars(task_vars) if self._task.delegate_to else task_vars
        wanted = variables.get("ansible_python_interpreter")
        if wanted is None:
            wanted = constants.config.get_config_value("INTERPRETER_PYTHON")
        wanted = str(self._templar.template(wanted)) if wanted else "auto"
        ours = {sys.executable, str(task_vars.get("ansible_playbook_python", sys.executable))}
        return wanted.startswith("auto") or any(_same_interpreter(wanted, own) for own in ours)

    @contextlib.contextmanager
    def _task_environment(self) -> t.Iterator[None]:
        """Apply the task's ``environment:``, which Ansible itself gives to modules only."""
        wanted: dict[str, str] = {}
        self._compute_environment_string(wanted)
        if not wanted:
            yield
            return
        before = dict(os.environ)
        os.environ.update({key: str(value) for key, value in wanted.items()})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _run_here(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        ran = carry_out(
            self.BACKEND,
            args,
            check_mode=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            concurrency=concurrent_hosts(task_vars),
            token_cache=constants.DEFAULT_LOCAL_TMP,
            variables=self._variables_by_option(),
        )
        # The role registers its results, and Ansible shows how a module was invoked with -vvv only.
        if _wants_invocation(task_vars) and (display.verbosity >= 3 or not self._in_the_role()):
            ran.result["invocation"] = {"module_args": ran.params}
        return t.cast("dict[str, t.Any]", remove_values(ran.result, ran.secrets))


class Ran(t.NamedTuple):
    """The outcome of a task.

    :param result: the module's result without ``invocation``. The caller must still remove the secrets from it.
    :param params: the validated options.
    :param secrets: the values of secret options.
    """

    result: dict[str, t.Any]
    params: dict[str, t.Any]
    secrets: set[str]


def concurrent_hosts(task_vars: dict[str, t.Any]) -> int:
    """Return for how many hosts a task of this play runs at the same time."""
    batch = task_vars.get("ansible_play_batch") or ()
    return max(1, min(int(task_vars.get("ansible_forks") or 1), len(batch)))


def carry_out(
    backend: Backend, args: dict[str, t.Any], variables: t.Mapping[str, str] | None = None, **fields: t.Any
) -> Ran:
    """Validate options as the module does, and run its backend in this process.

    :param variables: which variable sets an option, for the texts of errors and warnings.
    :param fields: fields of the :class:`Request`.
    """
    spec = backend.spec
    forget_empty_home()
    secrets = backend.secrets(args) if backend.secrets else secret_values(spec.argument_spec, args)
    try:
        check_values(spec.argument_spec, args)
    except OptionError as error:
        return Ran({**failure(error, variables), "failed": True}, {}, secrets)
    validator = ArgumentSpecValidator(
        {name: copy_option(option) for name, option in spec.argument_spec.items()}, **spec.rules()
    )
    validation = validator.validate(args)
    params = validation.validated_parameters
    result: dict[str, t.Any] = {}
    warnings = [_text(warning) for warning in validation._warnings]
    if validation.error_messages:
        message = validation.errors.msg
        if isinstance(validation.errors[0], UnsupportedError):
            message = f"Unsupported parameters for (dockerhost.azure.{backend.name}) module: {message}"
        result.update(failed=True, msg=message)
    else:
        request = Request(params, progress=display.display, warn=warnings.append, **fields)
        try:
            result.update(backend.run(request))
        except DockerHostError as error:
            result.update(failure(error, variables), failed=True)
    if warnings:
        result["warnings"] = [render(warning, variables) for warning in warnings]
    if validation._deprecations:
        result["deprecations"] = [_deprecation(entry) for entry in validation._deprecations]
    return Ran(result, params, LongestFirst(secrets if backend.secrets else secrets | validation._no_log_values))


def _same_interpreter(one: str, other: str) -> bool:
    """Return whether two paths are one interpreter, such as ``python`` and ``python3`` of one virtual environment."""
    return one == other or (
        os.path.dirname(one) == os.path.dirname(other) and os.path.realpath(one) == os.path.realpath(other)
    )


def plain(value: t.Any) -> t.Any:
    """Return an argument as a module would get it: plain JSON types, with decrypted vault values.

    Ansible's encoder does that, and needs milliseconds for each task: it only gets what it alone knows.
    """
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # without the tags that Ansible's own texts have
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {str.__str__(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    try:
        return json.loads(json.dumps(value, cls=AnsibleJSONEncoder, vault_to_text=True))
    except TypeError as error:
        raise AnsibleError(f"The arguments must be JSON types: {error}") from error


def _text(warning: t.Any) -> str:
    if isinstance(warning, dict):
        return str(warning.get("warning") or warning.get("msg") or warning)
    return str(warning)


def _deprecation(entry: dict[str, t.Any]) -> dict[str, t.Any]:
    return {key: value for key, value in entry.items() if value is not None}


def _wants_invocation(task_vars: dict[str, t.Any]) -> bool:
    """Return whether the result has ``invocation``: always before ansible-core 2.21, later only on request."""
    try:
        return bool(constants.config.get_config_value("INJECT_INVOCATION", variables=task_vars))
    except AnsibleError:
        return True
