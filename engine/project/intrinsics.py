"""What a template's names stand for: Ref, Fn::GetAtt, Fn::Sub and Fn::Join, as if the stack were deployed here."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from ..core.arn import ACCOUNT, REGION
from .problems import Place, Problems
from .yaml_source import Value

STACK = "lamtop"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
_VARIABLE = re.compile(r"\$\{(!?[^{}]*)\}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A resource type: the property that names it, and what Ref and the ARN look like once it has a name."""

    name: str
    arn: str
    ref: str = "{name}"


def _regional(service: str, resource: str = "{name}") -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


_KINDS = {
    "AWS::Serverless::Function": _Kind("FunctionName", _regional("lambda", "function:{name}")),
    "AWS::Lambda::Function": _Kind("FunctionName", _regional("lambda", "function:{name}")),
    "AWS::SQS::Queue": _Kind("QueueName", _regional("sqs"), f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{name}}"),
    "AWS::SNS::Topic": _Kind("TopicName", _regional("sns"), _regional("sns")),
    "AWS::Events::EventBus": _Kind("Name", _regional("events", "event-bus/{name}")),
    "AWS::S3::Bucket": _Kind("BucketName", "arn:aws:s3:::{name}"),
    "AWS::DynamoDB::Table": _Kind("TableName", _regional("dynamodb", "table/{name}")),
    "AWS::Serverless::SimpleTable": _Kind("TableName", _regional("dynamodb", "table/{name}")),
}
_ATTRIBUTES = {"Arn": "arn", "TopicArn": "arn", "QueueUrl": "ref", "QueueName": "name", "TopicName": "name"}


class _Unknown(Exception):
    """The value exists on AWS only."""


class _Wrong(Exception):
    """AWS would refuse this too."""


class _Context(NamedTuple):
    place: Place
    subject: str


class Scope:
    """Parameters and resources by logical id; gives each value of the template in plain form."""

    def __init__(self, parameters: dict[str, Value], resources: dict[str, Value], problems: Problems) -> None:
        self._parameters = parameters
        self._resources = resources
        self._problems = problems
        self._names: dict[str, str] = {}
        self._resolving: list[str] = []

    def resolve(self, value: Value, subject: str, *, needed: bool = False) -> Value | None:
        """`value` without intrinsics, or None when it is AWS::NoValue or cannot be known.

        A reference to nothing is noted as an error; a value that only AWS knows as a warning, or as an error when
        it is `needed`.
        """
        context = _Context(value.place, subject)
        try:
            return self._plain(value, context)
        except _Wrong as error:
            self._problems.error(value.place, subject, str(error))
        except _Unknown as error:
            note = self._problems.error if needed else self._problems.warn
            note(value.place, subject, f"{error}; {'write the value itself' if needed else 'it is left out'}")
        return None

    def name(self, logical_id: str) -> str:
        """The name of a resource: its name property, else its logical id."""
        if logical_id not in self._names:
            if logical_id in self._resolving:
                raise _Wrong(f"the name of {logical_id!r} refers to itself")
            self._resolving.append(logical_id)
            self._names[logical_id] = self._named(logical_id) or logical_id
            self._resolving.pop()
        return self._names[logical_id]

    def _named(self, logical_id: str) -> str | None:
        kind = _KINDS.get(resource_type(self._resources[logical_id]))
        named = kind and member(member(self._resources[logical_id], "Properties"), kind.name)
        value = kind and named and self.resolve(named, f"{logical_id}.{kind.name}")
        return str(value.data) if value and isinstance(value.data, str | int) else None

    def _plain(self, value: Value, context: _Context) -> Value | None:
        if not isinstance(value.data, dict) or len(value.data) != 1:
            return value
        ((function, argument),) = value.data.items()
        match function:
            case "Ref":
                data = self._ref(argument.data if isinstance(argument.data, str) else argument.shown)
            case "Fn::GetAtt":
                data = self._attribute(argument)
            case "Fn::Sub":
                data = self._substituted(argument, context)
            case "Fn::Join":
                data = self._joined(argument, context)
            case "Fn::Ref":
                raise _Wrong("'Fn::Ref' is not allowed; use 'Ref'")
            case _ if function.startswith("Fn::"):
                raise _Unknown(f"{function!r} is not evaluated by lamtop")
            case _:
                return value
        return None if data is None else Value(data, value.place)

    def _ref(self, name: str) -> str | int | bool | None:
        if name == "AWS::NoValue":
            return None
        if name.startswith("AWS::"):
            if name not in _PSEUDO:
                raise _Unknown(f"{name!r} is known on AWS only")
            return _PSEUDO[name]
        if name in self._parameters:
            return self._default(name)
        return self._of_resource(name, "ref")

    def _default(self, name: str) -> str | int | bool:
        parameter = self._parameters[name]
        kind, default = member(parameter, "Type"), member(parameter, "Default")
        if kind and str(kind.data).startswith("AWS::SSM::"):
            raise _Unknown(f"parameter {name!r} is stored on AWS")
        if default is None or not isinstance(default.data, str | int):
            raise _Unknown(f"parameter {name!r} has no Default")
        return default.data

    def _attribute(self, argument: Value) -> str:
        parts = argument.data
        text = ".".join(str(part.data) for part in parts) if isinstance(parts, list) else str(parts)
        name, dot, attribute = text.partition(".")
        if not dot:
            raise _Wrong(f"Fn::GetAtt: {text!r} is not allowed; use a resource and an attribute, such as Orders.Arn")
        if attribute not in _ATTRIBUTES:
            self._known(name)
            raise _Unknown(f"{text!r} is known on AWS only")
        return self._of_resource(name, _ATTRIBUTES[attribute], text)

    def _of_resource(self, logical_id: str, form: str, text: str = "") -> str:
        self._known(logical_id)
        name = self.name(logical_id)
        kind = _KINDS.get(resource_type(self._resources[logical_id]))
        if kind is None:
            if form == "ref":
                return name
            raise _Unknown(f"{text!r} is known on AWS only")
        return {"name": "{name}", "arn": kind.arn, "ref": kind.ref}[form].replace("{name}", name)

    def _known(self, name: str) -> None:
        if name in self._resources:
            return
        if name.partition(".")[0] in self._resources:
            raise _Unknown(f"{name!r} is known on AWS only")
        raise _Wrong(f"there is no resource or parameter {name!r} in this template")

    def _substituted(self, argument: Value, context: _Context) -> str:
        own: dict[str, Value] = {}
        text = argument
        if isinstance(argument.data, list) and len(argument.data) == 2:
            text, variables = argument.data
            own = variables.data if isinstance(variables.data, dict) else {}
        if not isinstance(text.data, str):
            raise _Wrong(f"Fn::Sub: {text.shown} is not allowed; use a text with ${{Names}} in it")
        return _VARIABLE.sub(lambda found: self._variable(found[1].strip(), own, context), text.data)

    def _variable(self, name: str, own: dict[str, Value], context: _Context) -> str:
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in own:
            return self._text(own[name], context)
        if "." in name:
            return self._attribute(Value(name, context.place))
        return written(self._ref(name))

    def _joined(self, argument: Value, context: _Context) -> str:
        match argument.data:
            case [Value(data=str(separator)), Value(data=list(parts))]:
                return separator.join(self._text(part, context) for part in parts)
        raise _Wrong("Fn::Join: use a separator and a list of texts")

    def _text(self, value: Value, context: _Context) -> str:
        plain = self._plain(value, context)
        if plain is None or not isinstance(plain.data, str | int):
            raise _Wrong(f"{value.shown} is not allowed inside a text")
        return written(plain.data)


def written(data: str | int | bool | None) -> str:
    """A scalar as CloudFormation writes it into a text."""
    return str(data).lower() if isinstance(data, bool) else "" if data is None else str(data)


def resource_type(resource: Value) -> str:
    """The Type of a resource, or an empty text."""
    kind = member(resource, "Type")
    return kind.data if kind and isinstance(kind.data, str) else ""


def member(value: Value | None, key: str) -> Value | None:
    """The value under `key`, if `value` is a mapping that has it."""
    return value.data.get(key) if value and isinstance(value.data, dict) else None
