"""The environment variables of an execution environment.

Source: Lambda guide, "Defined runtime environment variables". The engine's own variables stay outside: they may hold
somebody's credentials.
"""

import os
import uuid
from collections.abc import Mapping

from ...core.arn import LATEST, REGION
from ...core.function import Function
from .search_path import library_path, program_path, python_path

#: What leads a caller's own tools to AWS; handlers get it only if the caller says so (`--pass-credentials`).
CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
_KEPT = ("PATH", "HOME", "TMPDIR")
_X_RAY = ("127.0.0.1", "2000")  # nobody need listen there: the SDK sends datagrams


def surroundings(environ: Mapping[str, str], url: str, *, pass_credentials: bool) -> dict[str, str]:
    """What one environment gets whatever its function: a little of the caller's `environ`, and a way to AWS.

    That way is the engine at `url`, with credentials that are good for nothing; or, with `pass_credentials`, AWS
    itself with the caller's own, and only Lambda is this engine.
    """
    kept = {name: environ[name] for name in _KEPT if name in environ}
    if not pass_credentials:
        return {**kept, **dummy_credentials(), **({"AWS_ENDPOINT_URL": url} if url else {})}
    passed = {name: environ[name] for name in CREDENTIALS if name in environ}
    region = passed.get("AWS_REGION") or passed.get("AWS_DEFAULT_REGION")
    regions = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region} if region else {}
    return {**kept, **passed, **regions, **({"AWS_ENDPOINT_URL_LAMBDA": url} if url else {})}


def dummy_credentials() -> dict[str, str]:
    """Credentials that look right and open nothing; others for each environment."""
    key = uuid.uuid4().hex
    return {
        "AWS_ACCESS_KEY_ID": f"ASIA{key[:16].upper()}",
        "AWS_SECRET_ACCESS_KEY": key,
        "AWS_SESSION_TOKEN": key,
    }


def variables(function: Function, log_stream: str, base: Mapping[str, str], runtime_folder: str) -> dict[str, str]:
    """All variables for one process: lamtop's defaults, then `base`, then AWS's, then the function's own on top."""
    found = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "TZ": ":UTC",
        "SHLVL": "0",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **base,
        "LD_LIBRARY_PATH": library_path(function),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        **_logging(function),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": ":".join(_X_RAY),
        "_AWS_XRAY_DAEMON_ADDRESS": _X_RAY[0],
        "_AWS_XRAY_DAEMON_PORT": _X_RAY[1],
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": function.code,
        "LAMBDA_RUNTIME_DIR": runtime_folder,
        "PWD": function.code,
        **_debug_port(function),
        **function.environment,
    }
    if "PATH" not in function.environment:
        found["PATH"] = program_path(function, found["PATH"])
    if path := python_path(function, function.environment.get("PYTHONPATH", "")):
        found["PYTHONPATH"] = path
    return found


def _debug_port(function: Function) -> dict[str, str]:
    """For the bootstrap, which takes it out again."""
    return {} if function.debug_port is None else {"LAMTOP_DEBUG_PORT": str(function.debug_port)}


def _logging(function: Function) -> dict[str, str]:
    """What tells the runtime to log in JSON (Lambda guide, "Configuring advanced logging controls")."""
    if function.logging.format != "JSON":
        return {}
    return {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": function.logging.application_level}
