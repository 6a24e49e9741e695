"""Environment.Variables of a function, by AWS's rules for names and size."""

import json
import re

from ..language.kinds import written
from ..language.properties import Properties

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_SIZE_LIMIT = 4096  # bytes of JSON, as AWS measures it
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def environment(properties: Properties) -> dict[str, str]:
    """The variables of a function; numbers and booleans become texts, as CloudFormation writes them."""
    block = properties.inside("Environment")
    variables = block.inside("Variables")
    block.finish()
    read = {name: text for name in variables if (text := _variable(variables, name)) is not None}
    if len(json.dumps(read, separators=(",", ":"), ensure_ascii=False).encode()) > _SIZE_LIMIT:
        block.error("Variables", "more than 4 KB together, which AWS does not allow; make them smaller")
    return read


def _variable(variables: Properties, name: str) -> str | None:
    value = variables.value(name)
    if name in _RESERVED:
        variables.error(name, "is set by Lambda itself; use another name")
    elif not _NAME.fullmatch(name):
        variables.error(name, "is not allowed as a name; use two or more letters, digits and '_', a letter first")
    elif value is not None and not _is_text(value.data):
        variables.refuse(name, value, "a text, a number, true or false")
    elif value is not None and isinstance(value.data, str | int):
        return written(value.data)
    return None


def _is_text(data: object) -> bool:
    """Whether the operating system takes it: no NUL, no half of a surrogate pair."""
    return isinstance(data, str | int) and not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in str(data))
