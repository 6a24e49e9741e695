"""Published versions and aliases of the functions in a template.

Sources: CloudFormation reference, AWS::Lambda::Version and AWS::Lambda::Alias; SAM guide, "AutoPublishAlias".
"""

import re

from ...core.arn import LATEST, function_arn
from ..language.intrinsics import Scope
from ..language.properties import Properties
from .targets import Targets

VERSION = "AWS::Lambda::Version"
ALIAS = "AWS::Lambda::Alias"
ALIAS_RULE = "1 to 128 letters, digits, '-' and '_', not digits alone"
_ALIAS_NAME = re.compile(r"(?!\d+$)[a-zA-Z0-9-_]{1,128}")
_VERSION_RULE = "a version, such as !GetAtt OrdersVersion.Version"
_NOT_KEPT = "lamtop keeps no old code: every version runs the code that is there now"


class Versions:
    """The versions and aliases of one template, by the name of their function; numbered in the template's order."""

    def __init__(self, scope: Scope, targets: Targets) -> None:
        self._scope = scope
        self._targets = targets
        self._numbers: dict[str, int] = {}
        self._aliases: dict[str, dict[str, str]] = {}
        self._warned = False

    def of(self, function: str) -> frozenset[str]:
        """The numbers of a function's versions."""
        return frozenset(str(number) for number in range(1, self._numbers.get(function, 0) + 1))

    def aliases(self, function: str) -> dict[str, str]:
        """A function's aliases and the version of each."""
        return self._aliases.get(function, {})

    def qualifiers(self) -> dict[str, tuple[str, ...]]:
        """Every version and alias, by function."""
        names = {**self._numbers, **self._aliases}
        return {name: (*sorted(self.of(name), key=int), *self.aliases(name)) for name in names}

    def publish(self, logical_id: str, properties: Properties) -> None:
        """An AWS::Lambda::Version."""
        function = self._targets.function(properties)
        properties.silence("Description", "CodeSha256")
        properties.finish()
        if not function:
            return
        number = self._next(function, properties, "FunctionName")
        arn = function_arn(function, number)
        self._scope.define(logical_id, arn)
        self._scope.define(f"{logical_id}.Version", number)
        self._scope.define(f"{logical_id}.FunctionArn", arn)

    def name(self, logical_id: str, properties: Properties) -> None:
        """An AWS::Lambda::Alias."""
        function = self._targets.function(properties)
        version = properties.text("FunctionVersion", _VERSION_RULE, needed=True)
        properties.require("FunctionVersion", _VERSION_RULE)
        properties.require("Name", ALIAS_RULE)
        alias = alias_name(properties, "Name")
        if properties.value("RoutingConfig"):
            properties.warn("RoutingConfig", "lamtop does not use weights; all invocations go to FunctionVersion")
        properties.silence("Description")
        properties.finish()
        if not (function and version and alias):
            return
        if version != LATEST and version not in self.of(function):
            there = ", ".join(map(repr, (LATEST, *sorted(self.of(function), key=int))))
            text = f"there is no version {version!r} of {function!r} in this template; use one of {there}"
            properties.error("FunctionVersion", text)
        arn = self._add(function, alias, version, properties, "Name")
        self._scope.define(logical_id, arn)
        self._scope.define(f"{logical_id}.AliasArn", arn)

    def publish_automatically(self, logical_id: str, function: str, properties: Properties) -> None:
        """SAM's AutoPublishAlias: a version, and an alias that points to it."""
        alias = alias_name(properties, "AutoPublishAlias")
        if alias is None:
            return
        number = self._next(function, properties, "AutoPublishAlias")
        arn = self._add(function, alias, number, properties, "AutoPublishAlias")
        self._scope.define(f"{logical_id}.Version", function_arn(function, number))
        for reference in (f"{logical_id}.Alias", f"{logical_id}Alias{alias}"):
            self._scope.define(reference, arn)

    def _next(self, function: str, properties: Properties, key: str) -> str:
        self._numbers[function] = self._numbers.get(function, 0) + 1
        if not self._warned:
            properties.warn(key, _NOT_KEPT)
            self._warned = True
        return str(self._numbers[function])

    def _add(self, function: str, alias: str, version: str, properties: Properties, key: str) -> str:
        there = self._aliases.setdefault(function, {})
        if alias in there:
            properties.error(key, f"{function!r} has an alias {alias!r} already; use one alias for each name")
        there[alias] = version
        return function_arn(function, alias)


def alias_name(properties: Properties, key: str) -> str | None:
    """The name of an alias; None when it is absent or, after noting it, wrong."""
    name = properties.text(key, ALIAS_RULE, needed=True)
    if name is not None and not _ALIAS_NAME.fullmatch(name):
        properties.error(key, f"{name!r} is not allowed; use {ALIAS_RULE}")
        return None
    return name
