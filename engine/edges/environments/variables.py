"""The environment variables of an execution environment.

Source: Lambda guide, "Defined runtime environment variables". The engine's own variables stay outside: they may hold
somebody's credentials.
"""

import os
import uuid
from collections.abc import Mapping

from ...core.arn import LATEST, REGION
from ...core.function import Function


def variables(function: Function, log_stream: str, base: Mapping[str, str], runtime_folder: str) -> dict[str, str]:
    """All variables for one process: lamtop's defaults, then `base`, then AWS's, then the function's own on top."""
    key = uuid.uuid4().hex
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": f"ASIA{key[:16].upper()}",
        "AWS_SECRET_ACCESS_KEY": key,
        "AWS_SESSION_TOKEN": key,
        **base,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": function.code,
        "LAMBDA_RUNTIME_DIR": runtime_folder,
        "PWD": function.code,
        **function.environment,
    }
