"""Where dead letters and results may go: the ARNs that a template's functions name."""

import re
from collections.abc import Iterable

from ...core.arn import LATEST, Reference, function_arn, queue_arn, resource_name
from ..language.properties import Properties

_FUNCTION_RULE = "a function, such as !Ref Orders"
_ARN = re.compile(r"arn:aws[a-zA-Z-]*:(?P<service>[a-z0-9]+):[^:]*:[^:]*:\S+")
_NOT_DELIVERED = {"sns": "SNS topics", "events": "EventBridge buses", "s3": "S3 buckets"}
_SERVICES = {"SQS": "sqs", "SNS": "sns", "Lambda": "lambda", "EventBridge": "events", "S3Bucket": "s3"}


class Targets:
    """The queues and functions of one template, as targets of its functions."""

    def __init__(self, queues: Iterable[str], fifo_queues: Iterable[str], functions: Iterable[str]) -> None:
        self._queues = sorted(queues)
        self._fifo_queues = frozenset(fifo_queues)
        self._functions = sorted(functions)
        self._qualifiers: dict[str, tuple[str, ...]] = {}

    def qualify(self, qualifiers: dict[str, tuple[str, ...]]) -> None:
        """From now on these versions and aliases are known, by the name of their function."""
        self._qualifiers = qualifiers

    def function(self, properties: Properties) -> str:
        """The name of the function under `FunctionName`, given by its name or ARN; empty, with an error, if wrong."""
        text = properties.text("FunctionName", _FUNCTION_RULE, needed=True)
        properties.require("FunctionName", _FUNCTION_RULE)
        if text is None:
            return ""
        found = Reference.parse(text)
        name = found.name if found else text
        if name not in self._functions:
            properties.error("FunctionName", _missing("function", name, self._functions, "add it"))
            return ""
        return name

    def dead_letters(self, properties: Properties, kind: str | None) -> str | None:
        """The ARN under `TargetArn`; `kind` is the Type beside it, if any.

        None when it is absent or, after noting it as an error, wrong.
        """
        return self._arn(properties, "TargetArn", ("sqs", "sns"), kind)

    def destination(self, properties: Properties, source: str, kind: str | None, *, failure: bool) -> str | None:
        """The ARN under `Destination`, where the records of the function `source` go; buckets take failures only."""
        services = ("sqs", "sns", "lambda", "events", *(("s3",) if failure else ()))
        arn = self._arn(properties, "Destination", services, kind)
        if arn == function_arn(source):
            properties.error("Destination", "a function cannot be its own destination; use another target")
            return None
        return arn

    def _arn(self, properties: Properties, key: str, services: tuple[str, ...], kind: str | None) -> str | None:
        allowed = f"the ARN of {_listed(services)}, such as !GetAtt MyQueue.Arn"
        text = properties.text(key, allowed)
        if text is None:
            return None
        match = _ARN.fullmatch(text)
        service = match["service"] if match else ""
        if service not in services:
            properties.error(key, f"{text!r} is not allowed; use {allowed}")
            return None
        if kind and _SERVICES[kind] != service:
            properties.error(key, f"{text!r} does not fit the Type {kind!r}; change one of them")
            return None
        return self._local(properties, key, service, text)

    def _local(self, properties: Properties, key: str, service: str, arn: str) -> str | None:
        match service:
            case "sqs":
                return self._queue(properties, key, resource_name(arn))
            case "lambda":
                return self._function(properties, key, *arn.split(":")[6:8])
        properties.warn(key, f"lamtop does not deliver to {_NOT_DELIVERED[service]} yet; it keeps what is sent there")
        return arn

    def _queue(self, properties: Properties, key: str, name: str) -> str | None:
        if name in self._fifo_queues:
            properties.error(key, f"{name!r} is a FIFO queue, which Lambda cannot send to; use a standard queue")
            return None
        if name not in self._queues:
            properties.error(key, _missing("queue", name, self._queues, "add an AWS::SQS::Queue"))
            return None
        return queue_arn(name)

    def _function(self, properties: Properties, key: str, name: str, qualifier: str = "") -> str | None:
        if name not in self._functions:
            properties.error(key, _missing("function", name, self._functions, "add it"))
            return None
        if qualifier in ("", LATEST):
            return function_arn(name)
        return function_arn(name, qualifier) if self.qualifier(properties, key, name, qualifier) else None

    def qualifier(self, properties: Properties, key: str, function: str, qualifier: str) -> bool:
        """Whether there is this version or alias; notes an error at `key` if not."""
        there = self._qualifiers.get(function, ())
        if qualifier not in there:
            rest = f"use one of {', '.join(map(repr, (LATEST, *there)))}"
            text = f"there is no version or alias {qualifier!r} of {function!r} in this template; {rest}"
            properties.error(key, text)
        return qualifier in there


def _missing(noun: str, name: str, there: list[str], advice: str) -> str:
    names = ", ".join(repr(one) for one in there)
    rest = f"use one of {names}" if there else f"there are none: {advice}"
    return f"there is no {noun} {name!r} in this template; {rest}"


def _listed(services: tuple[str, ...]) -> str:
    words = {"sqs": "a queue", "sns": "a topic", "lambda": "a function", "events": "an event bus", "s3": "a bucket"}
    return " or ".join([", ".join(words[one] for one in services[:-1]), words[services[-1]]])
