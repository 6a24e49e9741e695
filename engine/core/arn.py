"""Amazon Resource Names, and the forms in which a caller may name a function."""

import re

REGION = "us-east-1"
ACCOUNT = "000000000000"
LATEST = "$LATEST"

QUALIFIER_MAX = 128
#: The pattern that AWS prints when a qualifier does not fit (Lambda API reference, Invoke).
QUALIFIER_PATTERN = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
FUNCTION_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_REFERENCE = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((?P<region>[a-z]{2}(-gov)?-[a-z]+-\d):)?((?P<account>\d{12}):)?"
    r"(function:)?(?P<name>[a-zA-Z0-9-_]+)(:(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
#: The pattern that AWS prints when a function name does not fit (Lambda API reference, Invoke).
REFERENCE_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)


class Reference:
    """A function as a caller named it: a name, `name:qualifier`, a partial or a full ARN.

    `parse` returns None when the text has none of these forms.
    """

    __slots__ = ("account", "name", "qualifier", "region")

    def __init__(self, name: str, qualifier: str | None, region: str | None, account: str | None) -> None:
        self.name = name
        self.qualifier = qualifier
        self.region = region
        self.account = account

    @classmethod
    def parse(cls, text: str) -> "Reference | None":
        match = _REFERENCE.fullmatch(text)
        if match is None or len(text) > 256:
            return None
        return cls(match["name"], match["qualifier"], match["region"], match["account"])


def function_arn(name: str, qualifier: str | None = None) -> str:
    """The ARN of a function; unqualified unless `qualifier` is given."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def queue_arn(name: str) -> str:
    """The ARN of a queue."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def resource_name(arn: str) -> str:
    """The last part of an ARN: the queue's or function's own name."""
    return arn.rsplit(":", 1)[-1]


def receiver_name(arn: str) -> str:
    """What a queue or a destination is called: a function's own name, whatever its version or alias."""
    reference = Reference.parse(arn)
    return reference.name if reference else resource_name(arn)
