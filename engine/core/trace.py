"""The X-Ray trace header of an invocation: which chain of requests it belongs to, and how often the chain came by here.

A handler finds it in `_X_AMZN_TRACE_ID`, and an AWS SDK in there sends it along with every request. So whoever gets one
knows the invocation that sent the request (`Parent`), and how many times each function was invoked on the way
(`Lineage`: a mark of the function and a count, for every function). Source: AWS compute blog, "Detecting and stopping
recursive loops in AWS Lambda functions", which leaves open how a mark is made; X-Ray guide, "Tracing header".
"""

import re
from functools import lru_cache
from hashlib import sha256

from .function import Function

HOPS_MAX = 16  # invocations of one function in one chain
_FUNCTIONS_MAX = 64  # that a header counts; of a longer chain the rarest are forgotten
_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT = re.compile(r"(?:^|;) *Parent=([0-9a-f]{16})(?:;|$)")
_HOPS = re.compile(r"([0-9a-f]{8}):([0-9]{1,6})")


class RecursionStopped(Exception):
    """A chain of requests has invoked one function too often; the text says which."""


def header_of(came: str, function: Function, request_id: str, now: float) -> str:
    """The header of a new invocation, for its handler. `came` is the one that its sender sent along, or ""."""
    mark = _mark(function.name)
    if not came:
        return f"Root={_root(request_id, now)};Parent={parent_of(request_id)};Sampled=0;Lineage={mark}:1"
    fields = _fields(came)
    root = fields.get("Root", "")
    if not _ROOT.fullmatch(root):
        root = _root(request_id, now)
    sampled = "1" if fields.get("Sampled") == "1" else "0"
    hops = _hops(fields.get("Lineage", ""))
    hops[mark] = hops.get(mark, 0) + 1
    if len(hops) > _FUNCTIONS_MAX:
        del hops[min(hops, key=lambda each: (each == mark, hops[each]))]
    lineage = "|".join(f"{each}:{count}" for each, count in hops.items())
    return f"Root={root};Parent={parent_of(request_id)};Sampled={sampled};Lineage={lineage}"


def is_loop(came: str, function: Function) -> bool:
    """Has this chain invoked the function so often that the next invocation is stopped?"""
    if "Lineage" not in came or function.recursive_loop == "Allow":
        return False
    return _hops(_fields(came).get("Lineage", "")).get(_mark(function.name), 0) >= HOPS_MAX


def parent_of(request_id: str) -> str:
    """How an invocation names itself in the headers of what it sends: the second half of its request id."""
    return request_id[19:23] + request_id[24:]


def sender_of(came: str) -> str:
    """What the invocation that sent this header names itself; "" if it does not say."""
    found = _PARENT.search(came)
    return found[1] if found else ""


def _root(request_id: str, now: float) -> str:
    return f"1-{int(now) & 0xFFFFFFFF:08x}-{request_id.replace('-', '')[:24]}"


def _fields(header: str) -> dict[str, str]:
    parts = (part.partition("=") for part in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in parts}


def _hops(lineage: str) -> dict[str, int]:
    """How often each function was invoked. Entries that are none of ours are left out; SDKs send "|" as "%7C"."""
    found = (_HOPS.fullmatch(entry) for entry in lineage.replace("%7C", "|").split("|"))
    return {match[1]: int(match[2]) for match in found if match}


@lru_cache(1_024)
def _mark(function: str) -> str:
    return sha256(function.encode()).hexdigest()[:8]
