"""What a template says about asynchronous events: retries, age, destinations and the dead-letter queue."""

from ...core.function import EventInvokeConfig
from ..language.properties import Properties
from .targets import Targets

_ARN_RULE = "an ARN, such as !GetAtt MyQueue.Arn"
_DEFAULTS = EventInvokeConfig()


def dead_letter_queue(properties: Properties, targets: Targets, *, sam: bool) -> str | None:
    """The ARN in a function's DeadLetterQueue (SAM) or DeadLetterConfig (CloudFormation)."""
    key = "DeadLetterQueue" if sam else "DeadLetterConfig"
    inside = properties.inside(key)
    kind = inside.choice("Type", ("SQS", "SNS")) if sam else None
    arn = targets.dead_letters(inside, kind)
    if sam and key in properties:
        inside.require("Type", "SQS or SNS")
        inside.require("TargetArn", _ARN_RULE)
    inside.finish()
    return arn


def event_invoke_config(properties: Properties, targets: Targets, function: str, *, sam: bool) -> EventInvokeConfig:
    """The settings of an EventInvokeConfig; `sam` says whether a destination has a Type beside its ARN."""
    retries = properties.whole("MaximumRetryAttempts", 0, 2)
    age = properties.whole("MaximumEventAgeInSeconds", 60, 21_600, " of seconds")
    destinations = properties.inside("DestinationConfig")
    config = EventInvokeConfig(
        _DEFAULTS.maximum_retry_attempts if retries is None else retries,
        _DEFAULTS.maximum_event_age if age is None else float(age),
        _destination(destinations, "OnSuccess", targets, function, sam=sam),
        _destination(destinations, "OnFailure", targets, function, sam=sam),
    )
    destinations.finish()
    return config


def _destination(properties: Properties, key: str, targets: Targets, function: str, *, sam: bool) -> str | None:
    inside = properties.inside(key)
    kind = inside.choice("Type", ("SQS", "SNS", "Lambda", "EventBridge", "S3Bucket")) if sam else None
    arn = targets.destination(inside, function, kind, failure=key == "OnFailure")
    if kind in ("SQS", "SNS") and "Destination" not in inside:
        properties.warn(key, f"SAM would create its own target, lamtop does not; add a Destination: {_ARN_RULE}")
    elif len(inside):
        inside.require("Destination", _ARN_RULE)
    inside.finish()
    return arn
