"""One function of a template: its name, code, limits and interpreter."""

import re
from dataclasses import replace
from pathlib import Path

from ...core.arn import FUNCTION_NAME
from ...core.function import Function
from ..language.kinds import SAM, resource_type
from ..language.properties import Properties
from ..language.yaml_source import Value
from ..paths import label, standing
from .environment_variables import environment
from .event_invoke import dead_letter_queue, event_invoke_config
from .folders import built, folder_at
from .lab import Lab, lab
from .layers import Layers
from .logging_config import logging_config
from .targets import Targets
from .versions import alias_name

_NAME_RULE = "1 to 64 letters, digits, '-' and '_'"
_HANDLER_RULE = "module.function, such as app.lambda_handler"
_HANDLER_LONGEST = 128  # characters (Lambda API reference, CreateFunction)
_HANDLER = re.compile(r"[^\s.]\S*\.[^\s.]+")
_PYTHON = re.compile(r"python3\.\d{1,2}")
_ARCHITECTURES = ("x86_64", "arm64")
_ARCHITECTURES_RULE = "a list of one: x86_64 or arm64"
_DEFAULTS = Function("", "", "")


class FunctionResource:
    """A resource that is a function, in SAM's or in CloudFormation's own words."""

    def __init__(self, logical_id: str, name: str, resource: Value, properties: Properties, folder: Path) -> None:
        self.name = name
        self.lab: Lab = lab(properties.metadata(resource), folder)
        self._logical_id = logical_id
        self._sam = resource_type(resource) == SAM
        self._properties = properties
        self._folder = folder
        self.alias = alias_name(properties, "AutoPublishAlias") if self._sam else None

    def read(self, targets: Targets, layers: Layers) -> Function | None:
        """The function; None when its code is not something that lamtop can run, which is noted as a warning."""
        read = self._properties
        image = read.choice("PackageType", ("Zip", "Image")) == "Image"
        self._check_name()
        runtime = self._runtime(image)
        handler = self._handler(image, python=_PYTHON.fullmatch(runtime) is not None)
        code = self._code(image)
        function = replace(
            self._with_invoke_config(self._limits(Function(self.name, handler, code or "", runtime)), targets),
            environment=environment(read),
            dead_letter_queue=dead_letter_queue(read, targets, sam=self._sam),
            layers=layers.of(read),
            packages=built(self._folder, self._logical_id),
            logging=logging_config(read),
            architecture=self._architecture(),
            recursive_loop=read.choice("RecursiveLoop", ("Terminate", "Allow")) or _DEFAULTS.recursive_loop,
        )
        read.silence("Description", "Tags", "Policies", "InlineCode")  # nobody's permissions are checked here
        read.silence(*(("ImageUri", "ImageConfig", "Code") if image else ()))
        if self._sam:
            read.silence("VersionDescription")
        read.finish()
        if code and handler:
            self._check_handler_file(function)
        return function if code else None

    def _check_name(self) -> None:
        self._properties.text("FunctionName", _NAME_RULE)
        if not FUNCTION_NAME.fullmatch(self.name):
            self._properties.error("FunctionName", f"{self.name!r} is not allowed; use {_NAME_RULE}")

    def _limits(self, function: Function) -> Function:
        timeout = self._properties.whole("Timeout", 1, 900, " of seconds")
        memory = self._properties.whole("MemorySize", 128, 10_240, " of MB")
        self._check_storage()
        return replace(
            function,
            timeout=_DEFAULTS.timeout if timeout is None else float(timeout),
            memory=_DEFAULTS.memory if memory is None else memory,
            reserved_concurrency=self._properties.whole("ReservedConcurrentExecutions", 0, None),
        )

    def _check_storage(self) -> None:
        storage = self._properties.inside("EphemeralStorage")
        storage.whole("Size", 512, 10_240, " of MB")
        storage.finish()
        self._properties.leave_out("EphemeralStorage", "the folder for temporary files is this machine's own")

    def _architecture(self) -> str:
        listed = self._properties.listed("Architectures", _ARCHITECTURES_RULE)
        for item in listed:
            if item.data not in _ARCHITECTURES:
                self._properties.refuse("Architectures", item, _ARCHITECTURES_RULE)
        if len(listed) > 1:
            self._properties.error("Architectures", f"{len(listed)} of them are not allowed; use {_ARCHITECTURES_RULE}")
        return str(listed[0].data) if listed else _DEFAULTS.architecture

    def _with_invoke_config(self, function: Function, targets: Targets) -> Function:
        """SAM's EventInvokeConfig belongs to the function's AutoPublishAlias, if it has one, and else to $LATEST."""
        if not self._sam:
            return function
        inside = self._properties.inside("EventInvokeConfig")
        config = event_invoke_config(inside, targets, self.name, sam=True)
        inside.finish()
        if self.alias is None:
            return replace(function, event_invoke_config=config)
        return replace(function, qualified_configs={self.alias: config} if len(inside) else {})

    def _runtime(self, image: bool) -> str:
        runtime = self._properties.text("Runtime", "a runtime, such as python3.13")
        if "Runtime" not in self._properties and not image:
            self._properties.warn("Runtime", f"is missing, and AWS needs it; lamtop takes {_DEFAULTS.runtime}")
        if runtime and not _PYTHON.fullmatch(runtime):
            self._properties.warn("Runtime", f"{runtime!r} is not run by lamtop yet: it runs Python only")
        return runtime or _DEFAULTS.runtime

    def _handler(self, image: bool, python: bool) -> str:
        handler = self._properties.text("Handler", _HANDLER_RULE, needed=True)
        if not image:
            self._properties.require("Handler", _HANDLER_RULE)
        if python and handler and not (_HANDLER.fullmatch(handler) and len(handler) <= _HANDLER_LONGEST):
            self._properties.error("Handler", f"{handler!r} is not allowed; use {_HANDLER_RULE}")
        return handler or ""

    def _check_handler_file(self, function: Function) -> None:
        module = Path(function.code, function.handler.rpartition(".")[0].replace(".", "/"))
        files = (module.with_name(module.name + ".py"), module / "__init__.py")
        if _PYTHON.fullmatch(function.runtime) and not any(standing(file) == "file" for file in files):
            text = f"{label(module)}.py does not exist; the function fails until it does"
            self._properties.warn("Handler", text)

    def _code(self, image: bool) -> str | None:
        """The folder of the code; None when there is none on this machine."""
        if image:
            self._ignore("PackageType")
            return None
        key = "CodeUri" if self._sam else "Code"
        if "InlineCode" in self._properties:
            key = "InlineCode"
        elif key not in self._properties:
            return str(self._folder)
        value = self._properties.value(key, needed=True)
        if value is None:
            return None
        if key == "InlineCode" or isinstance(value.data, dict) or str(value.data).startswith("s3://"):
            self._ignore(key)
            return None
        return folder_at(self._properties, key, self._folder)

    def _ignore(self, key: str) -> None:
        self._properties.warn(key, "lamtop runs code in a folder only; the function is ignored")
