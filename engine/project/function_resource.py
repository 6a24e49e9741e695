"""One function of a template: its name, code, limits and interpreter."""

import re
from dataclasses import replace
from pathlib import Path

from ..core.arn import FUNCTION_NAME
from ..core.function import EventInvokeConfig, Function
from .environment_variables import environment
from .event_invoke import dead_letter_queue, event_invoke_config
from .intrinsics import Scope, member, resource_type
from .paths import label, standing
from .problems import Problems
from .properties import Properties
from .targets import Targets
from .yaml_source import Value

SAM = "AWS::Serverless::Function"
NAME_RULE = "1 to 64 letters, digits, '-' and '_'"
_HANDLER_RULE = "module.function, such as app.lambda_handler"
_HANDLER = re.compile(r"[^\s.]\S*\.[^\s.]+")
_PYTHON = re.compile(r"python3\.\d{1,2}")
_DEFAULTS = Function("", "", "")


class FunctionResource:
    """A resource that is a function, in SAM's or in CloudFormation's own words."""

    def __init__(
        self, name: str, resource: Value, properties: Properties, folder: Path, scope: Scope, problems: Problems
    ) -> None:
        self.name = name
        self._metadata = member(member(resource, "Metadata"), "lamtop")
        self._sam = resource_type(resource) == SAM
        self._properties = properties
        self._folder = folder
        self._scope = scope
        self._problems = problems

    def read(self, targets: Targets) -> Function | None:
        """The function; None when its code is not something that lamtop can run, which is noted as a warning."""
        read = self._properties
        image = read.choice("PackageType", ("Zip", "Image")) == "Image"
        self._check_name()
        runtime = self._runtime(image)
        handler = self._handler(image, python=_PYTHON.fullmatch(runtime) is not None)
        code = self._code(image)
        function = replace(
            self._limits(Function(self.name, handler, code or "", runtime)),
            environment=environment(read),
            dead_letter_queue=dead_letter_queue(read, targets, sam=self._sam),
            event_invoke_config=self._event_invoke_config(targets),
            python=self._python(),
        )
        read.silence("Description", "Tags", "InlineCode", *(("ImageUri", "ImageConfig", "Code") if image else ()))
        read.finish()
        if code and handler:
            self._check_handler_file(function)
        return function if code else None

    def _check_name(self) -> None:
        self._properties.text("FunctionName", NAME_RULE)
        if not FUNCTION_NAME.fullmatch(self.name):
            self._properties.error("FunctionName", f"{self.name!r} is not allowed; use {NAME_RULE}")

    def _limits(self, function: Function) -> Function:
        timeout = self._properties.whole("Timeout", 1, 900, " of seconds")
        memory = self._properties.whole("MemorySize", 128, 32_768, " of MB")
        return replace(
            function,
            timeout=_DEFAULTS.timeout if timeout is None else float(timeout),
            memory=_DEFAULTS.memory if memory is None else memory,
            reserved_concurrency=self._properties.whole("ReservedConcurrentExecutions", 0, None),
        )

    def _event_invoke_config(self, targets: Targets) -> EventInvokeConfig:
        if not self._sam:
            return EventInvokeConfig()
        inside = self._properties.inside("EventInvokeConfig")
        config = event_invoke_config(inside, targets, self.name, sam=True)
        inside.finish()
        return config

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
        if python and handler and not _HANDLER.fullmatch(handler):
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
        return self._code_folder(key)

    def _ignore(self, key: str) -> None:
        self._properties.warn(key, "lamtop runs code in a folder only; the function is ignored")

    def _code_folder(self, key: str) -> str | None:
        text = self._properties.text(key, "a folder, as seen from the template")
        if text is None:
            return None
        found = standing(self._folder / text)
        if found == "folder":
            return str((self._folder / text).resolve())
        what = "is a file" if found == "file" else "does not exist"
        self._properties.error(key, f"{text!r} {what}; use a folder, as seen from the template")
        return None

    def _python(self) -> str | None:
        if self._metadata is None:
            return None
        properties = Properties(
            f"{self._properties.subject}.Metadata.lamtop", self._metadata, self._scope, self._problems
        )
        text = properties.text("Python", "the path of a Python interpreter")
        properties.finish()
        if text is None:
            return None
        path = (self._folder / text).absolute()  # not resolved: a virtual environment's python is a link
        if standing(path) == "file":
            return str(path)
        properties.error("Python", f"{text!r} does not exist; use the path of a Python interpreter")
        return None
