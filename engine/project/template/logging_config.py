"""LoggingConfig of a function (Lambda guide, "Configuring advanced logging controls")."""

import re

from ...core.function import LoggingConfig
from ..language.properties import Properties

_DEFAULTS = LoggingConfig()
_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_GROUP_RULE = "1 to 512 letters, digits and '.', '-', '_', '/', '#'"


def logging_config(properties: Properties) -> LoggingConfig:
    """How the function logs; AWS's defaults when the template says nothing."""
    inside = properties.inside("LoggingConfig")
    form = inside.choice("LogFormat", ("Text", "JSON")) or _DEFAULTS.format
    application = inside.choice("ApplicationLogLevel", ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"))
    system = inside.choice("SystemLogLevel", ("DEBUG", "INFO", "WARN"))
    group = inside.text("LogGroup", _GROUP_RULE)
    inside.finish()
    for key, level in (("ApplicationLogLevel", application), ("SystemLogLevel", system)):
        if level and form != "JSON":
            inside.warn(key, "counts with LogFormat: JSON only; it is ignored")
    if group and not _GROUP.fullmatch(group):
        inside.error("LogGroup", f"{group!r} is not allowed; use {_GROUP_RULE}")
    return LoggingConfig(
        form, application or _DEFAULTS.application_level, system or _DEFAULTS.system_level, group or _DEFAULTS.group
    )
