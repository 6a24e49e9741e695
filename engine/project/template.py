"""An AWS SAM or CloudFormation template -> functions and queues."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.arn import queue_arn
from ..core.function import Function, Queue
from .event_invoke import event_invoke_config
from .function_resource import NAME_RULE, SAM, FunctionResource
from .intrinsics import Scope, member, resource_type
from .paths import label
from .problems import ConfigurationError, Place, Problems
from .properties import Properties
from .targets import Targets
from .yaml_source import Value, read

_FUNCTIONS = (SAM, "AWS::Lambda::Function")
_QUEUE = "AWS::SQS::Queue"
_INVOKE_CONFIG = "AWS::Lambda::EventInvokeConfig"
_RUN = (*_FUNCTIONS, _QUEUE, _INVOKE_CONFIG)
_SECTIONS = ("AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Globals", "Resources")
_SECTIONS_OF_AWS = ("Outputs", "Conditions", "Mappings", "Rules", "Hooks")  # told where a resource makes use of them
_ATTRIBUTES = ("Type", "Properties", "Metadata", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy")
_QUEUE_NAME = re.compile(r"[a-zA-Z0-9-_]{1,80}")
_QUEUE_NAME_RULE = NAME_RULE.replace("64", "80")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a template describes, by function name and by queue name."""

    functions: dict[str, Function]
    queues: dict[str, Queue]
    warnings: tuple[str, ...]


def read_template(path: Path) -> Contents:
    """Reads a template.

    Raises ConfigurationError with one line for each mistake in it.
    """
    problems = Problems(label(path))
    value = read(path, problems)
    if not isinstance(value.data, dict):
        problems.error(value.place, "", "this is no template; it needs a mapping with 'Resources' in it")
        problems.check()
    functions, queues = _Template(path.resolve().parent, value, problems).read()
    problems.check()
    if not functions:
        text = f"{label(path)}: there is no function that lamtop can run; add an {SAM} under Resources"
        raise ConfigurationError("\n".join([text, *problems.warnings()]))
    return Contents(functions, queues, problems.warnings())


class _Template:
    def __init__(self, folder: Path, value: Value, problems: Problems) -> None:
        self._folder = folder
        self._top = value
        self._problems = problems
        self._resources = self._section("Resources")
        self._scope = Scope(self._section("Parameters"), self._resources, problems)
        self._named: dict[tuple[str, str], Place] = {}  # kind and name
        self._fifo_queues: set[str] = set()

    def read(self) -> tuple[dict[str, Function], dict[str, Queue]]:
        self._check_sections()
        for name, resource in self._resources.items():
            self._check_resource(name, resource)
        queues = self._queues()
        names = {name: self._scope.name(name) for name in self._of_type(*_FUNCTIONS)}
        targets = Targets(queues, self._fifo_queues, names.values())
        functions = self._functions(names, targets)
        self._apply_invoke_configs(functions, set(names.values()), targets)
        return functions, _with_senders(queues, functions)

    def _section(self, key: str) -> dict[str, Value]:
        found = member(self._top, key)
        if found and found.data is not None and not isinstance(found.data, dict):
            self._refuse_section(found, key)
        return found.data if found and isinstance(found.data, dict) else {}

    def _refuse_section(self, value: Value, name: str) -> None:
        self._problems.error(value.place, name, f"{value.shown} is not allowed; use a mapping of keys and values")

    def _check_sections(self) -> None:
        for key, value in self._top.data.items() if isinstance(self._top.data, dict) else ():
            if key not in _SECTIONS + _SECTIONS_OF_AWS:
                self._problems.warn(value.place, "", f"{key!r} is no section of a template; it is ignored")
        for key, value in self._section("Globals").items():
            if key != "Function":
                self._problems.unused(value.place, "Globals", key)
            elif not isinstance(value.data, dict | None):
                self._refuse_section(value, "Globals.Function")

    def _check_resource(self, name: str, resource: Value) -> None:
        kind = resource_type(resource)
        if not kind:
            self._problems.error(resource.place, name, f"a resource needs a Type, such as {SAM}")
        elif kind not in _RUN:
            self._problems.warn(resource.place, "", f"{kind} {name!r} is not run by lamtop; it is ignored")
        elif isinstance(resource.data, dict):
            self._check_attributes(name, resource.data)

    def _check_attributes(self, name: str, attributes: dict[str, Value]) -> None:
        for key, value in attributes.items():
            if key == "Condition":
                text = f"Condition {value.shown} is not evaluated by lamtop; the resource is kept"
                self._problems.warn(value.place, name, text)
            elif key not in _ATTRIBUTES:
                self._problems.unused(value.place, name, key)

    def _of_type(self, *kinds: str) -> dict[str, Value]:
        return {name: resource for name, resource in self._resources.items() if resource_type(resource) in kinds}

    def _properties(self, logical_id: str, resource: Value) -> Properties:
        own = member(resource, "Properties") or Value({}, resource.place)
        shared = member(member(self._top, "Globals"), "Function")
        if shared and resource_type(resource) == SAM:
            own = _merged(shared, own)
        return Properties(logical_id, Value(own.data, resource.place), self._scope, self._problems)

    def _is_first(self, kind: str, name: str, properties: Properties, key: str) -> bool:
        first = self._named.setdefault((kind, name), properties.at(key))
        if first == properties.at(key):
            return True
        properties.error(key, f"{name!r} is given twice, first in line {first.line}; use one {kind} for each name")
        return False

    def _queues(self) -> dict[str, Queue]:
        queues = {}
        for logical_id, resource in self._of_type(_QUEUE).items():
            properties = self._properties(logical_id, resource)
            name = self._queue_name(logical_id, properties)
            if properties.flag("FifoQueue"):
                self._fifo_queues.add(name)
                text = f"FIFO queue {logical_id!r} is not run by lamtop; it is ignored"
                self._problems.warn(resource.place, "", text)
                continue
            properties.silence("Tags")
            properties.finish()
            if not _QUEUE_NAME.fullmatch(name):
                properties.error("QueueName", f"{name!r} is not allowed; use {_QUEUE_NAME_RULE}")
            elif self._is_first("queue", name, properties, "QueueName"):
                queues[name] = Queue(name, queue_arn(name))
        return queues

    def _queue_name(self, logical_id: str, properties: Properties) -> str:
        properties.text("QueueName", _QUEUE_NAME_RULE)
        return self._scope.name(logical_id)

    def _functions(self, names: dict[str, str], targets: Targets) -> dict[str, Function]:
        functions = {}
        for logical_id, name in names.items():
            resource = self._resources[logical_id]
            properties = self._properties(logical_id, resource)
            self._is_first("function", name, properties, "FunctionName")
            if "EventInvokeConfig" in properties:
                self._named["EventInvokeConfig", name] = properties.at("EventInvokeConfig")
            reader = FunctionResource(name, resource, properties, self._folder, self._scope, self._problems)
            function = reader.read(targets)
            if function:
                functions[name] = function
        return functions

    def _apply_invoke_configs(self, functions: dict[str, Function], names: set[str], targets: Targets) -> None:
        for logical_id, resource in self._of_type(_INVOKE_CONFIG).items():
            properties = self._properties(logical_id, resource)
            name = self._configured_function(properties, names)
            qualifier = properties.text("Qualifier", "$LATEST", needed=True)
            config = event_invoke_config(properties, targets, name, sam=False)
            properties.require("Qualifier", "$LATEST")
            properties.finish()
            if qualifier and qualifier != "$LATEST":
                properties.warn("Qualifier", f"{qualifier!r} is not known to lamtop, only $LATEST; this is ignored")
            elif self._is_first("EventInvokeConfig", name, properties, "FunctionName") and name in functions:
                functions[name] = replace(functions[name], event_invoke_config=config)

    def _configured_function(self, properties: Properties, names: set[str]) -> str:
        name = properties.text("FunctionName", "a function, such as !Ref Orders", needed=True)
        properties.require("FunctionName", "a function, such as !Ref Orders")
        if name is not None and name not in names:
            there = ", ".join(repr(one) for one in sorted(names))
            properties.error("FunctionName", f"there is no function {name!r} in this template; use one of {there}")
        return name or ""


def _merged(shared: Value, own: Value) -> Value:
    """SAM's rule for Globals: mappings are joined key by key; of anything else, the function's own wins."""
    if not (isinstance(shared.data, dict) and isinstance(own.data, dict)):
        return own
    joined = dict(shared.data)
    for key, value in own.data.items():
        joined[key] = _merged(shared.data[key], value) if key in shared.data else value
    return Value(joined, own.place)


def _with_senders(queues: dict[str, Queue], functions: dict[str, Function]) -> dict[str, Queue]:
    senders: dict[str, list[str]] = {}
    for function in functions.values():
        senders.setdefault(function.dead_letter_queue or "", []).append(function.name)
    return {name: replace(queue, dead_letters_of=tuple(senders.get(queue.arn, ()))) for name, queue in queues.items()}
