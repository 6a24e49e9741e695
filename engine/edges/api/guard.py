"""Who may talk to us: programs of this machine, not web pages.

A page in a browser can send requests to any port of the machine it runs on. It cannot hide where it comes from: it
sends an `Origin`, or, after DNS rebinding, a `Host` that is not ours.
"""

import ipaddress
import secrets
from collections.abc import Mapping
from functools import lru_cache

from .answers import ApiError

_NAMES = frozenset({"localhost", "localhost.localstack.cloud"})


def check_host(headers: Mapping[str, str], allowed: frozenset[str]) -> None:
    """Raises ApiError 403 unless the Host is this machine's, or was allowed by `--allow-host`."""
    host = headers.get("host", "")
    if not _is_ours(host, allowed):
        text = f"Host {host!r} is not served: use localhost, or start lamtop with --allow-host"
        raise ApiError(403, "ForbiddenException", text)


def check_origin(headers: Mapping[str, str]) -> None:
    """Raises ApiError 403 for a request that a web page sends."""
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site", "none")
    if origin is not None or site not in ("none", "same-origin"):
        raise ApiError(403, "ForbiddenException", f"requests of web pages are refused (Origin {origin!r})")


def check_token(headers: Mapping[str, str], token: str) -> None:
    """Raises ApiError 401 unless the request carries this engine's token."""
    given = headers.get("authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(errors="surrogateescape"), token.encode()):
        raise ApiError(401, "UnauthorizedException", "this call needs the engine's token: 'lamtop attach' knows it")


@lru_cache(64)
def _is_ours(host: str, allowed: frozenset[str]) -> bool:
    name = _without_port(host)
    return name in _NAMES or name in allowed or name.endswith(".localhost") or _is_loopback(name)


def _without_port(host: str) -> str:
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
