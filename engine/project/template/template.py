"""An AWS SAM or CloudFormation template -> functions and queues."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ...core.arn import LATEST
from ...core.function import Function, Queue
from ..errors import ConfigurationError
from ..language.intrinsics import Scope, Sections
from ..language.kinds import FUNCTIONS, LAYERS, SAM, member, resource_type
from ..language.problems import Place, Problems
from ..language.properties import Properties
from ..language.yaml_source import Value, read
from ..paths import label
from .event_invoke import event_invoke_config
from .function_resource import FunctionResource
from .global_properties import with_globals
from .layers import Layers
from .queues import QUEUE, queue
from .targets import Targets
from .versions import ALIAS, VERSION, Versions

_INVOKE_CONFIG = "AWS::Lambda::EventInvokeConfig"
_RUN = (*FUNCTIONS, *LAYERS, QUEUE, VERSION, ALIAS, _INVOKE_CONFIG)
_SECTIONS = (
    "AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Mappings", "Conditions",
    "Globals", "Resources",
)  # fmt: skip
_SECTIONS_OF_AWS = ("Outputs", "Rules", "Hooks")  # they change nothing in how a function runs
_ATTRIBUTES = ("Type", "Properties", "Metadata", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Contents:
    """What a template describes, by function name and by queue name."""

    functions: dict[str, Function]
    queues: dict[str, Queue]
    warnings: tuple[str, ...]


def read_template(path: Path, parameters: Mapping[str, str] = _NOTHING) -> Contents:
    """Reads a template. `parameters` go before the defaults in it.

    Raises ConfigurationError with one line for each mistake in it.
    """
    problems = Problems(label(path))
    value = read(path, problems)
    if not isinstance(value.data, dict):
        problems.error(value.place, "", "this is no template; it needs a mapping with 'Resources' in it")
        problems.check()
    functions, queues = _Template(path.resolve().parent, value, parameters, problems).read()
    problems.check()
    if not functions:
        text = f"{label(path)}: there is no function that lamtop can run; add an {SAM} under Resources"
        raise ConfigurationError("\n".join([text, *problems.warnings()]))
    return Contents(functions, queues, problems.warnings())


class _Template:
    def __init__(self, folder: Path, value: Value, parameters: Mapping[str, str], problems: Problems) -> None:
        self._folder = folder
        self._top = value
        self._problems = problems
        sections = Sections(*(self._section(key) for key in ("Parameters", "Mappings", "Conditions", "Resources")))
        self._scope = Scope(sections, parameters, problems)
        self._named: dict[tuple[str, str], Place] = {}  # kind and name
        self._fifo_queues: set[str] = set()

    def read(self) -> tuple[dict[str, Function], dict[str, Queue]]:
        self._check_sections()
        for name, resource in self._scope.resources.items():
            self._check_resource(name, resource)
        queues = self._queues()
        names = {logical_id: self._scope.name(logical_id) for logical_id in self._of_type(*FUNCTIONS)}
        targets = Targets(queues, self._fifo_queues, names.values())
        versions = self._versions(names, targets)
        functions = self._functions(names, targets, versions)
        return functions, _with_senders(queues, functions)

    # -- sections ----------------------------------------------------------------------------------------------------

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

    # -- resources ---------------------------------------------------------------------------------------------------

    def _check_resource(self, name: str, resource: Value) -> None:
        kind = resource_type(resource)
        if not kind:
            self._problems.error(resource.place, name, f"a resource needs a Type, such as {SAM}")
        elif kind not in _RUN:
            self._problems.warn(resource.place, "", f"{kind} {name!r} is not run by lamtop; it is ignored")
        elif isinstance(resource.data, dict):
            for key, value in resource.data.items():
                if key not in _ATTRIBUTES:
                    self._problems.unused(value.place, name, key)

    def _of_type(self, *kinds: str) -> dict[str, Value]:
        return {name: found for name, found in self._scope.resources.items() if resource_type(found) in kinds}

    def _properties(self, logical_id: str, resource: Value) -> Properties:
        own = member(resource, "Properties") or Value({}, resource.place)
        shared = member(member(self._top, "Globals"), "Function")
        if shared and resource_type(resource) == SAM:
            own = with_globals(shared, own)
        return Properties(logical_id, Value(own.data, resource.place), self._scope, self._problems)

    def _is_first(self, kind: str, name: str, properties: Properties, key: str) -> bool:
        first = self._named.setdefault((kind, name), properties.at(key))
        if first == properties.at(key):
            return True
        properties.error(key, f"{name!r} is given twice, first in line {first.line}; use one {kind} for each name")
        return False

    def _queues(self) -> dict[str, Queue]:
        queues = {}
        for logical_id, resource in self._of_type(QUEUE).items():
            properties = self._properties(logical_id, resource)
            name = self._scope.name(logical_id)
            found = queue(name, properties)
            if found and self._is_first("queue", name, properties, "QueueName"):
                queues[name] = found
            elif properties.flag("FifoQueue"):
                self._fifo_queues.add(name)
                text = f"FIFO queue {logical_id!r} is not run by lamtop; it is ignored"
                self._problems.warn(resource.place, "", text)
        return queues

    def _layers(self) -> Layers:
        layers = Layers(self._folder)
        for logical_id, resource in self._of_type(*LAYERS).items():
            properties = self._properties(logical_id, resource)
            name = self._scope.name(logical_id)
            if self._is_first("layer", name, properties, "LayerName"):
                layers.add(logical_id, name, properties, sam=resource_type(resource) == LAYERS[0])
        return layers

    def _versions(self, names: dict[str, str], targets: Targets) -> Versions:
        versions = Versions(self._scope, targets)
        for logical_id, name in names.items():
            if resource_type(resource := self._scope.resources[logical_id]) == SAM:
                versions.publish_automatically(logical_id, name, self._properties(logical_id, resource))
        for logical_id, resource in self._of_type(VERSION).items():
            versions.publish(logical_id, self._properties(logical_id, resource))
        for logical_id, resource in self._of_type(ALIAS).items():
            versions.name(logical_id, self._properties(logical_id, resource))
        targets.qualify(versions.qualifiers())
        return versions

    def _functions(self, names: dict[str, str], targets: Targets, versions: Versions) -> dict[str, Function]:
        layers = self._layers()
        functions, labs = {}, {}
        for logical_id, name in names.items():
            resource = self._scope.resources[logical_id]
            properties = self._properties(logical_id, resource)
            self._is_first("function", name, properties, "FunctionName")
            reader = FunctionResource(logical_id, name, resource, properties, self._folder)
            function = reader.read(targets, layers)
            if "EventInvokeConfig" in properties:
                configured = f"{name}:{reader.alias or LATEST}"
                self._named["EventInvokeConfig", configured] = properties.at("EventInvokeConfig")
            if function:
                functions[name] = replace(function, versions=versions.of(name), aliases=versions.aliases(name))
                labs[name] = reader.lab
        self._apply_invoke_configs(functions, targets)
        return {name: labs[name].applied(function) for name, function in functions.items()}

    def _apply_invoke_configs(self, functions: dict[str, Function], targets: Targets) -> None:
        for logical_id, resource in self._of_type(_INVOKE_CONFIG).items():
            properties = self._properties(logical_id, resource)
            name = targets.function(properties)
            qualifier = properties.text("Qualifier", "$LATEST, a version or an alias", needed=True)
            config = event_invoke_config(properties, targets, name, sam=False)
            properties.require("Qualifier", "$LATEST, a version or an alias")
            properties.finish()
            if not (name and qualifier) or not self._is_the_only_config(name, qualifier, properties):
                continue
            function = functions.get(name)
            if qualifier != LATEST and not targets.qualifier(properties, "Qualifier", name, qualifier):
                continue
            if function and qualifier == LATEST:
                functions[name] = replace(function, event_invoke_config=config)
            elif function:
                configs = {**function.qualified_configs, qualifier: config}
                functions[name] = replace(function, qualified_configs=configs)

    def _is_the_only_config(self, function: str, qualifier: str, properties: Properties) -> bool:
        first = self._named.setdefault(("EventInvokeConfig", f"{function}:{qualifier}"), properties.place)
        if first == properties.place:
            return True
        text = f"{function!r} has an EventInvokeConfig for {qualifier} already, in line {first.line}; keep one of them"
        properties.error("FunctionName", text)
        return False


def _with_senders(queues: dict[str, Queue], functions: dict[str, Function]) -> dict[str, Queue]:
    senders: dict[str, list[str]] = {}
    for function in functions.values():
        senders.setdefault(function.dead_letter_queue or "", []).append(function.name)
    return {name: replace(queue, dead_letters_of=tuple(senders.get(queue.arn, ()))) for name, queue in queues.items()}
