"""What a template's intrinsic functions stand for, as if the stack were deployed here."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from .conditions import Conditions
from .kinds import ATTRIBUTES, KINDS, PSEUDO, is_intrinsic, member, resource_type, written
from .parameters import Parameters
from .problems import Place, Problems, Unknown, Wrong
from .yaml_source import Data, Value

_VARIABLE = re.compile(r"\$\{(!?[^{}]*)\}")


class Sections(NamedTuple):
    """The parts of a template that values may refer to."""

    parameters: dict[str, Value]
    mappings: dict[str, Value]
    conditions: dict[str, Value]
    resources: dict[str, Value]


class _Context(NamedTuple):
    place: Place
    subject: str


class Scope:
    """Parameters, mappings, conditions and resources; gives each value of the template in plain form."""

    def __init__(self, sections: Sections, given: Mapping[str, str], problems: Problems) -> None:
        self._parameters = Parameters(sections.parameters, given, problems)
        self._mappings = sections.mappings
        self._problems = problems
        self._names: dict[str, str] = {}
        self._resolving: list[str] = []
        self._defined: dict[str, str] = {}
        self.resources: dict[str, Value] = {}  # those whose condition holds
        self._left_out: dict[str, str] = {}  # the others -> their condition
        self._conditions = Conditions(sections.conditions, self._condition_text, problems)
        self._conditions.check()
        for name, resource in sections.resources.items():
            self._sort_in(name, resource)

    def define(self, reference: str, text: str) -> None:
        """From now on `reference` stands for `text`: a logical id for Ref, "Id.Attribute" for Ref and GetAtt."""
        self._defined[reference] = text

    def resolve(self, value: Value, subject: str, *, needed: bool = False) -> Value | None:
        """`value` without intrinsics, or None when it is AWS::NoValue or cannot be known.

        A reference to nothing is noted as an error; a value that only AWS knows as a warning, or as an error when
        it is `needed`.
        """
        context = _Context(value.place, subject)
        try:
            return self._plain(value, context)
        except Wrong as error:
            self._problems.error(value.place, subject, str(error))
        except Unknown as error:
            note = self._problems.error if needed else self._problems.warn
            note(value.place, subject, f"{error}; {'write the value itself' if needed else 'it is left out'}")
        return None

    def name(self, logical_id: str) -> str:
        """The name of a resource: its name property, else its logical id."""
        if logical_id not in self._names:
            if logical_id in self._resolving:
                raise Wrong(f"the name of {logical_id!r} refers to itself")
            self._resolving.append(logical_id)
            self._names[logical_id] = self._named(logical_id) or logical_id
            self._resolving.pop()
        return self._names[logical_id]

    def _named(self, logical_id: str) -> str | None:
        kind = KINDS.get(resource_type(self.resources[logical_id]))
        named = kind and member(member(self.resources[logical_id], "Properties"), kind.name)
        value = kind and named and self.resolve(named, f"{logical_id}.{kind.name}")
        return str(value.data) if value and isinstance(value.data, str | int) else None

    # -- conditions --------------------------------------------------------------------------------------------------

    def _sort_in(self, name: str, resource: Value) -> None:
        condition = member(resource, "Condition")
        try:
            if condition is None or self._conditions.holds(written(condition.data)):
                self.resources[name] = resource
                return
        except Wrong as error:
            self._problems.error(condition.place if condition else resource.place, f"{name}.Condition", str(error))
        self._left_out[name] = written(condition and condition.data)

    def _condition_text(self, value: Value) -> str:
        return self._text(value, _Context(value.place, ""))

    def _chosen(self, argument: Value, context: _Context) -> Value | None:
        match argument.data:
            case [Value(data=str(name)), Value() as one, Value() as other]:
                return self._plain(one if self._conditions.holds(name) else other, context)
        raise Wrong("Fn::If: use the name of a condition and two values")

    # -- functions ---------------------------------------------------------------------------------------------------

    def _plain(self, value: Value, context: _Context) -> Value | None:
        if not isinstance(value.data, dict) or not is_intrinsic(value):
            return value
        ((function, argument),) = value.data.items()
        if function == "Fn::If":
            return self._chosen(argument, context)
        data = self._evaluated(function, argument, context)
        return None if data is None else Value(data, value.place)

    def _evaluated(self, function: str, argument: Value, context: _Context) -> Data:
        match function:
            case "Ref":
                return self._ref(argument.data if isinstance(argument.data, str) else argument.shown)
            case "Fn::GetAtt":
                return self._attribute(argument)
            case "Fn::Sub":
                return self._substituted(argument, context)
            case "Fn::Join":
                return self._joined(argument, context)
            case "Fn::Split":
                return self._split(argument, context)
            case "Fn::Select":
                return self._selected(argument, context)
            case "Fn::FindInMap":
                return self._found_in_map(argument, context)
            case "Fn::Ref":
                raise Wrong("'Fn::Ref' is not allowed; use 'Ref'")
        raise Unknown(f"{function!r} is not evaluated by lamtop")

    def _substituted(self, argument: Value, context: _Context) -> str:
        own: dict[str, Value] = {}
        text = argument
        if isinstance(argument.data, list) and len(argument.data) == 2:
            text, variables = argument.data
            own = variables.data if isinstance(variables.data, dict) else {}
        if not isinstance(text.data, str):
            raise Wrong(f"Fn::Sub: {text.shown} is not allowed; use a text with ${{Names}} in it")
        return _VARIABLE.sub(lambda found: self._variable(found[1].strip(), own, context), text.data)

    def _variable(self, name: str, own: dict[str, Value], context: _Context) -> str:
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in own:
            return self._text(own[name], context)
        if "." in name:
            return self._attribute(Value(name, context.place))
        return self._text(Value({"Ref": Value(name, context.place)}, context.place), context)

    def _joined(self, argument: Value, context: _Context) -> str:
        match argument.data:
            case [Value(data=str(separator)), Value() as parts]:
                return separator.join(self._text(part, context) for part in self._list("Fn::Join", parts, context))
        raise Wrong("Fn::Join: use a separator and a list of texts")

    def _split(self, argument: Value, context: _Context) -> list[Value]:
        match argument.data:
            case [Value(data=str(separator)), Value() as text] if separator:
                return [Value(part, text.place) for part in self._text(text, context).split(separator)]
        raise Wrong("Fn::Split: use a separator and a text")

    def _selected(self, argument: Value, context: _Context) -> Data:
        match argument.data:
            case [Value() as index, Value() as parts]:
                number, there = self._text(index, context), self._list("Fn::Select", parts, context)
                if number.isdigit() and int(number) < len(there):
                    chosen = self._plain(there[int(number)], context)
                    return chosen.data if chosen else None
                raise Wrong(f"Fn::Select: there is no item {number} in a list of {len(there)}; the first one is 0")
        raise Wrong("Fn::Select: use a number and a list")

    def _found_in_map(self, argument: Value, context: _Context) -> Data:
        keys = [self._text(key, context) for key in self._list("Fn::FindInMap", argument, context)[:3]]
        if len(keys) < 3:
            raise Wrong("Fn::FindInMap: use the name of a mapping and two keys")
        name, first, second = keys
        found = member(member(self._mappings.get(name), first), second)
        if found is None:
            raise Wrong(f"Fn::FindInMap: there is no {'.'.join(keys)!r} in the Mappings of this template")
        return found.data

    def _list(self, function: str, value: Value, context: _Context) -> list[Value]:
        plain = self._plain(value, context)
        if plain is None or not isinstance(plain.data, list):
            raise Wrong(f"{function}: {value.shown} is not allowed; use a list")
        return plain.data

    def _text(self, value: Value, context: _Context) -> str:
        plain = self._plain(value, context)
        if plain is None or not isinstance(plain.data, str | int):
            raise Wrong(f"{value.shown} is not allowed inside a text")
        return written(plain.data)

    # -- references --------------------------------------------------------------------------------------------------

    def _ref(self, name: str) -> Data:
        if name == "AWS::NoValue":
            return None
        if name.startswith("AWS::"):
            if name not in PSEUDO:
                raise Unknown(f"{name!r} is known on AWS only")
            return PSEUDO[name]
        if name in self._parameters:
            return self._parameters.value(name)
        return self._defined.get(name) or self._of_resource(name, "ref")

    def _attribute(self, argument: Value) -> str:
        parts = argument.data
        text = ".".join(str(part.data) for part in parts) if isinstance(parts, list) else str(parts)
        name, dot, attribute = text.partition(".")
        if not dot:
            raise Wrong(f"Fn::GetAtt: {text!r} is not allowed; use a resource and an attribute, such as Orders.Arn")
        if text in self._defined:
            return self._defined[text]
        if attribute not in ATTRIBUTES:
            self._check_known(name)
            raise Unknown(f"{text!r} is known on AWS only")
        return self._of_resource(name, ATTRIBUTES[attribute], text)

    def _of_resource(self, logical_id: str, form: str, text: str = "") -> str:
        self._check_known(logical_id)
        name = self.name(logical_id)
        kind = KINDS.get(resource_type(self.resources[logical_id]))
        if kind is not None:
            return kind.written(form, name)
        if form == "ref":
            return name
        raise Unknown(f"{text!r} is known on AWS only")

    def _check_known(self, name: str) -> None:
        if name in self.resources:
            return
        if name in self._left_out:
            raise Wrong(f"{name!r} is not there, because its Condition {self._left_out[name]!r} is false")
        if name.partition(".")[0] in self.resources:
            raise Unknown(f"{name!r} is known on AWS only")
        raise Wrong(f"there is no resource or parameter {name!r} in this template")
